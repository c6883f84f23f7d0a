/* SPDX-License-Identifier: MIT */
/* Target: a dump file, and all that can be done with it. See fuzz.h. */
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_error error = {.code = 0};
    struct script script;
    int result;

    meter_begin(size);
    result = alloctrace_snapshot_load_bytes(data, size, &snapshot, &error);
    meter_end();
    REQUIRE((result == 0) == (snapshot != NULL));
    if (result) {
        REQUIRE(result == ALLOCTRACE_EBAD_FILE ||
                result == ALLOCTRACE_EBAD_VERSION);
        REQUIRE(error.code == result);
        REQUIRE(*error.message && !strchr(error.message, '\n'));
        REQUIRE(error.offset <= size || error.offset == ALLOCTRACE_NO_OFFSET);
        return 0;
    }
    script_find(&script, data, size);
    play(snapshot, size, &script);
    return 0;
}

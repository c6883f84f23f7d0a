/* SPDX-License-Identifier: MIT */
/* words WORD...: how many different words there are. While it runs the API says
 * what that took; built without the plugin the same calls do nothing. */
#include <stdint.h>
#include <stdio.h>

#include <alloctrace.h>

#include "table.h"

int main(int argc, char **argv)
{
    struct table *const table = table_create();
    uint64_t bytes;
    uint64_t peak;

    if (!table)
        return 1;
    for (int i = 1; i < argc; i++)
        if (table_add(table, argv[i]) != 0)
            return 1;
    printf("%lu words\n", table_count(table));
    alloctrace_get_traced_memory(&bytes, &peak);
    if (alloctrace_is_tracing())
        fprintf(stderr, "%llu bytes traced\n", (unsigned long long)bytes);
    if (argc > 1 && argv[1][0] == '-')
        table_destroy(table);
    return 0;
}

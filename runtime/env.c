/* SPDX-License-Identifier: MIT */
/*
 * Reads the environment into at_options, once, before anything is traced. An
 * empty variable counts as unset.
 * A bad value of any variable is one line on standard error and turns
 * tracing off: what was asked for cannot be done, and the program runs on.
 */
#include <string.h>

#include "runtime.h"

#define FRAMES_OFF (-1)
#define FRAMES_ALL 0
#define FRAMES_MAX 65535

struct options at_options;

static bool parse_option_frames(const char *value, option_frames *out)
{
    uint32_t number = 0;

    if (strcmp(value, "all") == 0) {
        *out = FRAMES_ALL;
        return true;
    }
    for (; *value >= '0' && *value <= '9' && number <= FRAMES_MAX; value++)
        number = number * 10 + (uint32_t)(*value - '0');
    if (*value || number > FRAMES_MAX)
        return false;
    *out = number == 0 ? FRAMES_OFF : (option_frames)number;
    return true;
}

static bool parse_option_flag(const char *value, option_flag *out)
{
    if ((value[0] != '0' && value[0] != '1') || value[1])
        return false;
    *out = value[0] == '1';
    return true;
}

static bool parse_option_signal(const char *value, option_signal *out)
{
    *out = *value ? os_signal_number(value) : 0;
    return *out || !*value;
}

static bool parse_option_text(const char *value, option_text *out)
{
    *out = value;
    return true;
}

void env_read(void)
{
    bool is_good = true;
    const char *value;

#define AT_OPTION(type, name, variable, fallback, accepts, help)     \
    parse_##type(fallback, &at_options.name);                        \
    value = os_getenv(variable);                                     \
    if (value && *value && !parse_##type(value, &at_options.name)) { \
        message(variable, " is '", value, "', not ", accepts,        \
                "; the program runs untraced", (char *)NULL);        \
        is_good = false;                                             \
    }
#include "env.def"
#undef AT_OPTION
    if (!is_good)
        at_options.frames = FRAMES_OFF;
}

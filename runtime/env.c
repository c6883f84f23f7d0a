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

/* Reads digits; *end is behind them. False: none, or beyond 64 bits. */
static bool parse_number(const char *value, const char **end, uint64_t *out)
{
    *out = 0;
    for (*end = value; **end >= '0' && **end <= '9'; ++*end)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(**end - '0'), out))
            return false;
    return *end != value;
}

/* What a number is counted in: how many of the smallest unit. */
struct unit {
    const char *name;
    uint64_t scale;
};

static const struct unit times[] = {{"ms", UINT64_C(1000000)},
                                    {"s", UINT64_C(1000000000)},
                                    {"m", UINT64_C(60000000000)},
                                    {"h", UINT64_C(3600000000000)},
                                    {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1},         {"kB", 1000},     {"MB", 1000000},  {"GB", 1000000000},
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

static bool parse_units(const char *value, const struct unit *unit,
                        uint64_t *out)
{
    const char *end;

    if (!parse_number(value, &end, out))
        return false;
    while (unit->name && strcmp(end, unit->name) != 0)
        unit++;
    return unit->name && !__builtin_mul_overflow(*out, unit->scale, out);
}

static bool parse_option_number(const char *value, option_number *out)
{
    const char *end;

    return parse_number(value, &end, out) && !*end;
}

static bool parse_option_sample(const char *value, option_sample *out)
{
    if (!parse_option_number(value, out) && !parse_units(value, sizes, out))
        return false;
    return *out <= SAMPLE_MAX && (*out > 0 || strcmp(value, "0") == 0);
}

static bool parse_option_interval(const char *value, option_interval *out)
{
    *out = (option_interval){0, 0};
    if (strcmp(value, "0") == 0)
        return true;
    if (parse_units(value, times, &out->ns) && out->ns > 0)
        return true;
    out->ns = 0;
    return parse_units(value, sizes, &out->bytes) && out->bytes > 0;
}

static bool parse_option_flag(const char *value, option_flag *out)
{
    if ((value[0] != '0' && value[0] != '1') || value[1])
        return false;
    *out = value[0] == '1';
    return true;
}

/* A plain number is bytes. */
static bool parse_bytes(const char *value, uint64_t *out)
{
    const char *end;

    return (parse_number(value, &end, out) && !*end) ||
           parse_units(value, sizes, out);
}

/* Bytes, or a percentage of the memory there is. */
static bool parse_option_memory(const char *value, option_memory *out)
{
    const char *end;

    if (!parse_number(value, &end, out))
        return false;
    if (strcmp(end, "%") != 0)
        return parse_bytes(value, out);
    if (*out < 1 || *out > 100)
        return false;
    *out *= os_memory() / 100;
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
    if (at_options.sample && at_options.detail) {
        message("ALLOCTRACE_DETAIL has no effect with ALLOCTRACE_SAMPLE",
                (char *)NULL);
        at_options.detail = false;
    }
}

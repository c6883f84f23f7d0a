/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns at_options: reads -fplugin-arg-alloctrace-* by the table of
 * options.def. Runs first of all; nothing is instrumented on an error.
 */
#include "gcc.h"

#include "custom.h"
#include "options.h"

struct option {
    const char *name;
    int *value;         /* the field of at_options */
    const char *values; /* "first|second": the value is the position */
};

/* An option whose values are taken in by a function. */
struct text_option {
    const char *name;
    bool (*take)(const char *where, const char *value);
};

#define TEXT_OPTION(name, take, help)
struct options at_options = {
#define OPTION(name, field, values, fallback, help) fallback,
#include "options.def"
#undef OPTION
};

static const struct option option_table[] = {
#define OPTION(name, field, values, fallback, help)                           \
    {name, &at_options.field, values},
#include "options.def"
#undef OPTION
};
#undef TEXT_OPTION

static const struct text_option text_option_table[] = {
#define OPTION(name, field, values, fallback, help)
#define TEXT_OPTION(name, take, help) {name, take},
#include "options.def"
#undef TEXT_OPTION
#undef OPTION
};

/* "'first', 'second'" from the table, for messages. */
static const char *const option_names =
#define OPTION(name, field, values, fallback, help) " '" name "'"
#define TEXT_OPTION(name, take, help) " '" name "'"
#include "options.def"
#undef TEXT_OPTION
#undef OPTION
    ;

/* The position of VALUE in LIST ("a|b|c"), or -1. */
static int value_find(const char *list, const char *value)
{
    const size_t length = strlen(value);

    for (int i = 0;; i++) {
        const size_t n = strcspn(list, "|");

        if (n == length && memcmp(list, value, n) == 0)
            return i;
        if (list[n] == '\0')
            return -1;
        list += n + 1;
    }
}

static bool option_set(const struct option *option, const char *value)
{
    const int position = value_find(option->values, value ? value : "yes");

    if (position < 0) {
        error("%<-fplugin-arg-alloctrace-%s%>: the value is not one of %qs",
              option->name, option->values);
        return false;
    }
    *option->value = position;
    return true;
}

static bool text_option_take(const struct text_option *option,
                             const char *value)
{
    char *where = concat("-fplugin-arg-alloctrace-", option->name, NULL);
    bool is_good = value != NULL;

    if (is_good)
        is_good = option->take(where, value);
    else
        error("%s: the value is missing", where);
    free(where);
    return is_good;
}

static bool argument_parse(const struct plugin_argument *argument)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
        if (strcmp(option_table[i].name, argument->key) == 0)
            return option_set(&option_table[i], argument->value);
    for (size_t i = 0; i < ARRAY_SIZE(text_option_table); i++)
        if (strcmp(text_option_table[i].name, argument->key) == 0)
            return text_option_take(&text_option_table[i], argument->value);
    error("unknown option %<-fplugin-arg-alloctrace-%s%>; there are:%s",
          argument->key, option_names);
    return false;
}

bool at_options_parse(const struct plugin_argument *arguments, int n)
{
    bool is_good = true;

    for (int i = 0; i < n; i++)
        is_good &= argument_parse(&arguments[i]);
    return is_good;
}

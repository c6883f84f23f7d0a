/* SPDX-License-Identifier: MIT */
/* See args.h. Keeps no state. */
#include "args.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "out.h"

int args_fail(const char *command, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "alloctrace: %s: ", command);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, " (see 'alloctrace help %s')\n", command);
    return EXIT_UNUSABLE;
}

/* Position of the option that `word` names, with or without "=VALUE". */
static int find(const struct option *options, const char *word)
{
    const size_t size = strcspn(word, "=");

    for (int i = 0; options[i].name; i++)
        if (strlen(options[i].name) == size &&
            strncmp(options[i].name, word, size) == 0)
            return i;
    return -1;
}

/* Takes the option at argv[i]; *i moves on if the value is the next word. */
static int take(struct args *args, int argc, char **argv, int *i)
{
    const char *const word = argv[*i];
    const char *const equals = strchr(word, '=');
    const int option = find(args->options, word);
    const struct option *found;

    if (option < 0)
        return args_fail(argv[0], "unknown option '%s'", word);
    found = &args->options[option];
    if (!found->value && equals)
        return args_fail(argv[0], "%s takes no value", found->name);
    if (!found->value || equals) {
        args->given[option] = equals ? equals + 1 : word;
        return 0;
    }
    if (*i + 1 >= argc)
        return args_fail(argv[0], "%s wants %s behind it", found->name,
                         found->value);
    args->given[option] = argv[++*i];
    return 0;
}

/* Moves a word to the front, behind `n` others; those between keep their
 * order. */
static void move_forward(char **argv, int n, int i)
{
    char *const word = argv[i];

    memmove(argv + n + 1, argv + n, (size_t)(i - n) * sizeof *argv);
    argv[n] = word;
}

int args_parse(struct args *args, const struct option *options, int argc,
               char **argv, bool is_leading)
{
    int n = 1;     /* operands are gathered behind the command's name */
    int n_end = 0; /* words that end the options */
    int i;

    memset(args, 0, sizeof *args);
    args->options = options;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            n_end = 1;
            i++;
            break;
        }
        if (argv[i][0] != '-' || !argv[i][1]) {
            if (is_leading)
                break;
            move_forward(argv, n++, i);
        } else if (take(args, argc, argv, &i)) {
            return EXIT_UNUSABLE;
        }
    }
    while (i < argc)
        move_forward(argv, n++, i++);
    /* Operands may be executed: they end with NULL, and options follow. */
    args->n_words = argc - n - n_end;
    args->words = argv + n + 1;
    memmove(args->words, argv + n, (size_t)args->n_words * sizeof *argv);
    argv[n] = NULL;
    args->operands = argv + 1;
    args->n_operands = n - 1;
    return 0;
}

const char *args_next(const struct args *args, int *at, const char **value)
{
    const struct option *option;
    const char *equals;

    if (*at >= args->n_words)
        return NULL;
    option = &args->options[find(args->options, args->words[*at])];
    equals = strchr(args->words[*at], '=');
    *value = equals ? equals + 1 : NULL;
    ++*at;
    if (option->value && !equals)
        *value = args->words[(*at)++];
    return option->name;
}

const char *args_get(const struct args *args, const char *name)
{
    const int option = find(args->options, name);

    return option < 0 ? NULL : args->given[option];
}

/* Says what an option accepts: the names, separated by commas. */
static int fail_choice(const char *command, const char *name, const char *value,
                       const char *const *names)
{
    char accepted[256] = "";

    for (int i = 0; names[i]; i++) {
        if (i > 0)
            strncat(accepted, ", ", sizeof accepted - strlen(accepted) - 1);
        strncat(accepted, names[i], sizeof accepted - strlen(accepted) - 1);
    }
    return args_fail(command, "%s is '%s', not one of %s", name, value,
                     accepted);
}

int args_choice(const struct args *args, const char *command, const char *name,
                const char *const *names, int fallback, int *choice)
{
    const char *const value = args_get(args, name);

    *choice = fallback;
    if (!value)
        return 0;
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0) {
            *choice = i;
            return 0;
        }
    return fail_choice(command, name, value, names);
}

int args_number(const struct args *args, const char *command, const char *name,
                uint64_t limit, uint64_t fallback, uint64_t *number)
{
    const char *const value = args_get(args, name);
    uint64_t sum = 0;

    *number = fallback;
    if (!value)
        return 0;
    for (const char *c = value; *c || c == value; c++) {
        const uint64_t digit = (uint64_t)(*c - '0'); /* huge below '0' */

        if (digit > 9 || digit > limit || sum > (limit - digit) / 10)
            return args_fail(command, "%s is '%s', not a number up to %llu",
                             name, value, (unsigned long long)limit);
        sum = sum * 10 + digit;
    }
    *number = sum;
    return 0;
}

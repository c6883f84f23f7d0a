/* SPDX-License-Identifier: MIT */
/*
 * Options of a command from a table: "--name VALUE", "--name=VALUE", flags
 * without a value, operands between them, "--" before operands that look like
 * options. What is wrong is one line on standard error.
 */
#ifndef ALLOCTRACE_ARGS_H
#define ALLOCTRACE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option {
    const char *name;  /* with its dashes; NULL ends a table */
    const char *value; /* what the value is called in the help; NULL = flag */
    const char *help;  /* what it does; NULL = as the next one */
};

enum { MAX_OPTIONS = 48 };

struct args {
    const struct option *options;   /* the table */
    const char *given[MAX_OPTIONS]; /* last value (flags: name) of each, or NULL */
    char **words;                   /* of all options, into argv */
    int n_words;
    char **operands;                /* into argv */
    int n_operands;
};

/* The command line is wrong: says so, with where to find help. Returns 2. */
int args_fail(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Reads argv, whose first element is the command's name. Stops at the first
 * operand if `is_leading` (what follows belongs to another program). Orders
 * argv anew. Returns 0, or 2 after a message.
 */
int args_parse(struct args *args, const struct option *options, int argc,
               char **argv, bool is_leading);

/* Value of an option; NULL = not given. */
const char *args_get(const struct args *args, const char *name);

/* Goes through options in the order of the command line, for those that may be
 * given several times; `at` is 0 in the beginning. `value` is NULL for flags.
 * Returns the name of the next; NULL at the end. */
const char *args_next(const struct args *args, int *at, const char **value);

/* Reads the value as one of `names` (NULL ends), to its position; `fallback`
 * if it was not given. Returns 0, or 2 after a message. */
int args_choice(const struct args *args, const char *command, const char *name,
                const char *const *names, int fallback, int *choice);

/* Reads the value as a number up to `limit`. Returns as args_choice. */
int args_number(const struct args *args, const char *command, const char *name,
                uint64_t limit, uint64_t fallback, uint64_t *number);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The file that a dump goes to. Under its final name there is a whole dump or
 * what was there before: it is written beside it and renamed. Something that
 * exists and is no regular file (a pipe, /dev/null) is written directly and
 * never replaced. Signal-safe.
 */
#include <errno.h>
#include <string.h>

#include "runtime.h"

static const char *base_name(const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void add_pattern(struct text *text, char c, uint32_t sequence)
{
    char name[1024];

    switch (c) {
    case 'p':
        text_add_number(text, os_pid());
        break;
    case 'e':
        os_program_path(name, sizeof name);
        text_add(text, base_name(name));
        break;
    case 'h':
        os_host_name(name, sizeof name);
        text_add(text, name);
        break;
    case 'n':
        text_add_number(text, sequence);
        break;
    case '%':
        text_add_char(text, '%');
        break;
    default: /* unknown: kept as it is */
        text_add_char(text, '%');
        text_add_char(text, c);
    }
}

static bool expand(char *path, size_t size, const char *pattern,
                   uint32_t sequence)
{
    struct text text;

    text_init(&text, path, size);
    for (; *pattern; pattern++) {
        if (*pattern == '%' && pattern[1])
            add_pattern(&text, *++pattern, sequence);
        else
            text_add_char(&text, *pattern);
    }
    return !text_is_full(&text);
}

static int open_temporary(struct target *target)
{
    struct text text;
    int error;

    text_init(&text, target->temporary, sizeof target->temporary);
    text_add(&text, target->path);
    text_add(&text, ".");
    text_add_number(&text, os_pid());
    text_add(&text, ".tmp");
    if (text_is_full(&text))
        return ENAMETOOLONG;
    target->is_temporary = true;
    error = os_create(target->temporary, &target->fd);
    if (error == EEXIST) { /* left by a process of the same number */
        os_unlink(target->temporary);
        error = os_create(target->temporary, &target->fd);
    }
    return error;
}

int target_open(struct target *target, const char *pattern, uint32_t sequence)
{
    if (!expand(target->path, sizeof target->path, pattern, sequence))
        return ENAMETOOLONG;
    target->is_temporary = false;
    target->fd = -1;
    if (os_kind(target->path) == 2)
        return os_open_write(target->path, &target->fd);
    return open_temporary(target);
}

int target_close(struct target *target, int error)
{
    const int fd = target->fd;
    int close_error;

    /* First, for the child of a fork would close what is named here. */
    count_set(&target->fd, -1);
    close_error = os_close(fd);
    if (!error)
        error = close_error;
    if (!target->is_temporary)
        return error;
    if (!error)
        error = os_rename(target->temporary, target->path);
    if (error)
        os_unlink(target->temporary);
    return error;
}

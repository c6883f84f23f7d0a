/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns what the options say of the program's own allocators:
 *
 *     -fplugin-arg-alloctrace-allocator=NAME:SIZE[:FREE[:ARGUMENT]]
 *     -fplugin-arg-alloctrace-allocators=FILE     such lines; # is a comment
 *
 *     pool_alloc:2:pool_free:2       pool_alloc(pool, n), pool_free(pool, p)
 *     pool_calloc:1*2:pool_free      pool_calloc(n, size), pool_free(p)
 *     pool_realloc:2:pool_realloc    it gives back its argument itself
 *     node_new:0:ns::node::release   the size is not among the arguments
 *
 * A C++ function is named with its scopes and without its parameters, or as
 * the linker sees it; the first line that fits counts. "::" separates nothing.
 */
#include "gcc.h"

#include "allocfn.h"
#include "custom.h"
#include "customs.h"

enum { MAX_FIELDS = 4, MAX_ARGUMENT = 255 };

static auto_vec<struct custom_line> lines;

char *at_customs_name(tree decl)
{
    const char *name;
    char *readable = NULL;

    decl = at_decl_declared(DECL_ORIGIN(decl));
    name = DECL_NAME(decl) ? IDENTIFIER_POINTER(DECL_NAME(decl)) : "?";
    if (startswith(at_assembler_name(decl), "_Z"))
        readable = cplus_demangle_v3(at_assembler_name(decl), DMGL_ANSI);
    return readable ? readable : xstrdup(name);
}

const struct custom_line *at_customs_find(tree decl, bool is_free)
{
    const struct custom_line *found = NULL;
    char *name;

    if (lines.is_empty())
        return NULL;
    decl = at_decl_declared(DECL_ORIGIN(decl));
    name = at_customs_name(decl);
    for (unsigned i = 0; i < lines.length() && !found; i++) {
        const char *wanted = is_free ? lines[i].free_name : lines[i].name;

        if (wanted && (strcmp(wanted, name) == 0 ||
                       strcmp(wanted, at_assembler_name(decl)) == 0))
            found = &lines[i];
    }
    free(name);
    return found;
}

/* Cut LINE at its colons, "::" left alone. The number of fields, or -1. */
static int line_split(char *line, char **fields)
{
    int n = 1;

    fields[0] = line;
    for (char *c = line; *c != '\0'; c++) {
        if (*c != ':')
            continue;
        if (c[1] == ':') {
            c++;
            continue;
        }
        if (n == MAX_FIELDS)
            return -1;
        *c = '\0';
        fields[n++] = c + 1;
    }
    return n;
}

/* Reads an argument's number; *END is what follows. False: it is none. */
static bool number_read(const char *text, const char **end, unsigned *number)
{
    *number = 0;
    for (*end = text; ISDIGIT(**end) && *number <= MAX_ARGUMENT; ++*end)
        *number = 10 * *number + (**end - '0');
    return *end > text && *number <= MAX_ARGUMENT;
}

/* "N" or "A*B" */
static bool size_read(const char *text, struct custom_line *line)
{
    const char *end;

    if (!number_read(text, &end, &line->size))
        return false;
    if (*end == '*' && line->size > 0)
        return number_read(end + 1, &end, &line->size_factor) &&
               line->size_factor > 0 && *end == '\0';
    return *end == '\0';
}

/* What is wrong with the line, or NULL. */
static const char *line_parse(char *text, struct custom_line *line)
{
    char *fields[MAX_FIELDS];
    const int n = line_split(text, fields);
    const char *end;

    memset(line, 0, sizeof *line);
    if (n < 2)
        return n < 0 ? "more than four fields" : "no ':' and size argument";
    if (fields[0][0] == '\0' || (n > 2 && fields[2][0] == '\0'))
        return "a function without a name";
    if (!size_read(fields[1], line))
        return "the size is neither an argument's number nor A*B";
    line->freed = 1;
    if (n > 3 && (!number_read(fields[3], &end, &line->freed) ||
                  *end != '\0' || line->freed == 0))
        return "the freed block is no argument's number";
    line->name = xstrdup(fields[0]);
    line->free_name = n > 2 ? xstrdup(fields[2]) : NULL;
    return NULL;
}

bool at_custom_add_line(const char *where, const char *text)
{
    char *copy = xstrdup(text);
    struct custom_line line;
    const char *wrong = line_parse(copy, &line);

    free(copy);
    if (wrong != NULL) {
        error("%s: %qs: %s; wanted is %s", where, text, wrong,
              "NAME:SIZE[:FREE[:ARGUMENT]]");
        return false;
    }
    lines.safe_push(line);
    return true;
}

/* LINE without its comment and the spaces around the rest. */
static char *line_trim(char *line)
{
    char *end = line + strcspn(line, "#\n");

    while (ISSPACE(*line) && line < end)
        line++;
    while (end > line && ISSPACE(end[-1]))
        end--;
    *end = '\0';
    return line;
}

bool at_custom_add_file(const char *where, const char *path)
{
    FILE *file = fopen(path, "r");
    bool is_good = true;
    char *line = NULL;
    size_t size = 0;

    if (file == NULL) {
        error("%s: %s: %m", where, path);
        return false;
    }
    for (unsigned number = 1; getline(&line, &size, file) >= 0; number++) {
        const char *text = line_trim(line);
        char place[16];
        char *full;

        sprintf(place, ":%u", number);
        full = concat(path, place, NULL);
        is_good &= *text == '\0' || at_custom_add_line(full, text);
        free(full);
    }
    if (ferror(file)) {
        error("%s: %s: %m", where, path);
        is_good = false;
    }
    free(line);
    fclose(file);
    return is_good;
}

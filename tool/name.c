/* SPDX-License-Identifier: MIT */
/*
 * See name.h. A name is read once from left to right with the depth of its
 * brackets; the signs of operators (operator<, operator()) are none.
 */
#include "name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What follows the name of a lambda. */
#define CALL_OPERATOR "::operator()"

/* Where the parts of a name begin, as offsets. */
struct parts {
    size_t name;       /* the name without what it returns */
    size_t parameters; /* its "(" outside all brackets; the end = has none */
};

/* Bytes of "operator" with its signs at `at`; 0 = there is none. */
static size_t operator_size(const char *name, size_t at)
{
    const size_t word = strlen("operator");
    const char *const signs = name + at + word;

    if (strncmp(name + at, "operator", word) != 0 ||
        (at > 0 && name[at - 1] != ':' && name[at - 1] != ' '))
        return 0;
    if (strncmp(signs, "()", 2) == 0 || strncmp(signs, "[]", 2) == 0)
        return word + 2;
    /* Of types it is a conversion, and "operator new" has a space as well:
     * all up to the parameters is the name. */
    if (*signs == ' ')
        return word + strcspn(signs, "(");
    return word + strspn(signs, "<>=!+-*/%^&|~,");
}

static int depth_change(char c)
{
    switch (c) {
    case '<':
    case '(':
    case '[':
    case '{':
        return 1;
    case '>':
    case ')':
    case ']':
    case '}':
        return -1;
    default:
        return 0;
    }
}

static struct parts parts_find(const char *name)
{
    const size_t end = strlen(name);
    struct parts parts = {0, end};
    bool is_operator = false;
    int depth = 0;
    size_t size;

    for (size_t i = 0; i < end; i += size) {
        size = depth == 0 ? operator_size(name, i) : 0;
        if (size > 0) {
            is_operator = true;
            continue;
        }
        size = 1;
        /* "(anonymous namespace)::f" has no parameters there. */
        if (depth == 0 && name[i] == '(' && i > 0 && name[i - 1] != ' ' &&
            name[i - 1] != ':')
            parts.parameters = i;
        if (depth == 0 && name[i] == ' ' && name[i + 1] && !is_operator)
            parts.name = i + 1;
        depth += depth_change(name[i]);
        if (depth == 0 && name[i] == ')' && parts.parameters < end) {
            if (strncmp(name + i + 1, "::", 2) != 0)
                break;
            parts.parameters = end; /* of a function around this one */
        }
    }
    return parts;
}

/* Bytes of what is no list of arguments though it has brackets: operators and
 * "(anonymous namespace)". 0 = there is none. */
static size_t whole_size(const char *begin, const char *c)
{
    if (*c == '(' && (c == begin || c[-1] == ':' || c[-1] == ' '))
        return strcspn(c, ")") + 1;
    return operator_size(begin, (size_t)(c - begin));
}

/* Copies [begin, end), with "..." for what stands in angle brackets, and
 * nothing for what stands in round ones. */
static void copy_without_arguments(const char *begin, const char *end,
                                   char *text, size_t size)
{
    size_t used = 0;
    size_t whole = 0; /* bytes that are still to be copied as they are */
    int depth = 0;    /* of what is left out */

    for (const char *c = begin; c < end && used + sizeof "<...>" < size; c++) {
        if (depth == 0 && whole == 0)
            whole = whole_size(begin, c);
        if (whole > 0) {
            text[used++] = *c;
            whole--;
        } else if (*c == '<' || *c == '(') {
            if (depth++ == 0 && *c == '<')
                used += (size_t)sprintf(text + used, "<...>");
        } else if (depth > 0) {
            depth -= *c == '>' || *c == ')';
        } else {
            text[used++] = *c;
        }
    }
    text[used] = '\0';
}

/* Leaves whole parts of a scope if it can: "...::put". */
static void cut_beginning(char *text, size_t length, size_t room)
{
    const char *rest = text + length - (room - 3);
    const char *const scope = strstr(rest, "::");

    if (scope)
        rest = scope;
    memmove(text + 3, rest, strlen(rest) + 1);
    memcpy(text, "...", 3);
}

/* A lambda has no other function, so that its own name is enough. */
static bool drop_call_operator(char *text)
{
    const size_t length = strlen(text);
    const size_t size = strlen(CALL_OPERATOR);

    if (length <= size || text[length - size - 1] != '}' ||
        strcmp(text + length - size, CALL_OPERATOR) != 0)
        return false;
    text[length - size] = '\0';
    return true;
}

void name_fit(const char *name, size_t room, char *text, size_t size)
{
    struct parts parts;
    size_t length = strlen(name);

    snprintf(text, size, "%s", name);
    if (length <= room)
        return;
    parts = parts_find(name);
    /* Types look like what is returned: "struct node" stays as it is. */
    if (name[parts.parameters]) {
        snprintf(text, size, "%.*s", (int)(parts.parameters - parts.name),
                 name + parts.name);
    } else {
        parts.name = 0;
    }
    if (strlen(text) > room && drop_call_operator(text))
        parts.parameters -= strlen(CALL_OPERATOR);
    if (strlen(text) > room)
        copy_without_arguments(name + parts.name, name + parts.parameters, text,
                               size);
    length = strlen(text);
    if (length <= room)
        return;
    if (room > 3)
        cut_beginning(text, length, room);
    else
        text[room] = '\0';
}

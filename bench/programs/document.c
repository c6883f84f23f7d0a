/* SPDX-License-Identifier: MIT */
/*
 * Documents: see document.h. Parsing descends, and gives back what it has made
 * so far if the text turns out to be wrong. Depth is bounded, so that a hostile
 * text overflows no stack.
 */
#include "document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define NUMBER_SIZE 24 /* of -9223372036854775808, its end included */

enum kind { OBJECT, ARRAY, STRING, NUMBER, TRUE, FALSE, NONE };

struct value {
    enum kind kind;
    long long number;
    char *name;             /* in an object, else NULL */
    char *string;           /* of STRING, else NULL */
    struct value *children; /* of OBJECT and ARRAY, in order */
    struct value *next;     /* of the same parent */
};

struct input {
    const char *at;
    const char *end;
    int depth;
};

/* Grows by doubling. */
struct output {
    char *text;
    size_t size;
    size_t room;
};

static const char *const words[] = {
    [TRUE] = "true", [FALSE] = "false", [NONE] = "null"};

void *take(size_t size)
{
    void *const block = malloc(size);

    if (!block)
        abort();
    return block;
}

char *take_copy(const char *text, size_t size)
{
    char *const copy = take(size + 1);

    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static int accept_byte(struct input *input, char byte)
{
    if (input->at == input->end || *input->at != byte)
        return 0;
    input->at++;
    return 1;
}

static struct value *value_new(enum kind kind)
{
    struct value *const value = take(sizeof *value);

    memset(value, 0, sizeof *value);
    value->kind = kind;
    return value;
}

void document_free(struct value *document)
{
    while (document) {
        struct value *const next = document->next;

        document_free(document->children);
        free(document->name);
        free(document->string);
        free(document);
        document = next;
    }
}

/* Of what stands behind an opening quote; NULL if it is not closed. */
static char *parse_text(struct input *input)
{
    const char *const begin = input->at;
    const char *const end =
        memchr(begin, '"', (size_t)(input->end - input->at));

    if (!end || memchr(begin, '\\', (size_t)(end - begin)))
        return NULL;
    input->at = end + 1;
    return take_copy(begin, (size_t)(end - begin));
}

static struct value *parse_value(struct input *input);

static struct value *parse_member(struct input *input, enum kind parent)
{
    struct value *value;
    char *name = NULL;

    if (parent == OBJECT) {
        name = accept_byte(input, '"') ? parse_text(input) : NULL;
        if (!name || !accept_byte(input, ':')) {
            free(name);
            return NULL;
        }
    }
    value = parse_value(input);
    if (value)
        value->name = name;
    else
        free(name);
    return value;
}

static struct value *parse_parent(struct input *input, enum kind kind,
                                  char close)
{
    struct value *const parent = value_new(kind);
    struct value **last = &parent->children;

    if (accept_byte(input, close))
        return parent;
    do {
        *last = parse_member(input, kind);
        if (!*last)
            break;
        last = &(*last)->next;
    } while (accept_byte(input, ','));
    if (*last || last == &parent->children || !accept_byte(input, close)) {
        document_free(parent);
        return NULL;
    }
    return parent;
}

static struct value *parse_string(struct input *input)
{
    char *const string = parse_text(input);
    struct value *const value = string ? value_new(STRING) : NULL;

    if (value)
        value->string = string;
    return value;
}

static struct value *parse_number(struct input *input)
{
    char digits[NUMBER_SIZE];
    struct value *value;
    char *end;
    size_t n = 0;

    while (input->at + n < input->end && n < sizeof digits - 1 &&
           strchr("-0123456789", input->at[n]) && input->at[n])
        n++;
    memcpy(digits, input->at, n);
    digits[n] = '\0';
    value = value_new(NUMBER);
    value->number = strtoll(digits, &end, 10);
    if (n > 0 && !*end) {
        input->at += n;
        return value;
    }
    free(value);
    return NULL;
}

static struct value *parse_word(struct input *input)
{
    for (enum kind kind = TRUE; kind <= NONE; kind++) {
        const size_t size = strlen(words[kind]);

        if ((size_t)(input->end - input->at) >= size &&
            !memcmp(input->at, words[kind], size)) {
            input->at += size;
            return value_new(kind);
        }
    }
    return parse_number(input);
}

static struct value *parse_value(struct input *input)
{
    struct value *value;

    if (++input->depth > MAX_DEPTH)
        return NULL;
    if (accept_byte(input, '{'))
        value = parse_parent(input, OBJECT, '}');
    else if (accept_byte(input, '['))
        value = parse_parent(input, ARRAY, ']');
    else if (accept_byte(input, '"'))
        value = parse_string(input);
    else
        value = parse_word(input);
    input->depth--;
    return value;
}

struct value *document_parse(const char *text, size_t size)
{
    struct input input = {text, text + size, 0};
    struct value *const document = parse_value(&input);

    if (document && input.at == input.end)
        return document;
    document_free(document);
    return NULL;
}

static void put(struct output *output, const char *text, size_t size)
{
    while (output->room - output->size < size) {
        output->room *= 2;
        output->text = realloc(output->text, output->room);
        if (!output->text)
            abort();
    }
    memcpy(output->text + output->size, text, size);
    output->size += size;
}

static void put_quoted(struct output *output, const char *text)
{
    put(output, "\"", 1);
    put(output, text, strlen(text));
    put(output, "\"", 1);
}

static void put_value(struct output *output, const struct value *value);

static void put_parent(struct output *output, const struct value *parent)
{
    const char *const brackets = parent->kind == OBJECT ? "{}" : "[]";

    put(output, brackets, 1);
    for (const struct value *child = parent->children; child;
         child = child->next) {
        if (child->name) {
            put_quoted(output, child->name);
            put(output, ":", 1);
        }
        put_value(output, child);
        if (child->next)
            put(output, ",", 1);
    }
    put(output, brackets + 1, 1);
}

static void put_number(struct output *output, long long number)
{
    char digits[NUMBER_SIZE];
    const int n = snprintf(digits, sizeof digits, "%lld", number);

    put(output, digits, (size_t)n);
}

static void put_value(struct output *output, const struct value *value)
{
    if (value->kind == OBJECT || value->kind == ARRAY)
        put_parent(output, value);
    else if (value->kind == STRING)
        put_quoted(output, value->string);
    else if (value->kind == NUMBER)
        put_number(output, value->number);
    else
        put(output, words[value->kind], strlen(words[value->kind]));
}

char *document_print(const struct value *document, size_t *size)
{
    struct output output = {take(64), 0, 64};

    put_value(&output, document);
    *size = output.size;
    return output.text;
}

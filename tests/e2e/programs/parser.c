/* SPDX-License-Identifier: MIT */
/*
 * parser FILE: a recursive-descent parser, which builds the tree of each line:
 *
 *     sum     := product (("+" | "-") product)*
 *     product := unary (("*" | "/") unary)*
 *     unary   := "-" unary | atom
 *     atom    := digit | "(" sum ")" | "[" (sum ("," sum)*)? "]"
 *
 * The trees of every other line stay. A line that is not well-formed keeps
 * what was built of it until the line's end, too. Prints what it allocated and
 * what is live: blocks and bytes, as it counts them itself.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *first;
    struct node *second;
    struct node *next_of_line; /* all nodes of a line, to free them */
    char kind;
};

static unsigned long total_blocks, total_bytes, live_blocks, live_bytes;
static struct node *line_nodes;
static const char *at; /* what comes next in the input */

static size_t size_of(char kind)
{
    return sizeof(struct node) + (unsigned char)kind % 16;
}

static struct node *make(char kind, struct node *first, struct node *second)
{
    struct node *const node = malloc(size_of(kind));

    if (!node)
        abort();
    *node = (struct node){first, second, line_nodes, kind};
    line_nodes = node;
    total_blocks++;
    total_bytes += size_of(kind);
    live_blocks++;
    live_bytes += size_of(kind);
    return node;
}

static void drop_line(void)
{
    while (line_nodes) {
        struct node *const node = line_nodes;

        line_nodes = node->next_of_line;
        live_blocks--;
        live_bytes -= size_of(node->kind);
        free(node);
    }
}

static __attribute__((noinline)) struct node *sum(void);

static int eat(char c)
{
    if (*at != c)
        return 0;
    at++;
    return 1;
}

static struct node *array(void)
{
    struct node *list = make('[', NULL, NULL);

    if (eat(']'))
        return list;
    do
        list = make(',', list, sum());
    while (eat(','));
    eat(']');
    return list;
}

static __attribute__((noinline)) struct node *atom(void)
{
    if (eat('[')) {
        return array();
    } else if (eat('(')) {
        struct node *const inside = make('(', sum(), NULL);

        eat(')');
        return inside;
    } else if (*at >= '0' && *at <= '9') {
        return make(*at++, NULL, NULL);
    }
    return make('?', NULL, NULL);
}

static __attribute__((noinline)) struct node *unary(void)
{
    return eat('-') ? make('-', unary(), NULL) : atom();
}

static __attribute__((noinline)) struct node *product(void)
{
    struct node *left = unary();

    for (;;)
        if (eat('*'))
            left = make('*', left, unary());
        else if (eat('/'))
            left = make('/', left, unary());
        else
            return left;
}

static struct node *sum(void)
{
    struct node *left = product();

    for (;;)
        if (eat('+'))
            left = make('+', left, product());
        else if (eat('-'))
            left = make('-', left, product());
        else
            return left;
}

static void *parse(void *input)
{
    int number = 0;

    for (at = input; *at; number++) {
        sum();
        while (*at && !eat('\n'))
            at++;
        if (number % 2)
            drop_line();
        line_nodes = NULL;
    }
    return NULL;
}

/* Not by malloc, which is counted by others: a static buffer. */
static char input[32 << 20];

int main(int argc, char **argv)
{
    FILE *const file = argc == 2 ? fopen(argv[1], "r") : NULL;
    pthread_attr_t attributes;
    pthread_t thread;

    if (!file || !fread(input, 1, sizeof input - 1, file))
        return 2;
    fclose(file);
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, (size_t)1 << 30) != 0 ||
        pthread_create(&thread, &attributes, parse, input) != 0 ||
        pthread_join(thread, NULL) != 0)
        return 1;
    printf("%lu %lu %lu %lu\n", total_blocks, total_bytes, live_blocks,
           live_bytes);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * An allocation-bound program: 20 to 25 million small, short-lived blocks a
 * second, from call paths 5 to 15 deep. It evaluates random expressions over
 * multi-word numbers; each intermediate result is a block of its own, freed
 * as soon as it has been used, as in programs for exact arithmetic (cfrac of
 * mimalloc-bench has the same profile: 24 million a second, 18 bytes each).
 *
 *     numbers [EVALUATIONS]      prints a checksum of all results
 *
 * The words in capitals are nothing here: bench/limit puts an ideal tool's work
 * in their places (ideal.h).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ideal.h"

#define MAX_WORDS 4
#define N_TREES 16

struct number {
    uint32_t n_words;
    uint32_t words[];
};

enum operation { LEAF, ADD, SUBTRACT, MULTIPLY, DIVISOR };

struct expression {
    enum operation operation;
    uint32_t value; /* of a leaf */
    struct expression *left;
    struct expression *right;
};

static uint64_t state = 88172645463325252u;

static uint32_t random_below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

static struct number *number_new(uint32_t n_words PATH)
{
    struct number *const number =
        MALLOC_HERE(sizeof *number + n_words * sizeof *number->words);

    if (!number)
        exit(1);
    number->n_words = n_words;
    return number;
}

static void number_free(struct number *number)
{
    FREE(number);
}

__attribute__((noinline)) static struct number *
number_from(uint32_t value PATH)
{
    struct number *const number = number_new(1 VIA);

    number->words[0] = value;
    return number;
}

static uint32_t word(const struct number *number, uint32_t i)
{
    return i < number->n_words ? number->words[i] : 0;
}

static uint32_t larger(const struct number *a, const struct number *b)
{
    return a->n_words > b->n_words ? a->n_words : b->n_words;
}

__attribute__((noinline)) static struct number *
add(const struct number *a, const struct number *b PATH)
{
    const uint32_t n = larger(a, b);
    struct number *const sum = number_new(n VIA);
    uint64_t carry = 0;

    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)word(a, i) + word(b, i);
        sum->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return sum;
}

__attribute__((noinline)) static struct number *
subtract(const struct number *a, const struct number *b PATH)
{
    const uint32_t n = larger(a, b);
    struct number *const difference = number_new(n VIA);
    int64_t borrow = 0;

    for (uint32_t i = 0; i < n; i++) {
        borrow += (int64_t)word(a, i) - word(b, i);
        difference->words[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    return difference;
}

__attribute__((noinline)) static struct number *
multiply(const struct number *a, const struct number *b PATH)
{
    const uint32_t n = a->n_words + b->n_words > MAX_WORDS
                           ? MAX_WORDS
                           : a->n_words + b->n_words;
    struct number *const product = number_new(n VIA);

    memset(product->words, 0, n * sizeof *product->words);
    for (uint32_t i = 0; i < a->n_words && i < n; i++) {
        uint64_t carry = 0;

        for (uint32_t k = 0; i + k < n; k++) {
            carry += (uint64_t)a->words[i] * word(b, k) + product->words[i + k];
            product->words[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    return product;
}

static uint64_t low_words(const struct number *number)
{
    return (uint64_t)word(number, 1) << 32 | number->words[0];
}

/* Euclid's algorithm: the work between allocations. */
static uint64_t common_factor(const struct number *a, const struct number *b)
{
    uint64_t x = low_words(a);
    uint64_t y = low_words(b);

    while (y) {
        const uint64_t rest = x % y;

        x = y;
        y = rest;
    }
    return x;
}

__attribute__((noinline)) static struct number *
divisor(const struct number *a, const struct number *b PATH)
{
    const uint64_t factor = common_factor(a, b);
    struct number *const result = number_new(2 VIA);

    result->words[0] = (uint32_t)factor | 1;
    result->words[1] = b->words[0];
    return result;
}

static struct number *evaluate(const struct expression *expression PATH);

__attribute__((noinline)) static struct number *
apply(const struct expression *expression PATH)
{
    struct number *const left = evaluate(expression->left VIA);
    struct number *const right = evaluate(expression->right VIA);
    struct number *result;

    switch (expression->operation) {
    case ADD:
        result = add(left, right VIA);
        break;
    case SUBTRACT:
        result = subtract(left, right VIA);
        break;
    case MULTIPLY:
        result = multiply(left, right VIA);
        break;
    default:
        result = divisor(left, right VIA);
    }
    result->words[0] += (uint32_t)common_factor(left, result);
    number_free(left);
    number_free(right);
    return result;
}

__attribute__((noinline)) static struct number *
evaluate(const struct expression *expression PATH)
{
    if (expression->operation == LEAF)
        return number_from(expression->value VIA);
    return apply(expression VIA);
}

static struct expression *grow(unsigned depth PATH)
{
    struct expression *const expression = CALLOC(1, sizeof *expression);

    if (!expression)
        exit(1);
    expression->value = random_below(1u << 31) + 1;
    if (depth > 0) {
        expression->operation = ADD + random_below(4);
        expression->left = grow(depth - 1 VIA);
        expression->right = grow(random_below(2) VIA);
    }
    return expression;
}

static void cut(struct expression *expression)
{
    if (expression) {
        cut(expression->left);
        cut(expression->right);
        FREE(expression);
    }
}

int main(int argc, char **argv)
{
    ROOT
    const unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    struct expression *trees[N_TREES];
    uint32_t checksum = 0;

    IDEAL_BEGIN();
    for (unsigned i = 0; i < N_TREES; i++)
        trees[i] = grow(2 + i % 5 VIA);
    for (unsigned long i = 0; i < n; i++) {
        struct number *const result = evaluate(trees[i % N_TREES] VIA);

        checksum = checksum * 31 + result->words[0];
        number_free(result);
    }
    for (unsigned i = 0; i < N_TREES; i++)
        cut(trees[i]);
    printf("%08x\n", checksum);
    IDEAL_END();
    return 0;
}

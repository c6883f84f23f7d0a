/* SPDX-License-Identifier: MIT */
/*
 * The modules' site records, found by their keys. A number that was recovered
 * from a frame's hash is a site only if a unit that is loaded has that key:
 * everything else is damage and must not be followed. Under at_lock.
 *
 * A module is only noted when it is loaded, which costs a program that is not
 * traced nothing. The units are sorted when the first key is asked for.
 */
#include <stddef.h>

#include "runtime.h"

/* The sections of loaded modules. A slot with begin == end is free. */
#define MAX_MODULES 1024
static struct {
    const struct alloctrace_unit *begin;
    const struct alloctrace_unit *end;
} modules[MAX_MODULES];
static uint32_t n_modules;

/* Pointers to all units in ascending order of keys; NULL = to be made. */
static const struct alloctrace_unit **units;
static size_t n_units;
static size_t units_size; /* bytes that are mapped for it */

static const struct alloctrace_site *first_site(
    const struct alloctrace_unit *unit)
{
    return (const struct alloctrace_site *)(const void *)site_string(
        &unit->sites);
}

/* Lets the unit at `i` sink to its place in the heap of the first `n`. */
static void sift(const struct alloctrace_unit **heap, size_t i, size_t n)
{
    const struct alloctrace_unit *const unit = heap[i];

    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child]->key < heap[child + 1]->key)
            child++;
        if (heap[child]->key <= unit->key)
            break;
        heap[i] = heap[child];
    }
    heap[i] = unit;
}

static void sort(const struct alloctrace_unit **heap, size_t n)
{
    for (size_t i = n / 2; i > 0; i--)
        sift(heap, i - 1, n);
    for (size_t i = n; i > 1; i--) {
        const struct alloctrace_unit *const largest = heap[0];

        heap[0] = heap[i - 1];
        heap[i - 1] = largest;
        sift(heap, 0, i - 1);
    }
}

/* False: no memory. */
static bool collect_units(void)
{
    size_t n = 0;

    for (uint32_t i = 0; i < n_modules; i++)
        n += (size_t)(modules[i].end - modules[i].begin);
    units_size = (n + 1) * sizeof(*units);
    units = arena_map(units_size);
    if (!units)
        return false;
    n_units = 0;
    for (uint32_t i = 0; i < n_modules; i++)
        for (const struct alloctrace_unit *unit = modules[i].begin;
             unit < modules[i].end; unit++)
            units[n_units++] = unit;
    sort(units, n_units);
    return true;
}

static void forget_units(void)
{
    if (units)
        arena_unmap(units, units_size);
    units = NULL;
}

const struct alloctrace_site *site_find(uint64_t key)
{
    size_t low = 0;
    size_t high;
    uint64_t position;

    if (!units && !collect_units())
        return NULL;
    high = n_units;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (units[middle]->key <= key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    position = (key - units[low - 1]->key) / ALLOCTRACE_KEY_STRIDE;
    if ((key - units[low - 1]->key) % ALLOCTRACE_KEY_STRIDE != 0 ||
        position >= units[low - 1]->n_sites)
        return NULL;
    return first_site(units[low - 1]) + position;
}

const char *site_string(const alloctrace_offset *field)
{
    return *field ? (const char *)field + *field : NULL;
}

const struct alloctrace_site *site_caller(const struct alloctrace_site *site)
{
    return (const struct alloctrace_site *)(const void *)site_string(
        &site->caller);
}

void site_add_module(const struct alloctrace_unit *begin,
                     const struct alloctrace_unit *end)
{
    uint32_t i = 0;

    while (i < n_modules && modules[i].begin != modules[i].end)
        i++;
    if (i == MAX_MODULES || begin == end)
        return;
    modules[i].begin = begin;
    modules[i].end = end;
    if (i == n_modules)
        n_modules++;
    forget_units();
}

void site_remove_module(const struct alloctrace_unit *begin)
{
    for (uint32_t i = 0; i < n_modules; i++)
        if (modules[i].begin == begin)
            modules[i].end = modules[i].begin;
    forget_units();
}

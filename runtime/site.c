/* SPDX-License-Identifier: MIT */
/*
 * The modules' site records. A number that was recovered from a frame's hash
 * is a site only if it is the address of a record in a module that is loaded:
 * everything else is damage and must not be followed. Under at_lock.
 */
#include <stddef.h>

#include "runtime.h"

/* The sections of loaded modules. A slot with begin == end is free. */
#define MAX_MODULES 1024
static struct {
    uintptr_t begin;
    uintptr_t end;
} modules[MAX_MODULES];
static uint32_t n_modules;

bool site_is_known(uint64_t address)
{
    for (uint32_t i = 0; i < n_modules; i++)
        if (address >= modules[i].begin && address < modules[i].end)
            return (address - modules[i].begin) %
                       sizeof(struct alloctrace_site) ==
                   0;
    return false;
}

const struct alloctrace_site *site_at(uint64_t address)
{
    return (const struct alloctrace_site *)(uintptr_t)address;
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

void site_add_module(const struct alloctrace_site *begin,
                     const struct alloctrace_site *end)
{
    uint32_t i = 0;

    while (i < n_modules && modules[i].begin != modules[i].end)
        i++;
    if (i == MAX_MODULES || begin == end)
        return;
    modules[i].begin = (uintptr_t)begin;
    modules[i].end = (uintptr_t)end;
    if (i == n_modules)
        n_modules++;
}

void site_remove_module(const struct alloctrace_site *begin)
{
    for (uint32_t i = 0; i < n_modules; i++)
        if (modules[i].begin == (uintptr_t)begin)
            modules[i].end = modules[i].begin;
}

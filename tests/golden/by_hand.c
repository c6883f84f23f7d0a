/* SPDX-License-Identifier: MIT */
/*
 * A program that does what compiled code would do, for machines that the
 * plugin makes no code for: one with big-endian numbers. See README.md.
 */
#include <stdint.h>
#include <stdlib.h>

#include "alloctrace/abi.h"

void __alloctrace_module_add(const struct alloctrace_unit *,
                             const struct alloctrace_unit *, uint32_t);
void *__alloctrace_malloc(size_t, uint64_t);
void *__alloctrace_realloc(void *, size_t, uint64_t);
void __alloctrace_free(void *);
void __alloctrace_custom_alloc(void *, size_t, uint64_t, const char *, void *);
extern __thread struct alloctrace_shadow_frame *__alloctrace_thread;

enum { MAIN, NODE, TEXT, LONGER, POOL, N_SITES };

static struct {
    struct alloctrace_unit unit;
    struct alloctrace_site sites[N_SITES];
    char file[16], main[8], make[16], type[16];
} records = {
    .unit = {.key = 0x123456789abcdef0u, .n_sites = N_SITES},
    .file = "by_hand.c",
    .main = "main",
    .make = "make_node",
    .type = "struct node",
};

#define OFFSET(of, to) \
    ((of) = (alloctrace_offset)((const char *)(to) - (const char *)&(of)))

static void site_init(int number, const char *function, uint32_t line,
                      uint8_t kind)
{
    struct alloctrace_site *const site = &records.sites[number];

    OFFSET(site->file, records.file);
    OFFSET(site->function, function);
    site->line = line;
    site->ordinal = (uint16_t)(number + 1);
    site->column = 258;
    site->kind = kind;
}

static uint64_t key(int number)
{
    return records.unit.key + (uint64_t)number * ALLOCTRACE_KEY_STRIDE;
}

static void records_announce(void)
{
    site_init(MAIN, records.main, 100, ALLOCTRACE_SITE_CALL);
    site_init(NODE, records.make, 200, ALLOCTRACE_SITE_ALLOC);
    site_init(TEXT, records.main, 300, ALLOCTRACE_SITE_ALLOC);
    site_init(LONGER, records.main, 400, ALLOCTRACE_SITE_ALLOC);
    site_init(POOL, records.main, 500, ALLOCTRACE_SITE_ALLOC);
    OFFSET(records.sites[NODE].type, records.type);
    records.sites[NODE].type_size = 16;
    OFFSET(records.unit.sites, records.sites);
    __alloctrace_module_add(&records.unit, &records.unit + 1,
                            ALLOCTRACE_ABI_VERSION);
}

int main(void)
{
    static char pool[24];
    struct alloctrace_shadow_frame frame;
    char *text;

    records_announce();
    frame.parent = __alloctrace_thread;
    frame.hash = frame.parent->hash * ALLOCTRACE_HASH_K + key(MAIN);
    __alloctrace_thread = &frame;
    for (int i = 0; i < 3; i++) /* 48 B live, of main and make_node */
        if (!__alloctrace_malloc(16, key(NODE)))
            return 1;
    __alloctrace_thread = frame.parent;
    text = __alloctrace_malloc(10, key(TEXT)); /* 10 B, resized to 100 live */
    text = __alloctrace_realloc(text, 100, key(LONGER));
    for (int i = 0; i < 5; i++) /* 35 B in total, none of them live */
        __alloctrace_free(__alloctrace_malloc(7, key(TEXT)));
    __alloctrace_custom_alloc(pool, sizeof pool, key(POOL), "pool_alloc", NULL);
    return text == NULL;
}

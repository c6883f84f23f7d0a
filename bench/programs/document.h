/* SPDX-License-Identifier: MIT */
/*
 * JSON documents as trees of small blocks, as most libraries keep them: a block
 * for each value, one for each name and one for each text. Of server.c.
 */
#ifndef BENCH_DOCUMENT_H
#define BENCH_DOCUMENT_H

#include <stddef.h>

struct value;

/* The `size` bytes at `text` as a tree; NULL if they are no JSON without white
 * space, escapes and fractions, which is all that client.c sends. The caller
 * owns it. */
struct value *document_parse(const char *text, size_t size);

/* As text again, of *size bytes, byte for byte what it was made from; the
 * caller frees it. */
char *document_print(const struct value *document, size_t *size);

/* NULL is none. */
void document_free(struct value *document);

/* Memory, or the end of the program. */
void *take(size_t size);
char *take_copy(const char *text, size_t size);

#endif

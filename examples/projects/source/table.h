/* SPDX-License-Identifier: MIT */
/* A table of words: what the projects beside this folder build as a library. */
#ifndef TABLE_H
#define TABLE_H

#ifdef __cplusplus
extern "C" {
#endif

struct table;

/* Makes an empty table. NULL: no memory. */
struct table *table_create(void);

/* Adds a word that is not there yet. Returns 0, or -1 without memory. */
int table_add(struct table *table, const char *word);

/* How many different words there are. */
unsigned long table_count(const struct table *table);

void table_destroy(struct table *table);

#ifdef __cplusplus
}
#endif

#endif

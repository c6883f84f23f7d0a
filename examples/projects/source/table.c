/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    char *word;
};

struct table {
    struct entry *first;
    unsigned long count;
};

struct table *table_create(void)
{
    return calloc(1, sizeof(struct table));
}

int table_add(struct table *table, const char *word)
{
    struct entry *entry = table->first;

    while (entry && strcmp(entry->word, word) != 0)
        entry = entry->next;
    if (entry)
        return 0;
    entry = malloc(sizeof *entry);
    if (!entry)
        return -1;
    entry->word = strdup(word);
    entry->next = table->first;
    table->first = entry;
    table->count++;
    return entry->word ? 0 : -1;
}

unsigned long table_count(const struct table *table)
{
    return table->count;
}

void table_destroy(struct table *table)
{
    while (table->first) {
        struct entry *const entry = table->first;

        table->first = entry->next;
        free(entry->word);
        free(entry);
    }
    free(table);
}

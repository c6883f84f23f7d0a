/* SPDX-License-Identifier: MIT */
/*
 * Of what type traces are, numbered so that types of several snapshots can be
 * compared as numbers: fold.c says which string it is; here strings become
 * ranks of their texts. Without types there is nothing to do.
 */
#include <stdlib.h>

#include "groups.h"

static bool has_types(const alloctrace_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->n_frames; i++)
        if (snapshot->frames[i].type)
            return true;
    return false;
}

/* The strings that traces of all sides have as types. */
struct names {
    const char **text; /* owned */
    uint32_t *string;  /* owned: of all sides */
    uint32_t *rank;    /* owned */
    uint32_t count;
};

/* Lists each string once: `number` is 0 for those that no trace has. */
static void names_list(struct names *names, const struct at_types *types,
                       const struct at_sides *sides, uint32_t *number)
{
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++) {
            const uint32_t id = at_type_of(types, s, i);
            uint32_t *const mark = &number[side->first_string + id];

            if (*mark)
                continue;
            *mark = 1;
            names->string[names->count] = side->first_string + id;
            names->text[names->count++] = at_text(side->snapshot, id);
        }
    }
}

/* Puts numbers of types in the place of strings. */
static void types_number(struct at_types *types, const struct at_sides *sides,
                         const struct names *names, uint32_t *number)
{
    for (uint32_t i = 0; i < names->count; i++) {
        number[names->string[i]] = names->rank[i];
        types->text[names->rank[i]] = names->text[i];
        if (types->count <= names->rank[i])
            types->count = names->rank[i] + 1;
    }
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; types->of[s] && i < side->snapshot->n_traces; i++)
            types->of[s][i] = number[side->first_string + types->of[s][i]];
    }
}

/* A side without types has none but string 0, which must be number 0: "" is
 * the first of all texts, and listed as such a side has traces or nothing. */
static int types_rank(struct at_types *types, const struct at_sides *sides)
{
    const uint32_t n = sides->n_strings;
    uint32_t *const number = calloc(n, sizeof *number);
    struct names names = {.text = calloc(n, sizeof *names.text),
                          .string = calloc(n, sizeof *names.string),
                          .rank = calloc(n, sizeof *names.rank)};
    int result = ALLOCTRACE_ENO_MEMORY;

    free(types->text);
    types->text = calloc((size_t)n + 1, sizeof *types->text);
    if (number && names.text && names.string && names.rank && types->text) {
        types->text[0] = "";
        names_list(&names, types, sides, number);
        result = at_rank_texts(names.text, names.count, names.rank);
        if (!result)
            types_number(types, sides, &names, number);
    }
    free(number);
    free(names.text);
    free(names.string);
    free(names.rank);
    return result;
}

int at_types_init(struct at_types *types, const struct at_sides *sides)
{
    bool is_any = false;

    *types = (struct at_types){.text = calloc(1, sizeof *types->text),
                               .count = 1};
    if (!types->text)
        return ALLOCTRACE_ENO_MEMORY;
    types->text[0] = "";
    for (uint32_t s = 0; s < sides->count; s++) {
        if (!has_types(sides->side[s].snapshot))
            continue;
        is_any = true;
        types->of[s] = at_trace_types(sides->side[s].snapshot);
        if (!types->of[s])
            return ALLOCTRACE_ENO_MEMORY;
    }
    return is_any ? types_rank(types, sides) : 0;
}

void at_types_fini(struct at_types *types)
{
    free(types->of[0]);
    free(types->of[1]);
    free(types->text);
}

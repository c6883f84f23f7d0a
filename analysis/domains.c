/* SPDX-License-Identifier: MIT */
/*
 * Numbers of domains in what is built. Those below AT_FIRST_NAMED are the
 * program's own choice, the same in every run, and stay. The runtime gave the
 * others in the order in which their names came: merged by name they keep
 * their number if no other domain has it, or get one that is free. So do such
 * that lost their name (older files had none), which are merged by number.
 *
 *     domain_numbers   number => its name, 0 = it has none, or MOVED
 *     domain_names     {name, 0} => number; {0, number} => where that went
 */
#include "build.h"

/* In place of a name: the number was given to a nameless domain that had
 * another one. */
#define MOVED UINT32_MAX

int at_domain_take(alloctrace_builder *builder, uint32_t domain,
                   uint32_t **name)
{
    const struct at_words key = {{domain}};
    struct at_map *map = &builder->domain_numbers;

    *name = at_map_find(map, &builder->intern.seed, &key);
    if (*name)
        return 0;
    if (at_map_add(map, &builder->intern.seed, &key, 0))
        return ALLOCTRACE_ENO_MEMORY;
    *name = at_map_find(map, &builder->intern.seed, &key);
    return 0;
}

static bool is_taken(const alloctrace_builder *builder, uint32_t domain)
{
    const struct at_words key = {{domain}};

    return at_map_find(&builder->domain_numbers, &builder->intern.seed, &key);
}

/* `domain` itself if it is free, or another number. */
static uint32_t free_number(alloctrace_builder *builder, uint32_t domain)
{
    if (!is_taken(builder, domain))
        return domain;
    while (is_taken(builder, builder->next_domain))
        builder->next_domain++;
    return builder->next_domain;
}

/* Lets the domain be found by its name, if it is one that is merged so. */
static int name_index(alloctrace_builder *builder, uint32_t domain,
                      uint32_t name)
{
    const struct at_words key = {{name}};
    struct at_map *map = &builder->domain_names;

    if (domain < AT_FIRST_NAMED ||
        at_map_find(map, &builder->intern.seed, &key))
        return 0;
    return at_map_add(map, &builder->intern.seed, &key, domain);
}

int alloctrace_builder_name_domain(alloctrace_builder *builder, uint32_t domain,
                                   const char *name)
{
    AT_UNTRACED;
    alloctrace_snapshot *snapshot = builder->intern.snapshot;
    struct alloctrace_domain *domains = snapshot->domains;
    uint32_t *taken;
    uint32_t string_id;

    if (at_intern_string(&builder->intern, name, &string_id) ||
        at_domain_take(builder, domain, &taken))
        return ALLOCTRACE_ENO_MEMORY;
    if (*taken || !string_id)
        return 0;
    if (snapshot->n_domains == builder->n_max_domains)
        domains = at_grown(domains, &builder->n_max_domains, sizeof *domains);
    if (domains)
        snapshot->domains = domains;
    if (!domains || name_index(builder, domain, string_id))
        return ALLOCTRACE_ENO_MEMORY;
    domains[snapshot->n_domains++] = (struct alloctrace_domain){
        .name = at_text(snapshot, string_id), .id = domain};
    *taken = string_id;
    return 0;
}

static int named_merge(alloctrace_builder *builder, uint32_t domain,
                       const char *name, uint32_t *merged)
{
    const uint32_t *found;
    struct at_words key;
    uint32_t string_id;

    if (at_intern_string(&builder->intern, name, &string_id))
        return ALLOCTRACE_ENO_MEMORY;
    key = (struct at_words){{string_id}};
    found = at_map_find(&builder->domain_names, &builder->intern.seed, &key);
    if (found) {
        *merged = *found;
        return 0;
    }
    *merged = free_number(builder, domain);
    return alloctrace_builder_name_domain(builder, *merged, name);
}

static int nameless_merge(alloctrace_builder *builder, uint32_t domain,
                          uint32_t *merged)
{
    const struct at_words key = {{0, domain}};
    const uint32_t *found =
        at_map_find(&builder->domain_names, &builder->intern.seed, &key);
    uint32_t *taken;

    if (found) {
        *merged = *found;
        return 0;
    }
    if (at_domain_take(builder, domain, &taken))
        return ALLOCTRACE_ENO_MEMORY;
    *merged = domain;
    if (*taken) {
        *merged = free_number(builder, domain);
        if (at_domain_take(builder, *merged, &taken))
            return ALLOCTRACE_ENO_MEMORY;
        *taken = MOVED;
    }
    return at_map_add(&builder->domain_names, &builder->intern.seed, &key,
                      *merged);
}

int at_domain_merge(alloctrace_builder *builder, uint32_t domain,
                    const char *name, uint32_t *merged)
{
    const bool is_named = name && *name;

    if (domain >= AT_FIRST_NAMED)
        return is_named ? named_merge(builder, domain, name, merged)
                        : nameless_merge(builder, domain, merged);
    *merged = domain;
    return alloctrace_builder_name_domain(builder, domain, name);
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_alloctrace.h"
#include "runtime.h"

#define N_UNITS 500
#define MAX_SITES 30

static struct {
    struct alloctrace_unit units[N_UNITS];
    struct alloctrace_site sites[N_UNITS][MAX_SITES];
} module;

static uint64_t random_key(void)
{
    return ((uint64_t)random() << 33 ^ (uint64_t)random() << 8) & ~1ull;
}

/* Units of random keys and sizes, announced in two modules. */
static void units_announce(void)
{
    for (int i = 0; i < N_UNITS; i++) {
        struct alloctrace_unit *const unit = &module.units[i];

        unit->key = random_key();
        unit->n_sites = 1 + (uint32_t)random() % MAX_SITES;
        unit->sites = (alloctrace_offset)((char *)module.sites[i] -
                                          (char *)&unit->sites);
    }
    site_add_module(module.units, module.units + 200);
    site_add_module(module.units + 200, module.units + N_UNITS);
}

/* The record of `key` by trying all; units from `begin` on. */
static const struct alloctrace_site *search(uint64_t key, int begin)
{
    for (int i = begin; i < N_UNITS; i++)
        for (uint32_t k = 0; k < module.units[i].n_sites; k++)
            if (module.units[i].key + k * ALLOCTRACE_KEY_STRIDE == key)
                return &module.sites[i][k];
    return NULL;
}

static void compare(int begin)
{
    for (int i = 0; i < N_UNITS; i++)
        for (int k = -3; k < 2 * MAX_SITES + 3; k++) {
            const uint64_t key = module.units[i].key + (uint64_t)(int64_t)k;

            ck_assert_ptr_eq(site_find(key), search(key, begin));
        }
}

START_TEST(each_key_leads_to_its_record_and_no_other_number_does)
{
    units_announce();
    compare(0);
    ck_assert_ptr_null(site_find(0));
    ck_assert_ptr_null(site_find(UINT64_MAX));
}
END_TEST

START_TEST(the_records_of_a_removed_module_are_not_found)
{
    units_announce();
    ck_assert_ptr_nonnull(site_find(module.units[0].key));
    site_remove_module(module.units);
    compare(200);
}
END_TEST

START_TEST(without_modules_nothing_is_found)
{
    ck_assert_ptr_null(site_find(0));
    ck_assert_ptr_null(site_find(random_key()));
}
END_TEST

CHECK_MAIN("site", each_key_leads_to_its_record_and_no_other_number_does,
           the_records_of_a_removed_module_are_not_found,
           without_modules_nothing_is_found)

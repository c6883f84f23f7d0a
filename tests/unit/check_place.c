/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "paths.h"

START_TEST(an_inlined_record_brings_its_callers_before_it)
{
    sites_announce();
    sites[2].caller =
        (alloctrace_offset)((char *)&sites[1] - (char *)&sites[2].caller);
    sites[1].caller =
        (alloctrace_offset)((char *)&sites[0] - (char *)&sites[1].caller);

    const uint32_t id = place_of_site(site(2));
    const uint32_t caller = place_at(id)->caller;

    ck_assert_uint_eq(place_at(id)->line, 3);
    ck_assert_uint_eq(place_at(caller)->line, 2);
    ck_assert_uint_eq(place_at(place_at(caller)->caller)->line, 1);
    ck_assert_uint_lt(caller, id);
}
END_TEST

START_TEST(a_place_is_interned_once_and_survives_its_record)
{
    sites_announce();
    const uint32_t id = place_of_site(site(5));

    sites[5].line = 999;
    ck_assert_uint_eq(place_of_site(site(5)), id);
    ck_assert_uint_eq(place_at(id)->line, 6);
}
END_TEST

START_TEST(a_key_that_no_module_has_is_no_place)
{
    ck_assert_uint_eq(place_of_site(site(0)), 0);
    sites_announce();
    ck_assert_uint_gt(place_of_site(site(0)), 0);
    ck_assert_uint_eq(place_of_site(site(0) + 1), 0);
}
END_TEST

START_TEST(a_place_is_known_when_its_module_is_gone)
{
    sites_announce();
    const uint32_t id = place_of_site(site(7));

    __alloctrace_module_remove(&module.unit);
    ck_assert_uint_eq(place_of_site(site(7)), id);
    ck_assert_uint_eq(place_of_site(site(8)), 0);
}
END_TEST

CHECK_MAIN("place", an_inlined_record_brings_its_callers_before_it,
           a_place_is_interned_once_and_survives_its_record,
           a_key_that_no_module_has_is_no_place,
           a_place_is_known_when_its_module_is_gone)

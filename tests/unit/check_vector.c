/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "runtime.h"

START_TEST(elements_stay_where_they_are_while_it_grows)
{
    static struct vector vector = {.element_size = sizeof(uint32_t)};
    static uint32_t *where[100001];

    for (uint32_t id = 1; id <= 100000; id++) {
        ck_assert_uint_eq(vector_add(&vector, &id), id);
        where[id] = vector_at(&vector, id);
    }
    ck_assert_uint_eq(vector.n, 100000);
    for (uint32_t id = 1; id <= 100000; id++) {
        ck_assert_ptr_eq(vector_at(&vector, id), where[id]);
        ck_assert_uint_eq(*where[id], id);
    }
}
END_TEST

CHECK_MAIN("vector", elements_stay_where_they_are_while_it_grows)

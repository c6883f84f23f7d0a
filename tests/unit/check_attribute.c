/* SPDX-License-Identifier: MIT */
/* What a user says of a snapshot. */
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

static struct dumpfile dump;
static struct alloctrace_error error;

static alloctrace_snapshot *begin(void)
{
    dumpfile_init(&dump);
    return dumpfile_load(&dump);
}

static void set(alloctrace_snapshot *snapshot, const char *key,
                const char *value)
{
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, key, value),
                     0);
}

/* Checks the whole list: "key=value key=value". */
static void has(const alloctrace_snapshot *snapshot, const char *expected)
{
    const size_t n = alloctrace_snapshot_attribute_count(snapshot);
    char text[256] = "";

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_attribute *const attribute =
            alloctrace_snapshot_attribute(snapshot, i);

        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s",
                 i > 0 ? " " : "", attribute->key, attribute->value);
        ck_assert_ptr_eq(
            alloctrace_snapshot_get_attribute(snapshot, attribute->key),
            attribute->value);
    }
    ck_assert_str_eq(text, expected);
    ck_assert_ptr_null(alloctrace_snapshot_attribute(snapshot, n));
    ck_assert_ptr_null(alloctrace_snapshot_attribute(snapshot, SIZE_MAX));
}

START_TEST(attributes_stand_in_the_order_in_which_they_were_set)
{
    alloctrace_snapshot *snapshot = begin();

    has(snapshot, "");
    set(snapshot, "b", "1");
    set(snapshot, "a", "2");
    set(snapshot, "c", "");
    has(snapshot, "b=1 a=2 c=");
    set(snapshot, "a", "3");
    has(snapshot, "b=1 a=3 c=");
    set(snapshot, "b", NULL);
    has(snapshot, "a=3 c=");
    set(snapshot, "b", "4");
    has(snapshot, "a=3 c= b=4");
    set(snapshot, "nothing", NULL);
    has(snapshot, "a=3 c= b=4");
    for (const char *key = "acb"; *key; key++)
        set(snapshot, (const char[]){*key, '\0'}, NULL);
    has(snapshot, "");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_key_is_any_text_but_the_empty_one)
{
    static const char *const keys[] = {" ",    "=",     "a=b", "\n",
                                       "\xff", "a\tb",  "A",   "a",
                                       "key ", "\"\\",  "\xe2\x82\xac"};
    static char longest[100001];
    alloctrace_snapshot *snapshot = begin();

    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, "", "x"),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, "", NULL),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, NULL, "x"),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(snapshot), 0);
    ck_assert_ptr_null(alloctrace_snapshot_get_attribute(snapshot, ""));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        set(snapshot, keys[i], keys[i]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        ck_assert_str_eq(alloctrace_snapshot_get_attribute(snapshot, keys[i]),
                         keys[i]);
    ck_assert_ptr_null(alloctrace_snapshot_get_attribute(snapshot, "key"));
    memset(longest, 'k', sizeof longest - 1);
    set(snapshot, longest, longest);
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(snapshot, longest),
                     longest);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Both texts are copied before anything is let go of. */
START_TEST(a_value_may_be_set_from_what_is_there)
{
    alloctrace_snapshot *snapshot = begin();
    char key[] = "key";
    char value[] = "value";

    set(snapshot, key, value);
    key[0] = value[0] = 'X';
    has(snapshot, "key=value");
    set(snapshot, "key", alloctrace_snapshot_get_attribute(snapshot, "key"));
    set(snapshot, alloctrace_snapshot_attribute(snapshot, 0)->key,
        alloctrace_snapshot_attribute(snapshot, 0)->value + 2);
    has(snapshot, "key=lue");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(what_is_made_of_a_snapshot_has_attributes_of_its_own)
{
    alloctrace_snapshot *snapshot = begin();
    alloctrace_snapshot *made;

    set(snapshot, "a", "1");
    set(snapshot, "b", "2");
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &made), 0);
    has(made, "a=1 b=2");
    set(made, "a", NULL);
    set(snapshot, "b", "3");
    has(made, "b=2");
    has(snapshot, "a=1 b=3");
    alloctrace_snapshot_free(snapshot);
    has(made, "b=2");
    alloctrace_snapshot_free(made);
}
END_TEST

START_TEST(attributes_of_a_file_are_loaded)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_attribute(&dump, "z", "last letter");
    dumpfile_attribute(&dump, "a", "");
    snapshot = dumpfile_load(&dump);
    has(snapshot, "z=last letter a=");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

static void refused(const char *message)
{
    alloctrace_snapshot *snapshot = NULL;

    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, &error),
                     ALLOCTRACE_EBAD_FILE);
    ck_assert_str_eq(error.message, message);
    ck_assert_ptr_null(snapshot);
    dumpfile_fini(&dump);
}

START_TEST(forged_attributes_are_refused)
{
    dumpfile_init(&dump);
    dumpfile_attribute(&dump, "", "x");
    refused("damaged: an attribute has no key");
    dumpfile_init(&dump);
    dumpfile_attribute(&dump, "a", "1");
    dumpfile_attribute(&dump, "b", "2");
    dumpfile_attribute(&dump, "a", "1");
    refused("damaged: two attributes have the same key");
}
END_TEST

/* To look each one up among those before it would take minutes. */
START_TEST(many_attributes_of_a_file_take_no_time)
{
    enum { COUNT = 300000 };
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *made;

    dumpfile_init(&dump);
    for (int i = 0; i < COUNT; i++) {
        char key[48];

        snprintf(key, sizeof key, "a long beginning that all have %d", i);
        dumpfile_attribute(&dump, key, key);
    }
    snapshot = dumpfile_load(&dump);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(snapshot), COUNT);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &made), 0);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(made), COUNT);
    alloctrace_snapshot_free(made);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("attribute", attributes_stand_in_the_order_in_which_they_were_set,
           a_key_is_any_text_but_the_empty_one,
           a_value_may_be_set_from_what_is_there,
           what_is_made_of_a_snapshot_has_attributes_of_its_own,
           attributes_of_a_file_are_loaded, forged_attributes_are_refused,
           many_attributes_of_a_file_take_no_time)

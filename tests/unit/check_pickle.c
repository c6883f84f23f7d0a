/* SPDX-License-Identifier: MIT */
/* Instructions of Python's pickles, as pickle.dumps(..., 4) writes them. */
#include "pickle.h"

#include <stdlib.h>
#include <string.h>

#include "check_alloctrace.h"

static char *data;
static size_t size;
static FILE *file;

static struct pickle begin(void)
{
    struct pickle pickle;

    file = open_memstream(&data, &size);
    ck_assert_ptr_nonnull(file);
    pickle_begin(&pickle, file);
    return pickle;
}

/* Ends the pickle, and compares what stands behind its first instruction. */
static void ck_assert_written(const void *expected, size_t expected_size)
{
    fclose(file);
    ck_assert_uint_eq(size, 2 + expected_size);
    ck_assert_mem_eq(data, "\x80\x04", 2);
    ck_assert_mem_eq(data + 2, expected, expected_size);
    free(data);
}

#define BYTES(text) text, sizeof text - 1

static const struct {
    uint64_t number;
    const char *bytes;
    size_t size;
} numbers[] = {
    {0, BYTES("K\0")},
    {255, BYTES("K\xff")},
    {256, BYTES("M\0\x01")},
    {65535, BYTES("M\xff\xff")},
    {65536, BYTES("J\0\0\x01\0")},
    {2147483647, BYTES("J\xff\xff\xff\x7f")},
    {2147483648, BYTES("\x8a\x05\0\0\0\x80\0")},
    {549755813887, BYTES("\x8a\x05\xff\xff\xff\xff\x7f")},
    {549755813888, BYTES("\x8a\x06\0\0\0\0\x80\0")},
    {INT64_MAX, BYTES("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")},
    {INT64_MAX + UINT64_C(1), BYTES("\x8a\x09\0\0\0\0\0\0\0\x80\0")},
    {UINT64_MAX, BYTES("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0")},
};

START_TEST(a_number_is_as_short_as_python_writes_it)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct pickle pickle = begin();

        pickle_number(&pickle, numbers[i].number);
        ck_assert_written(numbers[i].bytes, numbers[i].size);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *bytes;
    size_t size;
} texts[] = {
    {"", BYTES("\x8c\0")},
    {"a.c", BYTES("\x8c\x03"
                  "a.c")},
    {"\xc3\xa4\xf0\x9f\x98\x80", BYTES("\x8c\x06\xc3\xa4\xf0\x9f\x98\x80")},
    /* What Python makes of bytes that are no UTF-8: '\udcff', '\udc80'. */
    {"\xff", BYTES("\x8c\x03\xed\xb3\xbf")},
    {"\x80z", BYTES("\x8c\x04\xed\xb2\x80z")},
    /* A surrogate in UTF-8 is none: '\udced\udcb2\udc80'. */
    {"\xed\xb2\x80", BYTES("\x8c\x09\xed\xb3\xad\xed\xb2\xb2\xed\xb2\x80")},
    /* A sequence that ends early, and one that is too long for what it says. */
    {"\xe2\x82", BYTES("\x8c\x06\xed\xb3\xa2\xed\xb2\x82")},
    {"\xc0\x80", BYTES("\x8c\x06\xed\xb3\x80\xed\xb2\x80")},
};

START_TEST(a_text_is_unicode_with_surrogates_for_stray_bytes)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pickle pickle = begin();

        pickle_text(&pickle, texts[i].text);
        ck_assert_written(texts[i].bytes, texts[i].size);
    }
}
END_TEST

START_TEST(a_long_text_has_a_long_size)
{
    char text[257] = "";
    char expected[5 + 256] = "X\0\x01\0\0";
    struct pickle pickle = begin();

    memset(text, 'x', 256);
    memset(expected + 5, 'x', 256);
    pickle_text(&pickle, text);
    ck_assert_written(expected, sizeof expected);
    /* One byte less is the longest that has a short one. */
    text[255] = '\0';
    pickle = begin();
    pickle_text(&pickle, text);
    memcpy(expected + 3, "\x8c\xff", 2);
    ck_assert_written(expected + 3, 2 + 255);
}
END_TEST

START_TEST(what_was_written_is_numbered)
{
    struct pickle pickle = begin();

    pickle_put(&pickle, PICKLE_EMPTY_TUPLE);
    ck_assert_uint_eq(pickle_memoize(&pickle), 0);
    ck_assert_uint_eq(pickle_memoize(&pickle), 1);
    pickle_get(&pickle, 1);
    pickle_get(&pickle, 255);
    pickle_get(&pickle, 256);
    pickle_put(&pickle, PICKLE_STOP);
    ck_assert_written(BYTES(")\x94\x94h\x01h\xffj\0\x01\0\0."));
}
END_TEST

CHECK_MAIN("pickle", a_number_is_as_short_as_python_writes_it,
           a_text_is_unicode_with_surrogates_for_stray_bytes,
           a_long_text_has_a_long_size, what_was_written_is_numbered)

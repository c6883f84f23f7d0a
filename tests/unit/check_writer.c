/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"
#include "writer.h"

START_TEST(numbers_are_little_endian_whatever_their_width)
{
    int ends[2];
    unsigned char got[16];
    struct writer writer;

    ck_assert_int_eq(pipe(ends), 0);
    writer_init(&writer, ends[1]);
    writer_put(&writer, 0x0102030405060708, 64);
    writer_put(&writer, 0x11223344, 32);
    writer_pad(&writer);
    ck_assert_int_eq(writer_flush(&writer), 0);
    ck_assert_int_eq(read(ends[0], got, sizeof got), 16);
    ck_assert_mem_eq(got, "\x08\7\6\5\4\3\2\1\x44\x33\x22\x11\0\0\0\0", 16);
}
END_TEST

START_TEST(the_first_error_sticks)
{
    const int full = open("/dev/full", O_WRONLY);
    struct writer writer;

    writer_init(&writer, full);
    for (unsigned i = 0; i < 3 * WRITER_BUFFER; i += 8)
        writer_put(&writer, i, 64);
    ck_assert_int_eq(writer_flush(&writer), ENOSPC);
    writer.fd = open("/dev/null", O_WRONLY);
    ck_assert_int_eq(writer_flush(&writer), ENOSPC);
}
END_TEST

CHECK_MAIN("writer", numbers_are_little_endian_whatever_their_width,
           the_first_error_sticks)

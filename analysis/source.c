/* SPDX-License-Identifier: MIT */
/*
 * Lines of source files, as Python's linecache has them: what is no text is
 * not there. format.c asks for the lines of all frames at once, so that each
 * file is opened once; nothing is kept between calls.
 *
 * File names come from a dump, hence from anyone: only regular files are
 * opened, and none that is larger than MAX_SIZE. As in Python lines end with
 * \n, \r\n or \r, a file that is no UTF-8 has none, and blanks are those of
 * Unicode; unlike there a byte 0 makes a file no text, comments do not name
 * encodings, and relative names are looked up in the current directory only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

/* Bytes of the largest file that is read: far more than source has. */
#define MAX_SIZE ((size_t)256 << 20)

/* What a file holds. */
struct source {
    char *bytes; /* owned */
    size_t size;
    size_t capacity; /* of `bytes` */
};

/* ---- Files ---- */

/* Opens a file if it may be source. Returns its descriptor, or -1. */
static int source_open(const char *file)
{
    const size_t size = strlen(file);
    struct stat status;
    int fd;

    if (size == 0 || (file[0] == '<' && file[size - 1] == '>'))
        return -1;
    /* To open a device or a pipe may do something already. */
    if (stat(file, &status) || !S_ISREG(status.st_mode))
        return -1;
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode) ||
                    (uintmax_t)status.st_size > MAX_SIZE)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int source_grow(struct source *source)
{
    const size_t capacity = source->capacity * 2 + 16384;
    char *const bytes = realloc(source->bytes, capacity);

    if (!bytes)
        return ALLOCTRACE_ENO_MEMORY;
    source->bytes = bytes;
    source->capacity = capacity;
    return 0;
}

/* Reads all of a file; one that cannot be read is empty. */
static int source_read(struct source *source, int fd)
{
    ssize_t n = 1;

    while (n > 0 || (n < 0 && errno == EINTR)) {
        if (source->size == source->capacity && source_grow(source))
            return ALLOCTRACE_ENO_MEMORY;
        n = read(fd, source->bytes + source->size,
                 source->capacity - source->size);
        if (n > 0)
            source->size += (size_t)n;
        if (source->size > MAX_SIZE) /* it has grown meanwhile */
            break;
    }
    if (n != 0)
        source->size = 0;
    return 0;
}

/* ---- Text ---- */

/* Reads a character of UTF-8. Returns its bytes; 0 = it is none. */
static size_t character_read(const char *text, size_t size, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *const bytes = (const unsigned char *)text;
    const size_t n = bytes[0] < 0x80   ? 1
                     : bytes[0] < 0xc0 ? 0
                     : bytes[0] < 0xe0 ? 2
                     : bytes[0] < 0xf0 ? 3
                     : bytes[0] < 0xf8 ? 4
                                       : 0;

    if (n == 0 || n > size)
        return 0;
    *character = n == 1 ? bytes[0] : bytes[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (bytes[i] & 0x3f);
    }
    if (*character < least[n] || *character > 0x10ffff ||
        (*character >= 0xd800 && *character < 0xe000))
        return 0;
    return n;
}

/* Is it text all through? */
static bool is_text(const char *bytes, size_t size)
{
    uint32_t character;

    for (size_t i = 0, n; i < size; i += n) {
        n = character_read(bytes + i, size - i, &character);
        if (n == 0 || character == 0)
            return false;
    }
    return true;
}

/* As str.isspace in Python. */
static bool is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 ||
           c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

/* Copies a line without the blanks around it; a blank one is NULL. */
static int line_copy(const char *text, size_t size, char **copy)
{
    size_t begin = size; /* of what is not blank */
    size_t end = size;
    uint32_t character;

    for (size_t i = 0, n; i < size; i += n) {
        n = character_read(text + i, size - i, &character);
        if (is_blank(character))
            continue;
        if (begin == size)
            begin = i;
        end = i + n;
    }
    if (begin == size)
        return 0;
    *copy = malloc(end - begin + 1);
    if (!*copy)
        return ALLOCTRACE_ENO_MEMORY;
    memcpy(*copy, text + begin, end - begin);
    (*copy)[end - begin] = '\0';
    return 0;
}

/* ---- Lines ---- */

/* Bytes up to the end of a line, and of what ends it. */
static size_t line_size(const char *text, size_t size, size_t *end_size)
{
    size_t i = 0;

    while (i < size && text[i] != '\n' && text[i] != '\r')
        i++;
    *end_size = i < size;
    if (i + 1 < size && text[i] == '\r' && text[i + 1] == '\n')
        *end_size = 2;
    return i;
}

/* Finds lines of one file, which stand in their order. */
static int lines_find(const struct source *source, struct at_source_line *lines,
                      size_t count)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
    size_t at = source->size >= 3 && !memcmp(source->bytes, mark, 3) ? 3 : 0;
    uint32_t number = 0;
    size_t i = 0;

    while (i < count && lines[i].line == 0)
        i++;
    while (i < count && at < source->size) {
        size_t end_size;
        const size_t size =
            line_size(source->bytes + at, source->size - at, &end_size);

        number++;
        for (; i < count && lines[i].line == number; i++)
            if (line_copy(source->bytes + at, size, &lines[i].text))
                return ALLOCTRACE_ENO_MEMORY;
        at += size + end_size;
    }
    return 0;
}

static int file_find(struct at_source_line *lines, size_t count)
{
    struct source source = {0};
    const int fd = source_open(lines->file);
    int result;

    if (fd < 0)
        return 0;
    result = source_read(&source, fd);
    close(fd);
    if (!result && is_text(source.bytes, source.size))
        result = lines_find(&source, lines, count);
    free(source.bytes);
    return result;
}

static int compare_lines(const void *left, const void *right)
{
    const struct at_source_line *const a = left;
    const struct at_source_line *const b = right;
    const int order = a->file == b->file ? 0 : strcmp(a->file, b->file);

    return order ? order : (a->line > b->line) - (a->line < b->line);
}

int at_source_find(struct at_source_line *lines, size_t count)
{
    int result = 0;

    if (count > 0)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0, end; i < count && !result; i = end) {
        end = i + 1;
        while (end < count && !strcmp(lines[end].file, lines[i].file))
            end++;
        result = file_find(lines + i, end - i);
    }
    return result;
}

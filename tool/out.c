/* SPDX-License-Identifier: MIT */
/* See out.h. */
#include "out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const out_formats[] = {"text", "json", "csv", NULL};

static int terminal_width(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void out_init(struct out *out, FILE *file)
{
    const int fd = fileno(file);
    const char *const no_color = getenv("NO_COLOR");
    const char *const terminal = getenv("TERM");

    out->file = file;
    out->width = isatty(fd) ? terminal_width(fd) : 0;
    out->is_coloured = out->width > 0 && !(no_color && *no_color) && terminal &&
                       strcmp(terminal, "dumb") != 0;
}

void out_bold(const struct out *out)
{
    if (out->is_coloured)
        fputs("\033[1m", out->file);
}

void out_dim(const struct out *out)
{
    if (out->is_coloured)
        fputs("\033[2m", out->file);
}

void out_plain(const struct out *out)
{
    if (out->is_coloured)
        fputs("\033[0m", out->file);
}

/* The next of a few buffers, so that a call may use several. */
static char *next_buffer(void)
{
    static char buffers[8][ALLOCTRACE_SIZE_TEXT];
    static unsigned next;

    return buffers[next++ % 8];
}

const char *out_size(int64_t bytes)
{
    return alloctrace_format_size((double)bytes, 0, next_buffer());
}

const char *out_mean(int64_t bytes, int64_t count)
{
    return count == 0 ? ""
                      : alloctrace_format_size((double)bytes / (double)count, 0,
                                               next_buffer());
}

const char *out_blocks(int64_t count)
{
    char *const text = next_buffer();

    snprintf(text, ALLOCTRACE_SIZE_TEXT, "%" PRId64 " block%s", count,
             count == 1 ? "" : "s");
    return text;
}

unsigned out_utf8_size(const char *bytes)
{
    const unsigned char *const text = (const unsigned char *)bytes;
    static const struct {
        unsigned char from, to, second_from, second_to, size;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (text[0] < forms[i].from || text[0] > forms[i].to)
            continue;
        if (text[1] < forms[i].second_from || text[1] > forms[i].second_to)
            return 0;
        for (unsigned k = 2; k < forms[i].size; k++)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].size;
    }
    return 0;
}

void out_json_string(FILE *file, const char *text)
{
    putc('"', file);
    while (*text) {
        const unsigned size = out_utf8_size(text);

        if (size == 0)
            fputs("\\ufffd", file);
        else if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            fprintf(file, "\\u%04x", *text);
        else
            fwrite(text, 1, size, file);
        text += size ? size : 1;
    }
    putc('"', file);
}

void out_text(FILE *file, const char *text)
{
    for (; *text; text++)
        putc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, file);
}

void out_csv_string(FILE *file, const char *text)
{
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

int out_fail(const char *file, const struct alloctrace_error *error)
{
    fflush(stdout);
    fprintf(stderr, "alloctrace: %s: %s", file, error->message);
    if (error->offset != ALLOCTRACE_NO_OFFSET)
        fprintf(stderr, " (at byte %" PRIu64 ")", error->offset);
    putc('\n', stderr);
    return EXIT_UNUSABLE;
}

int out_finish(int status)
{
    const bool has_failed = fflush(stdout) != 0 || ferror(stdout);

    /* Whoever closed the pipe (head) has seen enough. */
    if (!has_failed || errno == EPIPE)
        return status;
    fprintf(stderr, "alloctrace: standard output: %s\n", strerror(errno));
    return EXIT_UNUSABLE;
}

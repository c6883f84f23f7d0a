/* SPDX-License-Identifier: MIT */
/* See outfile.h. */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"

/* A stream's own buffer is small for files of hundreds of megabytes. */
#define BUFFER_SIZE (256 * 1024)

static int fail(const char *name, int error)
{
    fflush(stdout);
    fprintf(stderr, "alloctrace: %s: %s\n", name, strerror(error));
    return EXIT_UNUSABLE;
}

static void outfile_free(struct outfile *out)
{
    free(out->target);
    free(out->temporary);
}

/* Names both files. Returns 0 or an error number. */
static int outfile_name(struct outfile *out, const char *path, bool exists)
{
    const size_t room = strlen(".-12345678901.tmp") + 1;

    out->target = exists ? realpath(path, NULL) : strdup(path);
    if (!out->target)
        return errno;
    out->temporary = malloc(strlen(out->target) + room);
    if (!out->temporary)
        return ENOMEM;
    sprintf(out->temporary, "%s.%ld.tmp", out->target, (long)getpid());
    return 0;
}

/* Opens the temporary file; it will have the mode of what it replaces. Returns
 * 0 or an error number. */
static int outfile_create(struct outfile *out, const struct stat *old)
{
    const int fd =
        open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error;

    if (fd < 0)
        return errno;
    if (old && fchmod(fd, old->st_mode & 0777) != 0)
        error = errno;
    else if ((out->file = fdopen(fd, "wb")))
        return 0;
    else
        error = errno;
    close(fd);
    unlink(out->temporary);
    return error;
}

int outfile_open(struct outfile *out, const char *path)
{
    struct stat old;
    bool exists;
    int error = 0;

    *out = (struct outfile){.file = stdout, .name = "standard output"};
    if (path && strcmp(path, "-")) {
        exists = stat(path, &old) == 0;
        out->name = path;
        if (!exists || S_ISREG(old.st_mode)) {
            error = outfile_name(out, path, exists);
            if (!error)
                error = outfile_create(out, exists ? &old : NULL);
        } else {
            out->file = fopen(path, "wb");
            error = out->file ? 0 : errno;
        }
    }
    if (error) {
        outfile_free(out);
        return fail(path, error);
    }
    setvbuf(out->file, NULL, _IOFBF, BUFFER_SIZE);
    return 0;
}

/* Writes what is still buffered. Returns 0 or an error number. */
static int outfile_flush(struct outfile *out)
{
    int error = 0;

    errno = 0;
    if (fflush(out->file) != 0 || ferror(out->file))
        error = errno ? errno : EIO;
    if (out->file != stdout && fclose(out->file) != 0 && !error)
        error = errno;
    return error;
}

int outfile_close(struct outfile *out, int status)
{
    const bool is_pipe = out->file == stdout;
    int error = outfile_flush(out);

    if (out->temporary && !status && !error &&
        rename(out->temporary, out->target) != 0)
        error = errno;
    if (out->temporary && (status || error))
        unlink(out->temporary);
    outfile_free(out);
    /* Whoever closed the pipe (head) has seen enough. */
    if (status || !error || (is_pipe && error == EPIPE))
        return status;
    return fail(out->name, error);
}

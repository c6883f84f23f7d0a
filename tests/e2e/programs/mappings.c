/* SPDX-License-Identifier: MIT */
/*
 * Pages that the program maps itself, in every way; and such as the C library
 * maps for it, which are not the program's: a large block and a stack. It ends
 * with 0 if the system did what it was asked for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define ANY (PROT_READ | PROT_WRITE)
#define OWN (MAP_PRIVATE | MAP_ANONYMOUS)

static void check(int is_good)
{
    if (!is_good)
        _exit(1);
}

static char *mapped(void *address)
{
    check(address != MAP_FAILED);
    return address;
}

static void parts(void)
{
    char *const all =
        mapped(mmap(NULL, 20 * PAGE, ANY, OWN, -1, 0)); /* @parts */

    check(munmap(all + 4 * PAGE, 2 * PAGE) == 0); /* the middle: 4 and 14 */
    check(munmap(all, 1) == 0);                   /* a whole page goes */
    mapped(mmap(all + 10 * PAGE, 2 * PAGE, PROT_READ, /* @over */
                OWN | MAP_FIXED, -1, 0));
    check(munmap(all + 3 * PAGE, 4 * PAGE) == 0); /* the end of one part, a
                                hole, the beginning of another */
    check(munmap(all + 1, PAGE) == -1); /* no page: nothing happens */
}

static void whole(void)
{
    char *const one = mapped(mmap(NULL, 5, ANY, OWN, -1, 0));   /* @whole */
    char *const two = mapped(mmap64(NULL, 9, ANY, OWN, -1, 0)); /* @two */

    check(munmap(one, PAGE) == 0);
    check(munmap(two, 1) == 0);
}

static void moves(void)
{
    char *const target =
        mapped(mmap(NULL, 64 * PAGE, PROT_NONE, OWN, -1, 0)); /* @target */
    char *block = mapped(mmap(NULL, 3 * PAGE, ANY, OWN, -1, 0)); /* @block */

    block = mapped(mremap(block, 3 * PAGE, 9 * PAGE, /* @grown */
                          MREMAP_MAYMOVE));
    block = mapped(mremap(block + PAGE, 8 * PAGE, 8 * PAGE, /* @moved */
                          MREMAP_MAYMOVE | MREMAP_FIXED,
                          target + 8 * PAGE));
    check(block == target + 8 * PAGE);
    check(mremap(block + 1, PAGE, PAGE, 0) == MAP_FAILED);
}

static void file(void)
{
    const int fd = open("/proc/self/exe", O_RDONLY);

    mapped(mmap(NULL, 4000, PROT_READ, MAP_SHARED, fd, 0)); /* @file */
    close(fd);
}

static void indirect(void)
{
    void *(*volatile map)(void *, size_t, int, int, int, off_t) = mmap;

    mapped(map(NULL, 7 * PAGE, ANY, OWN, -1, 0)); /* @pointer */
}

static void *thread(void *block)
{
    check(munmap(block, 6 * PAGE) == 0);
    return NULL;
}

static void other_thread(void)
{
    char *const block =
        mapped(mmap(NULL, 6 * PAGE, ANY, OWN, -1, 0)); /* @foreign */
    pthread_t id;

    pthread_create(&id, NULL, thread, block);
    pthread_join(id, NULL);
}

int main(void)
{
    char *const large = malloc(64 << 20);
    pid_t child;
    int status;

    check(large != NULL);
    memset(large, 1, 100);
    parts();
    whole();
    moves();
    file();
    indirect();
    other_thread();
    child = fork();
    if (child == 0) { /* the lock is free again */
        mapped(mmap(NULL, PAGE, ANY, OWN, -1, 0)); /* @child */
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    free(large);
    return 0;
}

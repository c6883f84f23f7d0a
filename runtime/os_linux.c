/* SPDX-License-Identifier: MIT */
/*
 * os.h for Linux. System calls go through syscall() where the C library's
 * wrapper is a cancellation point or may be replaced by the program (write,
 * open, close): a traced program must not notice that we wrote a file.
 */
#define _GNU_SOURCE
/* In 32-bit programs: dumps beyond 2 GiB, dates beyond 2038. */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096

extern char **environ;

/* AddressSanitizer and ThreadSanitizer define these. */
extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

bool os_has_sanitizer(void)
{
    return __asan_init != NULL || __tsan_init != NULL;
}

/* mmap and munmap are names that we take over ourselves. */
static void *map(size_t size, int protection, int flags)
{
#ifdef SYS_mmap2
    return (void *)syscall(SYS_mmap2, NULL, size, protection, flags, -1, 0);
#elif defined __s390__ /* it takes its arguments from memory */
    const unsigned long arguments[] = {
        0, size, (unsigned long)protection, (unsigned long)flags, -1UL, 0};

    return (void *)syscall(SYS_mmap, arguments);
#else
    return (void *)syscall(SYS_mmap, NULL, size, protection, flags, -1, 0);
#endif
}

void *os_map(size_t size)
{
    void *const pages = map(size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);

    if (pages == MAP_FAILED)
        return NULL;
    /* Tables are sparse: a huge page would make them all resident. */
    madvise(pages, size, MADV_NOHUGEPAGE);
    return pages;
}

void *os_map_wiped(size_t size)
{
    void *const pages = os_map(size);

    if (pages && madvise(pages, size, MADV_WIPEONFORK) != 0) {
        syscall(SYS_munmap, pages, size);
        return NULL;
    }
    return pages;
}

void *os_reserve(size_t size)
{
    void *const pages =
        map(size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);

    return pages == MAP_FAILED ? NULL : pages;
}

bool os_use(void *pages, size_t size)
{
    return mprotect(pages, size, PROT_READ | PROT_WRITE) == 0;
}

uint64_t os_address_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

void os_unmap(void *pages, size_t size)
{
    syscall(SYS_munmap, pages, size);
}

void *os_resize(void *pages, size_t size, size_t new_size)
{
    void *const resized =
        (void *)syscall(SYS_mremap, pages, size, new_size, MREMAP_MAYMOVE);

    return resized == MAP_FAILED ? NULL : resized;
}

void os_share(void *pages, size_t size, bool is_shared)
{
    madvise(pages, size, is_shared ? MADV_DOFORK : MADV_DONTFORK);
}

void os_discard(void *pages, size_t size)
{
    madvise(pages, size, MADV_DONTNEED);
}

size_t os_resident(const void *pages, size_t size)
{
    unsigned char vector[1024];
    const size_t page = os_page_size();
    const char *at = pages;
    size_t resident = 0;

    while (size > 0) {
        size_t n = sizeof vector * page;

        if (n > size)
            n = size;
        if (mincore((void *)(uintptr_t)at, n, vector) != 0)
            return resident;
        for (size_t i = 0; i < (n + page - 1) / page; i++)
            resident += (vector[i] & 1) * page;
        at += n;
        size -= n;
    }
    return resident;
}

int os_touched_open(void)
{
    int fd;

    return os_open_read("/proc/self/pagemap", &fd) == 0 ? fd : -1;
}

#define PAGE_IS_PRESENT (UINT64_C(1) << 63)
#define PAGE_IS_SWAPPED (UINT64_C(1) << 62)

static bool read_pagemap(int fd, uint64_t *words, size_t size)
{
    size_t got;

    return os_read(fd, words, size, &got) == 0 && got == size;
}

void os_touched(int fd, const void *pages, unsigned n, uint64_t *touched)
{
    const uint64_t first = (uintptr_t)pages / os_page_size();
    uint64_t words[64];
    bool is_known = fd >= 0 && lseek(fd, (off_t)(first * sizeof *words),
                                     SEEK_SET) >= 0;

    for (unsigned i = 0; i < n; i += 64) {
        const unsigned n_words = n - i < 64 ? n - i : 64;
        uint64_t bits = 0;

        is_known = is_known && read_pagemap(fd, words, n_words * sizeof *words);
        for (unsigned k = 0; is_known && k < n_words; k++)
            bits |= (uint64_t)!!(words[k] & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED))
                    << k;
        touched[i / 64] = is_known ? bits : UINT64_MAX;
    }
}

size_t os_page_size(void)
{
    const unsigned long size = getauxval(AT_PAGESZ);

    return size ? size : PAGE;
}

bool os_is_readable(const void *address, size_t size)
{
    const uintptr_t last = (uintptr_t)address + size - 1;
    const int invalid_how = ~0;

    /* The kernel copies the set before it looks at `how`: EFAULT says that
     * it could not. Reads 8 bytes, so ask for the first and last ones. */
    if (syscall(SYS_rt_sigprocmask, invalid_how, address, NULL, 8) == -1 &&
        errno == EFAULT)
        return false;
    if (size > 8 &&
        syscall(SYS_rt_sigprocmask, invalid_how, last - 7, NULL, 8) == -1 &&
        errno == EFAULT)
        return false;
    return true;
}

bool os_peek(const void *address, void *copy, size_t size)
{
    const struct iovec to = {copy, size};
    const struct iovec from = {(void *)(uintptr_t)address, size};
    const long n =
        syscall(SYS_process_vm_readv, os_pid(), &to, 1L, &from, 1L, 0L);

    if (n >= 0)
        return (size_t)n == size;
    if (errno == EFAULT || !os_is_readable(address, size))
        return false;
    memcpy(copy, address, size); /* an old kernel, or one in a cage */
    return true;
}

static const char *find_variable(const char *const *variables, const char *name)
{
    const size_t size = strlen(name);

    for (; *variables; variables++)
        if (strncmp(*variables, name, size) == 0 && (*variables)[size] == '=')
            return *variables + size + 1;
    return NULL;
}

/* Before the C library has set environ: the kernel's own copy. */
static const char *find_in_proc(const char *name)
{
    static char buffer[65536];
    static size_t used;
    const size_t size = strlen(name);
    int fd;

    if (used == 0 && os_open_read("/proc/self/environ", &fd) == 0) {
        os_read(fd, buffer, sizeof buffer - 1, &used);
        os_close(fd);
    }
    for (const char *at = buffer; at < buffer + used; at += strlen(at) + 1)
        if (strncmp(at, name, size) == 0 && at[size] == '=')
            return at + size + 1;
    return NULL;
}

const char *os_getenv(const char *name)
{
    if (getauxval(AT_SECURE))
        return NULL;
    if (environ)
        return find_variable((const char *const *)environ, name);
    return find_in_proc(name);
}

static void lower(uint64_t *bytes, uint64_t limit)
{
    if (limit < *bytes)
        *bytes = limit;
}

/* The number that a file begins with; UINT64_MAX if there is none ("max"). */
static uint64_t read_number(const char *path)
{
    char text[32] = "";
    uint64_t number = 0;
    size_t used = 0;
    int fd;

    if (os_open_read(path, &fd) != 0)
        return UINT64_MAX;
    os_read(fd, text, sizeof text - 1, &used);
    os_close(fd);
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        number = number * 10 + (uint64_t)(*c - '0');
    return text[0] >= '0' && text[0] <= '9' ? number : UINT64_MAX;
}

uint64_t os_memory(void)
{
    uint64_t bytes = UINT64_MAX;
    struct rlimit limit;
    struct sysinfo info;

    if (sysinfo(&info) == 0)
        bytes = (uint64_t)info.totalram * info.mem_unit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        lower(&bytes, limit.rlim_cur);
    lower(&bytes, read_number("/sys/fs/cgroup/memory.max"));
    return bytes;
}

bool os_has_tags(void)
{
#ifdef PR_GET_TAGGED_ADDR_CTRL
    return prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) > 0;
#else
    return false;
#endif
}

/* It preloads vgpreload_core and, in the tools that replace the allocator,
 * one more. */
bool os_has_valgrind(void)
{
    static const char name[] = "vgpreload_";
    const char *at = os_getenv("LD_PRELOAD");

    while (at && (at = strstr(at, name))) {
        at += sizeof name - 1;
        if (strncmp(at, "core", 4) != 0)
            return true;
    }
    return false;
}

uint64_t os_now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint32_t os_pid(void)
{
    return (uint32_t)syscall(SYS_getpid);
}

uint32_t os_tid(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

/* Reads a short file without its final newline; "" if it cannot. */
static void read_line(const char *path, char *buffer, size_t size)
{
    size_t used = 0;
    int fd;

    if (os_open_read(path, &fd) == 0) {
        os_read(fd, buffer, size - 1, &used);
        os_close(fd);
    }
    if (used > 0 && buffer[used - 1] == '\n')
        used--;
    buffer[used] = '\0';
}

void os_thread_name(uint32_t tid, char *buffer, size_t size)
{
    char path[] = "/proc/self/task/0000000000/comm";
    char digits[10];
    size_t n = 0;
    char *at = path + sizeof "/proc/self/task/" - 1;

    if (tid == os_tid()) { /* works without /proc, too, and is quicker */
        buffer[0] = '\0';
        if (size >= 16)
            prctl(PR_GET_NAME, buffer);
        return;
    }
    do
        digits[n++] = (char)('0' + tid % 10);
    while (tid /= 10);
    while (n > 0)
        *at++ = digits[--n];
    memcpy(at, "/comm", sizeof "/comm");
    read_line(path, buffer, size);
}

void os_host_name(char *buffer, size_t size)
{
    read_line("/proc/sys/kernel/hostname", buffer, size);
}

void os_program_path(char *buffer, size_t size)
{
    const long n =
        syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buffer, size - 1);

    buffer[n > 0 ? n : 0] = '\0';
}

void os_directory(char *buffer, size_t size)
{
    if (syscall(SYS_getcwd, buffer, size) <= 0 || buffer[0] != '/')
        buffer[0] = '\0';
}

void os_yield(void)
{
    sched_yield();
}

void os_wait(const uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void os_wake(const uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* What a write may raise: they would end the program for a dump's sake. The
 * kernel's own form of a set of signals. */
#define WRITE_SIGNALS \
    (UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGXFSZ - 1))

/* Those of WRITE_SIGNALS that wait for the thread. */
static uint64_t pending_signals(void)
{
    uint64_t pending = 0;

    syscall(SYS_rt_sigpending, &pending, sizeof pending);
    return pending & WRITE_SIGNALS;
}

/* Takes away one signal of each kind in `raised`, which are blocked. */
static void forget_signals(uint64_t raised)
{
    const struct timespec no_time = {0, 0};

    while (raised) {
        const uint64_t lowest = raised & -raised;

        syscall(SYS_rt_sigtimedwait, &lowest, NULL, &no_time, sizeof lowest);
        raised &= raised - 1;
    }
}

/* Sleeps until a descriptor that does not wait by itself takes more. */
static void wait_to_write(int fd)
{
    struct pollfd file = {.fd = fd, .events = POLLOUT};

    syscall(SYS_ppoll, &file, 1, NULL, NULL, 0);
}

static int write_all(int fd, const char *at, size_t size)
{
    while (size > 0) {
        const long n = syscall(SYS_write, fd, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            wait_to_write(fd);
            continue;
        }
        if (n < 0)
            return errno;
        if (n == 0)
            return EIO;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int os_write(int fd, const void *bytes, size_t size)
{
    const uint64_t blocked = WRITE_SIGNALS;
    uint64_t before = 0;
    uint64_t pending;
    int error;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, &before, sizeof before);
    pending = pending_signals();
    error = write_all(fd, bytes, size);
    forget_signals(pending_signals() & ~pending);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return error;
}

int os_read(int fd, void *buffer, size_t size, size_t *got)
{
    char *const at = buffer;

    *got = 0;
    while (*got < size) {
        const long n = syscall(SYS_read, fd, at + *got, size - *got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return 0;
}

/*
 * The program may have closed a standard file, whose number would be given to
 * ours; who still writes there must get an error. So the numbers are taken by
 * files that can neither be read nor written. Gives how many.
 */
static int take_standard(int *fds)
{
    int n = 0;

    for (;;) {
        const long fd =
            syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);

        if (fd >= 0 && fd <= STDERR_FILENO) {
            fds[n++] = (int)fd;
            continue;
        }
        if (fd >= 0)
            syscall(SYS_close, fd);
        return n;
    }
}

static int open_file(const char *path, int flags, int *fd)
{
    int standard[STDERR_FILENO + 1];
    int n_standard = take_standard(standard);
    int error = 0;
    long n;

    do
        n = syscall(SYS_openat, AT_FDCWD, path,
                    flags | O_CLOEXEC | O_LARGEFILE, 0666);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        error = errno;
    while (n_standard > 0)
        syscall(SYS_close, standard[--n_standard]);
    if (!error)
        *fd = (int)n;
    return error;
}

int os_open_read(const char *path, int *fd)
{
    return open_file(path, O_RDONLY, fd);
}

int os_create(const char *path, int *fd)
{
    return open_file(path, O_WRONLY | O_CREAT | O_EXCL, fd);
}

int os_open_write(const char *path, int *fd)
{
    return open_file(path, O_WRONLY | O_NOCTTY, fd);
}

int os_kind(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return 0;
    return S_ISREG(status.st_mode) ? 1 : 2;
}

int os_rename(const char *from, const char *to)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) == 0 ? 0
                                                                        : errno;
}

void os_unlink(const char *path)
{
    syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int os_close(int fd)
{
    return syscall(SYS_close, fd) == 0 ? 0 : errno;
}

/* glibc's table without translation; absent elsewhere. */
extern const char *strerrordesc_np(int) __attribute__((weak));

const char *os_error_text(int error)
{
    const char *text = NULL;

    if (strerrordesc_np)
        text = strerrordesc_np(error);
    return text ? text : "system error";
}

/*
 * Where glibc keeps the stack pointer in a jmp_buf: which word, and how it is
 * hidden: exclusive-or with a secret, then rotated to the left. x86 keeps the
 * secret in the thread's control block; elsewhere it has no public name, and
 * is found out by a setjmp of our own whose stack pointer is known.
 */
#if defined(__x86_64__)
#define JUMP_WORD 6
#define JUMP_ROTATION 17
#define READ_SECRET "mov %%fs:0x30, %0"
#define READ_STACK "mov %%rsp, %0"
#define CONTEXT_STACK(context) (context)->uc_mcontext.gregs[REG_RSP]
#elif defined(__i386__)
#define JUMP_WORD 4
#define JUMP_ROTATION 9
#define READ_SECRET "mov %%gs:0x18, %0"
#define READ_STACK "mov %%esp, %0"
#define CONTEXT_STACK(context) (context)->uc_mcontext.gregs[REG_ESP]
#elif defined(__aarch64__)
#define JUMP_WORD 13
#define JUMP_ROTATION 0
#define READ_STACK "mov %0, sp"
#define CONTEXT_STACK(context) (context)->uc_mcontext.sp
#elif defined(__arm__)
#define JUMP_WORD 0
#define JUMP_ROTATION 0
#define READ_STACK "mov %0, sp"
#define CONTEXT_STACK(context) (context)->uc_mcontext.arm_sp
#elif defined(__riscv)
#define JUMP_WORD 13
#define JUMP_ROTATION 0
#define READ_STACK "mv %0, sp"
#define CONTEXT_STACK(context) (context)->uc_mcontext.__gregs[2]
#endif

#ifdef JUMP_WORD
/* A measured stack pointer may be this far from the one that was saved:
 * i386 pushes an argument in between. */
#define JUMP_TOLERANCE 64

static uintptr_t jump_word(const void *environment)
{
    const uintptr_t word = ((const uintptr_t *)environment)[JUMP_WORD];
    const unsigned n_bits = 8 * sizeof word;

    return JUMP_ROTATION ? word >> JUMP_ROTATION |
                               word << (n_bits - JUMP_ROTATION) % n_bits
                         : word;
}

/* How deep the stack is and what setjmp says of it, SIZE bytes further on. */
__attribute__((noinline)) static uintptr_t measure(size_t size, jmp_buf buffer)
{
    volatile char *const room = __builtin_alloca(size);
    uintptr_t stack;

    room[0] = 0;
    __asm__ volatile(READ_STACK : "=r"(stack));
    (void)!_setjmp(buffer);
    return stack;
}

static bool is_near(uintptr_t a, uintptr_t b)
{
    return a - b + JUMP_TOLERANCE <= 2 * JUMP_TOLERANCE;
}

/* Finds the secret; false: what is known here is not true of this C library.
 * Asked of two depths, so that a word that happens to fit is none. */
static bool find_secret(uintptr_t *secret)
{
    jmp_buf buffers[2];
    uintptr_t stacks[2];

    stacks[0] = measure(16, buffers[0]);
    stacks[1] = measure(4096, buffers[1]);
#ifdef READ_SECRET
    __asm__ volatile(READ_SECRET : "=r"(*secret));
#else
    *secret = jump_word(buffers[0]) ^ stacks[0];
#endif
    return is_near(jump_word(buffers[0]) ^ *secret, stacks[0]) &&
           is_near(jump_word(buffers[1]) ^ *secret, stacks[1]);
}

uintptr_t os_jump_stack(const void *environment)
{
    enum { NOT_ASKED, KNOWN, UNKNOWN };
    static uintptr_t secret; /* the same for all threads */
    static uint32_t state;
    uint32_t found = __atomic_load_n(&state, __ATOMIC_ACQUIRE);

    if (found == NOT_ASKED) {
        uintptr_t value;

        found = find_secret(&value) ? KNOWN : UNKNOWN;
        secret = value;
        __atomic_store_n(&state, found, __ATOMIC_RELEASE);
    }
    return found == KNOWN ? jump_word(environment) ^ secret : 0;
}

uintptr_t os_context_stack(const void *context)
{
    return (uintptr_t)CONTEXT_STACK((const ucontext_t *)context);
}
#else
uintptr_t os_jump_stack(const void *environment)
{
    (void)environment;
    return 0;
}

uintptr_t os_context_stack(const void *context)
{
    (void)context;
    return 0;
}
#endif

/*
 * In a static program the libraries of C++, Fortran and Objective-C take the
 * presence of pthread_key_create, which we call, for that of all that they
 * want of threads, and call what nobody linked. So all of it is linked.
 */
#define WANTED(name) (uintptr_t)name
static const uintptr_t wanted[] __attribute__((used)) = {
    WANTED(pthread_mutex_init),
    WANTED(pthread_mutex_lock),
    WANTED(pthread_mutex_trylock),
    WANTED(pthread_mutex_unlock),
    WANTED(pthread_mutex_destroy),
    WANTED(pthread_cond_init),
    WANTED(pthread_cond_wait),
    WANTED(pthread_cond_timedwait),
    WANTED(pthread_cond_signal),
    WANTED(pthread_cond_broadcast),
    WANTED(pthread_cond_destroy),
    WANTED(pthread_once),
    WANTED(pthread_key_create),
    WANTED(pthread_key_delete),
    WANTED(pthread_getspecific),
    WANTED(pthread_setspecific),
    WANTED(pthread_self),
    WANTED(pthread_equal),
    WANTED(pthread_create),
    WANTED(pthread_join),
    WANTED(pthread_detach),
    WANTED(pthread_exit),
    WANTED(pthread_attr_init),
    WANTED(pthread_attr_setdetachstate),
    WANTED(pthread_getschedparam),
    WANTED(pthread_setschedparam),
    WANTED(pthread_mutexattr_init),
    WANTED(pthread_mutexattr_settype),
    WANTED(pthread_mutexattr_destroy),
    WANTED(sched_get_priority_max),
    WANTED(sched_get_priority_min),
    WANTED(sched_yield),
};

/* SPDX-License-Identifier: MIT */
/*
 * The only way from the runtime to the system. Twin files implement it, one a
 * system. Contract for all: async-signal-safe unless said otherwise; errno is
 * the caller's to save; result pointers are not NULL; no function allocates
 * with malloc. Functions that return int give 0 or a positive errno.
 */
#ifndef ALLOCTRACE_OS_H
#define ALLOCTRACE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed pages that cost nothing until touched; NULL if there are none. */
void *os_map(size_t size);
void os_unmap(void *pages, size_t size);
/* Makes pages more or fewer, where they are or elsewhere. NULL: there are none,
 * and all is as it was. */
void *os_resize(void *pages, size_t size, size_t new_size);
/* Are the pages to be there in children of fork as well? So they are at first.
 */
void os_share(void *pages, size_t size, bool is_shared);
/* Addresses and no more: to be made zeroed pages by os_use, part by part. */
void *os_reserve(size_t size);
bool os_use(void *pages, size_t size);
/* Bytes of addresses that the process may have; UINT64_MAX: no limit. */
uint64_t os_address_limit(void);
/* The pages read as zeros from now on and cost nothing. */
void os_discard(void *pages, size_t size);
/* Bytes of the range that are resident. */
size_t os_resident(const void *pages, size_t size);
/* Says of n pages which were touched since they were
 * mapped, in memory or in swap: a bit a page. All, if it cannot tell. `fd` is
 * what os_touched_open gave, which may be -1; to be closed. */
int os_touched_open(void);
void os_touched(int fd, const void *pages, unsigned n, uint64_t *touched);
size_t os_page_size(void);
/* Can `size` bytes be read? Costs a system call. */
bool os_is_readable(const void *address, size_t size);
/* Copies memory that may be unmapped at any moment. False: it was not all
 * there. Costs a system call. */
bool os_peek(const void *address, void *copy, size_t size);

/* Value of a variable, or NULL; NULL in set-user-id programs. The string
 * lives as long as the process. Works before the C library's set-up too. */
const char *os_getenv(const char *name);

/* Is one of the compiler's sanitizers, which replace the C library's functions,
 * part of the process? */
bool os_has_sanitizer(void);
/* What this copy of the runtime is part of. */
enum os_home {
    OS_HOME_PROGRAM, /* the executable */
    OS_HOME_LIBRARY, /* liballoctrace.so */
    OS_HOME_APART    /* liballoctrace.so in a namespace of dlmopen's */
};
enum os_home os_home(void);
/* Keeps the library in memory whatever is unloaded. May allocate. */
void os_stay_loaded(void);
/* May addresses carry tags in their upper bits? */
bool os_has_tags(void);
/* Does a tool of valgrind's stand in for the allocator? */
bool os_has_valgrind(void);

/* Bytes that the process may have: of the machine, of its control group (of
 * the second version, as a container sees it) or by its limit on addresses. */
uint64_t os_memory(void);

uint64_t os_now_ns(void); /* since 1970 */
uint32_t os_pid(void);
uint32_t os_tid(void);
/* Does this process have a thread of that number? True also if unknown. */
bool os_has_thread(uint32_t tid);
/* Name of a thread of this process, "" if unknown. */
void os_thread_name(uint32_t tid, char *buffer, size_t size);
void os_host_name(char *buffer, size_t size);
/* Path of the running program, "" if unknown. */
void os_program_path(char *buffer, size_t size);
/* Working directory, "" if unknown. */
void os_directory(char *buffer, size_t size);
void os_yield(void);

/* Pages that read as zeros in a copy of the process (fork); NULL: there are
 * none. */
void *os_map_wiped(size_t size);

uint64_t os_monotonic_ns(void);
void os_sleep(uint64_t ns); /* no cancellation point */

/*
 * Makes a thread that only the system knows. `run` never returns. It takes no
 * signals, has no files but those that it opens itself and may call nothing
 * but this file's functions and the runtime's, which use errno and the
 * runtime's own thread-local variable. Not signal-safe.
 */
int os_thread_start(void (*run)(void));
/* In such a thread: standard error becomes the program's, and is left. */
void os_borrow_errors(void);
void os_return_errors(void);
bool os_has_program_files(void); /* this thread: its numbers are the program's */
/* Calls `handler` with the signal's name before a signal of those that tell of
 * a fault ends the process, unless the program handles or ignores it. */
void os_catch_fatal(void (*handler)(const char *name));
/* Sleeps while *word is `value`; may wake up earlier. Wakes all who do. */
void os_wait(const uint32_t *word, uint32_t value);
void os_wake(const uint32_t *word);
/* Keeps the program's signal handlers from interrupting this thread, but those
 * of faults. Gives what os_release_handlers takes. */
uint64_t os_hold_handlers(void);
void os_release_handlers(uint64_t before);
/* Number of a signal, as "USR2", "SIGUSR2" or "12"; 0: there is no such one,
 * or it cannot be used to ask for something. */
int os_signal_number(const char *name);
/* Has `handler` called on the signal. False: the program has one for it. */
bool os_catch(int number, void (*handler)(int));

/* The stack pointer that a jump restores: of a jmp_buf, of a ucontext_t. 0 =
 * not known on this machine or with this C library. */
uintptr_t os_jump_stack(const void *environment);
uintptr_t os_context_stack(const void *context);

/* Writes all of it, retrying short and interrupted writes, and waiting where a
 * descriptor says that it would have to. A closed pipe or a limit on the file's
 * size is an error, not a signal. */
int os_write(int fd, const void *bytes, size_t size);
/* Reads up to `size` bytes; *got is less only at the end of the file. */
int os_read(int fd, void *buffer, size_t size, size_t *got);
int os_open_read(const char *path, int *fd);
/* For a dump: creates a new file (EEXIST if there is one). */
int os_create(const char *path, int *fd);
/* Opens what exists and is no regular file (a pipe, /dev/null). */
int os_open_write(const char *path, int *fd);
/* 0 = nothing there, 1 = a regular file, 2 = something else. */
int os_kind(const char *path);
int os_rename(const char *from, const char *to);
void os_unlink(const char *path);
int os_close(int fd);
/* What an errno means: a constant English text. */
const char *os_error_text(int error);

#endif

// SPDX-License-Identifier: MIT
// Allocates at every moment of a process's and a thread's life, and frees
// nothing. With an argument it closes its standard files first; with two, its
// first thread ends before another one does.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static void *volatile kept;
static thread_local int dummy;

static APART void early_function() { kept = malloc(1001); }
__attribute__((constructor(200))) static void early() { early_function(); }

struct Static {
    Static() { kept = malloc(1002); }
    ~Static() { kept = malloc(1003); }
};
static Static object;

struct Local {
    int number = 0;
    Local() { kept = malloc(1004); }
    ~Local() { kept = malloc(1005); }
};
static thread_local Local local;

static pthread_key_t key;

// Called again while it leaves a value: as often as the C library will.
static void at_thread_end(void *value)
{
    kept = malloc(1006);
    pthread_setspecific(key, value);
}

static void at_end() { kept = malloc(1007); }
__attribute__((destructor(200))) static void last() { kept = malloc(1008); }

static void *run(void *)
{
    local.number = ++dummy;
    pthread_setspecific(key, &key);
    kept = malloc(1009);
    return nullptr;
}

int main(int argc, char **)
{
    pthread_t thread;

    pthread_key_create(&key, at_thread_end);
    atexit(at_end);
    if (argc > 1) {
        close(0);
        close(1);
        close(2);
    }
    pthread_create(&thread, nullptr, run, nullptr);
    if (argc > 2)
        pthread_exit(nullptr);
    pthread_join(thread, nullptr);
    return 0;
}

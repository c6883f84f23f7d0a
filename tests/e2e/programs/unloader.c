/* SPDX-License-Identifier: MIT */
/*
 * Loads and unloads argv[1] argv[2] times, in a namespace of its own if
 * argv[3] is there, and keeps what plugin_make allocates each time. The first
 * time it is called by a thread that ends after the library was unloaded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_barrier_t barrier;
static void *(*make)(size_t);

static void *outlive(void *unused)
{
    make(100);
    pthread_barrier_wait(&barrier); /* it is unloaded */
    pthread_barrier_wait(&barrier);
    return unused;
}

int main(int argc, char **argv)
{
    const int n = atoi(argv[2]);
    pthread_t thread;

    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < n; i++) {
        void *const library = argc > 3 ? dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW)
                                       : dlopen(argv[1], RTLD_NOW);

        if (!library) {
            fputs(dlerror(), stderr);
            return 1;
        }
        make = (void *(*)(size_t))dlsym(library, "plugin_make");
        if (i == 0 && argc <= 3) {
            pthread_create(&thread, NULL, outlive, NULL);
            pthread_barrier_wait(&barrier);
        } else {
            make(100);
        }
        dlclose(library);
        if (i == 0 && argc <= 3) {
            pthread_barrier_wait(&barrier);
            pthread_join(thread, NULL);
        }
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Calls library.c: linked with it, or loaded if a path is given. */
#include <dlfcn.h>

#ifdef LOADED
static int (*library_run)(void);

static int load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);

    if (library)
        library_run = (int (*)(void))dlsym(library, "library_run");
    return library_run ? 0 : -1;
}
#else
int library_run(void);

static int load(const char *path)
{
    (void)path;
    return 0;
}
#endif

int main(int argc, char **argv)
{
    if (load(argc > 1 ? argv[1] : "") != 0)
        return 9;
    return library_run() == 0 ? 5 : 6;
}

/* SPDX-License-Identifier: MIT */
/* A program in C, without the C++ library until it loads argv[1]. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW | RTLD_LOCAL);
    int (*plugged)(int);

    if (!library) {
        fputs(dlerror(), stderr);
        return 1;
    }
    plugged = (int (*)(int))dlsym(library, "plugged");
    return plugged(3) != 3; /* @load */
}

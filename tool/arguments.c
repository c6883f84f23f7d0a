/* SPDX-License-Identifier: MIT */
/*
 * Reads a compiler's command line. One table says which options matter and
 * which take the next argument as their value, so that `-o -c` names a file
 * `-c`. What is in no table changes nothing. Where two options disagree the
 * rules of the GCC driver hold: it stops at the earliest stage that any
 * option asks for, wherever that option stands.
 */
#include "arguments.h"

#include "words.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* What the arguments said: each bit was seen at least once. */
enum seen {
    SEEN_QUERY = 1 << 0,        /* prints something and ends */
    SEEN_PREPROCESS = 1 << 1,   /* stops after preprocessing */
    SEEN_NO_LINK = 1 << 2,      /* stops before the link */
    SEEN_SHARED = 1 << 3,       /* links a shared library */
    SEEN_BARE = 1 << 4,         /* links part of a program */
    SEEN_NO_LIBRARY = 1 << 5,   /* links without the usual libraries ... */
    SEEN_C_LIBRARY = 1 << 6,    /* ... but names the C library */
    SEEN_FREESTANDING = 1 << 7, /* code for no C library at all */
    SEEN_SOURCE = 1 << 8,       /* an input that the compiler proper reads */
    SEEN_ASSEMBLER = 1 << 9,    /* an input for the assembler */
    SEEN_LINKED = 1 << 10       /* an input for the linker */
};

enum match {
    EXACT,  /* the whole argument */
    PREFIX, /* what the argument begins with */
    VALUE   /* the whole argument; the next one is its value */
};

struct option {
    const char *name;
    enum match match;
    unsigned seen; /* bits of enum seen; 0: known for its value alone */
};

static const struct option OPTIONS[] = {
    {"--version", EXACT, SEEN_QUERY},
    {"--help", PREFIX, SEEN_QUERY},
    {"--target-help", EXACT, SEEN_QUERY},
    {"-dumpversion", EXACT, SEEN_QUERY},
    {"-dumpfullversion", EXACT, SEEN_QUERY},
    {"-dumpmachine", EXACT, SEEN_QUERY},
    {"-dumpspecs", EXACT, SEEN_QUERY},
    {"-print-", PREFIX, SEEN_QUERY},
    {"--print-", PREFIX, SEEN_QUERY},
    {"-E", EXACT, SEEN_PREPROCESS},
    {"--preprocess", EXACT, SEEN_PREPROCESS},
    {"-M", EXACT, SEEN_PREPROCESS},
    {"-MM", EXACT, SEEN_PREPROCESS},
    {"-c", EXACT, SEEN_NO_LINK},
    {"-S", EXACT, SEEN_NO_LINK},
    {"--compile", EXACT, SEEN_NO_LINK},
    {"--assemble", EXACT, SEEN_NO_LINK},
    {"-fsyntax-only", EXACT, SEEN_NO_LINK},
    {"-shared", EXACT, SEEN_SHARED},
    {"--shared", EXACT, SEEN_SHARED},
    {"-Wl,-shared", EXACT, SEEN_SHARED},
    {"-r", EXACT, SEEN_BARE},
    {"-Wl,-r", EXACT, SEEN_BARE},
    {"-Wl,--relocatable", EXACT, SEEN_BARE},
    {"-nostdlib", EXACT, SEEN_NO_LIBRARY},
    {"-nodefaultlibs", EXACT, SEEN_NO_LIBRARY},
    {"-nolibc", EXACT, SEEN_NO_LIBRARY},
    {"-lc", EXACT, SEEN_C_LIBRARY | SEEN_LINKED},
    {"-Wl,-lc", EXACT, SEEN_C_LIBRARY | SEEN_LINKED},
    {"-ffreestanding", EXACT, SEEN_FREESTANDING},
    {"-fno-hosted", EXACT, SEEN_FREESTANDING},
    /* Questions to the linker, unless something else is linked as well. */
    {"-Wl,--version", EXACT, 0},
    {"-Wl,--help", EXACT, 0},
    {"-Wl,-v", EXACT, 0},
    {"-Wl,-V", EXACT, 0},
    {"-Wl,", PREFIX, SEEN_LINKED},
    {"-Xlinker", VALUE, SEEN_LINKED},
    {"-l", VALUE, SEEN_LINKED},
    {"-l", PREFIX, SEEN_LINKED},
    {"-A", VALUE, 0},
    {"-B", VALUE, 0},
    {"-D", VALUE, 0},
    {"-I", VALUE, 0},
    {"-J", VALUE, 0},
    {"-L", VALUE, 0},
    {"-MF", VALUE, 0},
    {"-MQ", VALUE, 0},
    {"-MT", VALUE, 0},
    {"-T", VALUE, 0},
    {"-U", VALUE, 0},
    {"-Xassembler", VALUE, 0},
    {"-Xpreprocessor", VALUE, 0},
    {"-aux-info", VALUE, 0},
    {"-dumpbase", VALUE, 0},
    {"-dumpbase-ext", VALUE, 0},
    {"-dumpdir", VALUE, 0},
    {"-e", VALUE, 0},
    {"-idirafter", VALUE, 0},
    {"-imacros", VALUE, 0},
    {"-imultilib", VALUE, 0},
    {"-include", VALUE, 0},
    {"-iprefix", VALUE, 0},
    {"-iquote", VALUE, 0},
    {"-isysroot", VALUE, 0},
    {"-isystem", VALUE, 0},
    {"-iwithprefix", VALUE, 0},
    {"-iwithprefixbefore", VALUE, 0},
    {"-o", VALUE, 0},
    {"-specs", VALUE, 0},
    {"-u", VALUE, 0},
    {"-wrapper", VALUE, 0},
    {"-z", VALUE, 0},
    {"--output", VALUE, 0},
    {"--param", VALUE, 0},
    {"--sysroot", VALUE, 0},
};

/* How deep response files may name one another; the driver's own limit is
 * a number of files (2000), which a loop reaches as well. */
#define MAX_DEPTH 16

/* See arguments_abi. */
static const char *const ABIS[] = {"-m32", "-m64", "-mx32", NULL};

struct reading {
    unsigned seen;        /* bits of enum seen */
    const char *abi;      /* the last one of ABIS; NULL: none was there */
    const char *language; /* of the next inputs, by -x; NULL: by their names.
                           * Borrowed from `kept` or the caller's arguments. */
    struct words *kept;   /* words of response files, freed at the end */
};

static const struct option *option_find(const char *argument)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const struct option *option = &OPTIONS[i];

        if (option->match == PREFIX
                ? !strncmp(argument, option->name, strlen(option->name))
                : !strcmp(argument, option->name))
            return option;
    }
    return NULL;
}

static bool is_any_of(const char *word, const char *const *list)
{
    for (; *list; list++) {
        if (!strcmp(word, *list))
            return true;
    }
    return false;
}

static unsigned kind_of_input(const char *name, const char *language)
{
    static const char *const assembler[] = {".s", ".S", ".sx", NULL};
    static const char *const linked[] = {".o", ".a", ".so", ".lo", ".la", NULL};
    const char *suffix = strrchr(name, '.');

    if (language)
        return strncmp(language, "assembler", 9) ? SEEN_SOURCE : SEEN_ASSEMBLER;
    if (!suffix || strstr(name, ".so.") || is_any_of(suffix, linked))
        return SEEN_LINKED;
    return is_any_of(suffix, assembler) ? SEEN_ASSEMBLER : SEEN_SOURCE;
}

/* Reads -xLANGUAGE and -x LANGUAGE. Returns how many arguments that was; 0:
 * it is another option. */
static int read_language(struct reading *reading, char *const *arguments)
{
    const char *language;
    int count = 1;

    if (strncmp(*arguments, "-x", 2) != 0)
        return 0;
    language = *arguments + 2;
    if (!*language && arguments[1]) {
        language = arguments[1];
        count = 2;
    }
    reading->language = strcmp(language, "none") ? language : NULL;
    return count;
}

static char *read_file(const char *path)
{
    size_t size = 0;
    ssize_t length;
    char *text = NULL;
    FILE *file = fopen(path, "r");

    if (!file)
        return NULL;
    /* A response file holds no NUL, so this reads all of it. */
    length = getdelim(&text, &size, 0, file);
    fclose(file);
    if (length < 0) {
        free(text);
        return strdup(""); /* an empty file */
    }
    return text;
}

static void read_arguments(struct reading *reading, char *const *arguments,
                           int depth);

/* Returns false if there is no such file: then @FILE is an ordinary name. */
static bool read_response_file(struct reading *reading, const char *path,
                               int depth)
{
    char *text = depth < MAX_DEPTH ? read_file(path) : NULL;
    struct words words;

    if (!text)
        return false;
    words_init(&words);
    words_add_text(&words, text);
    free(text);
    if (words.count)
        read_arguments(reading, words.word, depth + 1);
    /* `language` may point at one of the words. */
    if (reading->language) {
        words_add(reading->kept, reading->language);
        reading->language = reading->kept->word[reading->kept->count - 1];
    }
    words_fini(&words);
    return true;
}

static void read_abi(struct reading *reading, const char *argument)
{
    for (const char *const *abi = ABIS; *abi; abi++) {
        if (!strcmp(argument, *abi))
            reading->abi = *abi;
    }
}

static void read_arguments(struct reading *reading, char *const *arguments,
                           int depth)
{
    while (*arguments) {
        const char *argument = *arguments;
        const struct option *option = option_find(argument);
        int count = 1;

        if (option) {
            reading->seen |= option->seen;
            if (option->match == VALUE && arguments[1])
                count = 2;
        } else if (argument[0] == '@' &&
                   read_response_file(reading, argument + 1, depth)) {
            /* Its words were read in its place. */
        } else if (argument[0] != '-' || !argument[1]) {
            reading->seen |= kind_of_input(argument, reading->language);
        } else if ((count = read_language(reading, arguments)) == 0) {
            count = 1;
            read_abi(reading, argument);
        }
        arguments += count;
    }
}

const char *arguments_abi(char *const *arguments)
{
    struct words kept;
    struct reading reading = {.kept = &kept};

    words_init(&kept);
    read_arguments(&reading, arguments, 0);
    words_fini(&kept);
    return reading.abi;
}

enum action arguments_classify(char *const *arguments)
{
    const unsigned inputs = SEEN_SOURCE | SEEN_ASSEMBLER | SEEN_LINKED;
    struct words kept;
    struct reading reading = {.kept = &kept};
    unsigned seen;

    words_init(&kept);
    read_arguments(&reading, arguments, 0);
    words_fini(&kept);
    seen = reading.seen;
    if (seen & (SEEN_QUERY | SEEN_PREPROCESS) || !(seen & inputs))
        return ACTION_NONE;
    if (seen & SEEN_FREESTANDING && seen & SEEN_SOURCE)
        return ACTION_NONE;
    if (seen & SEEN_NO_LINK)
        return seen & SEEN_SOURCE ? ACTION_COMPILE : ACTION_NONE;
    if (seen & SEEN_BARE)
        return ACTION_LINK_BARE;
    if (seen & SEEN_NO_LIBRARY && !(seen & SEEN_C_LIBRARY))
        return ACTION_LINK_BARE;
    return seen & SEEN_SHARED ? ACTION_LINK_SHARED : ACTION_LINK_PROGRAM;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command `alloctrace`: a table of commands. Exit status: 0 done, 1 a
 * check failed, 2 wrong usage or unusable input; `run` ends as the program
 * that it ran.
 */
#include <stdio.h>
#include <string.h>

#include "alloctrace/version.h"
#include "command.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct command commands[] = {
    {"run", "[OPTION...] [--] PROGRAM [ARGUMENT...]",
     "run a program traced, then print where its memory went", cmd_run,
     run_options},
    {"stats", "[OPTION...] FILE",
     "sum up a dump by line, by function or otherwise", cmd_stats,
     stats_options},
    {"diff", "[OPTION...] OLD NEW",
     "compare two dumps: what one has more or less than the other", cmd_diff,
     diff_options},
    {"info", "[OPTION...] FILE",
     "what a dump is of, when, how much, what was dropped", cmd_info,
     info_options},
    {"merge", "[OPTION...] -o FILE FILE...",
     "merge the dumps of several processes into one", cmd_merge, merge_options},
    {"export", "[OPTION...] FILE",
     "write a dump in another format: for tracemalloc, JSON, CSV", cmd_export,
     export_options},
    {"dump", "FILE", "print the raw records of a dump", cmd_dump, NULL},
    {"cflags", "[--cc COMPILER]", "print the flags that instrument", cmd_cflags,
     NULL},
    {"ldflags", "[--static|--shared] [--cc COMPILER]",
     "print the flags that link", cmd_ldflags, NULL},
    {"version", "", "print the version", cmd_version, NULL},
    {"help", "[COMMAND]", "print this, or how a command is used", cmd_help,
     NULL},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int cmd_version(int argc, char **argv)
{
    if (argc > 1)
        return args_fail(argv[0], "takes no arguments");
    printf("alloctrace %s\n", ALLOCTRACE_VERSION_STRING);
    return out_finish(EXIT_DONE);
}

/* Prints words from column `indent` up to the 79th, and ends the line. */
static void print_wrapped(const char *text, size_t indent)
{
    size_t column = indent;

    while (*text) {
        const size_t size = strcspn(text, " ");

        if (column > indent && column + 1 + size > 79) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        }
        printf("%s%.*s", column > indent ? " " : "", (int)size, text);
        column += size + (column > indent);
        text += size + (text[size] == ' ');
    }
    putchar('\n');
}

/* Column in which it stands what an option does. */
#define HELP_COLUMN 25

static void print_option(const struct option *option)
{
    const int size =
        printf("  %s %s", option->name, option->value ? option->value : "");

    if (!option->help) {
        putchar('\n');
        return;
    }
    if (size < HELP_COLUMN)
        printf("%*s", HELP_COLUMN - size, "");
    else
        printf("\n%*s", HELP_COLUMN, "");
    print_wrapped(option->help, HELP_COLUMN);
}

static void print_command(const struct command *command)
{
    printf("usage: alloctrace %s %s\n\n%s.\n", command->name, command->synopsis,
           command->help);
    if (command->options)
        putchar('\n');
    for (const struct option *option = command->options; option && option->name;
         option++)
        print_option(option);
}

static void print_commands(FILE *file)
{
    fprintf(file, "usage: alloctrace COMMAND [ARGUMENT...]\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(file, "\nInstrument a program with CC=alloctrace-gcc, then\n"
                  "'alloctrace run ./program'.\n");
}

static int fail_unknown(const char *name)
{
    fprintf(stderr, "alloctrace: no command '%s'; there are:", name);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(stderr, " %s", commands[i].name);
    putc('\n', stderr);
    return EXIT_UNUSABLE;
}

static int cmd_help(int argc, char **argv)
{
    const struct command *command = NULL;

    if (argc > 1) {
        command = find(argv[1]);
        if (!command)
            return fail_unknown(argv[1]);
    }
    if (command)
        print_command(command);
    else
        print_commands(stdout);
    return out_finish(EXIT_DONE);
}

int main(int argc, char **argv)
{
    static char help_name[] = "help";
    static char version_name[] = "version";
    const struct command *command;

    if (argc < 2) {
        print_commands(stderr);
        return EXIT_UNUSABLE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        argv[1] = help_name;
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version_name;
    command = find(argv[1]);
    if (!command)
        return fail_unknown(argv[1]);
    if (argc > 2 &&
        (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        print_command(command);
        return out_finish(EXIT_DONE);
    }
    return command->run(argc - 1, argv + 1);
}

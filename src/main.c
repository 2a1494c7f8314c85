#include "app/cli.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* --help behind a command or its subcommand is help about it. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || (i == 2 && strcmp(argv[i], "-h") == 0))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    mem_keep_pages();
    hash_seed = rand_u64(rand_real());
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of write() */
    if (argc < 2)
        return app_help(0, NULL) == EXIT_DONE ? EXIT_USAGE : EXIT_FAILED;
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (const struct command_line *command = command_lines; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return asks_for_help(argc, argv) ? app_help(1, argv + 1) : command->run(argc - 2, argv + 2);
    fprintf(stderr, "hinomi: there is no command '%s'\nTry: hinomi help\n", name);
    return EXIT_USAGE;
}

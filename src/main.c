#include "search/cli.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "search") == 0)
        return search_main(argc - 1, argv + 1);
    puts("hinomi " HINOMI_VERSION);
    return 0;
}

#include "search/commands/ignored_args.h"

int ignored_args_parse(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    while (p->token.kind != SPL_END)
        if (spl_advance(p) < 0)
            return -1;
    return 0;
}

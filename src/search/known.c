#include "search/known.h"

#include "search/lexer.h"

/* Anything goes, as long as brackets and quotes are whole; subsearches are checked. */
static int parse_loose(struct spl_parser *p, struct spl_command *command)
{
    (void)command;
    while (p->token.kind != SPL_END) {
        const struct spl_query *sub;
        if (p->token.kind == SPL_SUBSEARCH) {
            if (spl_take_subsearch(p, &sub) < 0)
                return -1;
        } else if (spl_advance(p) < 0) {
            return -1;
        }
    }
    return 0;
}

#define LOOSE(n, a, s, f)                                                                          \
    {                                                                                              \
        .name = n, .alias = a, .summary = s, .flags = (f) | COMMAND_BRACKETS, .parse = parse_loose                      \
    }

static const struct command known[] = {
    LOOSE("sendalert", 0, "tells our own notifiers", 0),
    LOOSE("sendemail", 0, "mail by our own notifiers", 0),
    LOOSE("apply", 0, "a model of an add-on", 0),
    LOOSE("fit", 0, "a model of an add-on", 0),
    LOOSE("summary", 0, "a model of an add-on", COMMAND_GENERATES),
    LOOSE("pivot", 0, "a screen's report", COMMAND_GENERATES),
    LOOSE("cyberchef", 0, "an add-on's recipe", 0),
    LOOSE("dnstwist", 0, "an add-on's look-alike domains", COMMAND_GENERATES),
    LOOSE("delete", 0, "nothing can be deleted by a search", 0),
};

const struct command *known_command_at(size_t index)
{
    return index < ARRAY_COUNT(known) ? &known[index] : NULL;
}

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

/* ... from datamodel=M needs its name. */
static int parse_tstats(struct spl_parser *p, struct spl_command *command)
{
    while (p->token.kind != SPL_END) {
        bool from = spl_at_word(p, "from");
        if (spl_advance(p) < 0)
            return -1;
        if (from && p->token.kind == SPL_END)
            return spl_fail(p, "after from a data model is missing: from datamodel=NAME");
    }
    return parse_loose(p, command);
}

#define LOOSE(n, a, s, f)                                                                          \
    {                                                                                              \
        .name = n, .alias = a, .summary = s, .flags = f, .parse = parse_loose                      \
    }

static const struct command known[] = {
    {.name = "tstats",
     .summary = "statistics over stored columns",
     .flags = COMMAND_GENERATES | COMMAND_STREAMS,
     .parse = parse_tstats},
    LOOSE("collect", 0, "rows into an index", 0),
    LOOSE("datamodel", 0, "rows of a data model", COMMAND_GENERATES),
    LOOSE("eventtypes", "typer", "eventtype of each row", 0),
    LOOSE("from", 0, "rows of a data model, saved search or table", COMMAND_GENERATES),
    LOOSE("loadjob", 0, "rows of an earlier search", COMMAND_GENERATES),
    LOOSE("mstats", 0, "statistics of metrics", COMMAND_GENERATES),
    LOOSE("outputlookup", 0, "rows into a lookup table", 0),
    LOOSE("rest", 0, "rows of our own API", COMMAND_GENERATES),
    LOOSE("savedsearch", 0, "rows of a saved search", COMMAND_GENERATES),
    LOOSE("sendalert", 0, "tells our own notifiers", 0),
    LOOSE("sendemail", 0, "mail by our own notifiers", 0),
    LOOSE("tags", 0, "tags of each row", 0),
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

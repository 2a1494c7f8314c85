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
        .name = n, .alias = a, .summary = s, .flags = f, .parse = parse_loose                      \
    }

static const struct command known[] = {
    LOOSE("uniq", 0, "equal neighbours once", 0),
    LOOSE("format", 0, "rows as the text of a search", 0),
    LOOSE("return", 0, "values for the outer search", 0),
    LOOSE("fieldsummary", 0, "what each field holds", 0),
    LOOSE("extract", "kv", "fields of key=value text", 0),
    LOOSE("xmlkv", 0, "fields of XML", 0),
    LOOSE("fromjson", 0, "fields of JSON in a field", 0),
    LOOSE("tojson", 0, "rows as JSON", 0),
    LOOSE("makecontinuous", 0, "no gaps on an axis", 0),
    LOOSE("addinfo", 0, "the search's time range and id as fields", 0),
    LOOSE("anomalydetection", 0, "rows that are unlikely", 0),
    LOOSE("cluster", 0, "groups of similar rows", 0),
    LOOSE("compare", 0, "two periods side by side", 0),
    LOOSE("contingency", 0, "how often two fields' values meet", 0),
    LOOSE("dbinspect", 0, "the store's segments", COMMAND_GENERATES),
    LOOSE("eventcount", 0, "numbers of stored events", COMMAND_GENERATES),
    LOOSE("gentimes", 0, "rows of times", COMMAND_GENERATES),
    LOOSE("geostats", 0, "statistics on a map", 0),
    LOOSE("highlight", 0, "marks words", 0),
    LOOSE("inputcsv", 0, "rows of a CSV file", COMMAND_GENERATES),
    LOOSE("iplocation", 0, "place of an address", 0),
    LOOSE("kmeans", 0, "groups of near rows", 0),
    LOOSE("loadjob", 0, "rows of an earlier search", COMMAND_GENERATES),
    LOOSE("localop", 0, "accepted, does nothing", 0),
    LOOSE("map", 0, "a search for each row", 0),
    LOOSE("metadata", 0, "hosts, sources, sourcetypes", COMMAND_GENERATES),
    LOOSE("mstats", 0, "statistics of metrics", COMMAND_GENERATES),
    LOOSE("multikv", 0, "fields of a printed table", 0),
    LOOSE("noop", 0, "accepted, does nothing", 0),
    LOOSE("outlier", 0, "cuts or removes extreme values", 0),
    LOOSE("outputcsv", 0, "rows into a CSV file", 0),
    LOOSE("patterns", 0, "templates of log lines", 0),
    LOOSE("predict", 0, "values to come", 0),
    LOOSE("process", 0, "process map, variants, conformance", 0),
    LOOSE("redistribute", 0, "accepted, does nothing", 0),
    LOOSE("require", 0, "fails without rows", 0),
    LOOSE("rest", 0, "rows of our own API", COMMAND_GENERATES),
    LOOSE("selfjoin", 0, "rows joined with themselves", 0),
    LOOSE("sendalert", 0, "tells our own notifiers", 0),
    LOOSE("sendemail", 0, "mail by our own notifiers", 0),
    LOOSE("set", 0, "union, difference or intersection", COMMAND_GENERATES),
    LOOSE("typeahead", 0, "words to complete", COMMAND_GENERATES),
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

#include "collect/collector.h"

#define COLLECTOR(name) extern const struct collector_kind collector_##name;
#include "collect/collectors.def"
#undef COLLECTOR

const struct collector_kind *const collector_kinds[] = {
#define COLLECTOR(name) &collector_##name,
#include "collect/collectors.def"
#undef COLLECTOR
    NULL,
};

const struct collector_kind *collector_find(struct slice name)
{
    for (size_t i = 0; collector_kinds[i]; i++)
        if (slice_is(name, collector_kinds[i]->name))
            return collector_kinds[i];
    return NULL;
}

struct delivery collector_delivery(const struct collector_host *host, const struct collector_settings *settings)
{
    return (struct delivery){
        .origin = {.source = settings->name, .stream = settings->stream, .dataset = settings->dataset,
                   .zone = settings->zone},
        .received_ns = clock_wall_ns(host->sink->clock),
        .framing = FRAMING_RECORDS,
    };
}

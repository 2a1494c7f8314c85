#include "event/schema.h"

#include "base/attr.h"

/* ECS declares about two thousand names, and their types follow from the last part of the name but
 * for few. So the table holds last parts; names that differ stand in full before them. Keyword
 * (string) is what remains. */
struct rule {
    struct slice name;
    enum value_type type;
};

#define NAME(text) {text, sizeof(text) - 1}

static const struct rule whole_names[] = {
    {NAME("@timestamp"), VALUE_TIME},
    {NAME("event.created"), VALUE_TIME},
    {NAME("event.start"), VALUE_TIME},
    {NAME("event.end"), VALUE_TIME},
    {NAME("event.ingested"), VALUE_TIME},
    {NAME("event.code"), VALUE_STRING},
    {NAME("event.sequence"), VALUE_I64},
    {NAME("event.severity"), VALUE_I64},
    {NAME("event.duration"), VALUE_I64},
    {NAME("host.uptime"), VALUE_I64},
    {NAME("hinomi.seq"), VALUE_I64},
    {NAME("http.response.status_code"), VALUE_I64},
    {NAME("log.syslog.priority"), VALUE_I64},
    {NAME("log.syslog.facility.code"), VALUE_I64},
    {NAME("log.syslog.severity.code"), VALUE_I64},
    {NAME("log.origin.file.line"), VALUE_I64},
    {NAME("process.exit_code"), VALUE_I64},
    {NAME("process.parent.exit_code"), VALUE_I64},
    {NAME("dns.answers.ttl"), VALUE_I64},
    {NAME("dns.resolved_ip"), VALUE_IP},
    {NAME("related.ip"), VALUE_IP},
    {NAME("tls.established"), VALUE_BOOL},
    {NAME("tls.resumed"), VALUE_BOOL},
    {NAME("process.interactive"), VALUE_BOOL},
};

static const struct rule last_parts[] = {
    {NAME("ip"), VALUE_IP},             {NAME("port"), VALUE_I64},          {NAME("bytes"), VALUE_I64},
    {NAME("packets"), VALUE_I64},       {NAME("pid"), VALUE_I64},           {NAME("pgid"), VALUE_I64},
    {NAME("size"), VALUE_I64},          {NAME("mtime"), VALUE_TIME},        {NAME("ctime"), VALUE_TIME},
    {NAME("accessed"), VALUE_TIME},     {NAME("created"), VALUE_TIME},      {NAME("not_after"), VALUE_TIME},
    {NAME("not_before"), VALUE_TIME},   {NAME("first_seen"), VALUE_TIME},   {NAME("last_seen"), VALUE_TIME},
};

enum value_type schema_type(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(whole_names); i++)
        if (slice_equal_short(name, whole_names[i].name))
            return whole_names[i].type;
    size_t at = name.len;
    while (at > 0 && name.ptr[at - 1] != '.')
        at--;
    if (at == 0)
        return VALUE_NULL;
    struct slice last = slice_from(name, at);
    for (size_t i = 0; i < ARRAY_COUNT(last_parts); i++)
        if (slice_equal_short(last, last_parts[i].name))
            return last_parts[i].type;
    return VALUE_NULL;
}

struct slice schema_alias(struct slice name)
{
    static const struct {
        const char *habit;
        struct slice name;
    } aliases[] = {
        {"_time", {"@timestamp", 10}},      {"_raw", {"event.original", 14}},
        {"_indextime", {"event.ingested", 14}}, {"host", {"host.name", 9}},
        {"sourcetype", {"event.dataset", 13}},  {"index", {"hinomi.stream", 13}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(aliases); i++)
        if (slice_is(name, aliases[i].habit))
            return aliases[i].name;
    return name;
}

struct slice schema_metric_alias(struct slice name)
{
    if (slice_equal_short(name, SLICE("metric_name")))
        return FIELD_METRIC_NAME;
    return slice_equal_short(name, SLICE("_value")) ? FIELD_METRIC_VALUE : name;
}

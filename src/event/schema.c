#include "event/schema.h"

#include "base/attr.h"

/* ECS declares about two thousand names, and their types follow from the last part of the name but
 * for few. So the table holds last parts; names that differ stand in full before them. Keyword
 * (string) is what remains. */
struct rule {
    const char *name;
    enum value_type type;
};

static const struct rule whole_names[] = {
    {"@timestamp", VALUE_TIME},
    {"event.created", VALUE_TIME},
    {"event.start", VALUE_TIME},
    {"event.end", VALUE_TIME},
    {"event.ingested", VALUE_TIME},
    {"event.code", VALUE_STRING},
    {"event.sequence", VALUE_I64},
    {"event.severity", VALUE_I64},
    {"event.duration", VALUE_I64},
    {"host.uptime", VALUE_I64},
    {"hinomi.seq", VALUE_I64},
    {"http.response.status_code", VALUE_I64},
    {"log.syslog.priority", VALUE_I64},
    {"log.syslog.facility.code", VALUE_I64},
    {"log.syslog.severity.code", VALUE_I64},
    {"log.origin.file.line", VALUE_I64},
    {"process.exit_code", VALUE_I64},
    {"process.parent.exit_code", VALUE_I64},
    {"dns.answers.ttl", VALUE_I64},
    {"dns.resolved_ip", VALUE_IP},
    {"related.ip", VALUE_IP},
    {"tls.established", VALUE_BOOL},
    {"tls.resumed", VALUE_BOOL},
    {"process.interactive", VALUE_BOOL},
};

static const struct rule last_parts[] = {
    {"ip", VALUE_IP},          {"port", VALUE_I64},      {"bytes", VALUE_I64},
    {"packets", VALUE_I64},    {"pid", VALUE_I64},       {"pgid", VALUE_I64},
    {"size", VALUE_I64},       {"mtime", VALUE_TIME},    {"ctime", VALUE_TIME},
    {"accessed", VALUE_TIME},  {"created", VALUE_TIME},  {"not_after", VALUE_TIME},
    {"not_before", VALUE_TIME},{"first_seen", VALUE_TIME}, {"last_seen", VALUE_TIME},
};

enum value_type schema_type(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(whole_names); i++)
        if (slice_is(name, whole_names[i].name))
            return whole_names[i].type;
    size_t at = name.len;
    while (at > 0 && name.ptr[at - 1] != '.')
        at--;
    if (at == 0)
        return VALUE_NULL;
    struct slice last = slice_from(name, at);
    for (size_t i = 0; i < ARRAY_COUNT(last_parts); i++)
        if (slice_is(last, last_parts[i].name))
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

#include "collect/http/hec_parse.h"

#include "base/limits.h"
#include "cut/json_skim.h"
#include "event/delivery.h"

struct entry {
    struct slice event, time, host, source, sourcetype, index, fields; /* as they stand */
};

static bool skim_object(struct json_skim *skim, struct entry *entry)
{
    const struct {
        const char *name;
        struct slice *to;
    } known[] = {
        {"event", &entry->event},   {"time", &entry->time},
        {"host", &entry->host},     {"source", &entry->source},
        {"sourcetype", &entry->sourcetype}, {"index", &entry->index},
        {"fields", &entry->fields},
    };
    struct slice key, value;
    int step;
    if (!json_skim_open(skim))
        return false;
    while ((step = json_skim_member(skim, &key, &value)) > 0)
        for (size_t i = 0; i < ARRAY_COUNT(known); i++)
            if (slice_is(key, known[i].name))
                *known[i].to = value;
    return step == 0;
}

/* Where texts lose their escapes; kept for the next event. */
struct rooms {
    struct buffer event, word, hints;
};

static bool put_hint(struct rooms *rooms, const char *name, struct slice value, struct slice fallback)
{
    if (!value.ptr || slice_is(value, "null")) {
        if (fallback.ptr)
            delivery_put_hint(&rooms->hints, name, fallback);
        return true;
    }
    buffer_clear(&rooms->word);
    if (!json_skim_unescape(json_skim_text(value), &rooms->word))
        return false;
    delivery_put_hint(&rooms->hints, name, buffer_slice(&rooms->word));
    return true;
}

static bool put_hints(const struct entry *entry, const struct hec_defaults *defaults, struct rooms *rooms)
{
    buffer_clear(&rooms->hints);
    if (!put_hint(rooms, "time", entry->time, SLICE_NONE) || !put_hint(rooms, "host", entry->host, defaults->host) ||
        !put_hint(rooms, "source", entry->source, defaults->source) ||
        !put_hint(rooms, "sourcetype", entry->sourcetype, defaults->sourcetype) ||
        !put_hint(rooms, "index", entry->index, defaults->index))
        return false;
    if (entry->fields.ptr && !slice_is(entry->fields, "null"))
        delivery_put_hint(&rooms->hints, "fields", entry->fields);
    return true;
}

static enum hec_problem put_entry(struct json_skim *skim, const struct entry *entry,
                                  const struct hec_defaults *defaults, struct rooms *rooms,
                                  struct buffer *records, uint32_t *event_count)
{
    if (!entry->event.ptr || slice_is(entry->event, "null")) {
        json_skim_wrong(skim, "an object has no \"event\"");
        return HEC_EVENT_MISSING;
    }
    struct slice raw = entry->event;
    bool is_text = raw.ptr[0] == '"';
    if (is_text) {
        buffer_clear(&rooms->event);
        if (!json_skim_unescape(json_skim_text(raw), &rooms->event)) {
            json_skim_wrong(skim, "a text has a broken escape");
            return HEC_INVALID;
        }
        raw = buffer_slice(&rooms->event);
    }
    if (raw.len == 0) {
        json_skim_wrong(skim, "an \"event\" is blank");
        return HEC_EVENT_BLANK;
    }
    if (!put_hints(entry, defaults, rooms)) {
        json_skim_wrong(skim, "a text has a broken escape");
        return HEC_INVALID;
    }
    if (is_text) {
        *event_count += delivery_put_event(records, raw, buffer_slice(&rooms->hints));
    } else { /* a document stays whole, or nobody would understand it */
        delivery_put_record(records, raw, buffer_slice(&rooms->hints));
        ++*event_count;
    }
    return HEC_OK;
}

static void init_rooms(struct rooms *rooms)
{
    buffer_init(&rooms->event, HTTP_BODY_BYTES_MAX);
    buffer_init(&rooms->word, HTTP_BODY_BYTES_MAX);
    buffer_init(&rooms->hints, HTTP_BODY_BYTES_MAX);
}

static void close_rooms(struct rooms *rooms)
{
    buffer_close(&rooms->event);
    buffer_close(&rooms->word);
    buffer_close(&rooms->hints);
}

enum hec_problem hec_parse(struct slice body, const struct hec_defaults *defaults,
                           struct buffer *records, uint32_t *event_count, struct err *err)
{
    struct json_skim skim = {.text = body, .err = err};
    struct rooms rooms;
    init_rooms(&rooms);
    enum hec_problem problem = HEC_OK;
    *event_count = 0;
    for (json_skim_space(&skim); problem == HEC_OK && skim.at < body.len; json_skim_space(&skim)) {
        struct entry entry = {0};
        problem = skim_object(&skim, &entry) ? put_entry(&skim, &entry, defaults, &rooms, records, event_count)
                                             : HEC_INVALID;
        json_skim_space(&skim);
        if (problem == HEC_OK && json_skim_peek(&skim) == ',') /* some senders write a list without brackets */
            skim.at++;
    }
    close_rooms(&rooms);
    return problem == HEC_OK && *event_count == 0 ? HEC_NO_DATA : problem;
}

enum hec_problem hec_parse_raw(struct slice body, const struct hec_defaults *defaults,
                               struct buffer *records, uint32_t *event_count)
{
    struct rooms rooms;
    struct entry none = {0};
    struct slice line;
    init_rooms(&rooms);
    *event_count = 0;
    put_hints(&none, defaults, &rooms);
    while (slice_next_line(&body, &line)) {
        if (line.len == 0)
            continue;
        *event_count += delivery_put_event(records, line, buffer_slice(&rooms.hints));
    }
    close_rooms(&rooms);
    return *event_count ? HEC_OK : HEC_NO_DATA;
}

#include "collect/drop.h"

#include "base/json.h"
#include "cut/json_tree.h"

static const char *const names[DROP_PLACES] = {"kernel", "queue", "parse"};
static const char *const reasons[DROP_PLACES] = {
    "the socket's buffer was full",
    "there was no room to write them",
    "they were damaged or came in part",
};

const char *drop_place_name(enum drop_place place)
{
    return names[place];
}

void drop_write(const struct drop *drop, int64_t time_ns, struct buffer *to)
{
    struct json json;
    struct buffer message;
    buffer_init(&message, 1024);
    buffer_printf(&message, "%llu events of %.*s were lost on arrival: %s", (unsigned long long)drop->events,
                  SLICE_ARG(drop->source), reasons[drop->place]);
    json_init(&json, to);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", time_ns);
    json_put_text(&json, "event.dataset", DROP_SOURCE);
    json_put_text(&json, "event.kind", SLICE("event"));
    json_put_text(&json, "event.action", SLICE("events-lost"));
    json_put_text(&json, "message", buffer_slice(&message));
    json_put_text(&json, "hinomi.drop.source", drop->source);
    json_put_text(&json, "hinomi.drop.place", slice_text(names[drop->place]));
    json_put_i64(&json, "hinomi.drop.events", (int64_t)drop->events);
    json_close(&json, '}');
    buffer_close(&message);
}

int drop_read(struct slice line, struct arena *arena, struct drop *out, struct err *err)
{
    const struct json_node *node;
    struct slice place = SLICE("");
    int64_t events = 0;
    if (json_tree_parse(line, arena, &node, err) < 0 || json_want_text(node, "hinomi.drop.source", &out->source, err) < 0 ||
        json_want_text(node, "hinomi.drop.place", &place, err) < 0 ||
        json_want_i64(node, "hinomi.drop.events", &events, err) < 0)
        return -1;
    out->events = events > 0 ? (uint64_t)events : 0;
    for (int i = 0; i < DROP_PLACES; i++)
        if (slice_is(place, names[i])) {
            out->place = (enum drop_place)i;
            return 0;
        }
    return err_set(err, ERR_INPUT, "there is no place '%.*s' where events are lost", SLICE_ARG(place));
}

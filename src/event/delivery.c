#include "event/delivery.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/limits.h"

#include <stdio.h>

enum { ORIGIN_FIELDS = 7, HINT_SEPARATOR = 0x1f };

/* The order on disk. */
static void origin_fields(struct origin *origin, struct slice *fields[ORIGIN_FIELDS])
{
    fields[0] = &origin->source;
    fields[1] = &origin->stream;
    fields[2] = &origin->dataset;
    fields[3] = &origin->peer;
    fields[4] = &origin->identity;
    fields[5] = &origin->path;
    fields[6] = &origin->zone;
}

/* Length + 1, so that 0 means "none" and an empty text stays an empty text. */
static void put_slice(struct buffer *to, struct slice s)
{
    buffer_put_varint(to, s.ptr ? (uint64_t)s.len + 1 : 0);
    buffer_put(to, s);
}

static bool take_slice(struct slice *from, struct slice *out)
{
    uint64_t len;
    *out = SLICE_NONE;
    if (!slice_take_varint(from, &len))
        return false;
    return len == 0 || (len - 1 <= from->len && slice_take(from, (size_t)len - 1, out));
}

void delivery_encode(const struct delivery *delivery, struct buffer *to)
{
    struct origin origin = delivery->origin;
    struct slice *fields[ORIGIN_FIELDS];
    origin_fields(&origin, fields);
    for (int i = 0; i < ORIGIN_FIELDS; i++)
        put_slice(to, *fields[i]);
    buffer_put_le64(to, (uint64_t)delivery->received_ns);
    put_slice(to, delivery->key);
    put_slice(to, delivery->cursor);
    buffer_put_char(to, (char)delivery->framing);
    buffer_put_varint(to, delivery->event_count);
    buffer_put(to, delivery->body);
}

int delivery_decode(struct slice bytes, struct delivery *out, struct err *err)
{
    *out = (struct delivery){0};
    struct slice *fields[ORIGIN_FIELDS];
    origin_fields(&out->origin, fields);
    bool ok = true;
    for (int i = 0; i < ORIGIN_FIELDS; i++)
        ok = ok && take_slice(&bytes, fields[i]);
    uint64_t received = 0, count = 0;
    struct slice framing = SLICE_NONE;
    ok = ok && slice_take_le64(&bytes, &received) && take_slice(&bytes, &out->key) &&
         take_slice(&bytes, &out->cursor) && slice_take(&bytes, 1, &framing) &&
         slice_take_varint(&bytes, &count) && count <= UINT32_MAX;
    if (!ok || (framing.ptr[0] != FRAMING_LINES && framing.ptr[0] != FRAMING_RECORDS))
        return err_set(err, ERR_CORRUPT, "a delivery's header is damaged");
    out->received_ns = (int64_t)received;
    out->framing = (enum framing)framing.ptr[0];
    out->event_count = (uint32_t)count;
    out->body = bytes;
    return 0;
}

uint32_t delivery_count_lines(struct slice body)
{
    uint32_t count = 0;
    struct slice line;
    while (slice_next_line(&body, &line))
        count += line.len > 0;
    return count;
}

static bool next_line(struct slice body, size_t *at, struct delivery_event *out)
{
    struct slice rest = slice_from(body, *at), line;
    while (slice_next_line(&rest, &line)) {
        *at = body.len - rest.len;
        if (line.len) {
            *out = (struct delivery_event){.raw = line, .hints = SLICE_NONE};
            return true;
        }
    }
    return false;
}

bool delivery_next(const struct delivery *delivery, size_t *at, struct delivery_event *out,
                   bool *damaged)
{
    *damaged = false;
    if (delivery->framing == FRAMING_LINES)
        return next_line(delivery->body, at, out);
    struct slice rest = slice_from(delivery->body, *at);
    uint64_t len, hint_len;
    if (rest.len == 0)
        return false;
    *damaged = true;
    if (!slice_take_varint(&rest, &len) || !slice_take_varint(&rest, &hint_len) ||
        hint_len > rest.len || len > rest.len - hint_len)
        return false;
    *damaged = !slice_take(&rest, (size_t)hint_len, &out->hints) ||
               !slice_take(&rest, (size_t)len, &out->raw);
    *at = delivery->body.len - rest.len;
    return !*damaged;
}

void delivery_put_record(struct buffer *body, struct slice raw, struct slice hints)
{
    buffer_put_varint(body, raw.len);
    buffer_put_varint(body, hints.len);
    buffer_put(body, hints);
    buffer_put(body, raw);
}

uint32_t delivery_part_count(struct slice raw)
{
    return (uint32_t)((raw.len + EVENT_BYTES_MAX - 1) / EVENT_BYTES_MAX);
}

void delivery_put_part(struct buffer *body, struct slice raw, uint32_t part, struct slice hints)
{
    char which[32];
    struct buffer marked;
    uint32_t count = delivery_part_count(raw);
    if (count == 1) {
        delivery_put_record(body, raw, hints);
        return;
    }
    buffer_init(&marked, hints.len + 64);
    buffer_put(&marked, hints);
    snprintf(which, sizeof(which), "%u/%u", part + 1, count);
    delivery_put_hint(&marked, "part", slice_text(which));
    body->failed = body->failed || buffer_failed(&marked);
    delivery_put_record(body, slice_sub(raw, (size_t)part * EVENT_BYTES_MAX, EVENT_BYTES_MAX), buffer_slice(&marked));
    buffer_close(&marked);
}

uint32_t delivery_put_event(struct buffer *body, struct slice raw, struct slice hints)
{
    uint32_t count = delivery_part_count(raw);
    for (uint32_t part = 0; part < count && !buffer_failed(body); part++)
        delivery_put_part(body, raw, part, hints);
    return count;
}

void delivery_put_hint(struct buffer *hints, const char *key, struct slice value)
{
    if (hints->len)
        buffer_put_char(hints, HINT_SEPARATOR);
    buffer_put_text(hints, key);
    buffer_put_char(hints, '=');
    size_t start = hints->len;
    buffer_put(hints, value);
    for (size_t i = start; i < hints->len; i++)
        if (hints->ptr[i] == HINT_SEPARATOR)
            hints->ptr[i] = ' ';
}

void delivery_put_time_hint(struct buffer *hints, int64_t time_ns)
{
    uint64_t size = time_ns < 0 ? 0 - (uint64_t)time_ns : (uint64_t)time_ns;
    if (time_ns == 0)
        return;
    delivery_put_hint(hints, "time", time_ns < 0 ? SLICE("-") : SLICE(""));
    buffer_put_u64(hints, size / NS_PER_SECOND);
    buffer_put_char(hints, '.');
    buffer_put_padded(hints, size % NS_PER_SECOND, 9);
}

void delivery_read_hints(struct slice hints, struct delivery_hints *out)
{
    const struct {
        struct slice key;
        struct slice *to;
    } known[] = {
        {SLICE("index"), &out->index},       {SLICE("id"), &out->id},           {SLICE("time"), &out->time},
        {SLICE("host"), &out->host},         {SLICE("source"), &out->source},   {SLICE("sourcetype"), &out->sourcetype},
        {SLICE("fields"), &out->fields},     {SLICE("encoding"), &out->encoding}, {SLICE("decoder"), &out->decoder},
        {SLICE("exported"), &out->exported}, {SLICE("part"), &out->part},
    };
    struct slice pair, name, value;
    *out = (struct delivery_hints){0};
    while (hints.len && slice_next_part(&hints, HINT_SEPARATOR, &pair)) {
        if (!slice_cut(pair, '=', &name, &value))
            continue;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++)
            if (slice_equal_short(name, known[i].key)) {
                *known[i].to = known[i].to->ptr ? *known[i].to : value;
                break;
            }
    }
}

struct slice delivery_find_hint(struct slice hints, const char *key)
{
    struct slice pair, name, value;
    while (hints.len && slice_next_part(&hints, HINT_SEPARATOR, &pair))
        if (slice_cut(pair, '=', &name, &value) && slice_is(name, key))
            return value;
    return SLICE_NONE;
}

#include "decode/decode.h"

#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "cut/encoding.h"
#include "cut/url.h"
#include "decode/coerce.h"
#include "decode/decode_exported.h"
#include "decode/decode_run.h"
#include "decode/step_trace.h"

#include <assert.h>

/* A batch is closed early while an event may still bring this many new columns. */
enum { COLUMNS_ROOM = 2 * EVENT_FIELDS_MAX };

struct decode {
    struct runner runner;
    struct encoding encoding;
    struct decode_counts counts;
    struct explain explain; /* to: NULL when nobody asked */
    decode_ahead ahead;     /* of the senders' clocks; NULL: they are right */
    void *ahead_context;
};

struct decode *decode_new(const struct decoders *decoders)
{
    struct decode *decode = mem_calloc(1, sizeof(*decode));
    if (!decode)
        return NULL;
    if (runner_init(&decode->runner, decoders) < 0) {
        mem_free(decode);
        return NULL;
    }
    return decode;
}

void decode_free(struct decode *decode)
{
    if (!decode)
        return;
    runner_close(&decode->runner);
    encoding_close(&decode->encoding);
    explain_close(&decode->explain);
    mem_free(decode);
}

void decode_borrow(struct decode *decode)
{
    decode->runner.borrows = true;
}

int decode_explain(struct decode *decode, struct buffer *to)
{
    return explain_init(&decode->explain, to);
}

const struct decode_counts *decode_counts(const struct decode *decode)
{
    return &decode->counts;
}

static uint32_t known(const struct run *run, enum known_field field)
{
    return run->runner->decoders->known[field];
}

static void put_text(struct run *run, enum known_field field, struct slice text)
{
    if (text.ptr)
        run_put(run, known(run, field), value_string(text), true);
}

static void put_default(struct run *run, enum known_field field, struct slice text)
{
    if (text.len && !run_get(run, known(run, field)).count)
        put_text(run, field, text);
}

static void add_tag(struct run *run, const char *tag)
{
    run_put(run, known(run, KNOWN_TAGS), value_string(slice_text(tag)), false);
}

/* --- time --- */

/* What the sender said, as far as it can be read. */
static bool time_of(struct value v, const struct zone *zone, int64_t *out)
{
    char room[VALUE_TEXT_SIZE];
    bool zone_seen;
    if (v.type == VALUE_TIME) {
        *out = v.i64;
        return true;
    }
    struct slice text = slice_trim(value_text_small(v, room));
    if (time_parse_rfc3339(text, out, &zone_seen)) {
        struct time_parts parts;
        if (zone_seen)
            return true;
        time_split(*out, &parts);
        return zone_to_utc(zone, &parts, 0, out);
    }
    return time_parse_epoch(text, out);
}

/* "2018-01-26T00:11:02.114Z" prints as it stands; what is not told so easily is printed. */
static bool prints_as(struct slice text, int64_t time_ns)
{
    char room[TIME_TEXT_SIZE];
    bool usual = text.len == 20 || text.len == 24 || text.len == 27 || text.len == 30;
    if (usual && text.ptr[10] == 'T' && text.ptr[17] != '6' && text.ptr[text.len - 1] == 'Z' &&
        (text.len == 20 || (text.ptr[19] == '.' && memcmp(text.ptr + text.len - 4, "000", 3) != 0)))
        return true;
    return slice_equal(text, slice_of(room, time_format(time_ns, room)));
}

/* The sender's own stamp is kept when @timestamp does not say it: unreadable text, or a value
 * whose text differs (another offset, more digits). */
static void keep_sent_time(struct run *run, struct value sent, bool readable, int64_t time_ns)
{
    if (sent.type != VALUE_STRING || run_get(run, known(run, KNOWN_SENT_TIME)).count ||
        (readable && prints_as(value_slice(sent), time_ns)))
        return;
    run_put(run, known(run, KNOWN_SENT_TIME), sent, true);
}

/* A stamp outside the window is filed under the day of receipt. */
static void note_far_time(struct event_row *row)
{
    int64_t past, future;
    bool overflow =
        __builtin_sub_overflow(row->received_ns, TIME_PAST_DAYS_MAX * NS_PER_DAY, &past);
    overflow |=
        __builtin_add_overflow(row->received_ns, TIME_FUTURE_HOURS_MAX * NS_PER_HOUR, &future);
    if (!overflow && (row->time_ns < past || row->time_ns > future))
        row->flags |= EVENT_TIME_CLAMPED;
}

/* What cannot be moved stays. */
static int64_t corrected(int64_t time_ns, int64_t ahead_ns)
{
    int64_t moved;
    return __builtin_sub_overflow(time_ns, ahead_ns, &moved) ? time_ns : moved;
}

/* The stamp before its sender's clock was taken off, unless its own text is kept. */
static void keep_own_time(struct run *run, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    if (!run_get(run, known(run, KNOWN_SENT_TIME)).count)
        put_text(run, KNOWN_SENT_TIME, arena_copy(run->batch->arena, slice_of(text, time_format(time_ns, text))));
}

static int64_t ahead_of(const struct decode *decode, struct run *run)
{
    struct value_list host = decode->ahead ? run_get(run, known(run, KNOWN_HOST)) : (struct value_list){0};
    struct slice name = host.count && host.values[0].type == VALUE_STRING ? value_slice(host.values[0]) : SLICE("");
    return decode->ahead ? decode->ahead(decode->ahead_context, name) : 0;
}

static void settle_time(struct run *run, struct event_row *row, struct slice hint, int64_t ahead_ns)
{
    struct value_list sent = run_get(run, known(run, KNOWN_TIMESTAMP));
    struct value v = sent.count ? sent.values[0] : value_null();
    int64_t t;
    bool readable = v.type != VALUE_NULL && time_of(v, run->zone, &t);
    row->time_ns = readable ? corrected(t, ahead_ns) : row->received_ns;
    keep_sent_time(run, v, readable, row->time_ns);
    if (hint.len && time_parse_epoch(hint, &t))
        row->time_ns = corrected(t, ahead_ns);
    else if (!readable)
        row->flags |= EVENT_TIME_GUESSED;
    if (ahead_ns && !(row->flags & EVENT_TIME_GUESSED))
        keep_own_time(run, corrected(row->time_ns, -ahead_ns));
    run_drop(run, known(run, KNOWN_TIMESTAMP));
    note_far_time(row);
}

/* --- one event --- */

static struct slice without_bom(struct slice raw)
{
    return slice_starts(raw, SLICE("\xef\xbb\xbf")) ? slice_from(raw, 3) : raw;
}

static enum text_kind look_at(struct run *run, struct slice text)
{
    enum text_kind kind = text_kind_by_start(text);
    run->tokens_of = SLICE_NONE;
    if (kind != TEXT_JSON)
        return kind;
    if (json_cutter_scan(run->runner->json, text, run->batch->arena, &run->tokens, run->err) < 0) {
        run->out_of_memory |= run->err->code == ERR_NOMEM;
        return TEXT_PLAIN;
    }
    run->tokens_of = text;
    return TEXT_JSON;
}

/* A text that is looked at alone. The tokens live as long as the sighting. */
static struct sighting sight(struct decode *decode, struct slice raw, struct json_tokens *tokens)
{
    UNSET struct err err;
    struct sighting sighting = {.sighter = &decode->runner.sighter, .text = without_bom(raw), .tokens = tokens};
    err_clear(&err);
    sighter_begin(&decode->runner.sighter);
    sighting.kind = text_kind_by_start(sighting.text);
    if (sighting.kind == TEXT_JSON &&
        json_cutter_scan(decode->runner.json, sighting.text, NULL, tokens, &err) < 0)
        sighting.kind = TEXT_PLAIN;
    return sighting;
}

uint32_t decode_rank(struct decode *decode, struct slice raw, struct slice source, const struct decoder **out,
                     uint32_t max)
{
    struct json_tokens tokens;
    struct sighting sighting = sight(decode, raw, &tokens);
    sighting.source = source;
    return decoders_rank(decode->runner.decoders, &sighting, out, max);
}

struct nearly decode_nearest(struct decode *decode, struct slice text, bool inner)
{
    struct json_tokens tokens;
    struct sighting sighting = sight(decode, text, &tokens);
    sighting.inner = inner;
    return decoders_nearest(decode->runner.decoders, &sighting);
}

static void put_hint(struct run *run, enum known_field field, struct slice hint)
{
    if (hint.len)
        put_default(run, field, arena_copy(run->batch->arena, hint));
}

/* The id that a sender keeps an event by; what the event itself calls its id is kept beside it. */
static void put_sent_id(struct run *run, struct slice id)
{
    struct slice before = id.len ? run_text(run, known(run, KNOWN_ID)) : SLICE_NONE;
    if (!id.len || slice_equal(before, id))
        return;
    put_text(run, KNOWN_OWN_ID, before);
    put_text(run, KNOWN_ID, arena_copy(run->batch->arena, id));
}

/* What was given beside the event (HEC, _bulk): fields are added, the others only where the event does
 * not say them itself. */
static void put_hints(struct run *run, const struct delivery_hints *hints, bool has_dataset)
{
    struct batch *batch = run->batch;
    struct slice fields = hints->fields;
    struct err err;
    put_hint(run, KNOWN_HOST, hints->host);
    put_hint(run, KNOWN_PATH, hints->source);
    if (!has_dataset)
        put_hint(run, KNOWN_DATASET, hints->sourcetype);
    put_hint(run, KNOWN_SENT_INDEX, hints->index);
    put_sent_id(run, hints->id);
    if (slice_find_char(hints->part, '/') >= 0)
        put_hint(run, KNOWN_PART, hints->part);
    if (!fields.len)
        return;
    run->tokens_of = SLICE_NONE;
    err_clear(&err);
    fields = arena_copy(batch->arena, fields);
    if (!fields.ptr || (cut_json(run->runner->json, fields, SLICE(""), batch, run->row,
                                 &run->json_flags, &err) < 0 &&
                        err.code == ERR_NOMEM))
        run->out_of_memory = true;
}

static void put_flags(struct run *run, struct event_row *row)
{
    if (run->left || (run->json_flags & JSON_CUT_LEFT)) {
        row->flags |= EVENT_FIELDS_LEFT;
        add_tag(run, "_fields_left");
    }
    if (run->json_flags & JSON_CUT_NOT_UTF8)
        add_tag(run, "_not_utf8");
    if (run->json_flags & JSON_CUT_NUMBER_TEXT)
        add_tag(run, "_number_as_text");
    if (row->flags & EVENT_TIME_CLAMPED)
        add_tag(run, "_time_clamped");
}

/* A decoder's own text, in a batch that may outlive it or not. */
static struct slice own_text(const struct decode *decode, struct run *run, struct slice text)
{
    return decode->runner.borrows ? text : arena_copy(run->batch->arena, text);
}

static void settle_decoder(struct run *run, enum run_result result,
                           struct slice text, struct event_row *row)
{
    struct arena *arena = run->batch->arena;
    const struct decoder *decoder = run->taker;
    if (decoder) {
        run_put_constant(run, known(run, KNOWN_DECODER), &decoder->label_value);
        if (decoder->dataset.len && !run_has(run, known(run, KNOWN_DATASET)))
            run_put_constant(run, known(run, KNOWN_DATASET), &decoder->dataset_value);
    } else {
        row->flags |= EVENT_NOT_UNDERSTOOD;
        put_default(run, KNOWN_MESSAGE, text);
        add_tag(run, "_not_understood");
    }
    if (result == RUN_FAILED) {
        row->flags |= EVENT_DECODE_ERROR;
        put_text(run, KNOWN_ERROR, arena_copy(arena, slice_text(run->err->text)));
        add_tag(run, "_decode_error");
    }
    if (run_get(run, known(run, KNOWN_CATEGORY)).count || run_get(run, known(run, KNOWN_TYPE)).count)
        put_default(run, KNOWN_KIND, SLICE("event")); /* what nobody has sorted is not said to be of a kind */
}

/* What decoders read: the event's bytes, as UTF-8 where they are not. Then the event keeps that, too, so that
 * words are found in it. name: of the encoding, or none. */
static struct slice text_of(struct decode *decode, struct run *run, struct slice raw, struct slice name)
{
    bool damaged = false;
    if (!name.len)
        name = encoding_guess(raw);
    if (!name.len)
        return raw;
    struct slice text = encoding_to_utf8(&decode->encoding, name, raw, run->batch->arena, &damaged);
    if (damaged)
        run->json_flags |= JSON_CUT_NOT_UTF8;
    if (!text.ptr)
        return raw;
    put_text(run, KNOWN_ENCODING, own_text(decode, run, name));
    if (!slice_equal(text, raw))
        put_text(run, KNOWN_TEXT, text);
    return text;
}

/* The event's fields; false when memory is out. */
static bool decode_event(struct decode *decode, struct batch *batch, struct event_row *row,
                         struct slice hint_text, const struct zone *zone, struct slice header)
{
    UNSET struct err err;
    struct delivery_hints hints;
    struct run run = {.runner = &decode->runner, .batch = batch, .zone = zone, .err = &err};
    run.row = batch->row_count - 1;
    run.received_ns = row->received_ns;
    err_clear(&err);
    runner_clear_temps(&decode->runner);
    sighter_begin(&decode->runner.sighter);
    delivery_read_hints(hint_text, &hints);
    if (hints.exported.len) {
        decode->counts.events++;
        bool fine = decode_exported(&run, row, hints.exported);
        note_far_time(row);
        return fine;
    }
    struct slice text = text_of(decode, &run, row->raw, hints.encoding);
    struct sighting sighting = {.sighter = &decode->runner.sighter, .text = without_bom(text), .tokens = &run.tokens};
    sighting.source = row->origin->dataset.len ? row->origin->dataset : hints.sourcetype;
    sighting.kind = look_at(&run, sighting.text);
    sighting.header = header;
    run.source = sighting.source;
    run.header = header;
    const struct decoder *decoder = hints.decoder.len ? decoders_find(decode->runner.decoders, hints.decoder)
                                                      : decoders_choose(decode->runner.decoders, &sighting);
    if (decode->explain.to) {
        explain_begin(&decode->explain, &run);
        explain_choice(&run, &sighting, decoder);
    }
    enum run_result result = decoder ? run_decoder(&run, decoder, sighting.text) : RUN_OK;
    if (!decoder && err.code == ERR_INPUT)
        result = RUN_FAILED; /* it looked like JSON: say why it is none */
    bool has_dataset = run.taker && run.taker->dataset.len;
    settle_decoder(&run, result, text, row);
    if (run.header_used) /* to decode it again one needs it */
        put_text(&run, KNOWN_HEADER, arena_copy(batch->arena, header));
    if (hint_text.len)
        put_hints(&run, &hints, has_dataset);
    if (hints.part.len) {
        row->flags |= EVENT_CUT;
        add_tag(&run, "_part");
    }
    if (!has_dataset) /* what the source was said to be, where no decoder knows better */
        put_default(&run, KNOWN_DATASET, row->origin->dataset);
    settle_time(&run, row, hints.time, ahead_of(decode, &run));
    put_flags(&run, row);
    if (decode->explain.to)
        buffer_put_char(decode->explain.to, '\0');
    decode->counts.events++;
    decode->counts.not_understood += !decoder;
    decode->counts.errors += result == RUN_FAILED;
    return !run.out_of_memory;
}

void decode_clock_ahead(struct decode *decode, decode_ahead ahead, void *context)
{
    decode->ahead = ahead;
    decode->ahead_context = context;
}

/* --- deliveries --- */

static struct origin *copy_origin(struct batch *batch, const struct origin *from)
{
    struct origin *to = arena_calloc(batch->arena, sizeof(*to));
    if (!to)
        return NULL;
    const struct slice *in[] = {&from->source,   &from->stream, &from->dataset, &from->peer,
                                &from->identity, &from->path,   &from->zone};
    struct slice *out[] = {&to->source,   &to->stream, &to->dataset, &to->peer,
                           &to->identity, &to->path,   &to->zone};
    for (size_t i = 0; i < ARRAY_COUNT(in); i++) {
        *out[i] = in[i]->ptr ? arena_copy(batch->arena, *in[i]) : SLICE_NONE;
        if (in[i]->ptr && !out[i]->ptr)
            return NULL;
    }
    struct slice port;
    if (to->peer.len)
        url_cut_host(to->peer, &to->sender, &port);
    return to;
}

/* Takes back the last row and whatever of it is in columns already. */
static void drop_row(struct batch *batch)
{
    uint32_t row = --batch->row_count;
    for (uint32_t i = 0; i < batch->column_count; i++)
        column_drop_last(batch->columns[i], row);
}

static bool is_full(const struct batch *batch, size_t raw_bytes, size_t next_len)
{
    return batch->row_count &&
           (batch->row_count >= BATCH_ROWS_MAX || raw_bytes + next_len > BATCH_BYTES_MAX ||
            batch->column_count > BATCH_COLUMNS_MAX - COLUMNS_ROOM);
}

struct filling {
    struct decode *decode;
    const struct delivery *delivery;
    struct batch *batch;
    struct origin *origin;
    const struct zone *zone;
    struct slice header; /* of the event that is taken */
    size_t raw_bytes;
};

static struct event_row *add_row(struct filling *filling, const struct delivery_event *event,
                                 uint32_t index)
{
    struct slice raw = filling->decode->runner.borrows ? event->raw
                                                : arena_copy(filling->batch->arena, event->raw);
    struct event_row *row = raw.ptr ? batch_add_row(filling->batch) : NULL;
    if (!row)
        return NULL;
    row->raw = raw;
    row->received_ns = filling->delivery->received_ns;
    row->time_ns = row->received_ns;
    row->seq = filling->delivery->first_seq + index;
    row->origin = filling->origin;
    return row;
}

/* An event that is not looked into. */
static int put_raw(struct filling *filling, const struct delivery_event *event, uint32_t index,
                   struct slice why, const char *tag, uint32_t flags)
{
    struct batch *batch = filling->batch;
    struct event_row *row = add_row(filling, event, index);
    if (!row)
        return -1;
    row->flags = flags | EVENT_NOT_UNDERSTOOD | EVENT_TIME_GUESSED;
    filling->decode->counts.events++;
    filling->raw_bytes += event->raw.len;
    struct slice copy = arena_copy(batch->arena, why);
    if (!copy.ptr || batch_put_text(batch, batch->row_count - 1, "error.message", copy) < 0 ||
        batch_put_text(batch, batch->row_count - 1, "tags", slice_text(tag)) < 0)
        return -1;
    return 0;
}

/* What took all of a batch's memory by itself is kept raw. */
static int keep_raw(struct filling *filling, const struct delivery_event *event, uint32_t index,
                    struct err *err)
{
    struct slice why = SLICE("decoding the event needs more memory than a batch may have");
    batch_reset(filling->batch);
    runner_begin(&filling->decode->runner, filling->batch);
    filling->raw_bytes = 0;
    filling->decode->counts.errors++;
    filling->origin = copy_origin(filling->batch, &filling->delivery->origin);
    if (!filling->origin ||
        put_raw(filling, event, index, why, "_decode_error", EVENT_DECODE_ERROR) < 0)
        return err_nomem(err);
    return 0;
}

/* 0, 1 when the batch must be handed on first, -1 when memory is out even for this event alone. */
static int take_event(struct filling *filling, const struct delivery_event *event, uint32_t index,
                      struct err *err)
{
    struct batch *batch = filling->batch;
    if (is_full(batch, filling->raw_bytes, event->raw.len))
        return 1;
    bool alone = batch->row_count == 0;
    struct event_row *row = add_row(filling, event, index);
    if (!row)
        return alone ? keep_raw(filling, event, index, err) : 1;
    if (decode_event(filling->decode, batch, row, event->hints, filling->zone, filling->header)) {
        filling->raw_bytes += event->raw.len;
        return 0;
    }
    drop_row(batch);
    return alone ? keep_raw(filling, event, index, err) : 1;
}

/* As take_event. */
static int set_aside(struct filling *filling, const struct delivery_event *event, uint32_t index,
                     struct slice why, struct err *err)
{
    struct batch *batch = filling->batch;
    uint32_t before = batch->row_count;
    if (is_full(batch, filling->raw_bytes, event->raw.len))
        return 1;
    if (put_raw(filling, event, index, why, "_quarantined", EVENT_QUARANTINED) == 0) {
        filling->decode->counts.quarantined++;
        return 0;
    }
    if (batch->row_count > before)
        drop_row(batch);
    return before ? 1 : err_nomem(err);
}

static size_t raw_bytes_of(const struct batch *batch)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < batch->row_count; i++)
        sum += batch->rows[i].raw.len;
    return sum;
}

/* why: not NULL when nothing is looked into. */
static int walk(struct filling *filling, struct decode_place *place, const struct slice *why,
                struct err *err)
{
    const struct delivery *delivery = filling->delivery;
    struct delivery_event event;
    bool damaged;
    size_t at = place->at;
    while (delivery_next(delivery, &at, &event, &damaged)) {
        struct slice header = delivery_hint(event.hints, "header");
        filling->header = header.ptr ? header : place->header;
        int result = why ? set_aside(filling, &event, place->index, *why, err)
                         : take_event(filling, &event, place->index, err);
        if (result != 0)
            return result;
        place->at = at;
        place->index++;
        place->header = filling->header;
    }
    if (!damaged)
        return 0;
    if (!why)
        return err_set(err, ERR_CORRUPT, "record %u of the delivery is damaged", place->index);
    event = (struct delivery_event){.raw = slice_from(delivery->body, place->at)};
    return set_aside(filling, &event, place->index, *why, err);
}

static int fill(struct decode *decode, const struct delivery *delivery, struct decode_place *place,
                struct batch *batch, const struct slice *why, struct err *err)
{
    struct filling filling = {.decode = decode, .delivery = delivery, .batch = batch};
    filling.origin = copy_origin(batch, &delivery->origin);
    if (!filling.origin)
        return batch->row_count ? 1 : err_nomem(err);
    filling.zone = delivery->origin.zone.len ? zone_find(delivery->origin.zone) : NULL;
    filling.raw_bytes = raw_bytes_of(batch);
    runner_begin(&decode->runner, batch);
    int result = walk(&filling, place, why, err);
    if (result == 0 && batch->journal_end < delivery->journal_end)
        batch->journal_end = delivery->journal_end;
    return result;
}

int decode_delivery(struct decode *decode, const struct delivery *delivery,
                    struct decode_place *place, struct batch *batch, struct err *err)
{
    return fill(decode, delivery, place, batch, NULL, err);
}

int decode_quarantine(struct decode *decode, const struct delivery *delivery,
                      struct decode_place *place, struct batch *batch, struct slice why,
                      struct err *err)
{
    return fill(decode, delivery, place, batch, &why, err);
}

int decode_finish(struct batch *batch, struct err *err)
{
    if (coerce_batch(batch) < 0 || batch_finish(batch) < 0)
        return err_nomem(err);
    return 0;
}

#include "flow/redecode.h"

#include "base/file.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "event/delivery.h"
#include "event/schema.h"

enum { ROUND_ROWS = BATCH_ROWS_MAX };

#define FIELD_ENCODING SLICE("hinomi.encoding")
#define FIELD_PART SLICE("hinomi.part")

static const char *const needs[] = {
    "event.original", "hinomi.decoder", "event.dataset", "event.ingested", "hinomi.source",
    "hinomi.stream",  "log.file.path",  "tags",          "hinomi.encoding",
    "hinomi.header",  "hinomi.part",
};

/* Who may have the events of a group now. */
struct taker {
    const struct decoder *decoder;
    bool by_name; /* its source's name was why it took them; that is not stored */
};

struct redecode {
    struct redecoder redecoder;
    const struct decoders *decoders;
    struct arena *arena;
    struct taker *takers; /* parallel to the groups */
};

struct redecoding {
    const struct redecode *redecode;
    struct decode *decode;
    struct batch *fresh;  /* as decoded now, a row each of rows[] */
    struct batch *merged; /* what is given */
    struct buffer record, hints;
    uint32_t rows[ROUND_ROWS]; /* of the batch as stored */
    bool taken[ROUND_ROWS];
    uint32_t count;
};

/* ---- which events ---- */

static void add_group(struct redecode *redecode, struct slice prefix, struct slice current,
                      const struct decoder *decoder)
{
    const struct recognise *r = &decoder->recognise;
    size_t n = redecode->redecoder.group_count++;
    ((struct redecode_group *)(uintptr_t)redecode->redecoder.groups)[n] =
        (struct redecode_group){prefix, current};
    redecode->takers[n] = (struct taker){decoder, !r->by_content && !r->inner_only &&
                                                      !r->program_count};
}

static int add_decoder(struct redecode *redecode, const struct decoder *decoder)
{
    if (decoder->version > 1) {
        struct slice prefix = slice_sub(decoder->label, 0, decoder->name.len + 1);
        add_group(redecode, prefix, decoder->label, decoder);
    }
    for (uint32_t i = 0; i < decoder->correct_count; i++) {
        struct slice name = decoder->corrects[i];
        struct slice prefix = SLICE_NONE;
        if (!slice_is(name, "none")) {
            prefix = arena_printf(redecode->arena, "%.*s@", SLICE_ARG(name));
            if (!prefix.ptr)
                return -1;
        }
        add_group(redecode, prefix, SLICE_NONE, decoder);
    }
    return 0;
}

static int fill_groups(struct redecode *redecode, const struct decoders *decoders)
{
    size_t max = 1;
    for (uint32_t i = 0; i < decoders->all.count; i++)
        max += decoders->all.list[i]->correct_count + 1U;
    redecode->redecoder.groups = arena_array(redecode->arena, max, sizeof(struct redecode_group));
    redecode->takers = arena_array(redecode->arena, max, sizeof(struct taker));
    if (!redecode->redecoder.groups || !redecode->takers)
        return -1;
    for (uint32_t i = 0; i < decoders->all.count; i++)
        if (add_decoder(redecode, decoders->all.list[i]) < 0)
            return -1;
    return 0;
}

/* "version: 1" is the only version that needs nothing. */
static bool names_newer(struct slice text)
{
    static const char word[] = "version";
    if (slice_find(text, SLICE("corrects")) >= 0)
        return true;
    for (ptrdiff_t at; (at = slice_find(text, slice_text(word))) >= 0;) {
        text = slice_from(text, (size_t)at + sizeof(word) - 1);
        size_t i = 0;
        while (i < text.len && memchr("'\": \t", text.ptr[i], 5))
            i++;
        bool one = i < text.len && text.ptr[i] == '1' &&
                   (i + 1 == text.len || text.ptr[i + 1] < '0' || text.ptr[i + 1] > '9');
        if (i && i < text.len && !one)
            return true;
    }
    return false;
}

static int look_into(void *context, const char *path, struct err *err)
{
    bool *newer = context;
    struct arena *arena = arena_new(2 * DECODER_FILE_BYTES_MAX);
    struct slice text;
    int result = arena ? file_read(path, DECODER_FILE_BYTES_MAX, arena, &text, err) : err_nomem(err);
    *newer |= result < 0 || names_newer(text);
    arena_free(arena);
    return result;
}

bool redecode_may_be_needed(const char *path)
{
    bool newer = false;
    struct err err;
    return file_walk(path, ".yaml", look_into, &newer, &err) < 0 || newer;
}

/* ---- decoding ---- */

static struct redecoding *begin(const struct redecoder *redecoder)
{
    struct redecoding *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->redecode = (const struct redecode *)redecoder; /* its first member */
    r->decode = decode_new(r->redecode->decoders);
    r->fresh = batch_new(BATCH_ARENA_MAX);
    r->merged = batch_new(BATCH_ARENA_MAX);
    buffer_init(&r->record, JOURNAL_RECORD_BYTES_MAX); /* an event that came as one document is as long as a request */
    buffer_init(&r->hints, 4096);
    if (r->decode && r->fresh && r->merged)
        return r;
    redecoder->end(r);
    return NULL;
}

static void end(struct redecoding *r)
{
    if (!r)
        return;
    decode_free(r->decode);
    batch_free(r->fresh);
    batch_free(r->merged);
    buffer_close(&r->record);
    buffer_close(&r->hints);
    mem_free(r);
}

static struct slice text_at(const struct batch *batch, struct slice name, uint32_t row)
{
    struct value v = batch_first(batch, row, name);
    return v.type == VALUE_STRING ? value_slice(v) : SLICE_NONE;
}

static bool is_of(const struct redecode_group *group, struct slice label)
{
    if (!group->prefix.ptr || !label.len)
        return !group->prefix.ptr && !label.len;
    return slice_starts(label, group->prefix) &&
           !(group->current.ptr && slice_equal(label, group->current));
}

/* The first group that an event is of, from n on. */
static size_t group_of(const struct redecode *redecode, struct slice label, size_t n)
{
    const struct redecoder *all = &redecode->redecoder;
    while (n < all->group_count && !is_of(&all->groups[n], label))
        n++;
    return n;
}

static int decode_row(struct redecoding *r, const struct batch *from, uint32_t row, struct err *err)
{
    const struct redecode *redecode = r->redecode;
    struct value received = batch_first(from, row, FIELD_INGESTED);
    size_t group = group_of(redecode, text_at(from, FIELD_DECODER, row), 0);
    struct slice encoding = text_at(from, FIELD_ENCODING, row), header = text_at(from, FIELD_HEADER, row);
    buffer_clear(&r->record);
    buffer_clear(&r->hints);
    if (encoding.len)
        buffer_printf(&r->hints, "encoding=%.*s\x1f", SLICE_ARG(encoding));
    if (header.len)
        buffer_printf(&r->hints, "header=%.*s\x1f", SLICE_ARG(header));
    if (text_at(from, FIELD_PART, row).len)
        buffer_printf(&r->hints, "part=%.*s\x1f", SLICE_ARG(text_at(from, FIELD_PART, row)));
    if (group < redecode->redecoder.group_count && redecode->takers[group].by_name)
        buffer_printf(&r->hints, "decoder=%.*s", SLICE_ARG(redecode->takers[group].decoder->name));
    delivery_put_record(&r->record, text_at(from, FIELD_ORIGINAL, row), buffer_slice(&r->hints));
    if (buffer_failed(&r->record) || buffer_failed(&r->hints))
        return err_nomem(err);
    struct delivery delivery = {.origin = {.source = text_at(from, FIELD_SOURCE, row),
                                           .stream = text_at(from, FIELD_STREAM, row),
                                           .path = text_at(from, FIELD_PATH, row),
                                           .dataset = text_at(from, FIELD_DATASET, row)},
                                .received_ns = received.type == VALUE_TIME ? received.i64 : 0,
                                .framing = FRAMING_RECORDS,
                                .event_count = 1,
                                .body = buffer_slice(&r->record)};
    struct decode_place place = {0};
    return decode_delivery(r->decode, &delivery, &place, r->fresh, err);
}

/* Whether who took it now is who should have it. */
static bool is_taken(const struct redecode *redecode, struct slice before, struct slice now)
{
    for (size_t n = group_of(redecode, before, 0); n < redecode->redecoder.group_count;
         n = group_of(redecode, before, n + 1))
        if (slice_equal(redecode->takers[n].decoder->label, now))
            return true;
    return false;
}

static bool has_value(const struct column *column, uint32_t row, struct value v)
{
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct value one = column_value(column, first + i);
        if (one.type == VALUE_STRING && v.type == VALUE_STRING &&
            slice_equal(value_slice(one), value_slice(v)))
            return true;
    }
    return false;
}

/* Fills fresh with as many events as it takes, at least one if there is one. */
static int decode_rows(struct redecoding *r, const struct redecode_request *request, uint32_t *row,
                       struct err *err)
{
    const struct batch *from = request->from;
    r->count = 0;
    batch_reset(r->fresh);
    for (; r->count < ROUND_ROWS; (*row)++) {
        *row = (uint32_t)bits_next(request->selected, from->row_count, *row);
        if (*row >= from->row_count)
            break;
        int full = decode_row(r, from, *row, err);
        if (full < 0)
            return -1;
        if (full)
            break;
        r->rows[r->count++] = *row;
    }
    if (decode_finish(r->fresh, err) < 0)
        return -1;
    const struct column *tags = batch_find(from, FIELD_TAGS);
    for (uint32_t i = 0; i < r->count; i++) {
        bool fails = r->fresh->rows[i].flags & EVENT_DECODE_ERROR;
        bool failed = has_value(tags, r->rows[i], value_string(SLICE("_decode_error")));
        r->taken[i] = (!fails || failed) &&
                      is_taken(r->redecode, text_at(from, FIELD_DECODER, r->rows[i]),
                               text_at(r->fresh, FIELD_DECODER, i));
    }
    return 0;
}

/* ---- the old and the new ---- */

enum whose { STORED_ONLY, NEW_FIRST, NEW_ONLY };

static enum whose whose_is(const struct decoders *decoders, struct slice name)
{
    const struct slice stored[] = {FIELD_TIMESTAMP, FIELD_INGESTED, FIELD_ORIGINAL, FIELD_EVENT_ID};
    const struct slice given[] = {FIELD_HOST, FIELD_PATH, FIELD_DATASET}; /* beside events */
    for (size_t i = 0; i < ARRAY_COUNT(stored); i++)
        if (slice_equal(name, stored[i]))
            return STORED_ONLY;
    for (size_t i = 0; i < ARRAY_COUNT(given); i++)
        if (slice_equal(name, given[i]))
            return NEW_FIRST;
    if (slice_starts(name, SLICE("hinomi.")))
        return slice_equal(name, FIELD_DECODER) ? NEW_ONLY : STORED_ONLY;
    return map_has(&decoders->fields.by_name, name) ? NEW_ONLY : NEW_FIRST;
}

static int put_all(struct redecoding *r, struct column *to, uint32_t row, const struct column *from,
                   uint32_t from_row, uint32_t *count)
{
    uint32_t first;
    *count = from ? column_range(from, from_row, &first) : 0;
    for (uint32_t i = 0; i < *count; i++)
        if (column_add(r->merged, to, row, column_value(from, first + i)) < 0)
            return -1;
    return 0;
}

/* Marks of the decoding are the new ones; what else was there stays. */
static int merge_tags(struct redecoding *r, struct column *to, uint32_t i, const struct column *stored,
                      const struct column *fresh)
{
    uint32_t first, count = stored ? column_range(stored, r->rows[i], &first) : 0;
    uint32_t added;
    for (uint32_t k = 0; k < count; k++) {
        struct value v = column_value(stored, first + k);
        bool mark = v.type == VALUE_STRING && value_slice(v).len && value_slice(v).ptr[0] == '_';
        if (!mark && !has_value(fresh, i, v) && column_add(r->merged, to, i, v) < 0)
            return -1;
    }
    return put_all(r, to, i, fresh, i, &added);
}

static int merge_column(struct redecoding *r, const struct batch *from, struct slice name)
{
    const struct column *stored = batch_find(from, name), *fresh = batch_find(r->fresh, name);
    enum whose whose = whose_is(r->redecode->decoders, name);
    bool tags = slice_equal(name, FIELD_TAGS);
    struct column *to = stored || fresh ? batch_column(r->merged, name) : NULL;
    int result = to || !(stored || fresh) ? 0 : -1;
    for (uint32_t i = 0; to && result == 0 && i < r->count; i++) {
        uint32_t added = 0;
        bool ask_fresh = r->taken[i] && whose != STORED_ONLY;
        if (tags && ask_fresh) {
            result = merge_tags(r, to, i, stored, fresh);
            continue;
        }
        if (ask_fresh)
            result = put_all(r, to, i, fresh, i, &added);
        if (result == 0 && !added && !(ask_fresh && whose == NEW_ONLY))
            result = put_all(r, to, i, stored, r->rows[i], &added);
    }
    return result;
}

static int merge(struct redecoding *r, const struct redecode_request *request)
{
    int result = 0;
    batch_reset(r->merged);
    r->merged->row_count = r->count;
    for (size_t i = 0; request->names && result == 0 && i < request->name_count; i++)
        result = merge_column(r, request->from, request->names[i]);
    for (uint32_t i = 0; !request->names && result == 0 && i < request->from->column_count; i++)
        result = merge_column(r, request->from, request->from->columns[i]->name);
    for (uint32_t i = 0; !request->names && result == 0 && i < r->fresh->column_count; i++)
        if (!batch_find(r->merged, r->fresh->columns[i]->name))
            result = merge_column(r, request->from, r->fresh->columns[i]->name);
    return result;
}

static int next(struct redecoding *r, const struct redecode_request *request, uint32_t *row,
                const struct batch **out, struct err *err)
{
    if (decode_rows(r, request, row, err) < 0)
        return -1;
    if (merge(r, request) < 0)
        return err_nomem(err);
    *out = r->merged;
    return 0;
}

/* ---- making ---- */

int redecode_new(const struct decoders *decoders, struct redecode **out, struct err *err)
{
    *out = NULL;
    struct arena *arena = arena_new(4 * MIB);
    struct redecode *redecode = arena ? arena_calloc(arena, sizeof(*redecode)) : NULL;
    if (!redecode) {
        arena_free(arena);
        return err_nomem(err);
    }
    redecode->arena = arena;
    redecode->decoders = decoders;
    redecode->redecoder = (struct redecoder){
        .needs = needs, .need_count = ARRAY_COUNT(needs), .begin = begin, .end = end, .next = next};
    if (fill_groups(redecode, decoders) < 0) {
        arena_free(arena);
        return err_nomem(err);
    }
    *out = redecode;
    return 0;
}

void redecode_free(struct redecode *redecode)
{
    if (redecode)
        arena_free(redecode->arena);
}

const struct redecoder *redecode_get(const struct redecode *redecode)
{
    return &redecode->redecoder;
}

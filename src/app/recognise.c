#include "app/recognise.h"

#include "base/time.h"
#include "collect/files/file_reader.h"
#include "decode/decode.h"
#include "decode/line_rule.h"
#include "decode/stamp_zone.h"
#include "event/schema.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { NAMES_SEEN_MAX = 256, SHAPES_SEEN_MAX = 1000, RANKED = 3, SHAPE_BYTES_MAX = 160 };

struct tally {
    struct name_count list[NAMES_SEEN_MAX];
    size_t count;
};

struct looking {
    const struct decoders *decoders;
    struct slice source;
    struct recognised *out;
    struct decode *decode;
    struct batch *batch, *other; /* the same events in another zone */
    struct tally takers, others, encodings;
    struct line_shape shapes[SHAPES_SEEN_MAX];
    size_t shape_count;
};

static void add(struct looking *looking, struct tally *tally, struct slice name)
{
    size_t i = 0;
    while (i < tally->count && !slice_equal(tally->list[i].name, name))
        i++;
    if (i == NAMES_SEEN_MAX)
        return;
    if (i == tally->count)
        tally->list[tally->count++].name = arena_copy(looking->out->arena, name);
    tally->list[i].count++;
}

static int by_count(const void *a, const void *b)
{
    const struct name_count *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static void give(struct tally *tally, struct name_count to[RECOGNISE_NAMES_MAX])
{
    if (tally->count)
        qsort(tally->list, tally->count, sizeof(tally->list[0]), by_count);
    memcpy(to, tally->list, RECOGNISE_NAMES_MAX * sizeof(*to));
}

/* Runs of digits are one mark, so that lines that differ in numbers only are alike. */
static struct slice shape_of(struct slice line, char room[SHAPE_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < line.len && len < SHAPE_BYTES_MAX; i++) {
        bool digit = line.ptr[i] >= '0' && line.ptr[i] <= '9';
        bool again = digit && len && room[len - 1] == '#';
        if (!again)
            room[len++] = digit ? '#' : line.ptr[i];
    }
    return slice_of(room, len);
}

static void add_shape(struct looking *looking, struct slice line)
{
    char room[SHAPE_BYTES_MAX];
    struct slice shape = shape_of(line, room);
    size_t i = 0;
    while (i < looking->shape_count && !slice_equal(looking->shapes[i].shape, shape))
        i++;
    if (i == SHAPES_SEEN_MAX)
        return;
    if (i == looking->shape_count)
        looking->shapes[looking->shape_count++] = (struct line_shape){arena_copy(looking->out->arena, shape),
                                                                      arena_copy(looking->out->arena, line), 0};
    looking->shapes[i].count++;
}

static int by_shape_count(const void *a, const void *b)
{
    const struct line_shape *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static struct slice text_of(const struct batch *batch, uint32_t row, struct slice field)
{
    struct value v = batch_first(batch, row, field);
    return v.type == VALUE_STRING ? value_slice(v) : SLICE("");
}

static void look_at_time(struct looking *looking, uint32_t row)
{
    struct recognised *out = looking->out;
    const struct event_row *event = &looking->batch->rows[row], *other = &looking->other->rows[row];
    enum stamp_zone zone = stamp_zone_of(event, other);
    out->stamps += zone != STAMP_NONE;
    if (zone != STAMP_WITHOUT_ZONE)
        return;
    out->zoneless++;
    out->last_ns = event->time_ns;
}

static void look_at_row(struct looking *looking, uint32_t row)
{
    struct recognised *out = looking->out;
    const struct event_row *event = &looking->batch->rows[row];
    const struct decoder *ranked[RANKED];
    struct slice name = text_of(looking->batch, row, FIELD_DECODER), rest;
    struct slice encoding = text_of(looking->batch, row, SLICE("hinomi.encoding"));
    out->events++;
    out->errors += (event->flags & EVENT_DECODE_ERROR) != 0;
    if (encoding.len)
        add(looking, &looking->encodings, encoding);
    look_at_time(looking, row);
    if (event->flags & EVENT_NOT_UNDERSTOOD) {
        out->not_understood++;
        add_shape(looking, event->raw);
        return;
    }
    (void)slice_cut(name, '@', &name, &rest);
    add(looking, &looking->takers, name);
    uint32_t count = decode_rank(looking->decode, event->raw, looking->source, ranked, RANKED);
    for (uint32_t i = 1; i < count; i++)
        if (!slice_equal(ranked[i]->name, name))
            add(looking, &looking->others, ranked[i]->name);
}

static int decode_all(struct looking *looking, struct delivery *delivery, struct slice zone, struct batch *batch,
                      struct err *err)
{
    struct decode_place place = {0};
    delivery->origin.zone = zone;
    batch_reset(batch);
    if (decode_delivery(looking->decode, delivery, &place, batch, err) < 0)
        return -1;
    return decode_finish(batch, err);
}

static int look_at(struct looking *looking, struct delivery *delivery, struct err *err)
{
    struct slice header = SLICE_NONE;
    struct delivery_event event;
    size_t at = 0;
    bool damaged;
    delivery->origin.source = SLICE("file");
    delivery->origin.dataset = looking->source;
    delivery->received_ns = clock_wall_ns(clock_real());
    if (delivery->framing == FRAMING_RECORDS && delivery_next(delivery, &at, &event, &damaged) &&
        delivery_next(delivery, &at, &event, &damaged))
        header = delivery_hint(event.hints, "header");
    if (header.len && !looking->out->columns.len)
        looking->out->columns = arena_copy(looking->out->arena, header);
    if (decode_all(looking, delivery, STAMP_OTHER_ZONE, looking->other, err) < 0 ||
        decode_all(looking, delivery, SLICE(""), looking->batch, err) < 0)
        return -1;
    uint32_t rows = looking->batch->row_count < looking->other->row_count ? looking->batch->row_count
                                                                          : looking->other->row_count;
    for (uint32_t row = 0; row < rows && looking->out->events < RECOGNISE_EVENTS_MAX; row++)
        look_at_row(looking, row);
    return 0;
}

/* Who writes a log writes a line when it happens: the file's own time is that of its last line. */
static void guess_offset(struct recognised *out, const char *path, bool to_end)
{
    struct stat info;
    if (!out->zoneless || !to_end || stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    int64_t written = info.st_mtim.tv_sec * NS_PER_SECOND + info.st_mtim.tv_nsec;
    out->offset_known = stamp_zone_offset(out->last_ns - written, &out->offset_s);
}

static int look_through(struct looking *looking, const char *path, struct err *err)
{
    struct file_reader *reader;
    struct line_join join;
    struct delivery delivery;
    int more = 0, result = 0;
    if (file_reader_open(path, NULL, &reader, err) < 0)
        return -1;
    file_reader_portion(reader, 256 * KIB);
    if (decoders_line_rule(looking->decoders, looking->source, file_reader_head(reader), &join)) {
        looking->out->records = join.by_stamp ? "a line with a time begins one" : "as its decoder says";
        file_reader_join(reader, &join);
    }
    while (result == 0 && looking->out->events < RECOGNISE_EVENTS_MAX &&
           (more = file_reader_next(reader, &delivery, err)) > 0)
        result = look_at(looking, &delivery, err);
    if (result == 0 && more < 0)
        result = -1;
    if (result == 0)
        guess_offset(looking->out, path, looking->out->events < RECOGNISE_EVENTS_MAX);
    file_reader_close(reader);
    return result;
}

int recognise_file(const struct decoders *decoders, const char *source, const char *path,
                   struct recognised *out, struct err *err)
{
    *out = (struct recognised){.arena = arena_new(64 * MIB)};
    struct looking *looking = out->arena ? arena_calloc(out->arena, sizeof(*looking)) : NULL;
    if (!looking)
        return err_nomem(err);
    *looking = (struct looking){.decoders = decoders, .source = slice_text(source), .out = out};
    looking->decode = decode_new(decoders);
    looking->batch = batch_new(BATCH_ARENA_MAX);
    looking->other = batch_new(BATCH_ARENA_MAX);
    int result = looking->decode && looking->batch && looking->other ? look_through(looking, path, err)
                                                                     : err_nomem(err);
    give(&looking->takers, out->decoders);
    give(&looking->others, out->others);
    give(&looking->encodings, out->encodings);
    if (looking->shape_count)
        qsort(looking->shapes, looking->shape_count, sizeof(looking->shapes[0]), by_shape_count);
    memcpy(out->shapes, looking->shapes, sizeof(out->shapes));
    batch_free(looking->batch);
    batch_free(looking->other);
    decode_free(looking->decode);
    return result;
}

void recognise_close(struct recognised *recognised)
{
    arena_free(recognised->arena);
    *recognised = (struct recognised){0};
}

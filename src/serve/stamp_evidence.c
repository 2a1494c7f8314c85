#include "serve/stamp_evidence.h"

#include "decode/decode.h"
#include "decode/stamp_zone.h"
#include "event/schema.h"

enum { EVIDENCE_EVENTS_MIN = 5 }; /* that agree */

struct stamp_evidence {
    struct decode *decode;
    struct batch *utc, *other;
    struct buffer record, hints;
    uint32_t looked_at, without_zone, count;
    int32_t offsets[ZONE_EVENTS_MAX];
};

static int decode_in(struct stamp_evidence *evidence, struct delivery *delivery, struct slice zone, struct batch *batch,
                     struct err *err)
{
    struct decode_place place = {0};
    delivery->origin.zone = zone;
    batch_reset(batch);
    return decode_delivery(evidence->decode, delivery, &place, batch, err) < 0 ? -1 : 0;
}

static int visit(void *context, const struct batch *batch, uint32_t row, struct err *err)
{
    struct stamp_evidence *evidence = context;
    int32_t offset_s;
    int64_t received = row_time(batch, row, FIELD_INGESTED);
    struct slice header = row_text(batch, row, FIELD_HEADER);
    buffer_clear(&evidence->record);
    buffer_clear(&evidence->hints);
    if (header.len)
        buffer_printf(&evidence->hints, "header=%.*s", SLICE_ARG(header));
    delivery_put_record(&evidence->record, row_text(batch, row, FIELD_ORIGINAL), buffer_slice(&evidence->hints));
    if (buffer_failed(&evidence->record) || buffer_failed(&evidence->hints))
        return err_nomem(err);
    struct delivery delivery = {.origin = {.dataset = row_text(batch, row, FIELD_DATASET)},
                                .received_ns = received,
                                .framing = FRAMING_RECORDS,
                                .event_count = 1,
                                .body = buffer_slice(&evidence->record)};
    if (decode_in(evidence, &delivery, SLICE(""), evidence->utc, err) < 0 ||
        decode_in(evidence, &delivery, STAMP_OTHER_ZONE, evidence->other, err) < 0)
        return -1;
    evidence->looked_at++;
    if (evidence->utc->row_count && evidence->other->row_count &&
        stamp_zone_of(&evidence->utc->rows[0], &evidence->other->rows[0]) == STAMP_WITHOUT_ZONE) {
        evidence->without_zone++;
        if (stamp_zone_offset(evidence->utc->rows[0].time_ns - received, &offset_s))
            evidence->offsets[evidence->count++] = offset_s;
    }
    return evidence->looked_at == ZONE_EVENTS_MAX;
}

/* The offset that most have, if most of all have it. */
static void judge(const struct stamp_evidence *evidence, struct understood_source *source)
{
    uint32_t best = 0;
    int32_t offset_s = 0;
    for (uint32_t i = 0; i < evidence->count; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < evidence->count; k++)
            same += evidence->offsets[k] == evidence->offsets[i];
        if (same > best) {
            best = same;
            offset_s = evidence->offsets[i];
        }
    }
    source->zone_known = offset_s && best >= EVIDENCE_EVENTS_MIN && best * 5 >= evidence->looked_at * 4;
    source->zone = (struct zone_evidence){source->apart, offset_s, evidence->looked_at, evidence->without_zone, best};
}

static const struct expr *events_of(struct looking *looking, const struct understood_source *source)
{
    struct slice prefix = arena_printf(looking->arena, "%.*s@", SLICE_ARG(source->apart));
    const struct expr *taken = prefix.ptr ? expr_test_new(looking->arena, FIELD_DECODER, TEST_PREFIX, TEST_CASED, prefix)
                                          : NULL;
    return row_filter_source(looking->arena, taken, source->source, source->sender, source->path);
}

int stamp_evidence_find(struct looking *looking, struct understood_source *source, struct err *err)
{
    struct stamp_evidence evidence = {.decode = decode_new(looking->parts->decoders),
                                .utc = batch_new(BATCH_ARENA_MAX),
                                .other = batch_new(BATCH_ARENA_MAX)};
    const struct slice columns[] = {FIELD_ORIGINAL, FIELD_INGESTED, FIELD_DATASET, FIELD_HEADER};
    const struct expr *filter = events_of(looking, source);
    buffer_init(&evidence.record, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&evidence.hints, EVENT_BYTES_MAX);
    int result = evidence.decode && evidence.utc && evidence.other && filter
                     ? row_visit_each(looking, filter, columns, ARRAY_COUNT(columns), visit, &evidence, err)
                     : err_nomem(err);
    if (result == 0)
        judge(&evidence, source);
    decode_free(evidence.decode);
    batch_free(evidence.utc);
    batch_free(evidence.other);
    buffer_close(&evidence.record);
    buffer_close(&evidence.hints);
    return result;
}

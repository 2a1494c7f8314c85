#include "serve/unknown.h"

#include "event/schema.h"
#include "serve/sample_text.h"

/* As the command patterns does when it is not told. */
#define LIKENESS 0.5

struct gathering {
    struct looking *looking;
    const struct unknown_request *request;
    struct templates *templates;
};

/* ---- which events ---- */

/* Those of general decoders, by name: what reads a header only, or any names and values. */
static const struct expr *general_taken(struct arena *arena, const struct decoders *decoders)
{
    const struct expr *any = NULL;
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct decoder *decoder = decoders->all.list[i];
        if (!decoder_is_general(decoder))
            continue;
        struct slice prefix = slice_sub(decoder->label, 0, decoder->name.len + 1);
        const struct expr *one = expr_test_new(arena, FIELD_DECODER, TEST_PREFIX, TEST_CASED, prefix);
        any = one ? expr_or(arena, any, one) : NULL;
        if (!any)
            return NULL;
    }
    return any;
}

static const struct expr *filter_of(struct looking *looking, const struct unknown_request *request)
{
    struct arena *arena = looking->arena;
    const struct expr *which = request->in_part
                                   ? general_taken(arena, looking->parts->decoders)
                                   : expr_test_new(arena, FIELD_TAGS, TEST_EQUAL, TEST_CASED, SLICE("_not_understood"));
    const struct expr *own = expr_test_new(arena, FIELD_SOURCE, TEST_PREFIX, TEST_CASED, SLICE("hinomi.")),
                      *sent = own ? expr_not(arena, own) : NULL;
    which = which && sent ? expr_and(arena, which, sent) : NULL;
    return row_filter_source(arena, which, request->source, request->sender, request->path);
}

/* ---- gathering ---- */

static bool same_or_none(struct slice kept, struct slice text)
{
    return slice_equal(kept, text.ptr ? text : SLICE(""));
}

/* Copied, empty when there is none; *failed when memory is out. */
static struct slice keep(struct arena *arena, struct slice text, bool *failed)
{
    struct slice copy = text.len ? arena_copy(arena, text) : SLICE("");
    *failed |= !copy.ptr;
    return copy;
}

static bool add_place(struct arena *arena, struct unknown_group *group, const struct batch *batch, uint32_t row)
{
    struct slice source = row_text(batch, row, FIELD_SOURCE), sender = row_text(batch, row, FIELD_SENDER),
                 path = row_text(batch, row, FIELD_PATH);
    bool failed = false;
    for (size_t i = 0; i < group->place_count; i++) {
        struct unknown_place *place = &group->places[i];
        if (same_or_none(place->source, source) && same_or_none(place->sender, sender) &&
            same_or_none(place->path, path)) {
            place->events++;
            return true;
        }
    }
    if (group->place_count == UNKNOWN_PLACES_SEEN_MAX) {
        group->more_places = true;
        return true;
    }
    struct unknown_place *place = &group->places[group->place_count++];
    *place = (struct unknown_place){keep(arena, source, &failed), keep(arena, sender, &failed),
                                    keep(arena, path, &failed), 1};
    return !failed;
}

/* Samples differ from each other. */
static bool add_sample(struct arena *arena, struct unknown_group *group, const struct batch *batch, uint32_t row)
{
    struct slice raw = row_text(batch, row, FIELD_ORIGINAL), shown = sample_text_cut(raw, UNKNOWN_SAMPLE_BYTES_MAX);
    bool failed = false;
    if (group->sample_count == UNKNOWN_SAMPLES_MAX || !raw.ptr)
        return true;
    for (size_t i = 0; i < group->sample_count; i++)
        if (slice_equal(group->samples[i].raw, shown))
            return true;
    group->samples[group->sample_count++] =
        (struct unknown_sample){keep(arena, shown, &failed), shown.len < raw.len, row_time(batch, row, FIELD_TIMESTAMP),
                                keep(arena, row_text(batch, row, FIELD_EVENT_ID), &failed)};
    return !failed;
}

static bool add_to_group(struct arena *arena, struct unknown_group *group, const struct batch *batch, uint32_t row)
{
    bool failed = false;
    int64_t time_ns = row_time(batch, row, FIELD_TIMESTAMP);
    struct slice *texts[] = {&group->dataset, &group->decoder, &group->error};
    const struct slice fields[] = {FIELD_DATASET, FIELD_DECODER, FIELD_ERROR};
    if (!group->first_ns || time_ns < group->first_ns)
        group->first_ns = time_ns;
    if (!group->last_ns || time_ns > group->last_ns)
        group->last_ns = time_ns;
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
        if (!texts[i]->len)
            *texts[i] = keep(arena, row_text(batch, row, fields[i]), &failed);
    return !failed && add_place(arena, group, batch, row) && add_sample(arena, group, batch, row);
}

static bool is_envelope(const struct decoders *decoders, const struct batch *batch, uint32_t row)
{
    struct slice label = row_text(batch, row, FIELD_DECODER), name = label, version;
    (void)slice_cut(label, '@', &name, &version);
    const struct decoder *decoder = decoders_find(decoders, name);
    return decoder && decoder_is_envelope(decoder);
}

/* What nobody knew: the text within the event, or all of it, in UTF-8 where that is another. */
static struct slice text_of(const struct gathering *gathering, const struct batch *batch, uint32_t row, bool *inner)
{
    struct slice message = row_text(batch, row, FIELD_MESSAGE), text = row_text(batch, row, FIELD_TEXT_UTF8);
    *inner = gathering->request->in_part && message.len &&
             is_envelope(gathering->looking->parts->decoders, batch, row);
    if (*inner)
        return message;
    return text.len ? text : row_text(batch, row, FIELD_ORIGINAL);
}

static int visit(void *context, const struct batch *batch, uint32_t row, struct err *err)
{
    const struct gathering *gathering = context;
    struct arena *arena = gathering->looking->arena;
    bool inner;
    struct slice text = text_of(gathering, batch, row, &inner);
    text = sample_text_cut(text.ptr ? text : SLICE(""), UNKNOWN_SAMPLE_BYTES_MAX);
    struct template *template = templates_add(gathering->templates, text);
    if (template && !template->more && (template->more = arena_calloc(arena, sizeof(struct unknown_group))))
        ((struct unknown_group *)template->more)->inner = inner;
    if (!template || !template->more || !add_to_group(arena, template->more, batch, row))
        return err_set(err, ERR_LIMIT, "these events are too many different ones to be shown at once; "
                                       "name one source, or a shorter time");
    return 0;
}

int unknown_look(struct looking *looking, const struct unknown_request *request, struct unknown *out,
                 struct err *err)
{
    const struct slice columns[] = {FIELD_TIMESTAMP, FIELD_ORIGINAL, FIELD_MESSAGE, FIELD_SOURCE,  FIELD_SENDER,
                                    FIELD_PATH,      FIELD_DATASET,  FIELD_DECODER, FIELD_ERROR,   FIELD_EVENT_ID,
                                    FIELD_TEXT_UTF8};
    struct gathering gathering = {looking, request, &out->templates};
    const struct expr *filter = filter_of(looking, request);
    templates_init(&out->templates, looking->arena, LIKENESS, UNKNOWN_TEMPLATES_MAX);
    if (!filter)
        return err_nomem(err);
    if (row_visit_each(looking, filter, columns, ARRAY_COUNT(columns), visit, &gathering, err) < 0)
        return -1;
    templates_sort(&out->templates);
    return 0;
}

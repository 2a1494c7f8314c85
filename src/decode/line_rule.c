#include "decode/line_rule.h"

#include "decode/recognition.h"

enum { LINES_LOOKED_AT = 200 };

static bool has_rule(const struct decoder *decoder)
{
    return decoder->join.begins || decoder->join.continues;
}

/* One with a rule before one without. */
static const struct decoder *by_source(const struct decoders *decoders, struct slice source)
{
    char lower[SOURCE_NAME_MAX];
    const struct decoder_list *list =
        source.len ? map_find(&decoders->by_source, decoders_lowercase(source, lower)) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++)
        if (has_rule(list->list[i]))
            return list->list[i];
    return list ? list->list[0] : NULL;
}

/* The first line that some decoder knows says whose they are. */
static const struct decoder *by_lines(const struct decoders *decoders, struct slice head)
{
    struct sighter sighter;
    struct slice line;
    const struct decoder *found = NULL;
    if (sighter_init(&sighter, decoders) < 0)
        return NULL;
    for (int i = 0; !found && i < LINES_LOOKED_AT && slice_next_line(&head, &line); i++) {
        struct sighting sighting = {.sighter = &sighter, .text = line, .kind = TEXT_PLAIN};
        bool other = !line.len || line.ptr[0] == '{' || line.ptr[0] == '<';
        found = other ? NULL : decoders_choose(decoders, &sighting);
    }
    sighter_close(&sighter);
    return found;
}

bool decoders_line_rule(const struct decoders *decoders, struct slice source, struct slice head,
                        struct line_join *out)
{
    *out = (struct line_join){0};
    struct slice start = slice_trim(slice_sub(head, 0, 64));
    if (!start.len || start.ptr[0] == '{' || start.ptr[0] == '<') /* objects, elements: a line each */
        return false;
    const struct decoder *decoder = by_source(decoders, source);
    if (!decoder)
        decoder = by_lines(decoders, head);
    if (decoder) {
        *out = decoder->join;
        return has_rule(decoder);
    }
    out->by_stamp = line_join_by_stamp(head);
    return out->by_stamp;
}

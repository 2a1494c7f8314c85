#include "search/commands/label_rows.h"

#include <stdlib.h>

static struct label *add_label(struct run *run, struct label_list *list)
{
    list->labels = spl_grow(run->arena, list->labels, list->count, sizeof(*list->labels));
    return list->labels ? &list->labels[list->count++] : NULL;
}

static int by_priority(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return slice_compare(x->name, y->name);
}

static int add_type(struct run *run, const struct know_object *object, struct label_list *out,
                    struct err *err)
{
    const struct know_event_type *type = object->spec;
    struct label *label = add_label(run, out);
    if (!label)
        return run_nomem(run, err);
    *label = (struct label){object->name, SLICE("eventtype"), type->tags, type->tag_count, NULL,
                            type->priority};
    return labels_event_type(run, object, &label->filter, err);
}

static int add_tag(struct run *run, const struct know_object *object, struct label_list *out,
                   struct err *err)
{
    const struct know_tag *tag = object->spec;
    struct label *label = add_label(run, out);
    if (!label)
        return run_nomem(run, err);
    *label = (struct label){tag->value, tag->field, tag->tags, tag->tag_count, NULL, 0};
    const struct expr *test =
        spl_comparison(run->arena, spl_field_alias(tag->field), SLICE("="), tag->value, 0);
    return test ? labels_replace(run, test, &label->filter, err) : run_nomem(run, err);
}

int label_rows_list(struct run *run, bool tags, struct label_list *out, struct err *err)
{
    *out = (struct label_list){0};
    for (int pass = 0; pass < (tags ? 2 : 1); pass++) {
        const struct know_object *object;
        for (size_t i = 0; (object = know_at(run->options->knowledge, i)); i++) {
            object = know_visible(object, run->options->person);
            if (!object || object->kind != (pass ? KNOW_TAG : KNOW_EVENT_TYPE))
                continue;
            if ((pass ? add_tag : add_type)(run, object, out, err) < 0)
                return -1;
        }
        if (pass == 0 && out->count)
            qsort(out->labels, out->count, sizeof(*out->labels), by_priority);
    }
    return 0;
}

uint64_t *label_rows(struct run *run, struct frame *frame, const struct label *label,
                     struct err *err)
{
    uint64_t *selected = frame->selected, *found = NULL;
    if (run_filter(run, frame, label->filter, err) == 0)
        found = frame->selected;
    frame->selected = selected;
    return found;
}

int label_add(struct frame *frame, struct column *to, uint32_t row, struct slice value)
{
    for (uint32_t i = to->count; i-- > 0 && to->rows[i] == row;)
        if (to->values[i].type == VALUE_STRING && slice_equal(value_slice(to->values[i]), value))
            return 0;
    return column_add(frame->batch, to, row, value_string(value));
}

void label_want_all(const struct spl_command *command, struct wanted *wanted)
{
    (void)command; /* what the definitions ask of is known when the search is planned */
    wanted->all = true;
}

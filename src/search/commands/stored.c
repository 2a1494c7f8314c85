#include "search/commands/stored.h"

#include "search/redecoded.h"

static bool is_index(const struct field_list *indexes, struct slice name)
{
    for (size_t i = 0; i < indexes->count; i++) {
        bool internal = name.len && name.ptr[0] == '_' && indexes->names[i].ptr[0] != '_';
        if (!internal && slice_matches_stars(name, indexes->names[i]))
            return true;
    }
    return indexes->count == 0 && !(name.len && name.ptr[0] == '_');
}

int stored_pieces(struct run *run, const struct field_list *indexes, struct search_piece **out,
                  size_t *count, struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    size_t kept = 0;
    if (!backend || !backend->pieces)
        return err_set(err, ERR_CONFIG, "there are no stored events here");
    if (backend->pieces(backend->context, run->arena, out, count, err) < 0)
        return -1;
    for (size_t i = 0; i < *count; i++)
        if (is_index(indexes, (*out)[i].index))
            (*out)[kept++] = (*out)[i];
    *count = kept;
    return 0;
}

int stored_rows(struct run *run, const struct stored_scan *scan,
                int (*visit)(void *context, const struct frame *frame, struct err *err),
                void *context, struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    struct search_request request = {.from_ns = run->from_ns,
                                     .to_ns = run->to_ns,
                                     .columns = scan->columns,
                                     .column_count = scan->column_count,
                                     .all_columns = scan->columns == NULL,
                                     .newest_first = scan->newest_first,
                                     .indexes = scan->indexes->names,
                                     .index_count = scan->indexes->count};
    struct search_source source = {0};
    struct search_rows rows;
    int more;
    if (!backend || !backend->open)
        return err_set(err, ERR_CONFIG, "there are no stored events here");
    if (redecoded_open(backend, &request, run->arena, &source, err) < 0)
        return -1;
    while ((more = source.next(source.context, &rows, err)) > 0) {
        struct frame frame;
        arena_reset(run->frames);
        if (frame_share(&frame, rows.batch, rows.selected, run->frames) < 0)
            more = run_nomem(run, err);
        else if ((more = run_check(run, err)) == 0)
            more = visit(context, &frame, err);
        if (more)
            break;
    }
    if (source.close)
        source.close(source.context);
    return more < 0 ? -1 : 0;
}

static int add_indexes(struct spl_parser *p, struct slice text, struct field_list *out)
{
    struct slice part, *names = (struct slice *)(uintptr_t)out->names;
    while (slice_next_part(&text, ',', &part)) {
        names = spl_grow(p->arena, names, out->count, sizeof(*names));
        if (!names)
            return err_nomem(p->err);
        names[out->count++] = slice_trim(part);
        out->names = names;
    }
    return 0;
}

int stored_take_options(struct spl_parser *p, void *args, struct slice *index,
                        struct field_list *indexes, bool commas)
{
    for (bool taken = true; taken;) {
        *index = SLICE_NONE;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (index->ptr && add_indexes(p, *index, indexes) < 0)
            return -1;
        while (commas && spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return 0;
}

/* Lookup tables as a search reads them: run_lookup() and run_table() of search/stage.h. */
#include "search/spill.h"
#include "search/stage.h"
#include "search/state_tables.h"
#include "search/trial.h"

const struct know_lookup *run_lookup(const struct run *run, struct slice name)
{
    const struct know_object *object =
        know_find(run->options->knowledge, KNOW_LOOKUP, name, run->options->person);
    return object ? object->spec : NULL;
}

static int read_table(struct run *run, struct slice name, struct batch **rows, struct err *err)
{
    const struct search_options *options = run->options;
    const struct search_backend *backend = options->tables ? options->tables : options->backend;
    const struct know_lookup *spec = run_lookup(run, name);
    struct search_source source;
    *rows = NULL;
    name = spec ? spec->file : name;
    if (run->options->plan_only) {
        *rows = frame_batch_new(run->arena, 0);
        return *rows ? 0 : run_nomem(run, err);
    }
    if (state_tables_has(name))
        return state_tables_rows(run, name, rows, err);
    if (!backend || !backend->open_table)
        return err_set(err, ERR_NOT_FOUND, "there is no table %.*s", SLICE_ARG(name));
    if (backend->open_table(backend->context, name, run->arena, &source, err) < 0)
        return -1;
    struct row_store store;
    row_store_init(&store, run->arena);
    struct search_rows read = {0};
    int more;
    struct arena *frames = arena_new_within(&run->memory->budget);
    while (frames && (more = source.next(source.context, &read, err)) > 0) {
        struct frame frame;
        arena_reset(frames);
        if (frame_share(&frame, read.batch, read.selected, frames) < 0 ||
            row_store_add(&store, &frame) < 0) {
            more = run_nomem(run, err);
            break;
        }
    }
    if (!frames)
        more = err_nomem(err);
    arena_free(frames);
    if (source.close)
        source.close(source.context);
    if (more < 0)
        return -1;
    *rows = store.batch ? store.batch : frame_batch_new(run->arena, 0);
    return *rows ? 0 : run_nomem(run, err);
}

int run_table(struct run *run, struct slice name, struct batch **rows, struct err *err)
{
    struct search_trial *trial = run->options->trial;
    if (!trial)
        return read_table(run, name, rows, err);
    int64_t *before = trial_turn(trial, &trial->fixed_ns); /* however many rows ask for it */
    int result = read_table(run, name, rows, err);
    trial_turn(trial, before);
    return result;
}

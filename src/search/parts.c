#include "search/parts.h"

#include "base/mem.h"
#include "base/thread.h"
#include "search/spl_pipeline.h"

#include <errno.h>
#include <time.h>

enum { WORTH_ROWS = 200000, WAIT_MS = 20 };
#define SHARE_BYTES_MIN (4 * MIB) /* of the memory for groups */

/* How a part's work came to an end. */
enum end {
    END_NONE,    /* it goes on */
    END_ROWS,    /* there are no more */
    END_STOPPED, /* between two batches, since another part cannot go on */
    END_SHORT,   /* it cannot go on; all that it has pushed is whole */
    END_TORN,    /* it cannot go on, in the midst of rows */
    END_FAILED,  /* nor can the search */
};

struct part {
    struct parts *parts;
    struct search search; /* rows of its part, up to stats */
    pthread_t thread;
    bool started;
    /* under the lock: */
    enum end end;
    const char *why; /* of END_SHORT and END_TORN */
    struct err err;  /* of END_FAILED */
    int64_t cpu_ns;
    uint64_t rows, batches; /* read, that the search has not counted yet */
};

struct parts {
    struct part *others;
    uint32_t count;   /* of them */
    uint32_t working; /* threads that worked, the search's among them */
    size_t stats;     /* the stage that takes the others in */
    size_t bytes_max; /* of the search; a share each while they work */
    bool started;
    bool resting;     /* the search's thread reads what the parts have left */
    bool stopping;    /* atomic */
    enum end own_end;
    const char *short_of; /* why one thread reads the rest; NULL: there is none */
    const char *given_up; /* why the search begins anew */
    void (*release)(struct stage *op); /* of the stage that takes the others in */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* ---- planning ---- */

/* The command that groups; NULL where rows reach none that merges. */
static const struct spl_command *grouping(const struct spl_command *command)
{
    for (; command && command->descriptor && !command->inlines; command = command->next) {
        if (stats_merge(command))
            return command;
        if (!(command->descriptor->flags & COMMAND_SPREADS))
            return NULL;
    }
    return NULL;
}

static bool is_worth_it(const struct search *search)
{
    const struct search_options *options = &search->options;
    uint64_t least = options->part_rows_min ? (uint64_t)options->part_rows_min : WORTH_ROWS;
    return search->has_source && search->source.parts > 1 && search->source.filtered &&
           search->source.rows_total >= least && !search->request.newest_first &&
           search->memory.budget.bytes_max / search->source.parts >= SHARE_BYTES_MIN &&
           !search->given_up && !options->naive && !options->trial && search->run.depth == 0 &&
           !search->run.query->parts;
}

/* The commands up to the last one, without what stands behind. */
static const struct spl_command *copy_commands(struct arena *arena, const struct spl_command *from,
                                               const struct spl_command *last)
{
    struct spl_command *first = NULL, **to = &first;
    for (;; from = from->next, to = &(*to)->next) {
        struct spl_command *copy = *to = arena_alloc(arena, sizeof(*copy));
        if (!copy)
            return NULL;
        *copy = *from;
        copy->next = NULL;
        if (from == last)
            return first;
    }
}

/* Tables belong to the search's thread. */
static int refuse_lookup(void *context, struct expr_lookup *ask, struct arena *scratch, struct err *err)
{
    struct run *run = context;
    (void)ask, (void)scratch;
    run->part_failed = "lookup() reads tables";
    return err_set(err, ERR_CONFIG, "lookup() is for one thread");
}

static int open_run(struct run *run, const struct search *search, struct search_memory *memory,
                    struct err *err)
{
    *run = search->run;
    run->memory = memory;
    run->messages = NULL;
    run->incomplete = false;
    run->is_part = true;
    run->arena = arena_new_within(&memory->budget);
    run->frames = arena_new_within(&memory->budget);
    run->scratch = arena_new_within(&memory->budget);
    run->scope.scratch = run->scratch;
    run->scope.lookup = refuse_lookup;
    run->scope.lookup_context = run;
    run->scope.stop_context = run;
    run->scope.regex_limits = 0;
    return run->arena && run->frames && run->scratch ? 0 : err_nomem(err);
}

static int open_part(struct part *part, struct search *search, const struct spl_command *last,
                     struct err *err)
{
    struct search *own = &part->search;
    part->parts = search->parts;
    search_memory_init(&own->memory, search->memory.budget.bytes_max / search->source.parts,
                       search->memory.folder);
    own->source = search->source;
    own->source.close = NULL; /* the search does */
    own->part = (uint32_t)(part - search->parts->others) + 1;
    own->part_of = search->parts;
    own->in_slices = search->in_slices;
    own->wanted = search->wanted;
    own->request = search->request;
    if (open_run(&own->run, search, &own->memory, err) < 0)
        return -1;
    own->run.progress = &own->progress;
    const struct spl_command *commands = copy_commands(own->run.arena, search_rest(search), last);
    return commands ? pipeline_build(&own->pipeline, &own->run, commands, err) : err_nomem(err);
}

int parts_plan(struct search *search, struct err *err)
{
    const struct spl_command *last = is_worth_it(search) ? grouping(search_rest(search)) : NULL;
    if (!last)
        return 0;
    struct parts *parts = search->parts = mem_calloc(1, sizeof(*parts));
    if (!parts)
        return err_nomem(err);
    pthread_mutex_init(&parts->lock, NULL);
    pthread_cond_init(&parts->changed, NULL);
    parts->bytes_max = search->memory.budget.bytes_max;
    parts->others = mem_calloc(search->source.parts - 1, sizeof(*parts->others));
    if (!parts->others)
        return err_nomem(err);
    while (search->pipeline.stages[parts->stats].command != last)
        parts->stats++;
    while (parts->count < search->source.parts - 1)
        if (open_part(&parts->others[parts->count++], search, last, err) < 0)
            return -1;
    return 0;
}

/* ---- the ends ---- */

static const char *const FULL = "memory is short for groups of several threads";
static const char *const LARGE = "memory is short for blocks of several threads";

/* Groups that are taken in need up to as much again: then half of all is held, from where on rows go to the
 * temporary file, and the other half puts groups in order at the end. */
static size_t full_bytes(const struct search *own)
{
    uint32_t parts = own->source.parts;
    return own->memory.budget.bytes_max / 2 / (2 * parts - 1) * parts;
}

static bool is_full(const struct search *own)
{
    return own->memory.budget.bytes_held > full_bytes(own);
}

bool parts_near_end(const struct search *part)
{
    return part->memory.budget.bytes_held > full_bytes(part) / 2;
}

bool parts_stop(const struct search *part)
{
    return is_full(part) || __atomic_load_n(&part->part_of->stopping, __ATOMIC_RELAXED);
}

/* After a batch: more is what reading it gave. */
static enum end judge(struct search *own, int more, struct err *err, const char **why)
{
    struct err ended;
    *why = own->run.part_failed;
    if (more == 0)
        return END_ROWS;
    if (run_check(&own->run, &ended) < 0) {
        *err = ended;
        return END_FAILED;
    }
    if (*why)
        return END_SHORT;
    if (more > 0) {
        *why = FULL;
        return is_full(own) ? END_SHORT : END_NONE;
    }
    if (err->code != ERR_NOMEM && err->code != ERR_LIMIT)
        return END_FAILED;
    *why = own->in_batch ? FULL : LARGE;
    return own->in_batch ? END_TORN : END_SHORT;
}

/* ---- the others' threads ---- */

static enum end read_part(struct part *part, struct err *err, const char **why)
{
    struct parts *parts = part->parts;
    struct search *own = &part->search;
    uint64_t rows = 0, batches = 0;
    enum end end = END_NONE;
    while (end == END_NONE) {
        if (__atomic_load_n(&parts->stopping, __ATOMIC_RELAXED))
            return END_STOPPED;
        err_clear(err);
        end = judge(own, search_read_batch(own, err), err, why);
        pthread_mutex_lock(&parts->lock);
        part->rows += own->progress.rows_read - rows;
        part->batches += own->progress.batches - batches;
        pthread_mutex_unlock(&parts->lock);
        rows = own->progress.rows_read;
        batches = own->progress.batches;
    }
    return end;
}

static void *work(void *context)
{
    struct part *part = context;
    struct parts *parts = part->parts;
    struct err err;
    const char *why = NULL;
    err_clear(&err);
    enum end end = read_part(part, &err, &why);
    pthread_mutex_lock(&parts->lock);
    part->end = end;
    part->why = why;
    part->err = err;
    part->cpu_ns = clock_thread_cpu_ns();
    pthread_cond_broadcast(&parts->changed);
    pthread_mutex_unlock(&parts->lock);
    return NULL;
}

/* What a thread that cannot be started would read is left for the rest. */
static void start(struct search *search)
{
    struct parts *parts = search->parts;
    parts->started = true;
    parts->working = 1;
    search->run.is_part = true;
    search->part_of = parts;
    search->memory.budget.bytes_max = parts->bytes_max / search->source.parts;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->others[i];
        part->started = thread_start(&part->thread, work, part) == 0;
        parts->working += part->started;
        if (part->started)
            continue;
        pthread_mutex_lock(&parts->lock);
        part->end = END_STOPPED;
        pthread_mutex_unlock(&parts->lock);
        parts->short_of = "not all threads could be started";
    }
}

static void join(struct search *search)
{
    struct parts *parts = search->parts;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->others[i];
        if (!part->started)
            continue;
        pthread_join(part->thread, NULL);
        part->started = false;
        search->progress.cpu_ns += part->cpu_ns;
    }
}

/* ---- the search's thread ---- */

static void note_end(struct parts *parts, enum end end, const char *why)
{
    if (end != END_SHORT && end != END_TORN && end != END_FAILED)
        return;
    __atomic_store_n(&parts->stopping, true, __ATOMIC_RELAXED);
    if (end == END_TORN)
        parts->given_up = why;
    else if (end == END_SHORT && !parts->short_of)
        parts->short_of = why;
}

/* Counts what the others have read; how many of them are at work. */
static uint32_t look(struct search *search)
{
    struct parts *parts = search->parts;
    uint32_t working = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->others[i];
        search->progress.rows_read += part->rows;
        search->progress.batches += part->batches;
        part->rows = part->batches = 0;
        working += part->end == END_NONE;
        note_end(parts, part->end, part->why);
    }
    return working;
}

/* Some milliseconds, so that the search's progress can be told meanwhile. */
static uint32_t wait_for_others(struct search *search, bool wait)
{
    struct parts *parts = search->parts;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_SECOND;
    until.tv_nsec %= NS_PER_SECOND;
    pthread_mutex_lock(&parts->lock);
    uint32_t working = look(search);
    while (wait && working &&
           pthread_cond_timedwait(&parts->changed, &parts->lock, &until) != ETIMEDOUT)
        working = look(search);
    pthread_mutex_unlock(&parts->lock);
    return working;
}

static void take_messages(struct run *run, const struct run *from)
{
    for (const struct search_message *m = from->messages; m; m = m->next)
        run_message(run, m->code, NULL, from->incomplete, "%.*s", SLICE_ARG(m->text));
    run->scope.regex_limits += from->scope.regex_limits;
}

static void free_others(struct search *search)
{
    struct parts *parts = search->parts;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct run *run = &parts->others[i].search.run;
        arena_free(run->arena);
        arena_free(run->frames);
        arena_free(run->scratch);
        run->arena = run->frames = run->scratch = NULL;
    }
    search->memory.budget.bytes_max = parts->bytes_max;
}

/* The groups are gone: what others held of them is free, too. */
static void release(struct stage *op)
{
    struct search *search = (struct search *)(void *)((char *)op->run - offsetof(struct search, run));
    search->parts->release(op);
    free_others(search);
}

/* What the others hold counts with the search's from now on. */
static int take_in(struct search *search, struct err *err)
{
    struct parts *parts = search->parts;
    struct stage *stats = &search->pipeline.stages[parts->stats];
    size_t held = 0;
    search->run.is_part = false;
    search->run.part_failed = NULL;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct search *other = &parts->others[i].search;
        arena_reset(other->run.frames);
        arena_reset(other->run.scratch);
        held += other->memory.budget.bytes_held;
    }
    search->memory.budget.bytes_max = parts->bytes_max - held;
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct search *other = &parts->others[i].search;
        take_messages(&search->run, &other->run);
        if (stats_take_in(stats, &other->pipeline.stages[other->pipeline.count - 1], err) < 0) {
            parts->given_up = FULL;
            return -1;
        }
    }
    parts->release = stats->release;
    stats->release = release;
    return 0;
}

/* All are at their ends. 1: there are rows left, for one thread. */
static int gather(struct search *search, struct err *err)
{
    struct parts *parts = search->parts;
    const struct search_source *source = &search->source;
    join(search);
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->others[i].end == END_FAILED) {
            *err = parts->others[i].err;
            parts->given_up = NULL;
            return -1;
        }
    if (parts->given_up)
        return -1;
    bool left = parts->own_end != END_ROWS;
    if (search->in_batch)
        source->put_back(source->context, search->part, search->next_row);
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct search *other = &parts->others[i].search;
        left |= parts->others[i].end != END_ROWS;
        if (other->in_batch)
            source->put_back(source->context, other->part, other->next_row);
    }
    if (take_in(search, err) < 0)
        return -1;
    parts->resting = left;
    return left;
}

int parts_read(struct search *search, struct err *err)
{
    struct parts *parts = search->parts;
    struct err own, *why = err ? err : &own;
    if (parts->resting) {
        int more = search_read_batch(search, why);
        if (more < 0)
            parts_note_end(search, why);
        return more;
    }
    if (!parts->started)
        start(search);
    bool wait = parts->own_end != END_NONE;
    if (!wait) {
        const char *reason;
        err_clear(why);
        parts->own_end = judge(search, search_read_batch(search, why), why, &reason);
        if (parts->own_end == END_FAILED) {
            parts->given_up = NULL;
            return -1;
        }
        err_clear(why);
        note_end(parts, parts->own_end, reason);
    }
    uint32_t working = wait_for_others(search, wait);
    if (parts->own_end == END_NONE && parts->stopping)
        parts->own_end = END_STOPPED;
    if (working || parts->own_end == END_NONE)
        return 1;
    return gather(search, why);
}

void parts_note_end(struct search *search, const struct err *err)
{
    bool memory = err && (err->code == ERR_NOMEM || err->code == ERR_LIMIT);
    if (search->parts && memory && !search->run.groups_given && run_check(&search->run, NULL) == 0)
        search->parts->given_up = FULL;
}

const char *parts_given_up(const struct search *search)
{
    return search->parts ? search->parts->given_up : NULL;
}

void parts_explain(const struct search *search, struct buffer *to)
{
    const struct parts *parts = search->parts;
    if (parts)
        buffer_printf(to, "threads  %u, each with its part of the rows up to stats%s%s\n",
                      parts->started ? parts->working : parts->count + 1,
                      parts->resting ? "; one for the rest, since " : "",
                      parts->resting ? parts->short_of : "");
    if (search->given_up)
        buffer_printf(to, "threads  1, begun anew since %s\n", search->given_up);
}

void parts_free(struct search *search)
{
    struct parts *parts = search->parts;
    if (!parts)
        return;
    __atomic_store_n(&parts->stopping, true, __ATOMIC_RELAXED);
    join(search);
    free_others(search);
    for (uint32_t i = 0; i < parts->count; i++)
        search_memory_close(&parts->others[i].search.memory);
    search->run.is_part = false;
    search->run.part_failed = NULL;
    pthread_mutex_destroy(&parts->lock);
    pthread_cond_destroy(&parts->changed);
    mem_free(parts->others);
    mem_free(parts);
    search->parts = NULL;
}

/* lookup and join: rows met by rows of a table or a subsearch, by equal fields. */
#include "search/group.h"
#include "search/hold.h"

struct pair {
    struct slice theirs, ours;
};

struct lookup_args {
    struct slice table;
    struct pair *keys, *outputs; /* no outputs: all other columns */
    size_t key_count, output_count;
    bool only_new; /* OUTPUTNEW */
    /* join */
    bool left, overwrite, local;
    int64_t max; /* 0: all */
    struct slice type;
    const struct spl_query *query;
};

static int take_pairs(struct spl_parser *p, struct pair **list, size_t *count)
{
    while (spl_is_field(p) && !spl_at_word(p, "output") && !spl_at_word(p, "outputnew")) {
        *list = spl_grow(p->arena, *list, *count, sizeof(**list));
        if (!*list)
            return err_nomem(p->err);
        struct pair *pair = &(*list)[*count];
        if (spl_take_field(p, &pair->theirs) < 0)
            return -1;
        pair->ours = pair->theirs;
        if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &pair->ours) < 0))
            return -1;
        ++*count;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return *count ? 0 : spl_fail(p, "here the name of a field is needed");
}

static const struct command_option lookup_options[] = {
    {"local", OPTION_BOOL, offsetof(struct lookup_args, local), "accepted"},
    {"update", OPTION_BOOL, offsetof(struct lookup_args, local), "accepted"},
    {"event_time_field", OPTION_TEXT, offsetof(struct lookup_args, type), "accepted"},
};

static int parse_lookup(struct spl_parser *p, struct spl_command *command)
{
    struct lookup_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (!spl_is_field(p))
        return spl_fail(p, "here the name of a lookup table is needed");
    args->table = p->token.text;
    if (spl_advance(p) < 0 || spl_take_options(p, args) < 0 ||
        take_pairs(p, &args->keys, &args->key_count) < 0)
        return -1;
    args->only_new = spl_at_word(p, "outputnew");
    if ((args->only_new || spl_at_word(p, "output")) &&
        (spl_advance(p) < 0 || take_pairs(p, &args->outputs, &args->output_count) < 0))
        return -1;
    return spl_expect_end(p);
}

static const struct command_option join_options[] = {
    {"type", OPTION_TEXT, offsetof(struct lookup_args, type), "inner, left or outer"},
    {"max", OPTION_I64, offsetof(struct lookup_args, max), "rows met by a row (1; 0: all)"},
    {"overwrite", OPTION_BOOL, offsetof(struct lookup_args, overwrite),
     "the subsearch's values win"},
    {"usetime", OPTION_BOOL, offsetof(struct lookup_args, local), "accepted"},
    {"earlier", OPTION_BOOL, offsetof(struct lookup_args, local), "accepted"},
};

static int parse_join(struct spl_parser *p, struct spl_command *command)
{
    struct lookup_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->max = 1;
    args->overwrite = true;
    while (p->token.kind != SPL_SUBSEARCH) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (p->token.kind == SPL_END)
            return spl_fail(p, "join needs a subsearch in [ ]");
        args->keys = spl_grow(p->arena, args->keys, args->key_count, sizeof(*args->keys));
        if (!args->keys)
            return err_nomem(p->err);
        struct pair *pair = &args->keys[args->key_count++];
        if (spl_take_field(p, &pair->theirs) < 0)
            return -1;
        pair->ours = pair->theirs;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    args->left = slice_is_nocase(args->type, "left") || slice_is_nocase(args->type, "outer");
    if (args->type.ptr && !args->left && !slice_is_nocase(args->type, "inner"))
        return spl_fail(p, "type is inner, left or outer");
    if (spl_take_subsearch(p, &args->query) < 0)
        return -1;
    if (spl_is_field(p) && args->key_count == 0) { /* join [..] field */
        args->keys = arena_calloc(p->arena, sizeof(*args->keys));
        if (!args->keys)
            return err_nomem(p->err);
    }
    return spl_take_options(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct lookup_args *args = command->args;
    for (size_t i = 0; i < args->key_count; i++)
        wanted_add(wanted, args->keys[i].ours);
    for (size_t i = 0; i < args->output_count; i++)
        wanted_add(wanted, args->outputs[i].ours);
}

/* ---- the other side: its rows by key ---- */

struct met {
    struct batch *rows;
    struct grouper groups;
    uint32_t *first;    /* by group: row, or GROUP_NONE */
    uint32_t *next;     /* by row */
    struct slice *ours; /* names of the keys on our side */
};

static int index_rows(struct run *run, struct met *met, const struct pair *keys, size_t count,
                      struct err *err)
{
    struct slice *theirs = arena_array(run->arena, count + 1, sizeof(*theirs));
    met->ours = arena_array(run->arena, count + 1, sizeof(*met->ours));
    struct frame frame;
    struct group_rows rows;
    if (!theirs || !met->ours)
        return run_nomem(run, err);
    for (size_t i = 0; i < count; i++) {
        theirs[i] = keys[i].theirs;
        met->ours[i] = keys[i].ours;
    }
    if (frame_share(&frame, met->rows, NULL, run->arena) < 0 ||
        grouper_init(&met->groups, run->arena, theirs, count, 0) < 0 ||
        grouper_rows(&met->groups, &frame, &rows) < 0)
        return run_nomem(run, err);
    met->first = arena_alloc(run->arena, (met->groups.count + 1U) * sizeof(uint32_t));
    met->next = arena_alloc(run->arena, (met->rows->row_count + 1U) * sizeof(uint32_t));
    if (!met->first || !met->next)
        return run_nomem(run, err);
    memset(met->first, 0xff, (met->groups.count + 1U) * sizeof(uint32_t));
    memset(met->next, 0xff, (met->rows->row_count + 1U) * sizeof(uint32_t));
    for (uint32_t i = rows.count; i-- > 0;) {
        met->next[rows.rows[i]] = met->first[rows.groups[i]];
        met->first[rows.groups[i]] = rows.rows[i];
    }
    met->groups.fields = met->ours; /* from now on our rows are asked for */
    return 0;
}

/* The first of their rows that each of ours meets, GROUP_NONE for none. */
static int meet(struct stage *op, struct met *met, const struct frame *frame, uint32_t *first,
                struct err *err)
{
    struct group_rows rows;
    uint32_t known = met->groups.count;
    memset(first, 0xff, frame->batch->row_count * sizeof(*first));
    if (grouper_rows(&met->groups, frame, &rows) < 0)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < rows.count; i++)
        if (rows.groups[i] < known && first[rows.rows[i]] == GROUP_NONE)
            first[rows.rows[i]] = met->first[rows.groups[i]];
    if (met->groups.count > known) { /* keys that only we have: their groups are empty */
        uint32_t *grown = arena_alloc(op->run->arena, (met->groups.count + 1U) * sizeof(*grown));
        if (!grown)
            return run_nomem(op->run, err);
        memset(grown, 0xff, (met->groups.count + 1U) * sizeof(*grown));
        memcpy(grown, met->first, known * sizeof(*grown));
        met->first = grown;
    }
    return 0;
}

/* ---- lookup ---- */

static bool is_key(const struct lookup_args *args, struct slice theirs)
{
    for (size_t i = 0; i < args->key_count; i++)
        if (slice_equal(args->keys[i].theirs, theirs))
            return true;
    return false;
}

/* The values of all rows met, in the table's order. */
static int add_values(struct frame *frame, struct column *to, uint32_t row, const struct met *met,
                      const struct column *from, uint32_t theirs)
{
    for (; theirs != GROUP_NONE; theirs = met->next[theirs]) {
        uint32_t first, n = column_range(from, theirs, &first);
        for (uint32_t k = 0; k < n; k++)
            if (column_add(frame->batch, to, row, from->values[first + k]) < 0)
                return -1;
    }
    return 0;
}

static int output_column(struct stage *op, struct frame *frame, const struct pair *pair,
                         const uint32_t *first, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    const struct column *from = batch_find(met->rows, pair->theirs);
    const struct column *old = batch_find(frame->batch, pair->ours);
    struct column *to = frame_column(frame, pair->ours);
    if (!from && args->output_count)
        run_message(op->run, "field", op->command, false, "the table %.*s has no field %.*s",
                    SLICE_ARG(args->table), SLICE_ARG(pair->theirs));
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t at = 0, n = old ? column_range(old, row, &at) : 0;
        uint32_t before = to->count;
        bool keep = n && args->only_new;
        if (!keep && from && first[row] != GROUP_NONE &&
            add_values(frame, to, row, met, from, first[row]) < 0)
            return run_nomem(op->run, err);
        bool met_none = first[row] == GROUP_NONE && args->only_new;
        for (uint32_t k = 0; (keep || met_none) && to->count == before + k && k < n; k++)
            if (column_add(frame->batch, to, row, column_value(old, at + k)) < 0)
                return run_nomem(op->run, err);
    }
    return !to || frame_put(frame, to) < 0 ? run_nomem(op->run, err) : 0;
}

static int push_lookup(struct stage *op, struct frame *frame, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    uint32_t *first =
        arena_alloc(frame->batch->arena, (frame->batch->row_count + 1U) * sizeof(*first));
    if (!first)
        return run_nomem(op->run, err);
    if (meet(op, met, frame, first, err) < 0)
        return -1;
    for (size_t i = 0; i < args->output_count; i++)
        if (output_column(op, frame, &args->outputs[i], first, err) < 0)
            return -1;
    for (uint32_t c = 0; args->output_count == 0 && c < met->rows->column_count; c++) {
        struct slice name = met->rows->columns[c]->name;
        struct pair pair = {name, name};
        if (!is_key(args, name) && output_column(op, frame, &pair, first, err) < 0)
            return -1;
    }
    return stage_push(op, frame, err);
}

static int make_lookup(struct run *run, const struct spl_command *command, struct stage *op,
                       struct err *err)
{
    const struct lookup_args *args = command->args;
    struct met *met = arena_calloc(run->arena, sizeof(*met));
    op->push = push_lookup;
    op->state = met;
    if (!met)
        return run_nomem(run, err);
    if (run_table(run, args->table, &met->rows, err) < 0)
        return -1;
    return index_rows(run, met, args->keys, args->key_count, err);
}

const struct command command_lookup = {
    "lookup",
    0,
    "fields of a table's row with the same key: lookup assets ip as src OUTPUT owner",
    COMMAND_STREAMS,
    lookup_options,
    ARRAY_COUNT(lookup_options),
    parse_lookup,
    make_lookup,
    want,
    0};

/* ---- join ---- */

static int join_columns(struct stage *op, struct frame *out, const uint32_t *theirs,
                        struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    for (uint32_t c = 0; c < met->rows->column_count; c++) {
        const struct column *from = met->rows->columns[c];
        if (is_key(args, from->name))
            continue;
        const struct column *old = batch_find(out->batch, from->name);
        struct column *to = frame_column(out, from->name);
        for (uint32_t row = 0; to && row < out->batch->row_count; row++) {
            uint32_t at = 0, n = old ? column_range(old, row, &at) : 0;
            const struct column *source = old;
            uint32_t first,
                count = theirs[row] == GROUP_NONE ? 0 : column_range(from, theirs[row], &first);
            if (count && (args->overwrite || !n)) {
                source = from;
                at = first;
                n = count;
            }
            for (uint32_t k = 0; k < n; k++)
                if (column_add(out->batch, to, row, column_value(source, at + k)) < 0)
                    return run_nomem(op->run, err);
        }
        if (!to || frame_put(out, to) < 0)
            return run_nomem(op->run, err);
    }
    return 0;
}

static int push_join(struct stage *op, struct frame *frame, struct err *err)
{
    const struct lookup_args *args = op->command->args;
    struct met *met = op->state;
    struct arena *arena = frame->batch->arena;
    uint32_t rows = frame->batch->row_count, count = 0, room = rows + 16;
    uint32_t *first = arena_alloc(arena, (rows + 1U) * sizeof(*first));
    uint32_t *ours = arena_alloc(arena, room * sizeof(*ours));
    uint32_t *theirs = arena_alloc(arena, room * sizeof(*theirs));
    if (!first || !ours || !theirs)
        return run_nomem(op->run, err);
    if (meet(op, met, frame, first, err) < 0)
        return -1;
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1)) {
        uint32_t their = first[row];
        if (their == GROUP_NONE && !args->left)
            continue;
        for (int64_t n = 0; n == 0 || (their != GROUP_NONE && (args->max == 0 || n < args->max));
             n++) {
            if (count == room) {
                ours = arena_grow(arena, ours, room * sizeof(*ours), 2 * room * sizeof(*ours));
                theirs =
                    arena_grow(arena, theirs, room * sizeof(*theirs), 2 * room * sizeof(*theirs));
                room *= 2;
                if (!ours || !theirs)
                    return run_nomem(op->run, err);
            }
            ours[count] = row;
            theirs[count++] = their;
            if (their != GROUP_NONE)
                their = met->next[their];
        }
    }
    struct frame out;
    if (count == 0)
        return 0;
    if (frame_gather(&out, frame->batch, ours, count, arena) < 0)
        return run_nomem(op->run, err);
    return join_columns(op, &out, theirs, err) < 0 ? -1 : stage_push(op, &out, err);
}

/* Without fields, all that both sides have are keys; ours are only known when rows come. */
static int common_keys(struct run *run, const struct batch *rows, struct pair **keys, size_t *count,
                       struct err *err)
{
    *keys = arena_array(run->arena, rows->column_count + 1U, sizeof(**keys));
    *count = 0;
    if (!*keys)
        return run_nomem(run, err);
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = rows->columns[c]->name;
        if (name.len && name.ptr[0] != '_' && name.ptr[0] != '@')
            (*keys)[(*count)++] = (struct pair){name, name};
    }
    return 0;
}

static int make_join(struct run *run, const struct spl_command *command, struct stage *op,
                     struct err *err)
{
    const struct lookup_args *args = command->args;
    struct met *met = arena_calloc(run->arena, sizeof(*met));
    struct pair *keys = args->keys;
    size_t count = args->key_count;
    op->push = push_join;
    op->state = met;
    if (!met)
        return run_nomem(run, err);
    if (run_subsearch(run, args->query, &met->rows, err) < 0)
        return -1;
    if (count == 0 && common_keys(run, met->rows, &keys, &count, err) < 0)
        return -1;
    return index_rows(run, met, keys, count, err);
}

const struct command command_join = {
    "join",
    0,
    "rows met by rows of a subsearch: join type=left src [search ...]",
    0,
    join_options,
    ARRAY_COUNT(join_options),
    parse_join,
    make_join,
    want,
    0};

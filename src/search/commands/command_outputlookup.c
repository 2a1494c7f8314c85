/*
 * outputlookup: the rows become a lookup table, and go on. Several values of a field are kept in a column
 * of their own, __mv_FIELD ($a$;$b$), as lookup tables have them; the field's shows them on lines.
 */
#include "base/csv_cell.h"
#include "base/limits.h"
#include "know/know.h"
#include "search/commands/sub_rows.h"
#include "search/group.h"
#include "search/rows.h"
#include "search/state_tables.h"

struct output_args {
    struct slice table, key, format;
    bool append, create_empty, override_if_empty, accepted;
    int64_t max;
};

static const struct command_option options[] = {
    {.name = "append", OPTION_BOOL, offsetof(struct output_args, append), "behind the rows of the table"},
    {.name = "create_empty", OPTION_BOOL, offsetof(struct output_args, create_empty),
     "no rows make an empty table", .standard = "t"},
    {.name = "override_if_empty", OPTION_BOOL, offsetof(struct output_args, override_if_empty),
     "no rows take the place of a table that is there", .standard = "t"},
    {.name = "key_field", OPTION_FIELD, offsetof(struct output_args, key),
     "rows of the table with the same value are replaced, the others stay"},
    {.name = "max", OPTION_I64, offsetof(struct output_args, max), "rows written (0: all)", .standard = "0"},
    {.name = "createinapp", OPTION_BOOL, offsetof(struct output_args, accepted), "accepted"},
    {.name = "create_context", OPTION_TEXT, offsetof(struct output_args, format), "accepted"},
    {.name = "allow_updates", OPTION_BOOL, offsetof(struct output_args, accepted), "accepted"},
    {.name = "output_format", OPTION_TEXT, offsetof(struct output_args, format), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct output_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->create_empty = args->override_if_empty = true;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->table.ptr || !spl_is_field(p))
            return spl_expect_end(p);
        args->table = p->token.text;
        if (spl_advance(p) < 0)
            return -1;
    }
    return args->table.len ? 0 : spl_fail(p, "here the name of a lookup table is needed");
}

/* ---- as CSV ---- */

/* As it is: it is read by programs, so nothing is put before text that looks like a formula. */
static void put_cell(struct buffer *to, struct slice text)
{
    csv_put_cell(to, text, true);
}

/* Values on lines, or, marked, as $a$;$b$ with $$ for a $ in them. */
static struct slice cell_text(const struct column *column, uint32_t row, bool marked,
                              struct buffer *room)
{
    uint32_t first, count = column_range(column, row, &first);
    buffer_clear(room);
    for (uint32_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct slice text = value_text_small(column_value(column, first + i), small);
        if (i)
            buffer_put_char(room, marked ? ';' : '\n');
        if (!marked) {
            buffer_put(room, text);
            continue;
        }
        buffer_put_char(room, '$');
        for (size_t k = 0; k < text.len; k++) {
            if (text.ptr[k] == '$')
                buffer_put_char(room, '$');
            buffer_put_char(room, text.ptr[k]);
        }
        buffer_put_char(room, '$');
    }
    return buffer_slice(room);
}

struct writing {
    struct stage *op;
    const struct batch *rows;
    struct buffer to, cell;
};

static void put_names(struct writing *w)
{
    bool first = true;
    for (int marked = 0; marked < 2; marked++)
        for (uint32_t c = 0; c < w->rows->column_count; c++) {
            const struct column *column = w->rows->columns[c];
            if (marked && !column->multi)
                continue;
            struct slice name = spl_field_shown(column->name, w->op->run->query);
            buffer_clear(&w->cell);
            buffer_printf(&w->cell, "%s%.*s", marked ? "__mv_" : "", SLICE_ARG(name));
            if (!first)
                buffer_put_char(&w->to, ',');
            put_cell(&w->to, buffer_slice(&w->cell));
            first = false;
        }
    buffer_put_char(&w->to, '\n');
}

static void put_row(struct writing *w, uint32_t row)
{
    bool first = true;
    for (int marked = 0; marked < 2; marked++)
        for (uint32_t c = 0; c < w->rows->column_count; c++) {
            const struct column *column = w->rows->columns[c];
            uint32_t at;
            if (marked && !column->multi)
                continue;
            if (!first)
                buffer_put_char(&w->to, ',');
            first = false;
            if (!marked || column_range(column, row, &at) > 1)
                put_cell(&w->to, cell_text(column, row, marked, &w->cell));
        }
    buffer_put_char(&w->to, '\n');
}

static int write_table(struct stage *op, const struct batch *rows, const uint32_t *order,
                       uint32_t count, struct err *err)
{
    const struct output_args *args = op->command->args;
    const struct search_writer *writer = op->run->options->writer;
    const struct know_lookup *spec = run_lookup(op->run, args->table);
    struct slice name = spec ? spec->file : args->table;
    struct writing w = {.op = op, .rows = rows};
    buffer_init(&w.to, LOOKUP_BYTES_MAX);
    buffer_init(&w.cell, EVENT_BYTES_MAX);
    if (count)
        put_names(&w);
    for (uint32_t i = 0; i < count && !buffer_failed(&w.to); i++)
        put_row(&w, order[i]);
    int result = 0;
    if (buffer_failed(&w.to) || buffer_failed(&w.cell))
        result = err_set(err, ERR_LIMIT, "the lookup table %.*s would be larger than %zu MiB; the old one stays",
                         SLICE_ARG(name), LOOKUP_BYTES_MAX / MIB);
    if (!slice_ends(name, SLICE(".csv")))
        name = arena_printf(op->run->arena, "%.*s.csv", SLICE_ARG(name));
    if (result == 0)
        result = writer->table(writer->context, name, buffer_slice(&w.to), err);
    buffer_close(&w.to);
    buffer_close(&w.cell);
    return result;
}

/* ---- which rows ---- */

static int old_rows(struct stage *op, struct batch **out, struct err *err)
{
    const struct output_args *args = op->command->args;
    struct err why;
    if (run_table(op->run, args->table, out, &why) == 0)
        return 0;
    *out = frame_batch_new(op->run->arena, 0);
    if (why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    return *out ? 0 : run_nomem(op->run, err);
}

/* The last of ours by the key's text; rows of the table with the same are left out. */
static int drop_replaced(struct stage *op, const struct batch *old, const struct batch *rows,
                         uint64_t *keep, struct err *err)
{
    const struct output_args *args = op->command->args;
    const struct column *ours = batch_find(rows, args->key), *theirs = batch_find(old, args->key);
    struct intern keys = {0};
    for (uint32_t i = 0; ours && i < ours->count; i++)
        if (intern_value(&keys, op->run->arena, column_value(ours, i)) == GROUP_NONE)
            return run_nomem(op->run, err);
    uint32_t known = keys.count;
    for (uint32_t i = 0; theirs && i < theirs->count; i++) {
        uint32_t id = intern_value(&keys, op->run->arena, column_value(theirs, i));
        if (id == GROUP_NONE)
            return run_nomem(op->run, err);
        if (id < known)
            bits_clear(keep, theirs->rows[i]);
    }
    return 0;
}

/* The table's rows, then ours; without append or a key only ours. */
static int whole(struct stage *op, const struct batch *rows, struct batch **out, struct err *err)
{
    const struct output_args *args = op->command->args;
    struct run *run = op->run;
    struct batch *old;
    struct row_store store;
    struct frame frame;
    if (old_rows(op, &old, err) < 0)
        return -1;
    row_store_init(&store, run->arena);
    if (frame_share(&frame, old, NULL, run->arena) < 0)
        return run_nomem(run, err);
    if (args->key.ptr && drop_replaced(op, old, rows, frame.selected, err) < 0)
        return -1;
    if ((frame_count(&frame) && row_store_add(&store, &frame) < 0) ||
        frame_share(&frame, rows, NULL, run->arena) < 0 || row_store_add(&store, &frame) < 0)
        return run_nomem(run, err);
    *out = store.batch;
    return 0;
}

static int write_rows(struct stage *op, const struct batch *rows, struct err *err)
{
    const struct output_args *args = op->command->args;
    uint32_t count = rows->row_count;
    uint32_t *order = arena_array(op->run->arena, count + 1U, sizeof(*order));
    if (!order)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    if (args->max && (uint64_t)args->max < count) {
        run_message(op->run, "limit", op->command, true,
                    "the lookup table %.*s got the first %lld of %u rows (max)", SLICE_ARG(args->table),
                    (long long)args->max, count);
        count = (uint32_t)args->max;
    }
    return write_table(op, rows, order, count, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct output_args *args = op->command->args;
    struct frame frame;
    struct batch *rows, *none = frame_batch_new(op->run->arena, 0);
    bool failed;
    if (!none)
        return run_nomem(op->run, err);
    bool some = hold_frame(op, &frame, &failed, err);
    if (failed)
        return -1;
    if (!op->run->preview) { /* an answer that is not whole is not written */
        rows = some ? frame.batch : none;
        bool keeps = args->append || args->key.ptr;
        if (some && keeps && whole(op, frame.batch, &rows, err) < 0)
            return -1;
        bool writes = some || (!keeps && args->override_if_empty && args->create_empty);
        if (writes && write_rows(op, rows, err) < 0)
            return -1;
        if (!writes && !keeps && args->override_if_empty)
            run_message(op->run, "empty", op->command, false,
                        "there are no rows, and with create_empty=false the lookup table %.*s stays as it is",
                        SLICE_ARG(args->table));
    }
    return some ? hold_emit(op, &frame, err) : 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct output_args *args = command->args;
    const struct know_lookup *spec = run_lookup(run, args->table);
    if (state_tables_has(args->table))
        return err_set(err, ERR_DENIED, "%.*s is kept by the rules and only read by searches; give the lookup table another name",
                       SLICE_ARG(args->table));
    if (run_has_place(run) && (!run->options->writer || !run->options->writer->table))
        return err_set(err, ERR_DENIED, "outputlookup may not write here: it needs the role analyst, or "
                                        "a folder of lookup tables (--dir, --data-dir)");
    if (!know_is_file_name(spec ? spec->file : args->table))
        return err_set(err, ERR_CONFIG, "a lookup table has the name of a file, without a path");
    return stage_hold(run, op, 0, finish, err);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

const struct command command_outputlookup = {
    .name = "outputlookup",
    .summary = "the rows become a lookup table: outputlookup append=t seen_users",
    .flags = COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
    .syntax = "outputlookup [options] TABLE",
    .notes = "create_empty=false without rows leaves the table that is there.",
};

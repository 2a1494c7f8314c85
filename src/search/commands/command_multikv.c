/* multikv: a row a line of a table that was printed into a text.
 *
 *   Name     Age   Occupation          header: where the columns begin
 *   Josh     42    Software engineer   words go to the column above them
 */
#include "event/schema.h"
#include "search/rows.h"

enum { TABLE_COLUMNS_MAX = 256 };

struct multikv_args {
    bool copy_attributes, remove_original, no_header, several;
    int64_t forced;
    struct slice conf, last;
    struct field_list fields, filter;
};

#define AT(field) offsetof(struct multikv_args, field)
static const struct command_option options[] = {
    {.name = "conf", OPTION_TEXT, AT(conf), "accepted"},
    {.name = "copyattrs", OPTION_BOOL, AT(copy_attributes), "the row's own fields on each line (t)"},
    {.name = "rmorig", OPTION_BOOL, AT(remove_original), "leaves the original row out (t)"},
    {.name = "noheader", OPTION_BOOL, AT(no_header), "there is no header: Column_1, Column_2 ... (f)"},
    {.name = "forceheader", OPTION_I64, AT(forced), "the header is line N, from 1"},
    {.name = "multitable", OPTION_BOOL, AT(several), "a further header begins a further table (t)"},
    {.name = "last", OPTION_TEXT, AT(last), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"fields", "filter", NULL};
    struct multikv_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->copy_attributes = args->remove_original = args->several = true;
    for (;;) {
        bool fields = spl_at_word(p, "fields");
        if (spl_take_options(p, args) < 0)
            return -1;
        if (p->token.kind == SPL_END)
            return 0;
        fields = spl_at_word(p, "fields");
        if (!fields && !spl_at_word(p, "filter"))
            return spl_expect_end(p);
        struct field_list *list = fields ? &args->fields : &args->filter;
        if (spl_advance(p) < 0 || spl_take_fields_options(p, args, stops, list) < 0)
            return -1;
        if (!list->count)
            return spl_fail(p, fields ? "after fields a name is missing"
                                      : "after filter a word is missing");
    }
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted_add(wanted, FIELD_ORIGINAL);
}

/* Words of a line and where they stand. */
struct cells {
    struct slice text[TABLE_COLUMNS_MAX];
    size_t start[TABLE_COLUMNS_MAX], end[TABLE_COLUMNS_MAX];
    uint32_t count;
    bool more; /* than there is room for */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void split(struct slice line, struct cells *out)
{
    out->count = 0;
    out->more = false;
    for (size_t at = 0; at < line.len;) {
        while (at < line.len && is_blank(line.ptr[at]))
            at++;
        size_t start = at;
        while (at < line.len && !is_blank(line.ptr[at]))
            at++;
        if (at == start)
            break;
        if (out->count == TABLE_COLUMNS_MAX) {
            out->more = true;
            break;
        }
        out->text[out->count] = slice_sub(line, start, at - start);
        out->start[out->count] = start;
        out->end[out->count++] = at;
    }
}

/* All words begin with a letter or a sign, none is a number; strict: with a capital. */
static bool looks_like_header(const struct cells *cells, bool strict)
{
    for (uint32_t i = 0; i < cells->count; i++) {
        char c = cells->text[i].ptr[0];
        bool small = c >= 'a' && c <= 'z';
        if ((c >= '0' && c <= '9') || c == '-' || (strict && small))
            return false;
    }
    return cells->count > 1;
}

struct table {
    struct cells header;
    bool known;
};

/* The column a word belongs to: that which it overlaps most, else the nearest before it. */
static uint32_t column_of(const struct cells *header, size_t start, size_t end)
{
    uint32_t best = 0;
    size_t most = 0;
    for (uint32_t i = 0; i < header->count; i++) {
        size_t low = header->start[i] > start ? header->start[i] : start;
        size_t high = header->end[i] < end ? header->end[i] : end;
        if (high > low && high - low > most) {
            most = high - low;
            best = i;
        } else if (!most && header->start[i] <= start) {
            best = i;
        }
    }
    return best;
}

struct reading {
    struct stage *op;
    struct batch *out;
    const struct frame *from;
    uint32_t row;
};

static bool is_asked(const struct field_list *list, struct slice name)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_matches_stars(name, list->names[i]))
            return true;
    return list->count == 0;
}

static bool passes(const struct field_list *words, struct slice line)
{
    for (size_t i = 0; i < words->count; i++)
        if (slice_find(line, words->names[i]) >= 0)
            return true;
    return words->count == 0;
}

static int copy_fields(struct reading *r, uint32_t to)
{
    const struct batch *batch = r->from->batch;
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const struct column *column = batch->columns[c];
        uint32_t first, count = column_range(column, r->row, &first);
        struct column *made = count ? batch_column(r->out, column->name) : NULL;
        if (slice_equal(column->name, FIELD_ORIGINAL))
            continue;
        for (uint32_t k = 0; k < count; k++)
            if (!made || column_add(r->out, made, to, column_value(column, first + k)) < 0)
                return -1;
    }
    return 0;
}

/* The words of a line to their columns: one by one when there are as many, else by place; what
 * shares a column is joined by a blank. */
static int put_line(struct reading *r, const struct cells *header, const struct cells *cells,
                    struct slice line)
{
    const struct multikv_args *args = r->op->command->args;
    struct slice joined[TABLE_COLUMNS_MAX];
    memset(joined, 0, header->count * sizeof(*joined));
    for (uint32_t i = 0; i < cells->count; i++) {
        uint32_t at = cells->count == header->count
                          ? i
                          : column_of(header, cells->start[i], cells->end[i]);
        struct slice before = joined[at];
        joined[at] = before.ptr ? slice_of(before.ptr, (size_t)(cells->text[i].ptr +
                                                                cells->text[i].len - before.ptr))
                                : cells->text[i];
    }
    uint32_t row = r->out->row_count++;
    if (args->copy_attributes && copy_fields(r, row) < 0)
        return -1;
    if (batch_put(r->out, row, FIELD_ORIGINAL, value_string(line)) < 0)
        return -1;
    for (uint32_t i = 0; i < header->count; i++) {
        struct slice name = spl_field_alias(header->text[i]);
        struct column *to = batch_column(r->out, name);
        if (!to)
            return -1;
        if (joined[i].ptr && is_asked(&args->fields, header->text[i]) &&
            column_set(r->out, to, row, value_string(joined[i])) < 0)
            return -1;
    }
    return 0;
}

/* Column_1 ... of a table without a header, as many as its first line has. */
static int number_columns(struct reading *r, struct table *table, const struct cells *cells)
{
    table->header = *cells;
    table->known = true;
    for (uint32_t i = 0; i < cells->count; i++) {
        table->header.text[i] = arena_printf(r->out->arena, "Column_%u", i + 1);
        if (!table->header.text[i].ptr)
            return -1;
    }
    return 0;
}

/* Whether the line became a header. */
static bool take_header(const struct multikv_args *args, struct table *table,
                        const struct cells *cells, int64_t number)
{
    bool is = args->forced ? number == args->forced
              : table->known ? args->several && looks_like_header(cells, true)
                             : looks_like_header(cells, false);
    if (is && !(args->forced && table->known)) {
        table->header = *cells;
        table->known = true;
    }
    return is;
}

static int read_text(struct reading *r, struct slice text)
{
    const struct multikv_args *args = r->op->command->args;
    struct arena *arena = r->out->arena;
    struct cells *cells = arena_alloc(arena, sizeof(*cells));
    struct table *table = arena_calloc(arena, sizeof(*table));
    struct slice line;
    if (!cells || !table)
        return -1;
    for (int64_t number = 1; slice_next_line(&text, &line); number++) {
        split(line, cells);
        if (cells->more)
            run_message(r->op->run, "multikv-columns", r->op->command, true,
                        "multikv reads at most %d columns", TABLE_COLUMNS_MAX);
        if (!cells->count)
            continue;
        if (args->no_header && !table->known && number_columns(r, table, cells) < 0)
            return -1;
        if (!args->no_header && take_header(args, table, cells, number))
            continue;
        if (table->known && passes(&args->filter, line) &&
            put_line(r, &table->header, cells, line) < 0)
            return -1;
    }
    return 0;
}

/* A row without a table goes on as it is. */
static int read_row(struct reading *r)
{
    const struct multikv_args *args = r->op->command->args;
    const struct column *raw = batch_find(r->from->batch, FIELD_ORIGINAL);
    struct slice text = raw ? rows_text(column_first(raw, r->row), r->out->arena) : SLICE_NONE;
    uint32_t before = r->out->row_count;
    if (text.ptr && !args->remove_original) {
        if (copy_fields(r, r->out->row_count) < 0 ||
            batch_put(r->out, r->out->row_count, FIELD_ORIGINAL, value_string(text)) < 0)
            return -1;
        r->out->row_count++;
    }
    if (text.ptr && read_text(r, text) < 0)
        return -1;
    bool none = r->out->row_count == before;
    if (none && !args->filter.count) {
        if (copy_fields(r, before) < 0 ||
            (text.ptr && batch_put(r->out, before, FIELD_ORIGINAL, value_string(text)) < 0))
            return -1;
        r->out->row_count++;
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct arena *arena = frame->batch->arena;
    struct reading r = {.op = op, .out = frame_batch_new(arena, 0), .from = frame};
    struct frame made;
    for (r.row = frame_next(frame, 0); r.out && r.row < frame->batch->row_count;
         r.row = frame_next(frame, r.row + 1))
        if (read_row(&r) < 0)
            return run_nomem(op->run, err);
    if (!r.out || frame_share(&made, r.out, NULL, arena) < 0)
        return run_nomem(op->run, err);
    return r.out->row_count ? stage_push(op, &made, err) : 0;
}

const struct command command_multikv = {
    .name = "multikv",
    .syntax = "multikv [options] [fields FIELD ...] [filter WORD ...]",
    .summary = "a row a line of a printed table: multikv fields PID COMMAND filter sshd",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = push,
    .want = want,
};

#include "search/table_source.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/time.h"
#include "cut/json_event.h"
#include "event/schema.h"
#include "search/frame.h"
#include "search/lexer.h"

#include <stdio.h>
#include <unistd.h>

struct table {
    struct slice path;
    struct arena *text;  /* the file's bytes */
    struct batch *batch; /* rows borrow from them */
    struct table *next;
};

struct table_backend {
    struct search_backend backend;
    struct arena *arena;
    const char *file, *dir;
    struct table *tables;
};

struct table_scan {
    const struct batch *batch;
    uint64_t *selected;
    bool done;
};

/* ---- reading ---- */

static struct value field_value(struct slice name, struct value v)
{
    int64_t time_ns;
    char small[VALUE_TEXT_SIZE];
    bool zone_seen;
    bool epoch = slice_is(name, "_time") || slice_is(name, "_indextime");
    if (epoch && v.type != VALUE_NULL &&
        time_parse_epoch(value_text_small(v, small), &time_ns))
        return value_time(time_ns);
    if ((slice_is(name, "_time") || slice_is(name, "@timestamp")) && v.type == VALUE_STRING &&
        time_parse_rfc3339(value_slice(v), &time_ns, &zone_seen))
        return value_time(time_ns);
    if (v.type == VALUE_BOOL) /* true and false in data are text */
        return value_string(v.boolean ? SLICE("true") : SLICE("false"));
    return v;
}

static int adopt_row(const struct column *column, uint32_t row, struct column *made,
                     struct batch *to)
{
    uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
    for (uint32_t i = first; i < first + count; i++) {
        struct value v = field_value(column->name, column->values[i]);
        if (v.type != VALUE_NULL && column_add(to, made, row, v) < 0)
            return -1;
    }
    return count > 0;
}

/* Columns under the schema's names, gaps left out. Where a row has both names of a field (_time
 * and @timestamp), the habitual one counts. */
static int adopt_columns(const struct batch *from, struct batch *to)
{
    to->row_count = from->row_count;
    for (uint32_t c = 0; c < from->column_count; c++) {
        struct slice name = spl_field_alias(from->columns[c]->name);
        struct column *made = batch_column(to, name);
        if (!made)
            return -1;
        if (made->count)
            continue; /* made with its other name already */
        const struct column *habit = from->columns[c], *other = NULL;
        for (uint32_t k = 0; k < from->column_count; k++)
            if (k != c && slice_equal(spl_field_alias(from->columns[k]->name), name))
                other = from->columns[k];
        if (other && slice_equal(habit->name, name)) {
            const struct column *swap = habit;
            habit = other;
            other = swap;
        }
        for (uint32_t row = 0; row < from->row_count; row++) {
            int some = adopt_row(habit, row, made, to);
            if (some < 0 || (some == 0 && adopt_row(other, row, made, to) < 0))
                return -1;
        }
    }
    return 0;
}

static int read_json_lines(struct slice text, struct batch *batch, struct err *err)
{
    struct json_cutter *cutter = json_cutter_new();
    struct slice line;
    size_t number = 0;
    int result = cutter ? 0 : err_nomem(err);
    while (result == 0 && slice_next_line(&text, &line)) {
        unsigned flags = 0;
        number++;
        if (slice_trim(line).len == 0)
            continue;
        if (!batch_add_row(batch))
            result = err_nomem(err);
        else if (cut_json(cutter, line, SLICE(""), batch, batch->row_count - 1, &flags, err) < 0)
            result = err_within(err, "line %zu", number);
    }
    json_cutter_free(cutter);
    return result;
}

static int read_json_array(struct slice text, struct batch *batch, struct err *err)
{
    struct json_cutter *cutter = json_cutter_new();
    struct json_tokens tokens;
    int result = cutter ? json_cutter_scan(cutter, text, &tokens, err) : err_nomem(err);
    for (uint32_t i = 1; result == 0 && i < tokens.list[0].next; i = tokens.list[i].next) {
        unsigned flags = 0;
        if (!batch_add_row(batch))
            result = err_nomem(err);
        else
            result = json_cutter_put(cutter, &tokens, i, SLICE(""), batch, batch->row_count - 1,
                                     &flags, err);
    }
    json_cutter_free(cutter);
    return result;
}

/* One CSV cell; *more says that another follows in this line. */
static struct slice take_cell(struct slice *text, struct arena *arena, bool *more)
{
    struct slice cell;
    if (text->len && text->ptr[0] == '"') {
        char *to = arena_alloc(arena, text->len);
        size_t at = 1, len = 0;
        for (; to && at < text->len; at++) {
            if (text->ptr[at] == '"' && at + 1 < text->len && text->ptr[at + 1] == '"')
                at++;
            else if (text->ptr[at] == '"')
                break;
            to[len++] = text->ptr[at];
        }
        cell = to ? slice_of(to, len) : SLICE_NONE;
        *text = slice_from(*text, at + 1);
    } else {
        size_t at = 0;
        while (at < text->len && text->ptr[at] != ',' && text->ptr[at] != '\n')
            at++;
        cell = slice_sub(*text, 0, at);
        if (cell.len && cell.ptr[cell.len - 1] == '\r')
            cell.len--;
        *text = slice_from(*text, at);
    }
    while (text->len && text->ptr[0] != ',' && text->ptr[0] != '\n')
        *text = slice_from(*text, 1);
    *more = text->len && text->ptr[0] == ',';
    *text = slice_from(*text, 1);
    return cell;
}

static int read_csv(struct slice text, struct batch *batch, struct err *err)
{
    struct column **columns = NULL;
    uint32_t count = 0;
    bool more = text.len > 0;
    while (more) {
        struct slice name = take_cell(&text, batch->arena, &more);
        columns = spl_grow(batch->arena, columns, count, sizeof(*columns));
        if (!columns || !name.ptr || !(columns[count++] = batch_column(batch, name)))
            return err_nomem(err);
    }
    while (text.len) {
        if (text.ptr[0] == '\n' || text.ptr[0] == '\r') {
            text = slice_from(text, 1);
            continue;
        }
        if (!batch_add_row(batch))
            return err_nomem(err);
        more = true;
        for (uint32_t i = 0; more; i++) {
            struct slice cell = take_cell(&text, batch->arena, &more);
            if (!cell.ptr)
                return err_nomem(err);
            if (i < count && cell.len &&
                column_add(batch, columns[i], batch->row_count - 1, value_string(cell)) < 0)
                return err_nomem(err);
        }
    }
    return 0;
}

int table_read(struct slice name, struct slice text, struct batch *batch, struct err *err)
{
    struct slice start = slice_trim(text);
    if (slice_ends(name, SLICE(".csv")))
        return read_csv(text, batch, err);
    if (start.len && start.ptr[0] == '[')
        return read_json_array(text, batch, err);
    return read_json_lines(text, batch, err);
}

static int load(struct table_backend *backend, const char *path, const struct batch **out,
                struct err *err)
{
    for (struct table *t = backend->tables; t; t = t->next)
        if (slice_is(t->path, path)) {
            *out = t->batch;
            return 0;
        }
    struct table *table = arena_calloc(backend->arena, sizeof(*table));
    if (!table)
        return err_nomem(err);
    table->path = arena_copy(backend->arena, slice_text(path));
    table->text = arena_new(4 * TABLE_BYTES_MAX);
    table->next = backend->tables;
    backend->tables = table;
    struct batch *raw = table->text ? frame_batch_new(table->text, 0) : NULL;
    table->batch = raw ? frame_batch_new(table->text, 0) : NULL;
    struct slice text;
    if (!table->batch || !table->path.ptr)
        return err_nomem(err);
    if (file_read(path, TABLE_BYTES_MAX, table->text, &text, err) < 0)
        return -1;
    if (table_read(table->path, text, raw, err) < 0)
        return err_within(err, "%s", path);
    if (adopt_columns(raw, table->batch) < 0)
        return err_nomem(err);
    *out = table->batch;
    return 0;
}

/* ---- as a source ---- */

static int next(void *context, struct search_rows *out, struct err *err)
{
    struct table_scan *scan = context;
    (void)err;
    *out = (struct search_rows){.batch = scan->batch, .selected = scan->selected};
    bool more = !scan->done;
    scan->done = true;
    return more;
}

static int give(struct arena *arena, const struct batch *batch, uint64_t *selected,
                struct search_source *out, struct err *err)
{
    struct table_scan *scan = arena_calloc(arena, sizeof(*scan));
    if (!scan)
        return err_nomem(err);
    scan->batch = batch;
    scan->selected = selected;
    *out = (struct search_source){.next = next,
                                  .context = scan,
                                  .ordered = true,
                                  .rows_total = batch->row_count,
                                  .kind = "table"};
    return 0;
}

static bool is_safe_name(struct slice name)
{
    return name.len && name.len < 200 && name.ptr[0] != '.' && slice_find_char(name, '/') < 0 &&
           slice_find_char(name, '\0') < 0;
}

static bool find_file(const struct table_backend *backend, struct slice name, char path[4096])
{
    static const char *const endings[] = {"", ".jsonl", ".json", ".csv"};
    if (!backend->dir || !is_safe_name(name))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        snprintf(path, 4096, "%s/%.*s%s", backend->dir, SLICE_ARG(name), endings[i]);
        if (!file_is_dir(path) && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

/* Rows with a time outside of the range; rows without one always count. */
static int select_range(const struct batch *batch, const struct search_request *request,
                        struct arena *arena, uint64_t **out, struct err *err)
{
    const struct column *times = batch_find(batch, FIELD_TIMESTAMP);
    *out = NULL;
    if (!times || (request->from_ns <= 0 && request->to_ns == INT64_MAX))
        return 0;
    uint64_t *bits = arena_alloc(arena, bits_words(batch->row_count) * 8 + 8);
    if (!bits)
        return err_nomem(err);
    bits_fill(bits, batch->row_count);
    for (uint32_t i = 0; i < times->count; i++) {
        struct value v = times->values[i];
        if (v.type == VALUE_TIME && (v.i64 < request->from_ns || v.i64 >= request->to_ns))
            bits_clear(bits, times->rows[i]);
    }
    *out = bits;
    return 0;
}

static int open_events(void *context, const struct search_request *request, struct arena *arena,
                       struct search_source *out, struct err *err)
{
    struct table_backend *backend = context;
    char path[4096];
    const struct batch *batch;
    uint64_t *selected;
    bool named = request->index_count == 1 && find_file(backend, request->indexes[0], path);
    if (!named && !backend->file)
        return err_set(err, ERR_CONFIG, "name a file to search with --data");
    if (load(backend, named ? path : backend->file, &batch, err) < 0 ||
        select_range(batch, request, arena, &selected, err) < 0)
        return -1;
    return give(arena, batch, selected, out, err);
}

static int open_table(void *context, struct slice name, struct arena *arena,
                      struct search_source *out, struct err *err)
{
    struct table_backend *backend = context;
    char path[4096];
    const struct batch *batch;
    if (!find_file(backend, name, path))
        return err_set(err, ERR_NOT_FOUND, "there is no table %.*s", SLICE_ARG(name));
    if (load(backend, path, &batch, err) < 0)
        return -1;
    return give(arena, batch, NULL, out, err);
}

int table_backend_new(const char *file, const char *dir, struct table_backend **out,
                      struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    struct table_backend *backend = arena ? arena_calloc(arena, sizeof(*backend)) : NULL;
    *out = backend;
    if (!backend) {
        arena_free(arena);
        return err_nomem(err);
    }
    backend->arena = arena;
    backend->file = file;
    backend->dir = dir;
    backend->backend = (struct search_backend){open_events, open_table, backend};
    return 0;
}

void table_backend_free(struct table_backend *backend)
{
    if (!backend)
        return;
    for (struct table *table = backend->tables; table; table = table->next)
        arena_free(table->text);
    arena_free(backend->arena);
}

const struct search_backend *table_backend_get(const struct table_backend *backend)
{
    return &backend->backend;
}

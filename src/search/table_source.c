#include "search/table_source.h"

#include "base/file.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/time.h"
#include "cut/json_event.h"
#include "event/schema.h"
#include "know/know.h"
#include "search/frame.h"
#include "search/lexer.h"
#include "search/search_files.h"

#include <stdio.h>
#include <sys/stat.h>
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
    struct search_files files;
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
int table_adopt(const struct batch *from, struct batch *to)
{
    to->row_count = from->row_count;
    for (uint32_t c = 0; c < from->column_count; c++) {
        struct slice name = spl_field_alias(from->columns[c]->name);
        if (slice_starts(name, SLICE("__mv_")))
            continue;
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
    int result = cutter ? json_cutter_scan(cutter, text, NULL, &tokens, err) : err_nomem(err);
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

/* $a$;$b$, with $$ for a $ in a value: what outputlookup made of several values. */
static int read_marked(struct slice text, struct batch *batch, struct column *to, uint32_t row)
{
    while (text.len > 1 && text.ptr[0] == '$') {
        char *value = arena_alloc(batch->arena, text.len);
        size_t at = 1, len = 0;
        for (; value && at < text.len; at++) {
            if (text.ptr[at] == '$' && at + 1 < text.len && text.ptr[at + 1] == '$')
                at++;
            else if (text.ptr[at] == '$')
                break;
            value[len++] = text.ptr[at];
        }
        if (!value || column_add(batch, to, row, value_string(slice_of(value, len))) < 0)
            return -1;
        text = slice_from(text, at + 1);
        text = text.len && text.ptr[0] == ';' ? slice_from(text, 1) : SLICE("");
    }
    return 0;
}

/* Columns __mv_FIELD tell the values of FIELD apart, and are no columns of their own. */
static int spread_marked(struct batch *batch)
{
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const struct column *marked = batch->columns[c];
        struct column *field = slice_starts(marked->name, SLICE("__mv_"))
                                   ? batch_find(batch, slice_from(marked->name, 5))
                                   : NULL;
        if (!field || !marked->count)
            continue;
        struct column old = *field;
        *field = (struct column){.name = old.name, .index = old.index};
        for (uint32_t row = 0; row < batch->row_count; row++) {
            struct value several = column_first(marked, row), one = column_first(&old, row);
            if (several.type == VALUE_STRING
                    ? read_marked(value_slice(several), batch, field, row) < 0
                    : one.type != VALUE_NULL && column_add(batch, field, row, one) < 0)
                return -1;
        }
    }
    return 0;
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
    return spread_marked(batch) < 0 ? err_nomem(err) : 0;
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
    if (table_adopt(raw, table->batch) < 0)
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

static bool find_file(const struct table_backend *backend, struct slice name, char path[4096])
{
    static const char *const endings[] = {"", ".jsonl", ".json", ".csv"};
    if (!backend->dir || !know_is_file_name(name))
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

/* The file as one piece; its index is what its rows say, or main. */
static int pieces(void *context, struct arena *arena, struct search_piece **out, size_t *count,
                  struct err *err)
{
    struct table_backend *backend = context;
    const struct batch *batch;
    struct stat about;
    struct search_piece *piece = arena_calloc(arena, sizeof(*piece));
    *out = piece;
    *count = 1;
    if (!backend->file)
        return err_set(err, ERR_CONFIG, "name a file to search with --data");
    if (!piece || load(backend, backend->file, &batch, err) < 0)
        return piece ? -1 : err_nomem(err);
    struct value index = batch->row_count ? batch_first(batch, 0, FIELD_STREAM) : value_null();
    *piece = (struct search_piece){.index = index.type == VALUE_NULL ? SLICE("main")
                                                                      : value_text(index, arena),
                                   .path = slice_text(backend->file),
                                   .state = "warm",
                                   .rows = batch->row_count,
                                   .from_ns = INT64_MAX,
                                   .to_ns = INT64_MIN};
    if (stat(backend->file, &about) == 0)
        piece->bytes = piece->raw_bytes = (uint64_t)about.st_size;
    const struct column *times = batch_find(batch, FIELD_TIMESTAMP);
    for (uint32_t i = 0; times && i < times->count; i++) {
        struct value v = times->values[i];
        if (v.type == VALUE_TIME && v.i64 < piece->from_ns)
            piece->from_ns = v.i64;
        if (v.type == VALUE_TIME && v.i64 > piece->to_ns)
            piece->to_ns = v.i64;
    }
    return 0;
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
    backend->backend = (struct search_backend){.open = open_events,
                                               .open_table = open_table,
                                               .context = backend,
                                               .pieces = pieces,
                                               .files = &backend->files};
    if (dir && search_files_find(dir, arena, &backend->files, err) < 0) {
        table_backend_free(backend);
        *out = NULL;
        return -1;
    }
    return 0;
}

int table_write(void *context, struct slice name, struct slice csv, struct err *err)
{
    const char *dir = context;
    char path[4400];
    if (!know_is_file_name(name))
        return err_set(err, ERR_CONFIG, "a lookup table has the name of a file, without a path");
    snprintf(path, sizeof(path), "%.4000s/%.*s", dir, SLICE_ARG(name));
    return io_make_dirs(io_real(), dir, err) < 0 ? -1 : io_replace_file(io_real(), path, csv, err);
}

void table_backend_free(struct table_backend *backend)
{
    if (!backend)
        return;
    for (struct table *table = backend->tables; table; table = table->next)
        arena_free(table->text);
    arena_free(backend->arena);
}

void table_backend_set_states(struct table_backend *backend, const struct search_states *states)
{
    backend->files.states = states;
}

const struct search_backend *table_backend_get(const struct table_backend *backend)
{
    return &backend->backend;
}

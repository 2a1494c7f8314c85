/*
 * collect: rows become events of a stream, through the ordinary intake: the journal has them before the
 * search says that it is done. They are JSON, with the row's fields under their own names; what only the
 * store gives (hinomi.*, event.id, event.ingested) is given anew.
 */
#include "base/json.h"
#include "base/limits.h"
#include "event/schema.h"
#include "search/commands/sub_rows.h"
#include "search/rows.h"

#include <ctype.h>
#include <stdio.h>

struct collect_args {
    struct slice stream, source, sourcetype, host, marker, file, format;
    bool test, add_time, accepted;
};

static const struct command_option options[] = {
    {.name = "index", OPTION_TEXT, offsetof(struct collect_args, stream), "the stream"},
    {.name = "source", OPTION_TEXT, offsetof(struct collect_args, source), "source of the events"},
    {.name = "sourcetype", OPTION_TEXT, offsetof(struct collect_args, sourcetype), "sourcetype", .standard = "stash"},
    {.name = "host", OPTION_TEXT, offsetof(struct collect_args, host), "host of the events"},
    {.name = "marker", OPTION_TEXT, offsetof(struct collect_args, marker),
     "fields that each event gets: \"report=daily, owner=bob\""},
    {.name = "testmode", OPTION_BOOL, offsetof(struct collect_args, test), "only shows the rows"},
    {.name = "addtime", OPTION_BOOL, offsetof(struct collect_args, add_time),
     "rows without a time get the start of the search's range", .standard = "t"},
    {.name = "file", OPTION_TEXT, offsetof(struct collect_args, file), "accepted"},
    {.name = "spool", OPTION_BOOL, offsetof(struct collect_args, accepted), "accepted"},
    {.name = "output_format", OPTION_TEXT, offsetof(struct collect_args, format), "accepted: events are JSON"},
    {.name = "run_in_preview", OPTION_BOOL, offsetof(struct collect_args, accepted),
     "accepted: an answer that is not whole is never written"},
};

/* Streams of the program's own are not for searches to write. */
static bool is_stream(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!islower((unsigned char)name.ptr[i]) && !isdigit((unsigned char)name.ptr[i]) &&
            name.ptr[i] != '_' && name.ptr[i] != '-')
            return false;
    return name.len > 0 && name.len <= 64 && name.ptr[0] != '_' && !slice_is(name, "gate") &&
           !slice_is(name, "findings") && !slice_starts(name, SLICE("hinomi"));
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct collect_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->add_time = true;
    args->sourcetype = SLICE("stash");
    struct spl_token at = p->token;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (!args->stream.ptr && spl_is_field(p)) { /* collect summary */
        args->stream = p->token.text;
        if (spl_advance(p) < 0 || spl_take_options(p, args) < 0)
            return -1;
    }
    if (!is_stream(args->stream)) {
        p->token = at;
        return spl_fail(p, "collect needs index=NAME: small letters, digits, _ and -, no _ in front, and "
                           "not a stream of the program's own (gate, findings)");
    }
    return spl_expect_end(p);
}

/* ---- a row as an event ---- */

static bool is_given_anew(struct slice name)
{
    return slice_starts(name, SLICE("hinomi.")) || slice_equal(name, FIELD_TIMESTAMP) ||
           slice_equal(name, FIELD_ORIGINAL) || slice_equal(name, FIELD_INGESTED) ||
           slice_equal(name, FIELD_EVENT_ID) || slice_equal(name, FIELD_PATH) || slice_is(name, "source");
}

static void put_value(struct json *json, struct value v)
{
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, small);
    if (v.type == VALUE_I64 || v.type == VALUE_DECIMAL)
        json_raw(json, text);
    else
        json_text(json, text);
}

static void put_column(struct json *json, const struct column *column, uint32_t row)
{
    uint32_t first, count = column_range(column, row, &first);
    if (!count)
        return;
    json_key_slice(json, column->name);
    if (count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        put_value(json, column_value(column, first + i));
    if (count > 1)
        json_close(json, ']');
}

static void put_time(struct stage *op, struct json *json, const struct batch *rows, uint32_t row)
{
    const struct collect_args *args = op->command->args;
    const struct column *times = batch_find(rows, FIELD_TIMESTAMP);
    struct value v = times ? column_first(times, row) : value_null();
    if (v.type == VALUE_TIME)
        json_put_time(json, "@timestamp", v.i64);
    else if (args->add_time)
        json_put_time(json, "@timestamp",
                      op->run->from_ns > INT64_MIN ? op->run->from_ns : op->run->scope.now_ns);
}

/* "a=1, b=2" */
static void put_marker(struct json *json, struct slice marker)
{
    struct slice pair, name, value;
    while (slice_next_part(&marker, ',', &pair))
        if (slice_cut(pair, '=', &name, &value)) {
            json_key_slice(json, slice_trim(name));
            json_text(json, slice_trim(value));
        }
}

static void put_row(struct stage *op, const struct batch *rows, uint32_t row, struct buffer *to)
{
    const struct collect_args *args = op->command->args;
    const struct column *raw = batch_find(rows, FIELD_ORIGINAL);
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    put_time(op, &json, rows, row);
    json_put_text(&json, "event.dataset", args->sourcetype);
    if (args->host.ptr)
        json_put_text(&json, "host.name", args->host);
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = rows->columns[c]->name;
        if (!is_given_anew(name) && !slice_equal(name, FIELD_DATASET) &&
            !(args->host.ptr && slice_equal(name, FIELD_HOST)))
            put_column(&json, rows->columns[c], row);
    }
    if (raw && !batch_find(rows, FIELD_MESSAGE)) {
        struct value v = column_first(raw, row);
        if (v.type == VALUE_STRING)
            json_put_text(&json, "message", value_slice(v));
    }
    put_marker(&json, args->marker);
    json_close(&json, '}');
    buffer_put_char(to, '\n');
}

static int send(struct stage *op, struct buffer *body, uint32_t *count, struct err *err)
{
    const struct collect_args *args = op->command->args;
    const struct search_writer *writer = op->run->options->writer;
    struct slice source = args->source.ptr ? args->source : SLICE("collect");
    if (buffer_failed(body))
        return err_set(err, ERR_LIMIT, "a row is larger than an event may be, %zu MiB",
                       (size_t)EVENT_BYTES_MAX / MIB);
    int result = *count ? writer->collect(writer->context, args->stream, source,
                                          buffer_slice(body), *count, err)
                        : 0;
    buffer_clear(body);
    *count = 0;
    return result;
}

static int send_all(struct stage *op, const struct batch *rows, struct err *err)
{
    struct buffer body;
    uint32_t count = 0;
    int result = 0;
    buffer_init(&body, 2 * BATCH_BYTES_MAX);
    for (uint32_t row = 0; result == 0 && row < rows->row_count; row++) {
        put_row(op, rows, row, &body);
        if (++count == BATCH_ROWS_MAX || body.len > BATCH_BYTES_MAX - EVENT_BYTES_MAX)
            result = send(op, &body, &count, err);
    }
    if (result == 0)
        result = send(op, &body, &count, err);
    buffer_close(&body);
    return result;
}

static int finish(struct stage *op, struct err *err)
{
    const struct collect_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    if (args->test)
        run_message(op->run, "testmode", op->command, false,
                    "%u rows would become events of the stream %.*s; testmode writes nothing",
                    frame_count(&frame), SLICE_ARG(args->stream));
    else if (!op->run->preview && send_all(op, frame.batch, err) < 0)
        return err_within(err, "rows for the stream %.*s", SLICE_ARG(args->stream));
    return hold_emit(op, &frame, err);
}

/* ---- its own rows must not come back ---- */

struct naming {
    struct run *run;
    struct slice stream;
    bool named, reads; /* some stream is named; this one is */
};

static void look(struct naming *naming, const struct expr *expr, bool negated)
{
    if (!expr)
        return;
    if (expr->kind == EXPR_TEST && slice_equal(expr->field, FIELD_STREAM)) {
        bool meant = expr_test_value(&expr->test, value_string(naming->stream), &naming->run->scope);
        naming->named |= !negated || meant;
        naming->reads |= !negated && meant && expr->test.kind != TEST_EXISTS;
    }
    for (size_t i = 0; i < expr->arg_count; i++)
        look(naming, expr->args[i], negated ^ (expr->kind == EXPR_NOT));
}

static int check_loop(struct run *run, const struct spl_command *command, struct err *err)
{
    const struct collect_args *args = command->args;
    const struct spl_command *first = run->query->commands;
    struct naming naming = {.run = run, .stream = args->stream};
    for (; first->descriptor == &command_search; first = first->next)
        look(&naming, ((const struct spl_search *)first->args)->expr, false);
    if (naming.reads)
        return err_set(err, ERR_CONFIG, "the search reads the stream %.*s, which collect writes: its own rows "
                                        "would come back; leave index=%.*s out of it", SLICE_ARG(args->stream),
                       SLICE_ARG(args->stream));
    if (!naming.named && run->query->commands->descriptor == &command_search)
        run_message(run, "collect-loop", command, false,
                    "the search names no stream, so it reads %.*s as well, and the next time its own rows; say "
                    "index=... or index!=%.*s", SLICE_ARG(args->stream), SLICE_ARG(args->stream));
    return 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct collect_args *args = command->args;
    const struct search_writer *writer = run->options->writer;
    if (run_has_place(run) && !args->test && (!writer || !writer->collect))
        return err_set(err, ERR_DENIED, "collect may not write here: it needs the role analyst, or a data "
                                        "folder (--dir); testmode=t only shows");
    if (check_loop(run, command, err) < 0)
        return -1;
    return stage_hold(run, op, 0, finish, err);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

const struct command command_collect = {
    .name = "collect",
    .alias = "stash",
    .summary = "rows become events of a stream: collect index=summary source=daily",
    .flags = COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
    .syntax = "collect index=STREAM [options]",
    .notes = "A search that reads the stream that it writes is refused.",
};

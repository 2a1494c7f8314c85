/* metadata: hosts, sources or sourcetypes with how many events each has, and from when to when. */
#include "event/schema.h"
#include "search/commands/stored.h"
#include "search/group.h"

struct metadata_args {
    struct slice type, index, server, data_type;
    struct field_list indexes;
    struct slice fields[2]; /* the second where the first is missing */
};

#define AT(f) offsetof(struct metadata_args, f)
static const struct command_option options[] = {
    {.name = "type", OPTION_TEXT, AT(type), "hosts, sources or sourcetypes"},
    {.name = "index", OPTION_TEXT, AT(index), "stars are allowed; several times for several"},
    {.name = "splunk_server", OPTION_TEXT, AT(server), "accepted"},
    {.name = "datatype", OPTION_TEXT, AT(data_type), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct metadata_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (stored_take_options(p, args, &args->index, &args->indexes, false) < 0)
        return -1;
    if (slice_is_nocase(args->type, "hosts"))
        args->fields[0] = FIELD_HOST;
    else if (slice_is_nocase(args->type, "sourcetypes"))
        args->fields[0] = FIELD_DATASET;
    else if (slice_is_nocase(args->type, "sources"))
        args->fields[0] = FIELD_PATH;
    else
        return spl_fail(p, "metadata needs type=hosts, type=sources or type=sourcetypes");
    args->fields[1] = slice_equal(args->fields[0], FIELD_PATH) ? FIELD_SOURCE : args->fields[0];
    return spl_expect_end(p);
}

struct found {
    uint64_t count;
    int64_t first, last, recent;
};

struct counting {
    struct stage *op;
    struct intern names;
    struct found *list;
    uint32_t room;
};

static struct found *find(struct counting *c, struct value name)
{
    struct arena *arena = c->op->run->arena;
    uint32_t id = intern_value(&c->names, arena, name);
    if (id == GROUP_NONE)
        return NULL;
    if (id >= c->room) {
        uint32_t room = grown_room(c->room > id ? c->room : id);
        c->list = grown_array(arena, c->list, c->room * sizeof(*c->list), room * sizeof(*c->list));
        if (!c->list)
            return NULL;
        for (; c->room < room; c->room++)
            c->list[c->room] = (struct found){0, INT64_MAX, INT64_MIN, INT64_MIN};
    }
    return &c->list[id];
}

static int visit(void *context, const struct frame *frame, struct err *err)
{
    struct counting *c = context;
    const struct metadata_args *args = c->op->command->args;
    const struct column *columns[3] = {batch_find(frame->batch, args->fields[0]),
                                       batch_find(frame->batch, args->fields[1]),
                                       batch_find(frame->batch, SLICE("source"))};
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    const struct column *ingested = batch_find(frame->batch, FIELD_INGESTED);
    bool source = !slice_equal(args->fields[0], args->fields[1]);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value name = value_null();
        for (int i = 0; i < (source ? 3 : 1) && name.type == VALUE_NULL; i++)
            name = columns[i] ? column_first(columns[i], row) : value_null();
        struct found *found = name.type == VALUE_NULL ? NULL : find(c, name);
        int64_t ns;
        if (name.type == VALUE_NULL)
            continue;
        if (!found)
            return run_nomem(c->op->run, err);
        found->count++;
        if (times && rows_time(column_first(times, row), &ns)) {
            found->first = ns < found->first ? ns : found->first;
            found->last = ns > found->last ? ns : found->last;
        }
        if (ingested && rows_time(column_first(ingested, row), &ns) && ns > found->recent)
            found->recent = ns;
    }
    return 0;
}

static int put_time(struct batch *out, uint32_t row, const char *name, int64_t ns)
{
    bool none = ns == INT64_MAX || ns == INT64_MIN;
    return none ? 0 : batch_put(out, row, slice_text(name), value_i64(ns / NS_PER_SECOND));
}

static int finish(struct stage *op, struct err *err)
{
    const struct metadata_args *args = op->command->args;
    struct slice columns[] = {args->fields[0], args->fields[1], FIELD_TIMESTAMP, FIELD_INGESTED,
                              SLICE("source")};
    struct stored_scan scan = {.columns = columns,
                               .column_count = ARRAY_COUNT(columns),
                               .indexes = &args->indexes};
    struct counting c = {.op = op};
    struct batch *out = frame_batch_new(op->run->arena, 0);
    struct slice kind = spl_field_alias(slice_sub(args->type, 0, args->type.len - 1));
    if (!out)
        return run_nomem(op->run, err);
    if (stored_rows(op->run, &scan, visit, &c, err) < 0)
        return -1;
    for (uint32_t i = 0; i < c.names.count; i++) {
        const struct found *f = &c.list[i];
        int64_t recent = f->recent == INT64_MIN ? f->last : f->recent;
        uint32_t row = out->row_count++;
        if (put_time(out, row, "firstTime", f->first) < 0 ||
            batch_put(out, row, kind, c.names.values[i]) < 0 ||
            put_time(out, row, "lastTime", f->last) < 0 ||
            put_time(out, row, "recentTime", recent) < 0 ||
            batch_put(out, row, SLICE("totalCount"), value_i64((int64_t)f->count)) < 0 ||
            batch_put(out, row, SLICE("type"), value_string(args->type)) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_metadata = {
    .name = "metadata",
    .syntax = "metadata type=hosts|sources|sourcetypes [options]",
    .summary = "hosts, sources or sourcetypes with their counts and times: metadata type=hosts",
    .flags = COMMAND_GENERATES | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};

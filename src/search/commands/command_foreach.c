/* foreach: an eval for each of some fields, or for each member of one, with <<FIELD>> and its kin
 * replaced. */
#include "search/commands/foreach_text.h"
#include "search/json_path.h"
#include "search/parser.h"
#include "search/rows.h"
#include "search/stage.h"

struct foreach_args {
    struct field_list fields;
    struct slice body; /* text between the brackets */
    struct slice mode;
    struct foreach_marks marks;
};

static const char *const modes[] = {"multifield", "multivalue", "json_array", "auto_collections", NULL};

#define MARK(member) OPTION_TEXT, offsetof(struct foreach_args, marks.member)
static const struct command_option options[] = {
    {.name = "mode",
     OPTION_TEXT,
     offsetof(struct foreach_args, mode),
     "for each field, or for each member of one field",
     .standard = "multifield",
     .words = modes},
    {.name = "fieldstr", MARK(field), "stands for the field", .standard = "<<FIELD>>"},
    {.name = "matchstr", MARK(string), "what the first * is", .standard = "<<MATCHSTR>>"},
    {.name = "matchseg1", MARK(segments[0]), "what the first * is", .standard = "<<MATCHSEG1>>"},
    {.name = "matchseg2", MARK(segments[1]), "what the second * is", .standard = "<<MATCHSEG2>>"},
    {.name = "matchseg3", MARK(segments[2]), "what the third * is", .standard = "<<MATCHSEG3>>"},
    {.name = "itemstr", MARK(item), "stands for the member", .standard = "<<ITEM>>"},
    {.name = "iterstr", MARK(iter), "the member's number, from 0", .standard = "<<ITER>>"},
};
#undef MARK

static bool is_mode(const struct foreach_args *args, const char *mode)
{
    return args->mode.ptr && slice_is_nocase(args->mode, mode);
}

static bool takes_members(const struct foreach_args *args)
{
    return args->mode.ptr && !is_mode(args, "multifield");
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct foreach_args *args = command_args(p, command, sizeof(*args));
    struct slice *names = NULL;
    if (!args)
        return -1;
    args->marks = (struct foreach_marks){
        .field = SLICE("<<FIELD>>"),
        .string = SLICE("<<MATCHSTR>>"),
        .segments = {SLICE("<<MATCHSEG1>>"), SLICE("<<MATCHSEG2>>"), SLICE("<<MATCHSEG3>>")},
        .item = SLICE("<<ITEM>>"),
        .iter = SLICE("<<ITER>>"),
    };
    while (p->token.kind != SPL_SUBSEARCH) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (p->token.kind == SPL_END)
            return spl_fail(p, "foreach needs its evals in [ ]");
        names = spl_grow(p->arena, names, args->fields.count, sizeof(*names));
        if (!names)
            return err_nomem(p->err);
        if (spl_take_field(p, &names[args->fields.count]) < 0)
            return -1;
        args->fields.count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    args->fields.names = names;
    if (takes_members(args) && args->fields.count != 1)
        return spl_fail(p, "foreach goes through the members of one field");
    args->body = p->token.text;
    if (spl_advance(p) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

struct member {
    struct slice name;
    uint32_t iter;       /* of members whose number stands in the evals */
    struct stage *first; /* the evals for this field, ending in catch */
    struct member *next;
};

struct foreach {
    struct member *members;
};

static int catch_frame(struct stage *op, struct frame *frame, struct err *err)
{
    (void)err;
    *(struct frame *)op->state = *frame;
    return 0;
}

/* Operators for one field's evals, made when the field is first seen. */
static int make_member(struct stage *op, const struct foreach_at *at, struct member **out,
                       struct err *err)
{
    const struct foreach_args *args = op->command->args;
    struct run *run = op->run;
    struct foreach *f = op->state;
    struct member *member = arena_calloc(run->arena, sizeof(*member));
    struct slice text = foreach_filled(args->body, &args->marks, at, run->arena);
    struct spl_query outer = {.text = text};
    struct spl_parser p = {
        .text = text, .end = text.len, .arena = run->arena, .err = err, .query = &outer};
    const struct spl_query *query;
    if (!member || !text.ptr)
        return run_nomem(run, err);
    if (spl_parse_part(&p, 0, text.len, PART_PIPELINE, &query) < 0)
        return err_within(err, "foreach %.*s", SLICE_ARG(at->name));
    struct stage *all = arena_array(run->arena, query->command_count + 1, sizeof(*all));
    if (!all)
        return run_nomem(run, err);
    size_t count = 0;
    for (const struct spl_command *c = query->commands; c; c = c->next, count++) {
        all[count].run = run;
        all[count].command = c;
        all[count].next = &all[count + 1];
        all[count].push = c->descriptor->push;
        if ((!all[count].push && !c->descriptor->make) ||
            (c->descriptor->make && c->descriptor->make(run, c, &all[count], err) < 0) ||
            all[count].finish)
            return err_set(err, ERR_CONFIG, "foreach takes commands that work row by row, as eval");
    }
    all[count] = (struct stage){.push = catch_frame, .run = run};
    member->name = arena_copy(run->arena, at->name);
    member->iter = at->iter;
    member->first = all;
    member->next = f->members;
    f->members = member;
    *out = member;
    return member->name.ptr ? 0 : run_nomem(run, err);
}

static int apply(struct stage *op, struct frame *frame, const struct foreach_at *at, struct err *err)
{
    const struct foreach *f = op->state;
    struct member *member = f->members;
    while (member && (member->iter != at->iter || !slice_equal(member->name, at->name)))
        member = member->next;
    if (!member && make_member(op, at, &member, err) < 0)
        return -1;
    struct stage *last = member->first;
    while (last->next)
        last = last->next;
    struct frame caught = *frame;
    last->state = &caught;
    if (member->first->push(member->first, frame, err) < 0)
        return -1;
    *frame = caught;
    return 0;
}

static int push_fields(struct stage *op, struct frame *frame, struct err *err)
{
    const struct foreach_args *args = op->command->args;
    for (size_t i = 0; i < args->fields.count; i++) {
        struct foreach_at at = {.pattern = args->fields.names[i], .name = args->fields.names[i]};
        if (slice_find_char(at.pattern, '*') < 0) {
            if (apply(op, frame, &at, err) < 0)
                return -1;
            continue;
        }
        uint32_t count = frame->batch->column_count;
        struct slice *names = arena_array(frame->batch->arena, count + 1U, sizeof(*names));
        if (!names)
            return run_nomem(op->run, err);
        for (uint32_t c = 0; c < count; c++)
            names[c] = frame->batch->columns[c]->name;
        for (uint32_t c = 0; c < count; c++) {
            at.name = names[c];
            if (slice_matches_stars(at.name, at.pattern) && at.name.ptr[0] != '@' &&
                apply(op, frame, &at, err) < 0)
                return -1;
        }
    }
    return stage_push(op, frame, err);
}

/* ---- the members of one field ---- */

static bool is_empty_array(struct slice text)
{
    text = slice_trim(text);
    return text.len > 1 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']' &&
           !slice_trim(slice_sub(text, 1, text.len - 2)).len;
}

/* The elements of JSON arrays as several values; with otherwise, a value that is no array is itself. */
static struct column *json_members(struct frame *frame, const struct column *from, bool otherwise)
{
    struct column *to = frame_column(frame, from->name);
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t first, count = column_range(from, row, &first);
        uint32_t before = to->count;
        struct slice text = count == 1 ? rows_text(column_value(from, first), frame->batch->arena)
                                       : SLICE_NONE;
        if (text.ptr && slice_starts(slice_trim(text), SLICE("[")) &&
            json_path_put(text, SLICE("{}"), frame, to, row) < 0)
            return NULL;
        bool none = text.ptr && is_empty_array(text);
        for (uint32_t k = 0; otherwise && !none && to->count == before && k < count; k++)
            if (column_add(frame->batch, to, row, column_value(from, first + k)) < 0)
                return NULL;
    }
    return to;
}

/* The rows that have a member k: their bits, and the members as a field. False: no row has one. */
static bool members_at(struct frame *frame, const struct column *members, uint32_t k, uint64_t *rows,
                       struct column *item, bool *failed)
{
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t first, count = column_range(members, row, &first);
        if (k >= count)
            continue;
        bits_set(rows, row);
        if (column_add(frame->batch, item, row, column_value(members, first + k)) < 0)
            *failed = true;
    }
    return item->count > 0;
}

/* What rows without a member k had in a field before the evals. */
static int put_back(struct frame *frame, const struct column *old, const struct column *now,
                    const uint64_t *rows)
{
    struct column *to = frame_column(frame, old ? old->name : now->name);
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        const struct column *from = bits_get(rows, row) ? now : old;
        uint32_t first, count = from ? column_range(from, row, &first) : 0;
        for (uint32_t i = 0; i < count; i++)
            if (column_add(frame->batch, to, row, column_value(from, first + i)) < 0)
                return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

/* The evals on the rows that have a member k; the others stay as they are. */
static int apply_to(struct stage *op, struct frame *frame, uint64_t *rows, const struct foreach_at *at,
                    struct err *err)
{
    struct batch *batch = frame->batch;
    uint32_t count = batch->column_count;
    uint64_t *others = frame->selected;
    struct column **old = arena_array(batch->arena, count + 1U, sizeof(struct column *));
    if (!old)
        return run_nomem(op->run, err);
    memcpy(old, batch->columns, count * sizeof(struct column *));
    for (size_t word = 0; word < bits_words(batch->row_count); word++)
        others[word] &= ~rows[word];
    bool all = !bits_any(others, batch->row_count);
    uint64_t *now = arena_calloc(batch->arena, bits_words(batch->row_count) * 8 + 8);
    if (!now)
        return run_nomem(op->run, err);
    memcpy(now, rows, bits_words(batch->row_count) * 8);
    frame->selected = now;
    if (apply(op, frame, at, err) < 0)
        return -1;
    for (uint32_t c = 0; !all && c < count; c++) {
        const struct column *column = batch_find(frame->batch, old[c]->name);
        if (column != old[c] && put_back(frame, old[c], column, rows) < 0)
            return run_nomem(op->run, err);
    }
    for (size_t word = 0; word < bits_words(batch->row_count); word++)
        frame->selected[word] |= others[word];
    return 0;
}

static int push_members(struct stage *op, struct frame *frame, struct err *err)
{
    const struct foreach_args *args = op->command->args;
    struct slice name = args->fields.names[0];
    const struct column *from = batch_find(frame->batch, name), *members = from;
    struct foreach_at at = {.pattern = name, .name = name, .items = true};
    bool numbered = slice_find(args->body, args->marks.iter) >= 0;
    if (from && !is_mode(args, "multivalue"))
        members = json_members(frame, from, is_mode(args, "auto_collections"));
    if (from && !members)
        return run_nomem(op->run, err);
    size_t size = bits_words(frame->batch->row_count) * 8 + 8;
    uint64_t *selected = arena_alloc(frame->batch->arena, size);
    if (!selected)
        return run_nomem(op->run, err);
    memcpy(selected, frame->selected, size - 8); /* ours to change */
    frame->selected = selected;
    for (uint32_t k = 0; members; k++) {
        uint64_t *rows = arena_calloc(frame->batch->arena, size);
        struct column *item = frame_column(frame, SLICE(FOREACH_ITEM));
        bool failed = false;
        if (!rows || !item)
            return run_nomem(op->run, err);
        bool some = members_at(frame, members, k, rows, item, &failed);
        if (failed || (some && frame_put(frame, item) < 0))
            return run_nomem(op->run, err);
        if (!some)
            break;
        at.iter = numbered ? k : 0;
        if (apply_to(op, frame, rows, &at, err) < 0)
            return -1;
    }
    frame_drop(frame, SLICE(FOREACH_ITEM));
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct foreach_args *args = command->args;
    op->push = takes_members(args) ? push_members : push_fields;
    op->state = arena_calloc(run->arena, sizeof(struct foreach));
    return op->state ? 0 : run_nomem(run, err);
}

const struct command command_foreach = {
    .name = "foreach",
    .summary = "an eval for each of some fields, or for each member of one",
    .syntax = "foreach [options] FIELD ... [eval <<FIELD>>=EXPRESSION]",
    .notes = "A member is a value: <<ITEM>> and \"<<ITEM>>\" are the same.",
    .flags = COMMAND_STREAMS | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};

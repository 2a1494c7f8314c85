/* foreach: an eval for each of some fields, with <<FIELD>> and its kin replaced. */
#include "search/parser.h"
#include "search/rows.h"
#include "search/stage.h"

struct foreach_args {
    struct field_list fields;
    struct slice body; /* text between the brackets */
    struct slice mode;
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct foreach_args *args = command_args(p, command, sizeof(*args));
    struct slice *names = NULL;
    if (!args)
        return -1;
    while (p->token.kind != SPL_SUBSEARCH) {
        if (spl_at_option(p)) {
            if (spl_advance(p) < 0 || spl_take_value(p, &args->mode) < 0)
                return -1;
            continue;
        }
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

/* The parts of name that the stars of pattern stand for. */
static struct slice star_part(struct slice pattern, struct slice name, int which)
{
    struct slice part = SLICE("");
    for (int seen = 0; pattern.len;) {
        ptrdiff_t star = slice_find_char(pattern, '*');
        if (star < 0)
            return seen >= which ? part : SLICE("");
        name = slice_from(name, (size_t)star);
        pattern = slice_from(pattern, (size_t)star + 1);
        ptrdiff_t next = slice_find_char(pattern, '*');
        struct slice literal = next < 0 ? pattern : slice_sub(pattern, 0, (size_t)next);
        ptrdiff_t end = next < 0      ? (ptrdiff_t)(name.len - literal.len)
                        : literal.len ? slice_find(name, literal)
                                      : 0;
        part = slice_sub(name, 0, end < 0 ? 0 : (size_t)end);
        name = slice_from(name, part.len);
        if (++seen == which)
            return part;
    }
    return part;
}

static struct slice filled(struct slice body, struct slice pattern, struct slice name,
                           struct arena *arena)
{
    struct buffer to;
    buffer_init(&to, QUERY_BYTES_MAX);
    while (body.len) {
        static const char *const marks[] = {"<<FIELD>>", "<<MATCHSTR>>", "<<MATCHSEG1>>",
                                            "<<MATCHSEG2>>", "<<MATCHSEG3>>"};
        size_t len = 1;
        struct slice with = slice_sub(body, 0, 1);
        for (int i = 0; i < 5; i++) {
            if (!slice_starts(body, slice_text(marks[i])))
                continue;
            len = strlen(marks[i]);
            with = i == 0 ? name : star_part(pattern, name, i < 2 ? 1 : i - 1);
        }
        buffer_put(&to, with);
        body = slice_from(body, len);
    }
    struct slice copy = buffer_failed(&to) ? SLICE_NONE : arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    return copy;
}

struct member {
    struct slice name;
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
static int make_member(struct stage *op, struct slice pattern, struct slice name,
                       struct member **out, struct err *err)
{
    const struct foreach_args *args = op->command->args;
    struct run *run = op->run;
    struct foreach *f = op->state;
    struct member *member = arena_calloc(run->arena, sizeof(*member));
    struct slice text = filled(args->body, pattern, name, run->arena);
    struct spl_query outer = {.text = text};
    struct spl_parser p = {
        .text = text, .end = text.len, .arena = run->arena, .err = err, .query = &outer};
    const struct spl_query *query;
    if (!member || !text.ptr)
        return run_nomem(run, err);
    if (spl_parse_part(&p, 0, text.len, PART_PIPELINE, &query) < 0)
        return err_within(err, "foreach %.*s", SLICE_ARG(name));
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
    member->name = arena_copy(run->arena, name);
    member->first = all;
    member->next = f->members;
    f->members = member;
    *out = member;
    return member->name.ptr ? 0 : run_nomem(run, err);
}

static int apply(struct stage *op, struct frame *frame, struct slice pattern, struct slice name,
                 struct err *err)
{
    const struct foreach *f = op->state;
    struct member *member = f->members;
    while (member && !slice_equal(member->name, name))
        member = member->next;
    if (!member && make_member(op, pattern, name, &member, err) < 0)
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

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct foreach_args *args = op->command->args;
    for (size_t i = 0; i < args->fields.count; i++) {
        struct slice pattern = args->fields.names[i];
        if (slice_find_char(pattern, '*') < 0) {
            if (apply(op, frame, pattern, pattern, err) < 0)
                return -1;
            continue;
        }
        uint32_t count = frame->batch->column_count;
        struct slice *names = arena_array(frame->batch->arena, count + 1U, sizeof(*names));
        if (!names)
            return run_nomem(op->run, err);
        for (uint32_t c = 0; c < count; c++)
            names[c] = frame->batch->columns[c]->name;
        for (uint32_t c = 0; c < count; c++)
            if (slice_matches_stars(names[c], pattern) && names[c].ptr[0] != '@' &&
                apply(op, frame, pattern, names[c], err) < 0)
                return -1;
    }
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct foreach_args *args = command->args;
    op->push = push;
    op->state = arena_calloc(run->arena, sizeof(struct foreach));
    if (!op->state)
        return run_nomem(run, err);
    if (args->mode.ptr && !slice_is_nocase(args->mode, "multifield"))
        return err_set(err, ERR_CONFIG, "foreach knows mode=multifield only so far");
    return 0;
}

const struct command command_foreach = {
    .name = "foreach",
    .summary = "an eval for each of some fields",
    .syntax = "foreach FIELD ... [eval <<FIELD>>=EXPRESSION]",
    .flags = COMMAND_STREAMS | COMMAND_BRACKETS,
    .parse = parse,
    .make = make,
    .want = want,
};

/* regex: keeps rows by a regular expression. */
#include "event/schema.h"
#include "search/rows.h"
#include "search/stage.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct spl_search *args = command_args(p, command, sizeof(*args));
    struct slice field = FIELD_ORIGINAL;
    bool inverted = false;
    struct regex *regex;
    if (!args)
        return -1;
    if (!spl_is_field(p))
        return spl_fail(p, "here a regular expression is needed");
    struct spl_token token = p->token;
    if (spl_advance(p) < 0)
        return -1;
    if (spl_at_sign(p, "=") || spl_at_sign(p, "!=")) {
        inverted = p->token.text.ptr[0] == '!';
        field = spl_field_alias(token.text);
        if (spl_advance(p) < 0)
            return -1;
        if (!spl_is_field(p))
            return spl_fail(p, "here a regular expression is needed");
        token = p->token;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (regex_new_in(p->arena, token.text, 0, &regex, p->err) < 0) {
        if (p->err) {
            p->err->start = (int)token.start;
            p->err->end = (int)token.end;
        }
        return -1;
    }
    struct expr *test = expr_test_new(p->arena, field, TEST_REGEX, TEST_CASED, token.text);
    if (!test)
        return err_nomem(p->err);
    test->test.regex = regex;
    args->expr = inverted ? expr_not(p->arena, test) : test;
    return args->expr ? spl_expect_end(p) : err_nomem(p->err);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add_expr(wanted, ((const struct spl_search *)command->args)->expr);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct spl_search *args = op->command->args;
    if (run_filter(op->run, frame, args->expr, err) < 0)
        return -1;
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

const struct command command_regex = {
    .name = "regex",
    .summary = "keeps rows by a regular expression",
    .syntax = "regex [FIELD=|FIELD!=] \"EXPRESSION\"",
    .notes = "Without a field _raw is looked at.",
    .flags = COMMAND_STREAMS | COMMAND_SPREADS,
    .parse = parse,
    .want = want,
    .push = push,
};

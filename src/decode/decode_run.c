#include "decode/decode_run.h"

#include "base/mem.h"
#include "decode/condition.h"
#include "expr/function.h"

#include <stdarg.h>
#include <stdio.h>

#define SCRATCH_BYTES_MAX (16 * MIB)
#define SCRATCH_BYTES_KEPT (64 * KIB)

static bool bound_field(void *context, struct slice name, struct value_list *out);

int runner_init(struct runner *runner, const struct decoders *decoders)
{
    const struct fields *fields = &decoders->fields;
    *runner = (struct runner){.decoders = decoders};
    runner->json = json_cutter_new();
    runner->known = mem_calloc(fields->columns + 1U, sizeof(*runner->known));
    runner->temps = mem_calloc(fields->temps + 1U, sizeof(*runner->temps));
    runner->scratch = arena_new(SCRATCH_BYTES_MAX);
    if (runner->json && runner->known && runner->temps && runner->scratch)
        return 0;
    runner_close(runner);
    return -1;
}

void runner_close(struct runner *runner)
{
    json_cutter_free(runner->json);
    mem_free(runner->known);
    mem_free(runner->temps);
    arena_free(runner->scratch);
    *runner = (struct runner){0};
}

void runner_begin(struct runner *runner)
{
    uint32_t columns = runner->decoders->fields.columns;
    memset(runner->known, 0, columns * sizeof(*runner->known));
    runner->columns_seen = 0;
}

enum run_result run_fail(struct run *run, const struct step *step, const char *format, ...)
{
    if (run->quiet)
        return RUN_FAILED;
    char text[300];
    struct slice name = run->decoder ? run->decoder->name : SLICE("");
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err_set(run->err, ERR_INPUT, "decoder %.*s, line %d: %s", SLICE_ARG(name), step->line, text);
    return RUN_FAILED;
}

/* --- fields --- */

void run_learn_columns(struct run *run)
{
    struct runner *runner = run->runner;
    const struct fields *fields = &runner->decoders->fields;
    for (; runner->columns_seen < run->batch->column_count; runner->columns_seen++) {
        struct column *column = run->batch->columns[runner->columns_seen];
        uintptr_t number = (uintptr_t)map_find(&fields->by_name, column->name);
        if (number && fields->list[number - 1].kind == FIELD_COLUMN)
            runner->known[fields->list[number - 1].slot] = column;
    }
}

struct value_list run_get(struct run *run, uint32_t number)
{
    const struct field *field = run_field(run, number);
    if (field->kind == FIELD_TEXT) {
        run->text_value = value_string(run->text);
        return (struct value_list){&run->text_value, 1};
    }
    if (field->kind == FIELD_TEMP) {
        const struct value *temp = &run->runner->temps[field->slot];
        return (struct value_list){temp, temp->type != VALUE_NULL};
    }
    const struct column *column = run_column(run, field);
    uint32_t first = column ? column->count : 0;
    while (column && first && column->rows[first - 1] == run->row)
        first--;
    return column ? (struct value_list){column->values + first, column->count - first}
                  : (struct value_list){0};
}

struct slice run_text(struct run *run, uint32_t field)
{
    struct value_list list = run_get(run, field);
    if (!list.count || list.values[0].type == VALUE_NULL)
        return SLICE_NONE;
    if (list.values[0].type == VALUE_STRING)
        return value_slice(list.values[0]);
    struct slice text = value_text(list.values[0], run->batch->arena);
    run->out_of_memory |= !text.ptr;
    return text;
}

void run_put(struct run *run, uint32_t number, struct value v, bool replace)
{
    const struct field *field = run_field(run, number);
    if (field->kind == FIELD_TEXT ||
        (v.type == VALUE_NULL && (replace || field->kind == FIELD_TEMP)))
        return;
    if (field->kind == FIELD_TEMP) {
        run->runner->temps[field->slot] = v;
        run->runner->temps_used = true;
        return;
    }
    struct column *column = run_column(run, field);
    if (!column) {
        column = batch_column(run->batch, field->name);
        if (!column) {
            run->left = true;
            return;
        }
    }
    if (replace)
        column_drop_last(column, run->row);
    else if (column->count >= FIELD_VALUES_MAX &&
             column->rows[column->count - FIELD_VALUES_MAX] == run->row) {
        run->left = true;
        return;
    }
    if (column_add(run->batch, column, run->row, v) < 0)
        run->out_of_memory = true;
}

void run_drop(struct run *run, uint32_t number)
{
    const struct field *field = run_field(run, number);
    struct column *column = field->kind == FIELD_COLUMN ? run_column(run, field) : NULL;
    if (column)
        column_drop_last(column, run->row);
    else if (field->kind == FIELD_TEMP)
        run->runner->temps[field->slot] = value_null();
}

/* --- conditions --- */

static bool bound_field(void *context, struct slice name, struct value_list *out)
{
    struct run *run = context;
    if (!name.len || name.ptr[0] != '_')
        return false;
    uintptr_t number = (uintptr_t)map_find(&run->runner->decoders->fields.by_name, name);
    *out = number ? run_get(run, (uint32_t)number - 1) : (struct value_list){0};
    return true;
}

static enum truth ask_expr(struct run *run, const struct expr *expr)
{
    struct runner *runner = run->runner;
    struct value_list list = {0};
    if (arena_used(runner->scratch) > SCRATCH_BYTES_KEPT)
        arena_reset(runner->scratch);
    runner->scope.scratch = runner->scratch;
    runner->scope.now_ns = run->received_ns;
    runner->scope.zone = run->zone;
    runner->scope.bound = bound_field;
    runner->scope.bound_context = run;
    if (expr_eval(expr, &runner->scope, run->batch, run->row, &list, run->err) < 0) {
        run->out_of_memory = true;
        return TRUTH_NULL;
    }
    return value_truth(&list);
}

static bool is_missing(const struct value_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->values[i].type != VALUE_NULL)
            return false;
    return true;
}

/* Other values than texts are compared as expr/expr does. */
static enum truth ask_equal(struct run *run, const struct condition *condition, const struct value_list *list)
{
    bool equal = false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct value v = list->values[i];
        if (v.type != VALUE_STRING && v.type != VALUE_NULL)
            return ask_expr(run, condition->expr);
        equal |= v.type == VALUE_STRING && slice_equal_short(value_slice(v), condition->text);
    }
    return equal == (condition->kind == CONDITION_EQUAL) ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth ask(struct run *run, const struct condition *condition);

/* Three-valued: one FALSE of all decides, or one TRUE of any; else a NULL does. */
static enum truth ask_parts(struct run *run, const struct condition *condition)
{
    enum truth decides = condition->kind == CONDITION_ALL ? TRUTH_FALSE : TRUTH_TRUE;
    enum truth result = condition->kind == CONDITION_ALL ? TRUTH_TRUE : TRUTH_FALSE;
    for (uint32_t i = 0; i < condition->part_count; i++) {
        enum truth one = ask(run, &condition->parts[i]);
        if (one == decides)
            return one;
        if (one == TRUTH_NULL)
            result = TRUTH_NULL;
    }
    return result;
}

static enum truth ask(struct run *run, const struct condition *condition)
{
    struct value_list list = {0};
    if (condition->field != UINT32_MAX)
        list = run_get(run, condition->field);
    bool missing = is_missing(&list);
    switch (condition->kind) {
    case CONDITION_ASK:
        return condition->field != UINT32_MAX && missing ? TRUTH_NULL : ask_expr(run, condition->expr);
    case CONDITION_ALL:
    case CONDITION_ANY:
        return ask_parts(run, condition);
    case CONDITION_NOT: {
        enum truth inner = ask(run, &condition->parts[0]);
        return inner == TRUTH_NULL ? inner : inner == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
    }
    case CONDITION_MISSING:
        return missing ? TRUTH_TRUE : TRUTH_FALSE;
    case CONDITION_THERE:
        return missing ? TRUTH_FALSE : TRUTH_TRUE;
    case CONDITION_EQUAL:
    case CONDITION_NOT_EQUAL:
        return missing ? TRUTH_NULL : ask_equal(run, condition, &list);
    }
    return TRUTH_NULL;
}

static bool holds(struct run *run, const struct condition *condition)
{
    return ask(run, condition) == TRUTH_TRUE;
}

/* --- the order of steps --- */

static enum run_result run_steps(struct run *run, const struct steps *steps);

static enum run_result run_choose(struct run *run, const struct step *step)
{
    struct slice key = run_text(run, step->from);
    const struct steps *found = key.ptr ? map_find(step->table, key) : NULL;
    return run_steps(run, found ? found : &step->other);
}

static enum run_result run_step(struct run *run, const struct step *step);

/* The first branch whose first step fits; later steps of it may fail as usual. */
static enum run_result run_first(struct run *run, const struct step *step)
{
    for (uint32_t i = 0; i < step->branch_count; i++) {
        const struct steps *branch = &step->branches[i];
        if (branch->count == 0)
            return RUN_OK;
        run->quiet++;
        enum run_result result = run_step(run, &branch->list[0]);
        run->quiet--;
        if (result == RUN_FAILED)
            continue;
        struct steps rest = {branch->list + 1, branch->count - 1};
        return result == RUN_OK ? run_steps(run, &rest) : result;
    }
    return run_steps(run, &step->other);
}

static enum text_kind kind_of(struct run *run, struct slice text)
{
    struct slice head = slice_trim(slice_sub(text, 0, 64));
    if (head.len && head.ptr[0] == '{') {
        run->tokens_of = SLICE_NONE;
        if (json_cutter_scan(run->runner->json, text, run->batch->arena, &run->tokens, run->err) == 0) {
            run->tokens_of = text;
            return TEXT_JSON;
        }
        return TEXT_PLAIN;
    }
    return slice_starts(head, SLICE("<Event")) || slice_starts(head, SLICE("<?xml")) ? TEXT_XML
                                                                                     : TEXT_PLAIN;
}

/* Another decoder's steps on a text, then back here; its end is not the end of ours. */
static enum run_result run_within(struct run *run, const struct decoder *decoder, struct slice text)
{
    const struct decoder *outer = run->decoder;
    struct slice outer_text = run->text;
    run->inner++;
    run->decoder = decoder;
    run->text = text;
    enum run_result result = run_steps(run, &decoder->steps);
    run->inner--;
    run->decoder = outer;
    run->text = outer_text;
    return result == RUN_STOP ? RUN_OK : result;
}

static enum run_result run_inner(struct run *run, const struct step *step)
{
    struct slice text = run_text(run, step->from);
    if (!text.len || run->inner == INNER_DEPTH_MAX)
        return RUN_OK;
    struct sighting sighting = {.text = text, .inner = true, .tokens = &run->tokens};
    sighting.program = run_text(run, step->to);
    sighting.kind = kind_of(run, text);
    const struct decoder *decoder = decoders_choose(run->runner->decoders, &sighting);
    if (!decoder || decoder == run->decoder)
        return RUN_OK;
    run->taker = decoder;
    return run_within(run, decoder, text);
}

static enum run_result run_chain(struct run *run, const struct step *step)
{
    const struct decoder *decoder = *step->chain;
    struct slice text = run_text(run, step->from);
    if (!decoder || !text.ptr || run->inner == INNER_DEPTH_MAX)
        return run_fail(run, step, "the text cannot go to another decoder");
    return run_within(run, decoder, text);
}

static enum run_result run_step(struct run *run, const struct step *step)
{
    if (step->when && step->kind != STEP_IF && !holds(run, step->when))
        return RUN_OK;
    switch (step->kind) {
    case STEP_JSON:
    case STEP_KV:
    case STEP_SYSLOG:
    case STEP_DISSECT:
    case STEP_REGEX:
    case STEP_CSV:
    case STEP_WINXML:
    case STEP_WINJSON:
        return run_cut_step(run, step);
    case STEP_IF:
        return run_steps(run, holds(run, step->when) ? &step->body : &step->other);
    case STEP_CHOOSE:
        return run_choose(run, step);
    case STEP_FIRST:
        return run_first(run, step);
    case STEP_INNER:
        return run_inner(run, step);
    case STEP_DECODER:
        return run_chain(run, step);
    case STEP_STOP:
        return RUN_STOP;
    case STEP_FAIL:
        return run_fail(run, step, "%.*s", SLICE_ARG(step->under));
    case STEP_RENAME:
    case STEP_COPY:
    case STEP_BASENAME:
    case STEP_DIRNAME:
    case STEP_SET:
    case STEP_DEFAULT:
    case STEP_CONVERT:
    case STEP_DATE:
    case STEP_LOOKUP:
    case STEP_SPLIT:
    case STEP_DROP:
    case STEP_APPEND:
        break;
    }
    return run_change_step(run, step);
}

/* Several defaults of one field stand one behind the other; mostly it has a value already. Returns the
 * last step that has nothing to do for that. */
static uint32_t skip_defaults(struct run *run, const struct steps *steps, uint32_t i)
{
    const struct step *first = &steps->list[i];
    if (!run_get(run, first->from).count)
        return i;
    while (i + 1 < steps->count && steps->list[i + 1].kind == STEP_DEFAULT &&
           steps->list[i + 1].from == first->from)
        i++;
    return i;
}

static enum run_result run_steps(struct run *run, const struct steps *steps)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        if (steps->list[i].kind == STEP_DEFAULT)
            i = skip_defaults(run, steps, i);
        const struct step *step = &steps->list[i];
        run->quiet += step->optional;
        bool plain = step->kind >= STEP_RENAME && !step->when; /* the most of them */
        enum run_result result = plain ? run_change_step(run, step) : run_step(run, step);
        run->quiet -= step->optional;
        if (result == RUN_STOP || (result == RUN_FAILED && !step->optional))
            return result;
        if (run->out_of_memory)
            return RUN_FAILED;
    }
    return RUN_OK;
}

enum run_result run_decoder(struct run *run, const struct decoder *decoder, struct slice text)
{
    run->taker = decoder;
    run->decoder = decoder;
    run->text = text;
    return run_steps(run, &decoder->steps);
}

/* The order of steps, and the steps that say which come next. */
#include "decode/verb.h"

#include "decode/decode_run.h"
#include "decode/step_trace.h"

struct branch {
    const struct condition *condition;
    struct steps body, other;
};

struct choice {
    struct map *cases; /* struct steps * */
    struct steps other;
};

struct attempts {
    struct steps *list;
    uint32_t count;
    struct steps other;
};

struct chained {
    const struct decoder *decoder;
};

/* --- compiling --- */

static int compile_if(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *then = yaml_get(node, "then"), *other = yaml_get(node, "else");
    struct branch *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_compile_condition(compiler, yaml_get(node, "if"), &data->condition) < 0 ||
        (then && verb_compile_steps(compiler, then, &data->body) < 0))
        return -1;
    return other ? verb_compile_steps(compiler, other, &data->other) : 0;
}

static int compile_choose(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *cases = yaml_get(node, "cases"), *other = yaml_get(node, "otherwise");
    struct choice *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (!cases || cases->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'cases' must be a mapping");
    data->cases = verb_new_map(compiler);
    if (!data->cases)
        return -1;
    for (size_t i = 0; i < cases->count; i++) {
        struct steps *steps = arena_calloc(compiler->arena, sizeof(*steps));
        if (!steps)
            return err_nomem(compiler->err);
        if (verb_compile_steps(compiler, cases->entries[i].value, steps) < 0 ||
            verb_put_keys(compiler, data->cases, cases->entries[i].key, steps) < 0)
            return -1;
    }
    if (other && verb_compile_steps(compiler, other, &data->other) < 0)
        return -1;
    return verb_option_field(compiler, node, "choose", NULL, &step->from);
}

static int compile_first(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *list = yaml_get(node, "first"), *other = yaml_get(node, "otherwise");
    struct attempts *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (!list || list->kind != YAML_SEQUENCE)
        return yaml_err(compiler->err, node, "'first' must be a list of step lists");
    data->list = arena_array(compiler->arena, list->count + 1, sizeof(*data->list));
    if (!data->list)
        return err_nomem(compiler->err);
    for (size_t i = 0; i < list->count; i++)
        if (verb_compile_steps(compiler, list->entries[i].value, &data->list[i]) < 0)
            return -1;
    data->count = (uint32_t)list->count;
    return other ? verb_compile_steps(compiler, other, &data->other) : 0;
}

/* The body's text is one value after the other. */
static int compile_each(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *body = yaml_get(node, "steps");
    struct steps *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_option_field(compiler, node, "each", NULL, &step->from) < 0)
        return -1;
    return body ? verb_compile_steps(compiler, body, data) : yaml_err(compiler->err, node, "'steps' is missing");
}

static int compile_inner(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    if (verb_option_field(compiler, node, "text", NULL, &step->from) < 0)
        return -1;
    return verb_option_field(compiler, node, "program", "process.name", &step->to);
}

static int compile_decoder(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice name = verb_scalar_or(node, "name");
    struct chained *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (!name.ptr)
        return yaml_err(compiler->err, node, "a decoder's name is wanted");
    struct named_ref *ref = verb_ref(compiler, name, step->line);
    if (!ref)
        return -1;
    ref->decoder = &data->decoder;
    return verb_from(compiler, node, step);
}

static int compile_fail(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    *data = yaml_text(node, SLICE_NONE);
    return data->ptr ? 0 : yaml_err(compiler->err, node, "'fail' wants a sentence");
}

/* --- running --- */

/* Its condition is asked here, so that a step that is left out is no step. */
static inline enum run_result run_step(struct run *run, const struct step *step)
{
    if (UNLIKELY(run->explain != NULL))
        return explain_step(run, step);
    if (step->when && !run_holds(run, step->when))
        return RUN_OK;
    run->steps_run++;
    return step->run(run, step);
}

static enum run_result run_if(struct run *run, const struct step *step)
{
    const struct branch *branch = step->data;
    return run_steps(run, run_holds(run, branch->condition) ? &branch->body : &branch->other);
}

static enum run_result run_choose(struct run *run, const struct step *step)
{
    const struct choice *choice = step->data;
    struct slice key = run_text(run, step->from);
    if (run->explain)
        explain_key(run, step, key);
    const struct steps *found = key.ptr ? map_find(choice->cases, key) : NULL;
    return run_steps(run, found ? found : &choice->other);
}

/* The first branch whose first step fits; later steps of it may fail as usual. */
static enum run_result run_first(struct run *run, const struct step *step)
{
    const struct attempts *attempts = step->data;
    for (uint32_t i = 0; i < attempts->count; i++) {
        const struct steps *branch = &attempts->list[i];
        if (branch->count == 0)
            return RUN_OK;
        run->quiet++;
        enum run_result result = run_step(run, &branch->list[0]);
        run->quiet--;
        if (result == RUN_FAILED)
            continue;
        struct steps rest = {branch->list + 1, branch->gates + 1, branch->count - 1};
        return result == RUN_OK ? run_steps(run, &rest) : result;
    }
    return run_steps(run, &attempts->other);
}

static enum run_result run_each(struct run *run, const struct step *step)
{
    uint32_t count = run_get(run, step->from).count;
    struct slice outer_text = run->text;
    enum run_result result = RUN_OK;
    for (uint32_t i = 0; i < count && result == RUN_OK; i++) {
        struct value_list list = run_get(run, step->from); /* what is added to a column may move it */
        if (i >= list.count || list.values[i].type == VALUE_NULL)
            continue;
        run->text = run_value_text(run, list.values[i]);
        result = run_steps(run, step->data);
    }
    run->text = outer_text;
    return result;
}

static enum text_kind kind_of(struct run *run, struct slice text)
{
    enum text_kind kind = text_kind_by_start(text);
    if (kind != TEXT_JSON)
        return kind;
    run->tokens_of = SLICE_NONE;
    if (json_cutter_scan(run->runner->json, text, run->batch->arena, &run->tokens, run->err) < 0)
        return TEXT_PLAIN;
    run->tokens_of = text;
    return TEXT_JSON;
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
    struct sighting sighting = {.sighter = &run->runner->sighter, .text = text, .source = run->source,
                                .inner = true, .tokens = &run->tokens};
    sighting.program = run_text(run, step->to);
    sighting.kind = kind_of(run, text);
    const struct decoder *decoder = decoders_choose(run->runner->decoders, &sighting);
    if (run->explain)
        explain_choice(run, &sighting, decoder);
    if (!decoder || decoder == run->decoder)
        return RUN_OK;
    run->taker = decoder;
    return run_within(run, decoder, text);
}

static enum run_result run_chain(struct run *run, const struct step *step)
{
    const struct chained *chained = step->data;
    const struct decoder *decoder = chained->decoder;
    struct slice text = run_text(run, step->from);
    if (!decoder || !text.ptr || run->inner == INNER_DEPTH_MAX)
        return run_fail(run, step, "the text cannot go to another decoder");
    return run_within(run, decoder, text);
}

static enum run_result run_stop(struct run *run, const struct step *step)
{
    (void)run;
    (void)step;
    return RUN_STOP;
}

static enum run_result run_fail_step(struct run *run, const struct step *step)
{
    const struct slice *why = step->data;
    return run_fail(run, step, "%.*s", SLICE_ARG(*why));
}

static inline bool has_row(const struct run *run, uint32_t field)
{
    const struct column *column = run->runner->known[field];
    return column && column_has_row(column, run->row);
}

/* Of a gate that is not the usual one. */
static bool is_open(const struct run *run, const struct gate *gate)
{
    const struct runner *runner = run->runner;
    if (gate->kind == GATE_TEMP)
        return runner->temps[gate->field].type != VALUE_NULL || runner->temp_lists[gate->field].count > 0;
    if (gate->kind == GATE_OPEN)
        return true;
    return !has_row(run, gate->field) && (gate->made_of == UINT32_MAX || has_row(run, gate->made_of));
}

/* The first step from i on that is not passed over. */
static inline uint32_t next_step(struct run *run, const struct steps *steps, uint32_t i)
{
    if (UNLIKELY(run->runner->columns_seen != run->batch->column_count))
        run_learn_columns(run);
    const struct gate *gates = steps->gates;
    uint32_t count = run->explain ? i : steps->count;
    for (; i < count; i++) {
        if (gates[i].kind != GATE_COLUMN) {
            if (is_open(run, &gates[i]))
                return i;
            continue;
        }
        if (has_row(run, gates[i].field))
            return i;
    }
    return i;
}

enum run_result run_steps(struct run *run, const struct steps *steps)
{
    for (uint32_t i = next_step(run, steps, 0); i < steps->count; i = next_step(run, steps, i + 1)) {
        const struct step *step = &steps->list[i];
        run->quiet += step->optional;
        enum run_result result = run_step(run, step);
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

static const struct verb list[] = {
    {"if", VERB_BESIDE, "then else", compile_if, run_if, NEEDS_NOTHING},
    {"choose", VERB_BESIDE, "cases otherwise", compile_choose, run_choose, NEEDS_NOTHING},
    {"first", VERB_BESIDE, "otherwise", compile_first, run_first, NEEDS_NOTHING},
    {"each", VERB_BESIDE, "steps", compile_each, run_each, NEEDS_FROM},
    {"inner", VERB_OPTIONS, "text program", compile_inner, run_inner, NEEDS_NOTHING},
    {"decoder", VERB_OPTIONS, "name from", compile_decoder, run_chain, NEEDS_NOTHING},
    {"stop", VERB_OPTIONS, "", NULL, run_stop, NEEDS_NOTHING},
    {"fail", VERB_OPTIONS, "", compile_fail, run_fail_step, NEEDS_NOTHING},
};
const struct verb_family verbs_flow = {list, ARRAY_COUNT(list)};

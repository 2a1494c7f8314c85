#include "decode/step_trace.h"

#include "base/json.h"
#include "base/mem.h"

#define EXPLAIN_BYTES_MAX (64 * MIB)
enum { EXPLAIN_OTHERS_MAX = 4 };

int explain_init(struct explain *explain, struct buffer *to)
{
    *explain = (struct explain){.to = to, .arena = arena_new(EXPLAIN_BYTES_MAX)};
    return explain->arena ? 0 : -1;
}

void explain_close(struct explain *explain)
{
    arena_free(explain->arena);
    *explain = (struct explain){0};
}

/* A line of its own, as deep as the steps are nested. */
static void put_indent(const struct explain *explain)
{
    struct buffer *to = explain->to;
    if (to->len && to->ptr[to->len - 1] != '\n')
        buffer_put_char(to, '\n');
    for (unsigned i = 0; i <= explain->depth; i++)
        buffer_put_text(explain->to, "  ");
}

/* The values as JSON; SLICE_NONE when there are none. */
static struct slice text_of(struct explain *explain, const struct value_list *list)
{
    struct buffer text;
    struct json json;
    if (!list->count)
        return SLICE_NONE;
    buffer_init(&text, EXPLAIN_BYTES_MAX);
    json_init(&json, &text);
    if (list->count > 1)
        json_open(&json, '[');
    for (uint32_t i = 0; i < list->count; i++)
        value_to_json(list->values[i], &json);
    if (list->count > 1)
        json_close(&json, ']');
    struct slice copy = arena_copy(explain->arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static struct value_list column_values(const struct column *column, uint32_t row)
{
    uint32_t first = column->count;
    while (first && column->rows[first - 1] == row)
        first--;
    return (struct value_list){column->values + first, column->count - first};
}

/* Room for what fields were; new ones were nothing. */
static bool make_room(struct explain *explain, uint32_t count)
{
    if (count <= explain->size)
        return true;
    uint32_t size = count * 2;
    void *before = arena_grow(explain->arena, explain->before, explain->size * sizeof(*explain->before),
                              size * sizeof(*explain->before));
    if (!before)
        return false;
    explain->before = before;
    memset(explain->before + explain->size, 0, (size - explain->size) * sizeof(*explain->before));
    explain->size = size;
    return true;
}

static void compare(struct explain *explain, struct slice name, const struct value_list *now, struct slice *before,
                    bool print)
{
    struct slice text = text_of(explain, now);
    bool same = text.ptr ? before->ptr && slice_equal(text, *before) : !before->ptr;
    *before = text;
    if (same || !print)
        return;
    put_indent(explain);
    if (text.ptr)
        buffer_printf(explain->to, "            %.*s = %.*s\n", SLICE_ARG(name), SLICE_ARG(text));
    else
        buffer_printf(explain->to, "            %.*s is gone\n", SLICE_ARG(name));
}

/* Every field whose values are not what they were. */
static void put_changes(struct run *run, bool print)
{
    struct explain *explain = run->explain;
    const struct fields *fields = &run->runner->decoders->fields;
    uint32_t temps = fields->temps;
    if (!make_room(explain, temps + run->batch->column_count))
        return;
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        if (field->kind != FIELD_TEMP)
            continue;
        struct value_list now = run_get(run, i);
        compare(explain, field->name, &now, &explain->before[field->slot], print);
    }
    for (uint32_t i = 0; i < run->batch->column_count; i++) {
        struct value_list now = column_values(run->batch->columns[i], run->row);
        compare(explain, run->batch->columns[i]->name, &now, &explain->before[temps + i], print);
    }
}

void explain_begin(struct explain *explain, struct run *run)
{
    arena_reset(explain->arena);
    explain->before = NULL;
    explain->size = 0;
    explain->depth = 0;
    run->explain = explain;
    put_changes(run, false);
}

void explain_failure(struct run *run, const char *why)
{
    buffer_printf(run->explain->to, ": %s", why);
}

void explain_key(struct run *run, const struct step *step, struct slice key)
{
    struct slice name = run_field(run, step->from)->name;
    if (key.ptr)
        buffer_printf(run->explain->to, ": %.*s is '%.*s'", SLICE_ARG(name), SLICE_ARG(key));
    else
        buffer_printf(run->explain->to, ": there is no %.*s", SLICE_ARG(name));
}

void explain_choice(struct run *run, const struct sighting *sighting, const struct decoder *decoder)
{
    static const char *const kinds[TEXT_KIND_COUNT] = {"text", "JSON", "XML"};
    struct explain *explain = run->explain;
    const struct decoder *others[EXPLAIN_OTHERS_MAX];
    uint32_t count = decoders_rank(run->runner->decoders, sighting, others, ARRAY_COUNT(others));
    put_indent(explain);
    buffer_printf(explain->to, "%s of %zu bytes", kinds[sighting->kind], sighting->text.len);
    if (sighting->source.len)
        buffer_printf(explain->to, " from source '%.*s'", SLICE_ARG(sighting->source));
    if (sighting->program.len)
        buffer_printf(explain->to, " of program '%.*s'", SLICE_ARG(sighting->program));
    if (decoder)
        buffer_printf(explain->to, ": decoder %.*s (%.*s)", SLICE_ARG(decoder->label), SLICE_ARG(decoder->path));
    else
        buffer_put_text(explain->to, ": no decoder takes it");
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        if (others[i] == decoder)
            continue;
        buffer_put_text(explain->to, first ? "; it would also fit " : ", ");
        buffer_put(explain->to, others[i]->name);
        first = false;
    }
    buffer_put_char(explain->to, '\n');
}

/* A line with the verb, what steps within it did, what it changed. */
enum run_result explain_step(struct run *run, const struct step *step)
{
    struct explain *explain = run->explain;
    put_indent(explain);
    buffer_printf(explain->to, "line %4d  %s", step->line, step->verb->name);
    if (step->when && !run_holds(run, step->when)) {
        buffer_put_text(explain->to, ": left out, 'when' does not hold\n");
        return RUN_OK;
    }
    explain->depth++;
    run->steps_run++;
    enum run_result result = step->run(run, step);
    if (explain->to->len && explain->to->ptr[explain->to->len - 1] != '\n')
        buffer_put_char(explain->to, '\n');
    explain->depth--;
    put_changes(run, true);
    return result;
}

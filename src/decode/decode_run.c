#include "decode/decode_run.h"

#include "base/hash.h"
#include "base/mem.h"
#include "decode/step_trace.h"

#include <stdarg.h>
#include <stdio.h>

#define SCRATCH_BYTES_MAX (16 * MIB)

int runner_init(struct runner *runner, const struct decoders *decoders)
{
    const struct fields *fields = &decoders->fields;
    *runner = (struct runner){.decoders = decoders};
    runner->json = json_cutter_new();
    runner->known = mem_calloc(fields->count + 1U, sizeof(*runner->known));
    runner->known_numbers = mem_calloc(fields->count + 1U, sizeof(*runner->known_numbers));
    runner->watches = mem_calloc(fields->watches + 1U, sizeof(*runner->watches));
    runner->key_tables = mem_calloc(fields->key_tables + 1U, sizeof(*runner->key_tables));
    runner->owns = mem_calloc(fields->constants + 1U, sizeof(*runner->owns));
    runner->domains = mem_calloc(1, sizeof(*runner->domains));
    runner->temps = mem_calloc(fields->temps + 1U, sizeof(*runner->temps));
    runner->temp_lists = mem_calloc(fields->temps + 1U, sizeof(*runner->temp_lists));
    runner->temp_steps = mem_calloc(fields->temps + 1U, sizeof(*runner->temp_steps));
    runner->temp_listed = mem_calloc(fields->temps + 1U, sizeof(*runner->temp_listed));
    runner->temp_slots = mem_calloc(fields->temps + 1U, sizeof(*runner->temp_slots));
    runner->scratch = arena_new(SCRATCH_BYTES_MAX);
    if (sighter_init(&runner->sighter, decoders) == 0 && runner->json && runner->known && runner->known_numbers &&
        runner->watches && runner->key_tables && runner->owns && runner->domains && runner->temps && runner->temp_lists &&
        runner->temp_steps && runner->temp_listed && runner->temp_slots && runner->scratch)
        return 0;
    runner_close(runner);
    return -1;
}

void runner_close(struct runner *runner)
{
    sighter_close(&runner->sighter);
    json_cutter_free(runner->json);
    mem_free(runner->known);
    mem_free(runner->known_numbers);
    for (uint32_t i = 0; runner->watches && i < runner->decoders->fields.watches; i++) {
        mem_free(runner->watches[i].list);
        mem_free(runner->watches[i].made);
    }
    mem_free(runner->watches);
    mem_free(runner->key_tables);
    mem_free(runner->owns);
    mem_free(runner->domains);
    mem_free(runner->temps);
    mem_free(runner->temp_lists);
    mem_free(runner->temp_steps);
    mem_free(runner->temp_listed);
    mem_free(runner->temp_slots);
    arena_free(runner->scratch);
    *runner = (struct runner){0};
}

void runner_begin(struct runner *runner, const struct batch *batch)
{
    if (runner->life == batch->life)
        return;
    runner->life = batch->life;
    for (uint32_t i = 0; i < runner->known_count; i++)
        runner->known[runner->known_numbers[i]] = NULL;
    for (uint32_t i = 0; i < runner->decoders->fields.watches; i++)
        runner->watches[i].count = runner->watches[i].columns_seen = 0;
    runner->known_count = 0;
    runner->columns_seen = 0;
}

void runner_clear_temps(struct runner *runner)
{
    for (uint32_t i = 0; runner->temps_many && i < runner->temp_count; i++)
        runner->temp_lists[runner->temp_slots[i]] = (struct temp_list){0};
    runner->temps_many = false;
    for (uint32_t i = 0; i < runner->temp_count; i++) {
        runner->temps[runner->temp_slots[i]] = value_null();
        runner->temp_listed[runner->temp_slots[i]] = false;
    }
    runner->temp_count = 0;
}

enum run_result run_fail(struct run *run, const struct step *step, const char *format, ...)
{
    if (run->quiet && !run->explain)
        return RUN_FAILED;
    char text[300];
    struct slice name = run->decoder ? run->decoder->name : SLICE("");
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (run->explain)
        explain_failure(run, text);
    if (run->quiet)
        return RUN_FAILED;
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
        if (!number || fields->list[number - 1].kind != FIELD_COLUMN)
            continue;
        runner->known_numbers[runner->known_count] = (uint32_t)number - 1;
        runner->known_count += runner->known[number - 1] == NULL;
        runner->known[number - 1] = column;
    }
}

static bool watch_add(struct watch *watch, struct column *column, uint32_t field)
{
    if (watch->count == watch->size) {
        uint32_t size = watch->size ? watch->size * 2 : 16;
        struct watched *list = mem_realloc(watch->list, size * sizeof(*list));
        if (!list)
            return false;
        watch->list = list;
        watch->size = size;
    }
    watch->list[watch->count++] = (struct watched){column, field};
    return true;
}

uint32_t run_under(const struct step *step, struct slice name)
{
    const struct slice *under = step->data;
    return slice_starts(name, *under) ? 0 : UINT32_MAX;
}

static uint32_t made_before(struct watch *watch, const struct step *step, struct slice name, watch_field *field)
{
    uint64_t hash = hash_bytes_seeded(name, hash_seed) | 1;
    struct made *made = &watch->made[hash >> (64 - MADE_LOG2)];
    if (made->hash != hash)
        *made = (struct made){hash, field(step, name)};
    return made->field;
}

const struct watch *run_watch(struct run *run, const struct step *step, watch_field *field, bool dear)
{
    struct watch *watch = &run->runner->watches[step->watch];
    if (dear && !watch->made)
        watch->made = mem_calloc((size_t)1 << MADE_LOG2, sizeof(*watch->made));
    for (; watch->columns_seen < run->batch->column_count; watch->columns_seen++) {
        struct column *column = run->batch->columns[watch->columns_seen];
        uint32_t made = watch->made ? made_before(watch, step, column->name, field) : field(step, column->name);
        if (made == UINT32_MAX || watch_add(watch, column, made))
            continue;
        run->out_of_memory = true;
        return NULL;
    }
    return watch;
}

struct value_list run_get_other(struct run *run, uint32_t number)
{
    const struct field *field = run_field(run, number);
    if (field->kind == FIELD_TEXT) {
        run->text_value = value_string(run->text);
        return (struct value_list){&run->text_value, 1};
    }
    if (field->kind == FIELD_TEMP) {
        const struct value *temp = &run->runner->temps[field->slot];
        const struct temp_list *list = &run->runner->temp_lists[field->slot];
        return temp->type != VALUE_NULL ? (struct value_list){temp, 1} : (struct value_list){list->values, list->count};
    }
    return (struct value_list){0};
}

struct slice run_value_text(struct run *run, struct value v)
{
    if (v.type == VALUE_STRING)
        return value_slice(v);
    struct slice text = value_text(v, run->batch->arena);
    run->out_of_memory |= !text.ptr;
    return text;
}

struct slice run_text(struct run *run, uint32_t field)
{
    struct value_list list = run_get(run, field);
    if (!list.count || list.values[0].type == VALUE_NULL)
        return SLICE_NONE;
    return run_value_text(run, list.values[0]);
}

/* A value beside the one or those that the field has. */
static void add_temp(struct run *run, uint32_t slot, struct value v)
{
    struct value *one = &run->runner->temps[slot];
    struct temp_list *list = &run->runner->temp_lists[slot];
    if (list->count == FIELD_VALUES_MAX) {
        run->left = true;
        return;
    }
    if (list->count + 1 >= list->size) {
        uint32_t size = list->size ? list->size * 2 : 8;
        struct value *values = arena_grow(run->batch->arena, list->values, list->size * sizeof(*values), size * sizeof(*values));
        if (!values) {
            run->out_of_memory = true;
            return;
        }
        list->values = values;
        list->size = size;
    }
    if (one->type != VALUE_NULL)
        list->values[list->count++] = *one;
    list->values[list->count++] = v;
    *one = value_null();
    run->runner->temps_many = true;
}

static void put_temp(struct run *run, uint32_t slot, struct value v, bool replace)
{
    struct runner *runner = run->runner;
    if (!runner->temp_listed[slot])
        runner->temp_slots[runner->temp_count++] = slot;
    runner->temp_listed[slot] = true;
    bool has = runner->temps[slot].type != VALUE_NULL || runner->temp_lists[slot].count;
    if (!replace && has && runner->temp_steps[slot] == run->steps_run) {
        add_temp(run, slot, v);
        return;
    }
    runner->temp_steps[slot] = run->steps_run;
    runner->temp_lists[slot].count = 0;
    runner->temps[slot] = v;
}

void run_keep(struct run *run, uint32_t number)
{
    const struct field *field = run_field(run, number);
    if (field->kind == FIELD_TEMP)
        run->runner->temp_steps[field->slot] = run->steps_run;
}

/* Where the field has values, is none of the batch's columns so far, or no column at all. */
void run_put_beside(struct run *run, uint32_t number, struct value v, bool replace)
{
    struct column *column = run_column(run, number);
    if (v.type == VALUE_NULL && replace)
        return;
    if (!column) {
        const struct field *field = run_field(run, number);
        if (field->kind == FIELD_TEMP && v.type != VALUE_NULL)
            put_temp(run, field->slot, v, replace);
        if (field->kind != FIELD_COLUMN)
            return;
        column = batch_column(run->batch, field->name);
        if (!column) {
            run->left = true;
            return;
        }
    }
    if (column->newest_row != run->row)
        replace = false;
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
    struct column *column = run_column(run, number);
    const struct field *field = run_field(run, number);
    if (column && column->newest_row == run->row)
        column_drop_last(column, run->row);
    else if (field->kind == FIELD_TEMP) {
        run->runner->temps[field->slot] = value_null();
        run->runner->temp_lists[field->slot].count = 0;
    }
}

/* --- constants --- */

/* Literal, field, literal, ...; NULL when one of the fields is missing. */
static struct value fill_template(struct run *run, const struct constant *constant)
{
    struct slice pieces[2 * TEMPLATE_PARTS_MAX];
    size_t len = 0, count = 0;
    for (uint32_t i = 0; i < constant->part_count; i++) {
        const struct template_part *part = &constant->parts[i];
        pieces[count++] = part->literal;
        if (part->field != UINT32_MAX) {
            struct slice text = run_text(run, part->field);
            if (!text.ptr)
                return value_null();
            pieces[count++] = text;
        }
    }
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    char *start = arena_alloc(run->batch->arena, len + 1), *to = start;
    if (!start || len > EVENT_BYTES_MAX) {
        run->out_of_memory |= !start;
        return value_null();
    }
    for (size_t i = 0; i < count; i++)
        to = mempcpy(to, pieces[i].ptr, pieces[i].len);
    return value_string(slice_of(start, len));
}

struct value run_own_value(struct run *run, const struct constant *constant, uint32_t i)
{
    struct runner *runner = run->runner;
    struct own_value *own = &runner->owns[constant->number + i];
    if (runner->borrows)
        return constant->values[i];
    if (own->life != runner->life) {
        own->value = value_copy(constant->values[i], run->batch->arena);
        own->life = own->value.type == VALUE_NULL ? 0 : runner->life;
        run->out_of_memory |= !own->life;
    }
    return own->value;
}

void run_put_constant(struct run *run, uint32_t field, const struct constant *constant)
{
    struct column *column = constant->count == 1 ? run_column(run, field) : NULL;
    if (column && column->newest_row != run->row) { /* most are the first value of their field */
        if (column_add(run->batch, column, run->row, run_own_value(run, constant, 0)) < 0)
            run->out_of_memory = true;
        return;
    }
    if (constant->parts) {
        struct value v = fill_template(run, constant);
        if (v.type != VALUE_NULL)
            run_put(run, field, v, true);
        return;
    }
    if (constant->count != 1)
        run_drop(run, field);
    for (uint32_t i = 0; i < constant->count; i++)
        run_put(run, field, run_own_value(run, constant, i), constant->count == 1);
}

void run_add_constant(struct run *run, uint32_t field, const struct constant *constant)
{
    struct value v = constant->parts ? fill_template(run, constant) : value_null();
    if (v.type != VALUE_NULL)
        run_put(run, field, v, false);
    for (uint32_t i = 0; i < constant->count; i++)
        run_put(run, field, run_own_value(run, constant, i), false);
}

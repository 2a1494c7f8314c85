#include "detect/coverage.h"

#include "base/hash.h"
#include "base/mem.h"
#include "expr/chance.h"

/* A log source, and the columns that conditions of its rules read. */
struct source {
    const struct expr *guard; /* NULL: every event */
    uint32_t number;          /* the matcher's */
    uint64_t mark;            /* of its text, for snapshots */
    uint64_t rows;            /* looked at */
    struct map columns;       /* name to struct seen */
};

struct seen {
    bool yes;
    uint64_t since; /* rows of the source that were looked at before it was asked for */
};

struct coverage {
    const struct matcher *matcher;
    struct arena *arena;
    struct source *sources;
    size_t source_count;
    struct source ***by_rule; /* by rule and variant; NULL for rules that are not active */
    uint64_t batches, rows;
};

/* ---- making ---- */

static uint64_t mark_of(const struct expr *guard)
{
    struct buffer text;
    buffer_init(&text, MIB);
    if (guard)
        expr_print(guard, &text);
    uint64_t mark = buffer_failed(&text) ? 0 : hash_bytes(buffer_slice(&text));
    buffer_close(&text);
    return mark;
}

static struct source *source_of(struct coverage *coverage, const struct expr *guard)
{
    for (size_t i = 0; i < coverage->source_count; i++)
        if (coverage->sources[i].guard == guard)
            return &coverage->sources[i];
    struct source *source = &coverage->sources[coverage->source_count++];
    *source = (struct source){.guard = guard, .number = MATCHER_NO_GUARD, .mark = mark_of(guard)};
    if (coverage->matcher)
        source->number = matcher_guard(coverage->matcher, guard);
    map_init(&source->columns, coverage->arena);
    return source;
}

struct adding {
    struct coverage *coverage;
    struct source *source;
    bool failed;
};

static void add_column(void *context, struct slice name)
{
    struct adding *adding = context;
    if (map_has(&adding->source->columns, name))
        return;
    struct seen *seen = arena_calloc(adding->coverage->arena, sizeof(*seen));
    adding->failed |= !seen || map_put(&adding->source->columns, name, seen) < 0;
}

static int add_rule(struct coverage *coverage, const struct rule *rule, struct err *err)
{
    struct source **list = arena_array(coverage->arena, rule->variant_count + 1, sizeof(*list));
    if (!list)
        return err_nomem(err);
    coverage->by_rule[rule->index] = list;
    for (size_t i = 0; i < rule->variant_count; i++) {
        bool all = false;
        struct adding adding = {coverage, source_of(coverage, rule->variants[i].guard), false};
        list[i] = adding.source;
        expr_fields(rule->variants[i].condition, add_column, &adding, &all);
        if (adding.failed)
            return err_nomem(err);
    }
    return 0;
}

int coverage_new(const struct rule_set *rules, const struct matcher *matcher, struct coverage **out,
                 struct err *err)
{
    size_t variants = 0;
    *out = NULL;
    for (size_t i = 0; i < rules->count; i++)
        variants += rules->rules[i]->variant_count;
    struct coverage *coverage = mem_calloc(1, sizeof(*coverage));
    int result = coverage ? 0 : err_nomem(err);
    if (result == 0) {
        coverage->matcher = matcher;
        coverage->arena = arena_new(COVERAGE_BYTES_MAX);
        result = coverage->arena ? 0 : err_nomem(err);
    }
    if (result == 0) {
        coverage->sources = arena_array(coverage->arena, variants + 1, sizeof(*coverage->sources));
        coverage->by_rule = arena_array(coverage->arena, rules->count + 1, sizeof(*coverage->by_rule));
        result = coverage->sources && coverage->by_rule ? 0 : err_nomem(err);
    }
    for (size_t i = 0; result == 0 && i < rules->count; i++)
        if (rules->rules[i]->status == RULE_ACTIVE)
            result = add_rule(coverage, rules->rules[i], err);
    if (result < 0) {
        coverage_free(coverage);
        return -1;
    }
    *out = coverage;
    return 0;
}

void coverage_free(struct coverage *coverage)
{
    if (!coverage)
        return;
    arena_free(coverage->arena);
    mem_free(coverage);
}

/* ---- looking ---- */

/* Whether a row of those has a value. */
static bool has_any(const struct column *column, const uint64_t *rows, uint32_t row_count)
{
    for (size_t row = bits_next(rows, row_count, 0); row < row_count; row = bits_next(rows, row_count, row + 1)) {
        uint32_t first, count = column_range(column, (uint32_t)row, &first);
        for (uint32_t i = first; i < first + count; i++)
            if (column_value(column, i).type != VALUE_NULL)
                return true;
    }
    return false;
}

static void look_at_columns(struct source *source, const struct batch *batch, const uint64_t *rows)
{
    size_t at = 0;
    for (const struct map_entry *entry; (entry = map_next(&source->columns, &at));) {
        struct seen *seen = entry->value;
        const struct column *column = seen->yes ? NULL : batch_find(batch, entry->key);
        if (column)
            seen->yes = has_any(column, rows, batch->row_count);
    }
}

/* The rows that are looked at. */
static void choose_rows(const struct coverage *coverage, uint32_t row_count, uint64_t *rows)
{
    uint32_t step = coverage->rows < COVERAGE_ROWS_FIRST || row_count <= COVERAGE_ROWS ? 1 : row_count / COVERAGE_ROWS;
    for (uint32_t row = 0; row < row_count; row += step)
        bits_set(rows, row);
}

/* Those of the chosen rows that are of the log source. */
static void choose_of(const struct coverage *coverage, const struct source *source, const uint64_t *chosen,
                      uint32_t row_count, uint64_t *rows)
{
    bits_zero(rows, row_count);
    for (size_t row = bits_next(chosen, row_count, 0); row < row_count; row = bits_next(chosen, row_count, row + 1))
        if (!source->guard || matcher_guard_holds(coverage->matcher, source->number, (uint32_t)row))
            bits_set(rows, row);
}

int coverage_batch(struct coverage *coverage, struct arena *scratch, const struct batch *batch, struct err *err)
{
    bool look = coverage->rows < COVERAGE_ROWS_FIRST || coverage->batches % COVERAGE_EVERY == 0;
    size_t bytes = bits_words(batch->row_count) * sizeof(uint64_t);
    coverage->batches++;
    if (!look || batch->row_count == 0)
        return 0;
    uint64_t *chosen = arena_calloc(scratch, bytes), *rows = arena_calloc(scratch, bytes);
    if (!chosen || !rows)
        return err_nomem(err);
    choose_rows(coverage, batch->row_count, chosen);
    coverage->rows += bits_count(chosen, batch->row_count);
    for (size_t i = 0; i < coverage->source_count; i++) {
        struct source *source = &coverage->sources[i];
        choose_of(coverage, source, chosen, batch->row_count, rows);
        uint64_t count = bits_count(rows, batch->row_count);
        source->rows += count;
        if (count)
            look_at_columns(source, batch, rows);
    }
    return 0;
}

/* ---- judging: whether a condition can hold ---- */

struct missing {
    struct arena *arena;
    struct slice names[COVERAGE_MISSING_MAX];
    size_t count, more;
};

static bool was_seen(const struct source *source, struct slice column)
{
    const struct seen *seen = map_find(&source->columns, column);
    return !seen || seen->yes || source->rows < seen->since + COVERAGE_ROWS_MIN; /* in doubt it is there */
}

static struct chance_column look_seen(void *context, struct slice column)
{
    return (struct chance_column){.told = !was_seen(context, column)};
}

static bool can_hold(const struct source *source, const struct expr *condition)
{
    return expr_chance(condition, look_seen, (void *)(uintptr_t)source, NULL) != CHANCE_NEVER;
}

static void note_missing(struct missing *missing, struct slice name)
{
    for (size_t i = 0; i < missing->count; i++)
        if (slice_equal(missing->names[i], name))
            return;
    if (missing->count < COVERAGE_MISSING_MAX)
        missing->names[missing->count++] = name;
    else
        missing->more++;
}

/* The columns of tests that cannot hold for want of them. */
static void find_missing(const struct source *source, const struct expr *expr, struct missing *missing)
{
    if (expr->kind == EXPR_TEST && !was_seen(source, expr->field))
        note_missing(missing, expr->field);
    bool inner = expr->kind == EXPR_AND || expr->kind == EXPR_OR;
    for (size_t i = 0; inner && i < expr->arg_count; i++)
        if (!can_hold(source, expr->args[i]))
            find_missing(source, expr->args[i], missing);
}

static struct slice missing_text(const struct missing *missing)
{
    struct slice text = SLICE("");
    for (size_t i = 0; i < missing->count; i++)
        text = arena_printf(missing->arena, "%.*s%s%.*s", SLICE_ARG(text), i ? ", " : "", SLICE_ARG(missing->names[i]));
    return missing->more ? arena_printf(missing->arena, "%.*s and more", SLICE_ARG(text)) : text;
}

enum coverage_state coverage_of(const struct coverage *coverage, const struct rule *rule, struct arena *arena,
                                struct slice *missing)
{
    struct missing lacks = {.arena = arena};
    enum coverage_state state = COVERAGE_NO_EVENTS;
    *missing = SLICE("");
    struct source *const *sources = coverage->by_rule[rule->index];
    if (!sources || rule->variant_count == 0)
        return COVERAGE_UNKNOWN;
    for (size_t i = 0; i < rule->variant_count; i++) {
        const struct source *source = sources[i];
        if (source->rows == 0)
            continue;
        if (source->rows < COVERAGE_ROWS_MIN)
            return COVERAGE_UNKNOWN;
        if (can_hold(source, rule->variants[i].condition))
            return COVERAGE_SEES;
        state = COVERAGE_NO_FIELDS;
        find_missing(source, rule->variants[i].condition, &lacks);
    }
    *missing = missing_text(&lacks);
    return state;
}

/* ---- snapshots: batches, rows, then per source its mark, rows and columns ---- */

void coverage_save(const struct coverage *coverage, struct buffer *to)
{
    struct buffer part;
    buffer_init(&part, to->max);
    buffer_put_varint(to, coverage->batches);
    buffer_put_varint(to, coverage->rows);
    for (size_t i = 0; i < coverage->source_count; i++) {
        const struct source *source = &coverage->sources[i];
        size_t at = 0;
        if (source->rows == 0)
            continue;
        buffer_clear(&part);
        buffer_put_le64(&part, source->mark);
        buffer_put_varint(&part, source->rows);
        for (const struct map_entry *entry; (entry = map_next(&source->columns, &at));) {
            const struct seen *seen = entry->value;
            buffer_put_block(&part, entry->key);
            buffer_put_varint(&part, seen->yes ? 0 : seen->since + 1);
        }
        buffer_put_block(to, buffer_slice(&part));
    }
    to->failed |= buffer_failed(&part);
    buffer_close(&part);
}

/* What no snapshot knows is asked for from now on. */
static void begin_columns(struct source *source)
{
    size_t at = 0;
    for (const struct map_entry *entry; (entry = map_next(&source->columns, &at));)
        ((struct seen *)entry->value)->since = source->rows;
}

static int load_source(struct coverage *coverage, struct slice bytes, struct err *err)
{
    struct slice name;
    uint64_t mark, rows, state;
    if (!slice_take_le64(&bytes, &mark) || !slice_take_varint(&bytes, &rows))
        return err_set(err, ERR_CORRUPT, "what was seen of the log sources is damaged");
    struct source *source = NULL;
    for (size_t i = 0; i < coverage->source_count && !source; i++)
        if (coverage->sources[i].mark == mark)
            source = &coverage->sources[i];
    if (source) {
        source->rows = rows;
        begin_columns(source);
    }
    while (bytes.len) {
        if (!slice_take_block(&bytes, &name) || !slice_take_varint(&bytes, &state))
            return err_set(err, ERR_CORRUPT, "what was seen of the log sources is damaged");
        struct seen *seen = source ? map_find(&source->columns, name) : NULL;
        if (seen)
            *seen = (struct seen){.yes = state == 0, .since = state ? state - 1 : 0};
    }
    return 0;
}

int coverage_load(struct coverage *coverage, struct slice bytes, struct err *err)
{
    struct slice part;
    if (!slice_take_varint(&bytes, &coverage->batches) || !slice_take_varint(&bytes, &coverage->rows))
        return err_set(err, ERR_CORRUPT, "what was seen of the log sources is damaged");
    while (bytes.len) {
        if (!slice_take_block(&bytes, &part))
            return err_set(err, ERR_CORRUPT, "what was seen of the log sources is damaged");
        if (load_source(coverage, part, err) < 0)
            return -1;
    }
    return 0;
}

#include "detect/match_row.h"

#include "base/mem.h"
#include "expr/function.h"

enum { KEYWORD_MEMOS = 512 };
enum { STAMP_MAX = UINT32_MAX >> ANSWER_BITS };

int row_match_init(struct row_match *row, const struct plan *plan, uint32_t rule_count)
{
    uint32_t predicates = plan->predicates.count, columns = plan->predicates.column_count;
    *row = (struct row_match){.plan = plan, .rule_count = rule_count,
                              .arena = arena_new(MATCH_PLAN_BYTES_MAX)};
    row->memo = value_memo_new(columns + KEYWORD_MEMOS, MATCH_MEMO_BYTES_MAX, false);
    if (!row->arena || !row->memo || literal_scan_init(&row->work.scan, row->arena, plan->literals_max) < 0)
        return -1;
    row->work.hits = arena_array(row->arena, plan->hits_max + 1UL, sizeof(hit));
    row->places = arena_array(row->arena, columns, sizeof(*row->places));
    row->used_places = arena_array(row->arena, columns, sizeof(uint32_t));
    row->answers = arena_array(row->arena, predicates + 1UL, sizeof(uint32_t));
    row->node_answers = arena_array(row->arena, plan->node_count + 1UL, sizeof(uint32_t));
    row->variant_stamps = arena_array(row->arena, plan->variant_count + 1UL, sizeof(uint32_t));
    row->candidates = arena_array(row->arena, plan->variant_count + 1UL, sizeof(uint32_t));
    row->matched = arena_array(row->arena, rule_count + 1UL, sizeof(uint32_t));
    row->tried = arena_array(row->arena, rule_count + 1UL, sizeof(uint32_t));
    return row->work.hits && row->places && row->used_places && row->answers && row->node_answers &&
                   row->variant_stamps && row->candidates && row->matched && row->tried
               ? 0
               : -1;
}

void row_match_close(struct row_match *row)
{
    test_work_close(&row->work);
    value_memo_free(row->memo);
    arena_free(row->arena);
    mem_free(row->keyword_hits);
    mem_free(row->entries);
}

/* After a thousand million rows the stamps begin anew. */
static void next_stamp(struct row_match *row)
{
    const struct plan *plan = row->plan;
    if (++row->stamp < STAMP_MAX)
        return;
    memset(row->answers, 0, plan->predicates.count * sizeof(uint32_t));
    memset(row->node_answers, 0, plan->node_count * sizeof(uint32_t));
    memset(row->variant_stamps, 0, plan->variant_count * sizeof(uint32_t));
    memset(row->matched, 0, row->rule_count * sizeof(uint32_t));
    memset(row->tried, 0, row->rule_count * sizeof(uint32_t));
    for (uint32_t i = 0; i < plan->predicates.column_count; i++)
        row->places[i].stamp = 0;
    row->stamp = 1;
}

/* ---- values ---- */

/* What is known of a value, found out when it is not. memo: the column's place there. */
static struct memo_entry *look_at(struct row_match *row, uint32_t column, uint32_t memo, struct value v)
{
    struct memo_lookup lookup;
    struct memo_entry *entry = value_memo_find(row->memo, memo, &v, &lookup);
    if (entry)
        return entry;
    if (column_tests_run(row->plan->tests[column], v, &row->work) < 0)
        return NULL;
    return value_memo_put(row->memo, memo, &v, &lookup, row->work.hits, row->work.count,
                          row->work.scope->scratch);
}

static struct memo_entry *look_at_place(struct row_match *row, uint32_t number, uint32_t i)
{
    struct place *place = &row->places[number];
    const struct column *column = place->column;
    if (!place->by_code)
        return look_at(row, number, number, column_value(column, i));
    struct memo_entry **known = &place->by_code[column->codes[i]];
    if (*known)
        return *known;
    struct memo_entry *entry = look_at(row, number, number, column_value(column, i));
    if (entry && entry->key.ptr)
        *known = entry;
    return entry;
}

static void add_candidates(struct row_match *row, uint32_t predicate)
{
    const struct number_lists *lists = &row->plan->candidates;
    for (uint32_t i = lists->start[predicate]; i < lists->start[predicate + 1]; i++) {
        uint32_t variant = lists->numbers[i];
        if (row->variant_stamps[variant] == row->stamp ||
            !plan_routed(&row->plan->variants[variant], row->route))
            continue;
        row->variant_stamps[variant] = row->stamp;
        row->candidates[row->candidate_count++] = variant;
    }
}

/* The best answer of several values counts. A no of one value says nothing of the others. */
static void take_answer(struct row_match *row, hit answer)
{
    uint32_t number = answer >> ANSWER_BITS, what = answer & ANSWER_MASK;
    if (what == ANSWER_NO)
        return;
    uint32_t now = row->stamp << ANSWER_BITS | (what == ANSWER_LIMIT ? ANSWER_SUSPECT : what);
    if (row->answers[number] < now)
        row->answers[number] = now;
    add_candidates(row, number);
}

static int put_entry(struct row_match *row, struct memo_entry *entry)
{
    if (row->entry_count == row->entry_size) {
        uint32_t size = row->entry_size ? 2 * row->entry_size : 256;
        struct memo_entry **entries = mem_realloc(row->entries, size * sizeof(*entries));
        if (!entries)
            return -1;
        row->entries = entries;
        row->entry_size = size;
    }
    row->entries[row->entry_count++] = entry;
    return 0;
}

/* Looks at the row's values in a column. */
static int load_column(struct row_match *row, uint32_t number)
{
    struct place *place = &row->places[number];
    const struct column *column = place->column;
    if (!column || place->stamp == row->stamp)
        return 0;
    while (place->at < column->count && column->rows[place->at] < row->number)
        place->at++;
    place->stamp = row->stamp;
    place->first_entry = row->entry_count;
    place->count = 0;
    for (uint32_t i = place->at; i < column->count && column->rows[i] == row->number; i++) {
        struct memo_entry *entry = look_at_place(row, number, i);
        if (!entry || put_entry(row, entry) < 0)
            return -1;
        value_memo_ahead(column, i + 1); /* of a row that follows */
        place->count++;
        for (uint32_t h = 0; h < entry->count; h++)
            take_answer(row, entry->hits[h]);
    }
    return 0;
}

/* ---- keywords: for all rows of a batch that need them ---- */

static int add_keyword_hit(struct row_match *row, uint32_t number, hit answer)
{
    if (row->keyword_count == row->keyword_size) {
        uint32_t size = row->keyword_size ? 2 * row->keyword_size : 256;
        struct keyword_hit *hits = mem_realloc(row->keyword_hits, size * sizeof(*hits));
        if (!hits)
            return -1;
        row->keyword_hits = hits;
        row->keyword_size = size;
    }
    row->keyword_hits[row->keyword_count++] = (struct keyword_hit){row->keyword_heads[number], answer};
    row->keyword_heads[number] = row->keyword_count;
    return 0;
}

/* Every column has its own place in the memo, as values come again in some and not in others. */
static uint32_t keyword_memo(const struct row_match *row, struct slice column)
{
    return row->plan->predicates.column_count + (uint32_t)(hash_bytes(column) % KEYWORD_MEMOS);
}

static int add_keyword_hits(struct row_match *row, uint32_t number, const hit *hits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (add_keyword_hit(row, number, hits[i]) < 0)
            return -1;
    return 0;
}

/* Numbers, times and the like: hardly a keyword can be part of one. */
static int find_keywords_printed(struct row_match *row, uint32_t number, struct value v)
{
    const struct column_tests *tests = row->plan->printed_keywords;
    if (!column_tests_may_hold(tests, &v))
        return 0;
    if (column_tests_run(tests, v, &row->work) < 0)
        return -1;
    return add_keyword_hits(row, number, row->work.hits, row->work.count);
}

static int find_keywords_in(struct row_match *row, const struct column *column, struct route *const *routes)
{
    uint32_t memo = keyword_memo(row, column->name);
    struct arena_mark mark = arena_mark(row->work.scope->scratch);
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t number = column->rows[i];
        struct value v = column_value(column, i);
        value_memo_ahead(column, i + 4);
        if (!routes[number]->plan->keywords)
            continue;
        if (v.type != VALUE_STRING) {
            if (find_keywords_printed(row, number, v) < 0)
                return -1;
            continue;
        }
        struct memo_entry *entry = look_at(row, COLUMN_KEYWORDS, memo, v);
        if (!entry || add_keyword_hits(row, number, entry->hits, entry->count) < 0)
            return -1;
        if (!entry->key.ptr)
            arena_rewind(row->work.scope->scratch, &mark);
    }
    return 0;
}

static int find_keywords(struct row_match *row, struct route *const *routes)
{
    const struct batch *batch = row->batch;
    bool any = false;
    for (uint32_t i = 0; i < batch->row_count && !any; i++)
        any = routes[i]->plan->keywords;
    row->keyword_heads = NULL;
    row->keyword_count = 0;
    if (!any)
        return 0;
    row->keyword_heads = arena_array(row->work.scope->scratch, batch->row_count, sizeof(uint32_t));
    if (!row->keyword_heads)
        return -1;
    for (uint32_t i = 0; i < batch->column_count; i++)
        if (expr_keyword_reads(batch->columns[i]->name) &&
            find_keywords_in(row, batch->columns[i], routes) < 0)
            return -1;
    return 0;
}

static void take_keywords(struct row_match *row)
{
    if (!row->keyword_heads)
        return;
    for (uint32_t at = row->keyword_heads[row->number]; at; at = row->keyword_hits[at - 1].next)
        take_answer(row, row->keyword_hits[at - 1].hit);
}

/* ---- the batch and the row ---- */

static int use_place(struct row_match *row, uint32_t number, const struct column *column)
{
    struct place *place = &row->places[number];
    *place = (struct place){.column = column};
    row->used_places[row->used_count++] = number;
    if (!column->dict || !column->codes)
        return 0;
    place->by_code = arena_array(row->work.scope->scratch, column->dict_count + 1UL, sizeof(struct memo_entry *));
    return place->by_code ? 0 : -1;
}

int row_match_batch(struct row_match *row, struct expr_scope *scope, const struct batch *batch,
                    struct route *const *routes)
{
    for (uint32_t i = 0; i < row->used_count; i++)
        row->places[row->used_places[i]] = (struct place){0};
    row->used_count = 0;
    row->batch = batch;
    row->work.scope = scope;
    row->work.folded_of = NULL;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        uint32_t number = predicates_column(&row->plan->predicates, batch->columns[i]->name);
        if (number != PREDICATE_NONE && use_place(row, number, batch->columns[i]) < 0)
            return -1;
    }
    return find_keywords(row, routes);
}

int row_match_begin(struct row_match *row, uint32_t number, const struct route *route)
{
    const struct route_plan *plan = route->plan;
    next_stamp(row);
    row->number = number;
    row->route = route;
    row->entry_count = row->candidate_count = 0;
    row->failed = false;
    for (uint32_t i = 0; i < plan->always_count; i++) {
        row->variant_stamps[plan->always[i]] = row->stamp;
        row->candidates[row->candidate_count++] = plan->always[i];
    }
    take_keywords(row);
    for (uint32_t i = 0; i < plan->column_count; i++)
        if (load_column(row, plan->columns[i]) < 0)
            return -1;
    return 0;
}

/* ---- conditions ---- */

/* As the row's evaluator says. */
static enum answer ask_row(struct row_match *row, const struct predicate *predicate)
{
    struct expr_scope *scope = row->work.scope;
    struct value_list result;
    uint64_t limits = scope->regex_limits;
    if (expr_eval(predicate->leaf, scope, row->batch, row->number, &result, NULL) < 0) {
        row->failed = true;
        return ANSWER_NO;
    }
    return value_truth(&result) == TRUTH_TRUE      ? ANSWER_YES
           : scope->regex_limits != limits ? ANSWER_LIMIT
                                           : ANSWER_NO;
}

/* What is known of a predicate for a value. */
static enum answer known_of(const struct memo_entry *entry, uint32_t number, enum answer otherwise)
{
    for (uint32_t i = 0; i < entry->count; i++)
        if (entry->hits[i] >> ANSWER_BITS == number)
            return (enum answer)(entry->hits[i] & ANSWER_MASK);
    return otherwise;
}

/* Asks each value of the row that may make it true. */
static enum answer ask_values(struct row_match *row, uint32_t number, const struct predicate *predicate)
{
    const struct place *place = &row->places[predicate->column];
    enum answer otherwise = predicate->mode == PREDICATE_ASKED ? ANSWER_SUSPECT : ANSWER_NO, best = ANSWER_NO;
    for (uint32_t i = 0; place->column && i < place->count && best != ANSWER_YES; i++) {
        struct memo_entry *entry = row->entries[place->first_entry + i];
        enum answer answer = known_of(entry, number, otherwise);
        if (answer == ANSWER_SUSPECT) {
            struct value v = column_value(place->column, place->at + i);
            if (predicate_ask(predicate, v, &row->work, &answer) < 0) {
                row->failed = true;
                return ANSWER_NO;
            }
            value_memo_learn(row->memo, entry, hit_of(number, answer));
        }
        best = answer > best ? answer : best;
    }
    return best;
}

static enum answer ask(struct row_match *row, uint32_t number)
{
    const struct predicate *predicate = &row->plan->predicates.list[number];
    uint32_t *known = &row->answers[number];
    bool keyword = predicate->column == COLUMN_KEYWORDS;
    if (*known >> ANSWER_BITS != row->stamp && predicate->mode != PREDICATE_ROW && !keyword &&
        load_column(row, predicate->column) < 0)
        row->failed = true;
    bool is_known = *known >> ANSWER_BITS == row->stamp;
    enum answer answer = is_known ? (enum answer)(*known & ANSWER_MASK) : ANSWER_NO;
    if (is_known && answer != ANSWER_SUSPECT)
        return answer;
    if (predicate->mode == PREDICATE_ROW || (keyword && is_known))
        answer = ask_row(row, predicate);
    else if (is_known || predicate->mode == PREDICATE_ASKED)
        answer = ask_values(row, number, predicate);
    *known = row->stamp << ANSWER_BITS | (uint32_t)answer;
    return answer;
}

static bool holds(struct row_match *row, part p);

static bool node_holds(struct row_match *row, const struct plan_node *node)
{
    const part *parts = row->plan->parts + node->first;
    for (uint32_t i = 0; i < node->count; i++)
        if (holds(row, parts[i]) == node->any)
            return node->any;
    return !node->any;
}

static bool holds(struct row_match *row, part p)
{
    uint32_t number = p >> PART_SHIFT;
    bool result;
    if (p & PART_LEAF) {
        enum answer answer = ask(row, number);
        row->limit |= answer == ANSWER_LIMIT;
        result = answer == ANSWER_YES;
    } else {
        const struct plan_node *node = &row->plan->nodes[number];
        uint32_t *known = &row->node_answers[number];
        if (node->shared && *known >> 1 == row->stamp)
            return (*known & 1) != ((p & PART_NOT) != 0);
        result = node_holds(row, node);
        *known = row->stamp << 1 | result;
    }
    return result != ((p & PART_NOT) != 0);
}

int row_match_try(struct row_match *row, const struct plan_variant *variant, bool *matches)
{
    row->limit = false;
    *matches = holds(row, variant->condition);
    return row->failed ? -1 : 0;
}

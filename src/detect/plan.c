#include "detect/plan.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { SHORT_LITERAL = 4 }; /* fewer bytes */

/* What is needed to build only. */
struct building {
    struct plan *plan;
    struct arena *arena;
    struct buffer room;
    struct map by_expr; /* parts + 1 of conditions and of what is in them */
    struct map by_guard; /* numbers + 1 */
    part *stack;
    uint32_t stack_count, stack_size;
    uint32_t *seen; /* by node, twice: chosen from already, for the variant seen_stamp */
    uint32_t seen_stamp;
    struct numbers {
        uint32_t *list;
        uint32_t count, size;
    } chosen; /* of all variants, one behind the other */
};

static int put_number(struct building *b, struct numbers *to, uint32_t number)
{
    if (to->count == to->size) {
        uint32_t size = to->size ? 2 * to->size : 1024;
        to->list = arena_grow(b->arena, to->list, to->size * sizeof(uint32_t), size * sizeof(uint32_t));
        if (!to->list)
            return -1;
        to->size = size;
    }
    to->list[to->count++] = number;
    return 0;
}

/* ---- conditions to nodes ---- */

static const struct predicate *leaf_of(const struct plan *plan, part p)
{
    return &plan->predicates.list[p >> PART_SHIFT];
}

static bool is_three_valued(const struct plan *plan, part p)
{
    if (!(p & PART_LEAF))
        return plan->nodes[p >> PART_SHIFT].three;
    enum expr_kind kind = leaf_of(plan, p)->leaf->kind;
    return kind != EXPR_TEST && kind != EXPR_KEYWORD;
}

/* How often the part is true, at least one of its chosen predicates being so; INFINITY: no predicate must
 * be true. */
static float chance_of(const struct plan *plan, part p, bool opposite)
{
    if (p & PART_NOT)
        opposite = !opposite;
    if (!(p & PART_LEAF))
        return opposite ? plan->nodes[p >> PART_SHIFT].chance_not : plan->nodes[p >> PART_SHIFT].chance;
    const struct predicate *predicate = leaf_of(plan, p);
    if (opposite || (predicate->mode == PREDICATE_ROW && predicate->leaf->kind != EXPR_TEST))
        return INFINITY;
    return predicate->chance;
}

static bool asks_keywords(const struct plan *plan, part p)
{
    return p & PART_LEAF ? leaf_of(plan, p)->leaf->kind == EXPR_KEYWORD
                         : plan->nodes[p >> PART_SHIFT].keywords;
}

static void set_chances(struct plan *plan, struct plan_node *node)
{
    float least = INFINITY, sum = 0, least_not = INFINITY, sum_not = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        part p = plan->parts[node->first + i];
        float chance = chance_of(plan, p, false), chance_not = chance_of(plan, p, true);
        least = chance < least ? chance : least;
        least_not = chance_not < least_not ? chance_not : least_not;
        sum += chance;
        sum_not += chance_not;
        node->three |= is_three_valued(plan, p);
        node->keywords |= asks_keywords(plan, p);
    }
    node->chance = node->any ? sum : least;
    node->chance_not = node->any ? least_not : sum_not;
}

/* What is found already is asked first. */
static unsigned expense(const struct plan *plan, part p)
{
    static const unsigned of_mode[] = {[PREDICATE_FOUND] = 0, [PREDICATE_SUSPECT] = 2, [PREDICATE_ASKED] = 4,
                                       [PREDICATE_ROW] = 5};
    return p & PART_LEAF ? of_mode[leaf_of(plan, p)->mode] : 3;
}

static int by_part(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_by_expense(const struct plan *plan, part *parts, uint32_t count)
{
    part *from = parts;
    for (unsigned e = 0; e <= 5; e++)
        for (part *p = from; p < parts + count; p++)
            if (expense(plan, *p) == e) {
                part swap = *from;
                *from++ = *p;
                *p = swap;
            }
}

static part node_new(struct building *b, bool any, part *parts, uint32_t count)
{
    struct plan *plan = b->plan;
    uint32_t kept = 0;
    if (count)
        qsort(parts, count, sizeof(*parts), by_part);
    for (uint32_t i = 0; i < count; i++)
        if (!kept || parts[kept - 1] != parts[i])
            parts[kept++] = parts[i];
    if (kept == 1)
        return parts[0];
    sort_by_expense(plan, parts, kept);
    if (plan->node_count == plan->node_size) {
        uint32_t size = plan->node_size ? 2 * plan->node_size : 1024;
        plan->nodes = arena_grow(plan->arena, plan->nodes, plan->node_size * sizeof(*plan->nodes),
                                 size * sizeof(*plan->nodes));
        plan->node_size = plan->nodes ? size : 0;
    }
    if (!plan->parts || plan->part_count + kept > plan->part_size) {
        uint32_t size = 2 * plan->part_size + kept + 1024;
        plan->parts = arena_grow(plan->arena, plan->parts, plan->part_size * sizeof(part),
                                 size * sizeof(part));
        plan->part_size = plan->parts ? size : 0;
    }
    if (!plan->nodes || !plan->parts)
        return PART_NONE;
    if (kept)
        memcpy(plan->parts + plan->part_count, parts, kept * sizeof(part));
    struct plan_node *node = &plan->nodes[plan->node_count];
    *node = (struct plan_node){.first = plan->part_count, .count = kept, .any = any};
    plan->part_count += kept;
    set_chances(plan, node);
    return plan->node_count++ << PART_SHIFT;
}

static part make_part(struct building *b, const struct expr *expr);

static int push_part(struct building *b, part p)
{
    if (p == PART_NONE)
        return -1;
    if (b->stack_count == b->stack_size) {
        uint32_t size = b->stack_size ? 2 * b->stack_size : 256;
        b->stack = arena_grow(b->arena, b->stack, b->stack_size * sizeof(part), size * sizeof(part));
        if (!b->stack)
            return -1;
        b->stack_size = size;
    }
    b->stack[b->stack_count++] = p;
    return 0;
}

/* "a and b and c ..." is a tree of pairs that grows to the left: one node. */
static part make_list(struct building *b, const struct expr *expr)
{
    uint32_t base = b->stack_count;
    enum expr_kind kind = expr->kind;
    for (;;) {
        bool deeper =
            expr->arg_count == 2 && expr->args[0]->kind == kind && expr->args[0]->arg_count == 2;
        for (size_t i = deeper; i < expr->arg_count; i++)
            if (push_part(b, make_part(b, expr->args[i])) < 0)
                return PART_NONE;
        if (!deeper)
            break;
        expr = expr->args[0];
    }
    part made = node_new(b, kind == EXPR_OR, b->stack + base, b->stack_count - base);
    b->stack_count = base;
    return made;
}

static part leaf_part(uint32_t predicate)
{
    return predicate == PREDICATE_NONE ? PART_NONE : predicate << PART_SHIFT | PART_LEAF;
}

/* Not of something that may be NULL is asked of the row as a whole. */
static part make_not(struct building *b, const struct expr *expr)
{
    part inner = make_part(b, expr->args[0]);
    if (inner == PART_NONE)
        return PART_NONE;
    if (is_three_valued(b->plan, inner))
        return leaf_part(predicates_add(&b->plan->predicates, expr));
    return inner ^ PART_NOT;
}

static part make_unshared(struct building *b, const struct expr *expr)
{
    struct predicates *predicates = &b->plan->predicates;
    if (expr->kind == EXPR_AND || expr->kind == EXPR_OR)
        return make_list(b, expr);
    if (expr->kind == EXPR_NOT)
        return make_not(b, expr);
    if (expr->kind == EXPR_TEST && expr->test.kind == TEST_NULL) {
        part exists = leaf_part(predicates_add_exists(predicates, expr->field));
        return exists == PART_NONE ? PART_NONE : exists ^ PART_NOT;
    }
    return leaf_part(predicates_add(predicates, expr));
}

static struct slice pointer_key(const void *const *pointer)
{
    return slice_of(pointer, sizeof(*pointer));
}

/* What is used in several places of a condition is made once. */
static part make_part(struct building *b, const struct expr *expr)
{
    const void *pointer = expr;
    bool inner = expr->kind == EXPR_AND || expr->kind == EXPR_OR || expr->kind == EXPR_NOT;
    uintptr_t known = inner ? (uintptr_t)map_find(&b->by_expr, pointer_key(&pointer)) : 0;
    if (known) {
        part p = (part)(known - 1);
        if (!(p & PART_LEAF))
            b->plan->nodes[p >> PART_SHIFT].shared = true;
        return p;
    }
    part made = make_unshared(b, expr);
    if (made == PART_NONE || !inner)
        return made;
    struct slice key = arena_copy(b->arena, pointer_key(&pointer));
    return key.ptr && map_put(&b->by_expr, key, (void *)((uintptr_t)made + 1)) == 0 ? made : PART_NONE; /* NOLINT: a number */
}

/* ---- which predicates lead to a variant ---- */

static int choose_leaf(struct building *b, const struct predicate *predicate)
{
    uint32_t number = (uint32_t)(predicate - b->plan->predicates.list);
    if (predicate->mode == PREDICATE_ASKED || predicate->mode == PREDICATE_ROW)
        number = predicates_add_exists(&b->plan->predicates, predicate->leaf->field);
    return number == PREDICATE_NONE ? -1 : put_number(b, &b->chosen, number);
}

/* Of parts that must all be true one is enough; of those of which any may be, all. */
static int choose(struct building *b, part p, bool opposite)
{
    const struct plan *plan = b->plan;
    if (p & PART_LEAF)
        return choose_leaf(b, leaf_of(plan, p));
    opposite ^= (p & PART_NOT) != 0;
    const struct plan_node *node = &plan->nodes[p >> PART_SHIFT];
    uint32_t *seen = &b->seen[2 * (p >> PART_SHIFT) + opposite];
    if (*seen == b->seen_stamp)
        return 0;
    *seen = b->seen_stamp;
    uint32_t best = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        part q = plan->parts[node->first + i];
        if (node->any != opposite && choose(b, q, opposite) < 0)
            return -1;
        if (chance_of(plan, q, opposite) < chance_of(plan, plan->parts[node->first + best], opposite))
            best = i;
    }
    return node->any == opposite ? choose(b, plan->parts[node->first + best], opposite) : 0;
}

static int sort_chosen(struct building *b, uint32_t from)
{
    uint32_t *list = b->chosen.list + from, count = b->chosen.count - from, kept = 0;
    if (!count)
        return 0;
    qsort(list, count, sizeof(*list), by_part);
    for (uint32_t i = 0; i < count; i++)
        if (!kept || list[kept - 1] != list[i])
            list[kept++] = list[i];
    b->chosen.count = from + kept;
    return 0;
}

static int choose_all(struct building *b)
{
    struct plan *plan = b->plan;
    plan->chosen.start = arena_array(plan->arena, plan->variant_count + 1UL, sizeof(uint32_t));
    b->seen = arena_array(b->arena, 2UL * plan->node_count + 1, sizeof(*b->seen));
    if (!plan->chosen.start || !b->seen)
        return -1;
    for (uint32_t i = 0; i < plan->variant_count; i++) {
        struct plan_variant *variant = &plan->variants[i];
        uint32_t from = b->chosen.count;
        b->seen_stamp = i + 1;
        variant->always = isinf(chance_of(plan, variant->condition, false));
        if (!variant->always && (choose(b, variant->condition, false) < 0 || sort_chosen(b, from) < 0))
            return -1;
        plan->chosen.start[i + 1] = b->chosen.count;
    }
    plan->chosen.numbers = arena_array(plan->arena, b->chosen.count + 1UL, sizeof(uint32_t));
    if (!plan->chosen.numbers)
        return -1;
    if (b->chosen.count)
        memcpy(plan->chosen.numbers, b->chosen.list, b->chosen.count * sizeof(uint32_t));
    return 0;
}

/* Short literals make every scan of their column slower. Those that lead to no variant are asked of the values
 * of candidates instead. */
static int leave_short_ones(struct building *b)
{
    struct predicates *all = &b->plan->predicates;
    uint64_t *chosen = arena_calloc(b->arena, bits_words(all->count) * 8 + 8);
    if (!chosen)
        return -1;
    for (uint32_t i = 0; i < b->chosen.count; i++)
        bits_set(chosen, b->chosen.list[i]);
    for (uint32_t i = 0; i < all->count; i++)
        if (!bits_get(chosen, i))
            predicate_leave(&all->list[i], SHORT_LITERAL);
    return 0;
}

/* From lists of lists the other way round: in which of them each number stands. */
static int invert(struct plan *plan, const struct number_lists *from, uint32_t from_count,
                  struct number_lists *to, uint32_t to_count)
{
    uint32_t total = from->start[from_count];
    to->start = arena_array(plan->arena, to_count + 2UL, sizeof(uint32_t));
    to->numbers = arena_array(plan->arena, total + 1UL, sizeof(uint32_t));
    if (!to->start || !to->numbers)
        return -1;
    for (uint32_t i = 0; i < total; i++)
        to->start[from->numbers[i] + 2]++;
    for (uint32_t i = 2; i < to_count + 2; i++)
        to->start[i] += to->start[i - 1];
    for (uint32_t list = 0; list < from_count; list++)
        for (uint32_t i = from->start[list]; i < from->start[list + 1]; i++)
            to->numbers[to->start[from->numbers[i] + 1]++] = list;
    return 0;
}

/* ---- columns ---- */

static int build_tests(struct building *b)
{
    struct plan *plan = b->plan;
    const struct predicates *all = &plan->predicates;
    plan->tests = arena_array(plan->arena, all->column_count, sizeof(struct column_tests *));
    uint32_t *start = arena_array(b->arena, all->column_count + 2UL, sizeof(*start));
    uint32_t *numbers = arena_array(b->arena, all->count + 1UL, sizeof(*numbers));
    if (!plan->tests || !start || !numbers)
        return -1;
    for (uint32_t i = 0; i < all->count; i++)
        start[all->list[i].column + 2]++;
    for (uint32_t i = 2; i < all->column_count + 2; i++)
        start[i] += start[i - 1];
    for (uint32_t i = 0; i < all->count; i++)
        numbers[start[all->list[i].column + 1]++] = i;
    for (uint32_t i = 0; i < all->column_count; i++) {
        struct column_tests **tests = &plan->tests[i];
        if (column_tests_build(all, numbers + start[i], start[i + 1] - start[i], b->arena, tests) < 0)
            return -1;
        uint32_t hits = column_tests_count(*tests), literals = column_tests_literals(*tests);
        plan->hits_max = hits > plan->hits_max ? hits : plan->hits_max;
        plan->literals_max = literals > plan->literals_max ? literals : plan->literals_max;
    }
    uint32_t printed = column_tests_printed(all, numbers, start[COLUMN_KEYWORDS + 1], numbers);
    return column_tests_build(all, numbers, printed, b->arena, &plan->printed_keywords);
}

/* ---- all rules ---- */

static int guard_number(struct building *b, const struct expr *guard, uint32_t *out)
{
    const void *pointer = guard;
    *out = PART_NONE;
    if (!guard)
        return 0;
    uintptr_t known = (uintptr_t)map_find(&b->by_guard, pointer_key(&pointer));
    if (!known) {
        struct slice key = arena_copy(b->arena, pointer_key(&pointer));
        b->plan->guards[b->plan->guard_count] = guard;
        known = ++b->plan->guard_count;
        if (!key.ptr || map_put(&b->by_guard, key, (void *)known) < 0) /* NOLINT: a number */
            return -1;
    }
    *out = (uint32_t)(known - 1);
    return 0;
}

static int add_variant(struct building *b, const struct rule *rule, const struct rule_variant *from)
{
    struct plan_variant *variant = &b->plan->variants[b->plan->variant_count++];
    variant->rule = rule->index;
    variant->condition = make_part(b, from->condition);
    if (variant->condition == PART_NONE)
        return -1;
    variant->keywords = asks_keywords(b->plan, variant->condition);
    return guard_number(b, from->guard, &variant->guard);
}

static int add_rules(struct building *b, const struct rule_set *rules)
{
    struct plan *plan = b->plan;
    size_t total = 0;
    for (size_t i = 0; i < rules->count; i++)
        total += rules->rules[i]->variant_count;
    plan->guards = arena_array(plan->arena, total + 1, sizeof(*plan->guards));
    plan->variants = arena_array(plan->arena, total + 1, sizeof(*plan->variants));
    plan->rule_start = arena_array(plan->arena, rules->count + 1, sizeof(uint32_t));
    if (!plan->guards || !plan->variants || !plan->rule_start)
        return -1;
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = rules->rules[i];
        for (size_t v = 0; rule->status == RULE_ACTIVE && v < rule->variant_count; v++)
            if (add_variant(b, rule, &rule->variants[v]) < 0)
                return -1;
        plan->rule_start[i + 1] = plan->variant_count;
    }
    return 0;
}

static int build(struct building *b, const struct rule_set *rules)
{
    struct plan *plan = b->plan;
    map_init(&b->by_expr, b->arena);
    map_init(&b->by_guard, b->arena);
    if (predicates_init(&plan->predicates, plan->arena, b->arena, &b->room) < 0 ||
        add_rules(b, rules) < 0 || choose_all(b) < 0 || leave_short_ones(b) < 0 || build_tests(b) < 0)
        return -1;
    return invert(plan, &plan->chosen, plan->variant_count, &plan->candidates, plan->predicates.count);
}

int plan_new(const struct rule_set *rules, struct plan **out, struct err *err)
{
    *out = NULL;
    struct plan *plan = mem_calloc(1, sizeof(*plan));
    struct building b = {.plan = plan, .arena = arena_new(MATCH_PLAN_BYTES_MAX)};
    buffer_init(&b.room, YAML_BYTES_MAX * 4);
    if (plan)
        plan->arena = arena_new(MATCH_PLAN_BYTES_MAX);
    int result = plan && plan->arena && b.arena ? build(&b, rules) : -1;
    arena_free(b.arena);
    buffer_close(&b.room);
    if (result < 0) {
        plan_free(plan);
        return err_nomem(err);
    }
    *out = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    arena_free(plan->arena);
    mem_free(plan);
}

/* ---- routes ---- */

int plan_attach(void *context, struct route *route, struct arena *arena)
{
    const struct plan *plan = context;
    uint32_t column_count = plan->predicates.column_count;
    struct route_plan *to = arena_calloc(arena, sizeof(*to));
    bool *wanted = arena_calloc(arena, column_count);
    uint32_t always = 0, columns = 0;
    if (!to || !wanted)
        return -1;
    for (uint32_t i = 0; i < plan->variant_count; i++) {
        const struct plan_variant *variant = &plan->variants[i];
        if (!plan_routed(variant, route))
            continue;
        to->any = true;
        to->keywords |= variant->keywords;
        always += variant->always;
        for (uint32_t c = plan->chosen.start[i]; c < plan->chosen.start[i + 1]; c++)
            wanted[plan->predicates.list[plan->chosen.numbers[c]].column] = true;
    }
    wanted[COLUMN_KEYWORDS] = false;
    to->always = arena_array(arena, always + 1UL, sizeof(uint32_t));
    for (uint32_t i = 0; i < column_count; i++)
        columns += wanted[i];
    to->columns = arena_array(arena, columns + 1UL, sizeof(uint32_t));
    if (!to->always || !to->columns)
        return -1;
    for (uint32_t i = 0; i < plan->variant_count; i++)
        if (plan->variants[i].always && plan_routed(&plan->variants[i], route))
            to->always[to->always_count++] = i;
    for (uint32_t i = 0; i < column_count; i++)
        if (wanted[i])
            to->columns[to->column_count++] = i;
    route->plan = to;
    return 0;
}

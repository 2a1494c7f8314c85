#include "detect/column_tests.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>

/* Equal tests by their text. */
struct exact {
    struct slice text;
    uint64_t hash;
    uint32_t next; /* of the same place, + 1 */
    uint32_t predicate;
    bool numeric; /* only of values that are no numbers: those compare by value */
};

struct exact_table {
    struct exact *list;
    uint32_t count, mask;
    uint32_t *heads; /* + 1 */
};

struct threshold {
    struct value number;
    uint32_t predicate;
};

struct thresholds {
    struct threshold *list; /* ascending */
    uint32_t count;
};

struct network {
    struct cidr cidr;
    uint32_t predicate;
};

/* Networks of one family and prefix length. */
struct network_group {
    uint32_t start, end;
    uint8_t family, bits;
};
enum { NETWORK_GROUPS_MAX = 33 + 129 };

enum { ORDER_KINDS = 4 };

struct column_tests {
    const struct predicates *all;
    struct exact_table folded, cased;
    struct thresholds equal, order[ORDER_KINDS];
    struct network *networks; /* by family, bits, address */
    uint32_t network_count;
    struct network_group *groups;
    uint32_t group_count;
    const struct literal_set *literals;
    hit *literal_hits;
    uint32_t literal_count;
    uint32_t *exists;
    uint32_t exist_count;
    uint32_t *numeric; /* all with TEST_NUMERIC */
    uint32_t numeric_count;
    uint32_t count;
    unsigned kinds; /* of values that something may be true of: 1 << printed_kind */
};

/* ---- building ---- */

static bool is_order(const struct expr_test *test)
{
    return test->kind >= TEST_LESS && test->kind <= TEST_GREATER_EQUAL;
}

static bool has_number(const struct expr_test *test)
{
    return (test->flags & TEST_NUMERIC) && (test->kind == TEST_EQUAL || is_order(test));
}

/* How many of each kind there are. */
static void count_kinds(struct column_tests *tests, const uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct predicate *predicate = &tests->all->list[numbers[i]];
        const struct expr_test *test = &predicate->leaf->test;
        if (predicate->mode != PREDICATE_FOUND && predicate->mode != PREDICATE_SUSPECT)
            continue;
        tests->count++;
        tests->numeric_count += has_number(test);
        if (predicate->key.len)
            tests->literal_count++;
        else if (test->kind == TEST_EXISTS)
            tests->exist_count++;
        else if (test->kind == TEST_CIDR)
            tests->network_count++;
        else if (is_order(test))
            tests->order[test->kind - TEST_LESS].count++;
        if (test->kind == TEST_EQUAL) {
            (test->flags & TEST_CASED ? &tests->cased : &tests->folded)->count++;
            tests->equal.count += has_number(test);
        }
    }
}

static int make_exact(struct exact_table *table, struct arena *arena)
{
    uint32_t size = 4;
    if (!table->count)
        return 0;
    while (size < 2 * (uint64_t)table->count)
        size *= 2;
    table->list = arena_array(arena, table->count, sizeof(*table->list));
    table->heads = arena_array(arena, size, sizeof(*table->heads));
    table->mask = size - 1;
    table->count = 0;
    return table->list && table->heads ? 0 : -1;
}

static int make_thresholds(struct thresholds *thresholds, struct arena *arena)
{
    thresholds->list = arena_array(arena, thresholds->count + 1U, sizeof(*thresholds->list));
    thresholds->count = 0;
    return thresholds->list ? 0 : -1;
}

/* Room for as many as were counted; the counts are zero again. */
static int make_room(struct column_tests *tests, struct arena *arena)
{
    tests->networks = arena_array(arena, tests->network_count + 1U, sizeof(*tests->networks));
    tests->literal_hits = arena_array(arena, tests->literal_count + 1U, sizeof(hit));
    tests->exists = arena_array(arena, tests->exist_count + 1U, sizeof(*tests->exists));
    tests->numeric = arena_array(arena, tests->numeric_count + 1U, sizeof(*tests->numeric));
    tests->network_count = tests->literal_count = tests->exist_count = tests->numeric_count = 0;
    if (make_exact(&tests->folded, arena) < 0 || make_exact(&tests->cased, arena) < 0 ||
        make_thresholds(&tests->equal, arena) < 0)
        return -1;
    for (unsigned i = 0; i < ORDER_KINDS; i++)
        if (make_thresholds(&tests->order[i], arena) < 0)
            return -1;
    return tests->networks && tests->literal_hits && tests->exists && tests->numeric ? 0 : -1;
}

static uint64_t exact_hash(struct slice text)
{
    return hash_bytes_seeded(text, hash_seed);
}

static void add_equal(struct column_tests *tests, const struct expr_test *test, uint32_t number)
{
    struct exact_table *table = test->flags & TEST_CASED ? &tests->cased : &tests->folded;
    uint64_t hash = exact_hash(test->text);
    uint32_t *head = &table->heads[hash & table->mask];
    table->list[table->count++] = (struct exact){test->text, hash, *head, number, has_number(test)};
    *head = table->count;
    if (has_number(test))
        tests->equal.list[tests->equal.count++] = (struct threshold){test->number, number};
}

static enum literal_anchor anchor_of(const struct predicate *predicate)
{
    enum test_kind kind = predicate->leaf->test.kind;
    return kind == TEST_PREFIX   ? LITERAL_AT_START
           : kind == TEST_SUFFIX ? LITERAL_AT_END
                                 : LITERAL_ANYWHERE;
}

static void add_predicate(struct column_tests *tests, uint32_t number, struct literal *literals)
{
    const struct predicate *predicate = &tests->all->list[number];
    const struct expr_test *test = &predicate->leaf->test;
    if (predicate->mode != PREDICATE_FOUND && predicate->mode != PREDICATE_SUSPECT)
        return;
    if (has_number(test))
        tests->numeric[tests->numeric_count++] = number;
    if (predicate->key.len) {
        literals[tests->literal_count] = (struct literal){predicate->key, anchor_of(predicate)};
        tests->literal_hits[tests->literal_count++] =
            hit_of(number, predicate->mode == PREDICATE_FOUND ? ANSWER_YES : ANSWER_SUSPECT);
    } else if (test->kind == TEST_EXISTS) {
        tests->exists[tests->exist_count++] = number;
    } else if (test->kind == TEST_CIDR) {
        tests->networks[tests->network_count++] = (struct network){test->cidr, number};
    } else if (is_order(test)) {
        struct thresholds *order = &tests->order[test->kind - TEST_LESS];
        order->list[order->count++] = (struct threshold){test->number, number};
    } else {
        add_equal(tests, test, number);
    }
}

static int by_number(const void *a, const void *b)
{
    const struct threshold *x = a, *y = b;
    int order = value_compare_numbers(x->number, y->number);
    return order ? order : (x->predicate > y->predicate) - (x->predicate < y->predicate);
}

static int compare_networks(const struct cidr *x, const struct cidr *y)
{
    if (x->base.family != y->base.family)
        return x->base.family < y->base.family ? -1 : 1;
    if (x->bits != y->bits)
        return x->bits < y->bits ? -1 : 1;
    return memcmp(x->base.bytes, y->base.bytes, sizeof(x->base.bytes));
}

static int by_network(const void *a, const void *b)
{
    const struct network *x = a, *y = b;
    return compare_networks(&x->cidr, &y->cidr);
}

static int group_networks(struct column_tests *tests, struct arena *arena)
{
    if (!tests->network_count)
        return 0;
    qsort(tests->networks, tests->network_count, sizeof(*tests->networks), by_network);
    tests->groups = arena_array(arena, NETWORK_GROUPS_MAX, sizeof(*tests->groups));
    if (!tests->groups)
        return -1;
    struct network_group *group = NULL;
    for (uint32_t i = 0; i < tests->network_count; i++) {
        const struct cidr *cidr = &tests->networks[i].cidr;
        if (!group || group->family != cidr->base.family || group->bits != cidr->bits) {
            group = &tests->groups[tests->group_count++];
            *group = (struct network_group){i, i, cidr->base.family, cidr->bits};
        }
        group->end = i + 1;
    }
    return 0;
}

static void sort_numbers(struct column_tests *tests)
{
    qsort(tests->equal.list, tests->equal.count, sizeof(*tests->equal.list), by_number);
    for (unsigned i = 0; i < ORDER_KINDS; i++)
        qsort(tests->order[i].list, tests->order[i].count, sizeof(struct threshold), by_number);
}

/* ---- what a value may look like ---- */

enum printed_kind { PRINTED_TEXT, PRINTED_NUMBER, PRINTED_BOOL, PRINTED_IPV4, PRINTED_IPV6, PRINTED_TIME };

static enum printed_kind printed_as(const struct value *v)
{
    switch ((enum value_type)v->type) {
    case VALUE_I64:
    case VALUE_F64:
    case VALUE_DECIMAL:
        return PRINTED_NUMBER;
    case VALUE_BOOL:
        return PRINTED_BOOL;
    case VALUE_IP:
        return v->scale == 4 ? PRINTED_IPV4 : PRINTED_IPV6;
    case VALUE_TIME:
        return PRINTED_TIME;
    case VALUE_STRING:
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        break;
    }
    return PRINTED_TEXT;
}

static bool is_made_of(struct slice text, const char *alphabet)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(alphabet, text.ptr[i]))
            return false;
    return true;
}

static bool is_part_of(struct slice text, const char *word)
{
    return slice_find(slice_text(word), text) >= 0;
}

/* The kinds of values that something found for the predicate may be true of: a literal only of those that may
 * have it when value_text_small() prints them. */
static unsigned kinds_of(const struct predicate *predicate)
{
    struct slice text = predicate->key;
    unsigned kinds = 1U << PRINTED_TEXT;
    if (!text.len)
        return ~0U;
    if (text.len > VALUE_TEXT_SIZE)
        return kinds;
    if (is_made_of(text, "0123456789+-.e") || is_part_of(text, "-infinity") || is_part_of(text, "-nan"))
        kinds |= 1U << PRINTED_NUMBER;
    if (is_part_of(text, "true") || is_part_of(text, "false"))
        kinds |= 1U << PRINTED_BOOL;
    if (is_made_of(text, "0123456789."))
        kinds |= 1U << PRINTED_IPV4;
    if (is_made_of(text, "0123456789abcdef.:"))
        kinds |= 1U << PRINTED_IPV6;
    if (is_made_of(text, "0123456789-:.tz+"))
        kinds |= 1U << PRINTED_TIME;
    return kinds;
}

uint32_t column_tests_printed(const struct predicates *all, const uint32_t *numbers, uint32_t count, uint32_t *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (kinds_of(&all->list[numbers[i]]) & ~(1U << PRINTED_TEXT))
            out[kept++] = numbers[i];
    return kept;
}

bool column_tests_may_hold(const struct column_tests *tests, const struct value *v)
{
    return (tests->kinds >> printed_as(v)) & 1;
}

int column_tests_build(const struct predicates *all, const uint32_t *numbers, uint32_t count,
                       struct arena *building, struct column_tests **out)
{
    struct arena *arena = all->arena;
    struct column_tests *tests = arena_calloc(arena, sizeof(*tests));
    struct literal *literals = arena_array(building, count + 1U, sizeof(*literals));
    *out = tests;
    if (!tests || !literals)
        return -1;
    tests->all = all;
    count_kinds(tests, numbers, count);
    if (make_room(tests, arena) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        add_predicate(tests, numbers[i], literals);
        tests->kinds |= kinds_of(&all->list[numbers[i]]);
    }
    sort_numbers(tests);
    if (group_networks(tests, arena) < 0)
        return -1;
    return literal_set_build(arena, literals, tests->literal_count, &tests->literals);
}

uint32_t column_tests_literals(const struct column_tests *tests)
{
    return tests->literal_count;
}

uint32_t column_tests_count(const struct column_tests *tests)
{
    return tests->count;
}

/* ---- asking ---- */

static void put_hit(struct test_work *work, uint32_t predicate)
{
    work->hits[work->count++] = hit_of(predicate, ANSWER_YES);
}

/* The text folded, remembered until the next one. */
static int fold_value(struct test_work *work, struct slice text, struct slice *out)
{
    if (work->folded_of == text.ptr && work->folded_of_len == text.len && text.ptr) {
        *out = work->folded;
        return 0;
    }
    if (3 * text.len > work->room_size) {
        char *room = mem_realloc(work->room, 3 * text.len + KIB);
        if (!room)
            return -1;
        work->room = room;
        work->room_size = 3 * text.len + KIB;
    }
    *out = slice_of(work->room, work->room ? utf8_fold_text(text, work->room) : 0);
    work->folded = *out;
    work->folded_of = text.ptr;
    work->folded_of_len = text.len;
    return 0;
}

static void find_exact(const struct exact_table *table, struct slice text, bool is_number,
                       struct test_work *work)
{
    if (!table->count)
        return;
    uint64_t hash = exact_hash(text);
    for (uint32_t at = table->heads[hash & table->mask]; at; at = table->list[at - 1].next) {
        const struct exact *exact = &table->list[at - 1];
        if (exact->hash == hash && !(exact->numeric && is_number) && slice_equal(exact->text, text))
            put_hit(work, exact->predicate);
    }
}

/* The first threshold that is not below the number, or (past) the first above it. */
static uint32_t bound(const struct thresholds *in, struct value number, bool past)
{
    uint32_t low = 0, high = in->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = value_compare_numbers(in->list[middle].number, number);
        if (order < 0 || (past && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_range(const struct thresholds *in, uint32_t from, uint32_t to, struct test_work *work)
{
    for (uint32_t i = from; i < to; i++)
        put_hit(work, in->list[i].predicate);
}

static void find_numbers(const struct column_tests *tests, struct value number, struct test_work *work)
{
    const struct thresholds *order = tests->order;
    put_range(&tests->equal, bound(&tests->equal, number, false), bound(&tests->equal, number, true), work);
    put_range(&order[0], bound(&order[0], number, true), order[0].count, work);  /* number < threshold */
    put_range(&order[1], bound(&order[1], number, false), order[1].count, work); /* <= */
    put_range(&order[2], 0, bound(&order[2], number, false), work);              /* > */
    put_range(&order[3], 0, bound(&order[3], number, true), work);               /* >= */
}

/* Doubles have no order that holds for all of them; numbers in unusual clothes are not the same to all tests. */
static void ask_numbers(const struct column_tests *tests, struct value v, struct test_work *work)
{
    for (uint32_t i = 0; i < tests->numeric_count; i++)
        if (expr_test_value(&tests->all->list[tests->numeric[i]].leaf->test, v, work->scope))
            put_hit(work, tests->numeric[i]);
}

static void find_in_group(const struct column_tests *tests, const struct network_group *group,
                          const struct ip *ip, struct test_work *work)
{
    struct cidr key = {.base = *ip, .bits = group->bits};
    if (ip->family != group->family)
        return;
    for (size_t bit = (ip->family == 4 ? 96U : 0U) + group->bits; bit < 128; bit++)
        key.base.bytes[bit / 8] &= (uint8_t)~(0x80U >> (bit % 8));
    uint32_t low = group->start, high = group->end;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare_networks(&tests->networks[middle].cidr, &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < group->end && compare_networks(&tests->networks[low].cidr, &key) == 0; low++)
        put_hit(work, tests->networks[low].predicate);
}

static void find_networks(const struct column_tests *tests, struct value v, struct test_work *work)
{
    struct ip ip;
    if (v.type == VALUE_IP) {
        memcpy(ip.bytes, v.ip, sizeof(ip.bytes));
        ip.family = v.scale;
    } else if (v.type != VALUE_STRING || !ip_parse(value_slice(v), &ip)) {
        return;
    }
    for (uint32_t i = 0; i < tests->group_count; i++)
        find_in_group(tests, &tests->groups[i], &ip, work);
}

static int find_texts(const struct column_tests *tests, struct slice text, bool is_number,
                      struct test_work *work)
{
    struct slice folded;
    find_exact(&tests->cased, text, is_number, work);
    if (!tests->folded.count && !tests->literal_count)
        return 0;
    if (fold_value(work, text, &folded) < 0)
        return -1;
    find_exact(&tests->folded, folded, is_number, work);
    if (!tests->literal_count)
        return 0;
    literal_set_scan(tests->literals, folded, &work->scan);
    for (uint32_t i = 0; i < work->scan.count; i++)
        work->hits[work->count++] = tests->literal_hits[work->scan.found[i]];
    return 0;
}

int column_tests_run(const struct column_tests *tests, struct value v, struct test_work *work)
{
    char small[VALUE_TEXT_SIZE];
    struct value number;
    work->count = 0;
    if (v.type == VALUE_NULL)
        return 0;
    for (uint32_t i = 0; i < tests->exist_count; i++)
        put_hit(work, tests->exists[i]);
    bool is_number = tests->numeric_count && value_to_number(v, work->scope->scratch, &number);
    bool unusual = is_number && v.type == VALUE_STRING && !expr_is_plain_number(value_slice(v));
    if (is_number && (unusual || number.type == VALUE_F64))
        ask_numbers(tests, v, work);
    else if (is_number)
        find_numbers(tests, number, work);
    if (tests->network_count)
        find_networks(tests, v, work);
    struct slice text = value_text_small(v, small);
    if (v.type != VALUE_STRING)
        work->folded_of = NULL; /* it stands in small now and then */
    return find_texts(tests, text, is_number, work);
}

int predicate_ask(const struct predicate *predicate, struct value v, struct test_work *work,
                  enum answer *out)
{
    const struct expr_test *test = &predicate->leaf->test;
    struct expr_scope *scope = work->scope;
    uint64_t limits = scope->regex_limits;
    *out = ANSWER_NO;
    if (v.type == VALUE_STRING && expr_test_folds(test)) {
        struct slice folded;
        if (fold_value(work, value_slice(v), &folded) < 0)
            return -1;
        *out = expr_test_folded(test, folded) ? ANSWER_YES : ANSWER_NO;
        return 0;
    }
    struct arena_mark mark = arena_mark(scope->scratch);
    if (expr_test_value(test, v, scope))
        *out = ANSWER_YES;
    else if (scope->regex_limits != limits)
        *out = ANSWER_LIMIT;
    arena_rewind(scope->scratch, &mark);
    return 0;
}

void test_work_close(struct test_work *work)
{
    mem_free(work->room);
    work->room = NULL;
    work->room_size = 0;
}

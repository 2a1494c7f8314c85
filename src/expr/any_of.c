#include "expr/any_of.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <stdlib.h>

struct any_of {
    unsigned flags;
    uint32_t *table; /* number of a text + 1; open addressing */
    size_t table_size;
    struct slice *texts;
    size_t text_count;
    struct value *numbers;
    size_t number_count;
    bool sorted; /* the numbers */
};

struct any_of *any_of_new(struct arena *arena, size_t count, unsigned flags)
{
    struct any_of *set = arena_calloc(arena, sizeof(*set));
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    if (!set)
        return NULL;
    set->flags = flags & TEST_CASED;
    set->table_size = size;
    set->table = arena_array(arena, size, sizeof(*set->table));
    set->texts = arena_array(arena, count + 1, sizeof(*set->texts));
    set->numbers = arena_array(arena, count + 1, sizeof(*set->numbers));
    return set->table && set->texts && set->numbers ? set : NULL;
}

/* The place of a text, or the free one where it would be. */
static uint32_t *place_of(const struct any_of *set, struct slice text)
{
    size_t at = hash_bytes_seeded(text, hash_seed) & (set->table_size - 1);
    while (set->table[at] && !slice_equal(set->texts[set->table[at] - 1], text))
        at = (at + 1) & (set->table_size - 1);
    return &set->table[at];
}

int any_of_add(struct any_of *set, struct arena *arena, struct slice text)
{
    struct value number;
    if (!(set->flags & TEST_CASED)) {
        char *folded = arena_alloc(arena, 3 * text.len + 1);
        if (!folded)
            return -1;
        text = slice_of(folded, utf8_fold_text(text, folded));
    } else if (!(text = arena_copy(arena, text)).ptr) {
        return -1;
    }
    if (value_to_number(value_string(text), arena, &number)) {
        set->numbers[set->number_count++] = number;
        set->sorted = false;
        return 0;
    }
    uint32_t *place = place_of(set, text);
    if (*place)
        return 0;
    set->texts[set->text_count++] = text;
    *place = (uint32_t)set->text_count;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    return value_compare_numbers(*(const struct value *)a, *(const struct value *)b);
}

struct expr *any_of_expr(struct any_of *set, struct arena *arena, struct slice field)
{
    struct expr *expr = expr_test_new(arena, field, TEST_ANY_OF, set->flags, SLICE(""));
    if (!expr)
        return NULL;
    if (set->number_count)
        qsort(set->numbers, set->number_count, sizeof(*set->numbers), by_number);
    set->sorted = true;
    expr->test.any_of = set;
    return expr;
}

bool any_of_has(const struct any_of *set, struct value v, struct expr_scope *scope)
{
    struct value number;
    char small[VALUE_TEXT_SIZE];
    if (set->number_count && value_to_number(v, scope->scratch, &number) &&
        bsearch(&number, set->numbers, set->number_count, sizeof(number), by_number))
        return true;
    if (!set->text_count)
        return false;
    struct slice text = value_text_small(v, small);
    if (!(set->flags & TEST_CASED)) {
        char *folded = arena_alloc(scope->scratch, 3 * text.len + 1);
        if (!folded)
            return false;
        text = slice_of(folded, utf8_fold_text(text, folded));
    }
    return *place_of(set, text) != 0;
}

size_t any_of_count(const struct any_of *set)
{
    return set->text_count + set->number_count;
}

const struct slice *any_of_texts(const struct any_of *set, size_t *count)
{
    *count = set->text_count;
    return set->texts;
}

/* ---- trees ---- */

static bool is_equal(const struct expr *expr)
{
    return expr->kind == EXPR_TEST && expr->test.kind == TEST_EQUAL && !expr->test.other.ptr &&
           !(expr->test.flags & TEST_PLAIN_NUMBER);
}

static bool is_alike(const struct expr *a, const struct expr *b)
{
    return is_equal(b) && slice_equal(a->field, b->field) &&
           (a->test.flags & TEST_CASED) == (b->test.flags & TEST_CASED);
}

/* ORs in ORs, as a parser makes them of a list, become one list. */
static size_t flatten(const struct expr *expr, const struct expr **to)
{
    if (expr->kind != EXPR_OR) {
        if (to)
            *to = expr;
        return 1;
    }
    size_t n = 0;
    for (size_t i = 0; i < expr->arg_count; i++)
        n += flatten(expr->args[i], to ? to + n : NULL);
    return n;
}

/* Children from number at on that are like that one become one test; they are NULL afterwards. */
static const struct expr *gather_alike(struct arena *arena, const struct expr **list, size_t count,
                                       size_t at)
{
    const struct expr *first = list[at];
    size_t alike = 0;
    for (size_t i = at; i < count; i++)
        alike += list[i] && is_alike(first, list[i]);
    if (alike < ANY_OF_FROM)
        return first;
    struct any_of *set = any_of_new(arena, alike, first->test.flags);
    for (size_t i = at; set && i < count; i++) {
        if (!list[i] || !is_alike(first, list[i]))
            continue;
        if (any_of_add(set, arena, list[i]->test.text) < 0)
            return NULL;
        list[i] = NULL;
    }
    return set ? any_of_expr(set, arena, first->field) : NULL;
}

static int gather_or(struct arena *arena, const struct expr *tree, const struct expr **out)
{
    size_t count = flatten(tree, NULL), kept = 0;
    const struct expr **list = arena_array(arena, count + 1, sizeof(*list));
    const struct expr *failed = NULL; /* a field that had too few */
    if (!list)
        return -1;
    flatten(tree, list);
    for (size_t i = 0; i < count; i++) {
        const struct expr *one = list[i];
        if (!one)
            continue;
        bool again = is_equal(one) && !(failed && is_alike(failed, one));
        if (again && !(one = gather_alike(arena, list, count, i)))
            return -1;
        if (again && one == list[i])
            failed = one;
        if (!is_equal(one) && any_of_gather(arena, one, &one) < 0)
            return -1;
        list[i] = NULL;
        list[kept++] = one;
    }
    *out = kept == 1 ? list[0] : expr_list(arena, EXPR_OR, list, kept);
    return *out ? 0 : -1;
}

int any_of_gather(struct arena *arena, const struct expr *tree, const struct expr **out)
{
    *out = tree;
    if (!tree || tree->kind < EXPR_AND || tree->kind > EXPR_NOT)
        return 0;
    if (tree->kind == EXPR_OR && flatten(tree, NULL) >= ANY_OF_FROM)
        return gather_or(arena, tree, out);
    const struct expr **args = arena_array(arena, tree->arg_count + 1, sizeof(*args));
    bool same = true;
    if (!args)
        return -1;
    for (size_t i = 0; i < tree->arg_count; i++) {
        if (any_of_gather(arena, tree->args[i], &args[i]) < 0)
            return -1;
        same &= args[i] == tree->args[i];
    }
    if (!same)
        *out = expr_list(arena, tree->kind, args, tree->arg_count);
    return *out ? 0 : -1;
}

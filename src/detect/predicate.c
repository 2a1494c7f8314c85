#include "detect/predicate.h"

#include "base/utf8.h"
#include "expr/any_of.h"

int predicates_init(struct predicates *all, struct arena *arena, struct arena *building,
                    struct buffer *room)
{
    *all = (struct predicates){.arena = arena, .building = building, .room = room,
                               .column_count = 1, .column_size = 64};
    map_init(&all->by_test, building);
    map_init(&all->by_column, arena);
    all->columns = arena_array(arena, all->column_size, sizeof(*all->columns));
    if (!all->columns)
        return -1;
    all->columns[COLUMN_KEYWORDS] = SLICE("");
    return 0;
}

uint32_t predicates_column(const struct predicates *all, struct slice name)
{
    uintptr_t number = (uintptr_t)map_find(&all->by_column, name);
    return number ? (uint32_t)number : PREDICATE_NONE;
}

static uint32_t column_number(struct predicates *all, struct slice name)
{
    void **slot = map_slot(&all->by_column, name);
    if (!slot)
        return PREDICATE_NONE;
    if (*slot)
        return (uint32_t)(uintptr_t)*slot;
    if (all->column_count == all->column_size) {
        all->columns = arena_grow(all->arena, all->columns, all->column_size * sizeof(*all->columns),
                                  2UL * all->column_size * sizeof(*all->columns));
        if (!all->columns)
            return PREDICATE_NONE;
        all->column_size *= 2;
    }
    all->columns[all->column_count] = name;
    *slot = (void *)(uintptr_t)all->column_count; /* NOLINT: a number */
    return all->column_count++;
}

/* ---- what finds a test ---- */

static struct slice longest_literal(const struct wildcard *wildcard)
{
    struct slice best = SLICE("");
    for (size_t i = 0; i < wildcard->count; i++)
        if (wildcard->parts[i].kind == WILDCARD_LITERAL && wildcard->parts[i].text.len > best.len)
            best = wildcard->parts[i].text;
    return best;
}

/* A text that has the bytes folds to one that has the folded bytes; of bytes that are no whole characters
 * that cannot be said. */
static struct slice folded_key(struct slice bytes, struct arena *arena)
{
    char *to = bytes.len && utf8_valid(bytes) ? arena_alloc(arena, 3 * bytes.len) : NULL;
    return to ? slice_of(to, utf8_fold_text(bytes, to)) : SLICE("");
}

static void choose_by_literal(struct predicate *predicate, struct slice literal, bool folded, bool exact,
                              struct arena *arena)
{
    predicate->key = folded ? literal : folded_key(literal, arena);
    predicate->mode = !predicate->key.len ? PREDICATE_ASKED : exact ? PREDICATE_FOUND : PREDICATE_SUSPECT;
}

static void choose_mode(struct predicate *predicate, struct arena *arena)
{
    const struct expr_test *test = &predicate->leaf->test;
    bool folded = !(test->flags & TEST_CASED), numeric = test->flags & TEST_NUMERIC;
    predicate->mode = PREDICATE_ASKED;
    predicate->key = SLICE("");
    switch (test->kind) {
    case TEST_EXISTS:
    case TEST_EQUAL:
    case TEST_CIDR:
        predicate->mode = PREDICATE_FOUND;
        break;
    case TEST_PREFIX:
    case TEST_SUFFIX:
    case TEST_CONTAINS:
        choose_by_literal(predicate, test->text, folded, folded, arena);
        break;
    case TEST_WILDCARD:
        choose_by_literal(predicate, longest_literal(&test->wildcard), folded, false, arena);
        break;
    case TEST_REGEX:
        choose_by_literal(predicate, regex_required(test->regex), false, false, arena);
        break;
    case TEST_LESS:
    case TEST_LESS_EQUAL:
    case TEST_GREATER:
    case TEST_GREATER_EQUAL:
        if (numeric && !(test->flags & TEST_TEXT_ORDER))
            predicate->mode = PREDICATE_FOUND;
        break;
    case TEST_FIELD_EQUAL:
    case TEST_FIELD_PREFIX:
    case TEST_FIELD_SUFFIX:
    case TEST_FIELD_CONTAINS:
    case TEST_NULL:
        predicate->mode = PREDICATE_ROW;
        break;
    case TEST_TERM:
    case TEST_ANY_OF:
    case TEST_TIME_PART:
        break;
    }
    if (test->other.ptr || (predicate->leaf->kind == EXPR_KEYWORD && predicate->mode == PREDICATE_ASKED))
        predicate->mode = PREDICATE_ROW;
}

void predicate_leave(struct predicate *predicate, size_t bytes_min)
{
    if (!predicate->key.len || predicate->key.len >= bytes_min)
        return;
    predicate->key = SLICE("");
    predicate->mode = predicate->leaf->kind == EXPR_KEYWORD ? PREDICATE_ROW : PREDICATE_ASKED;
}

/* ---- how often it may be true: only an order is needed ---- */

static float literal_chance(size_t len)
{
    static const float by_length[] = {1, 0.6F, 0.4F, 0.15F, 0.1F, 0.06F, 0.04F, 0.03F, 0.02F, 0.015F};
    return len < ARRAY_COUNT(by_length) ? by_length[len] : len < 16 ? 0.01F : 0.004F;
}

static float chance_of(const struct predicate *predicate)
{
    if (predicate->mode == PREDICATE_ROW || predicate->mode == PREDICATE_ASKED)
        return 1;
    if (predicate->key.len)
        return literal_chance(predicate->key.len);
    enum test_kind kind = predicate->leaf->test.kind;
    if (kind == TEST_EQUAL)
        return predicate->leaf->test.text.len < 3 ? 0.08F : 0.03F;
    return kind == TEST_CIDR ? 0.1F : kind >= TEST_LESS && kind <= TEST_GREATER_EQUAL ? 0.3F : 0.9F;
}

/* ---- equal tests ---- */

static void put_value(struct buffer *to, struct value v)
{
    char small[VALUE_TEXT_SIZE];
    buffer_put_char(to, (char)v.type);
    buffer_put_block(to, value_text_small(v, small));
}

static void put_pointer(struct buffer *to, const void *ptr)
{
    buffer_put_le64(to, (uint64_t)(uintptr_t)ptr);
}

/* Leaves with the same bytes ask the same. */
static void put_leaf(struct buffer *to, const struct expr *leaf, uint32_t column)
{
    const struct expr_test *test = &leaf->test;
    if (leaf->kind != EXPR_TEST && leaf->kind != EXPR_KEYWORD) {
        put_pointer(to, leaf);
        return;
    }
    buffer_put_varint(to, column);
    buffer_put_varint(to, test->kind);
    buffer_put_varint(to, test->flags);
    buffer_put_varint(to, test->kind == TEST_TIME_PART ? test->part + 1U : 0);
    buffer_put_block(to, test->text);
    buffer_put_block(to, test->other);
    if (test->flags & TEST_NUMERIC)
        put_value(to, test->number);
    for (size_t i = 0; i < test->wildcard.count; i++) {
        buffer_put_char(to, (char)test->wildcard.parts[i].kind);
        buffer_put_block(to, test->wildcard.parts[i].text);
    }
    buffer_put_varint(to, test->regex ? regex_flags(test->regex) + 1U : 0); /* its pattern is the text */
    put_pointer(to, test->any_of);
    if (test->kind == TEST_CIDR) {
        buffer_put(to, slice_of(test->cidr.base.bytes, sizeof(test->cidr.base.bytes)));
        buffer_put_char(to, (char)test->cidr.base.family);
        buffer_put_char(to, (char)test->cidr.bits);
    }
}

static uint32_t add_new(struct predicates *all, const struct expr *leaf, uint32_t column)
{
    if (all->count == all->size) {
        uint32_t size = all->size ? all->size * 2 : 256;
        all->list = arena_grow(all->arena, all->list, all->size * sizeof(*all->list),
                               size * sizeof(*all->list));
        if (!all->list)
            return PREDICATE_NONE;
        all->size = size;
    }
    struct predicate *predicate = &all->list[all->count];
    *predicate = (struct predicate){.leaf = leaf, .column = column, .mode = PREDICATE_ROW};
    if (leaf->kind == EXPR_TEST || leaf->kind == EXPR_KEYWORD)
        choose_mode(predicate, all->arena);
    predicate->chance = chance_of(predicate);
    return all->count++;
}

uint32_t predicates_add(struct predicates *all, const struct expr *leaf)
{
    uint32_t column = COLUMN_KEYWORDS;
    if (leaf->kind == EXPR_TEST)
        column = column_number(all, leaf->field);
    if (column == PREDICATE_NONE)
        return PREDICATE_NONE;
    buffer_clear(all->room);
    put_leaf(all->room, leaf, column);
    if (buffer_failed(all->room))
        return PREDICATE_NONE;
    uintptr_t known = (uintptr_t)map_find(&all->by_test, buffer_slice(all->room));
    if (known)
        return (uint32_t)(known - 1);
    struct slice bytes = arena_copy(all->building, buffer_slice(all->room));
    void **slot = bytes.ptr ? map_slot(&all->by_test, bytes) : NULL;
    uint32_t number = slot ? add_new(all, leaf, column) : PREDICATE_NONE;
    if (number != PREDICATE_NONE)
        *slot = (void *)(uintptr_t)(number + 1U); /* NOLINT: a number */
    return number;
}

uint32_t predicates_add_exists(struct predicates *all, struct slice column)
{
    const struct expr *leaf = expr_test_new(all->arena, column, TEST_EXISTS, 0, SLICE(""));
    return leaf ? predicates_add(all, leaf) : PREDICATE_NONE;
}

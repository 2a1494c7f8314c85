#include "store/scan_dict.h"

#include "base/fold_find.h"

enum { SCRATCH_EVERY = 512 }; /* tests between two resets of the scratch arena */

int scan_damaged(struct block_view *view, const struct segment_column *column)
{
    view->damaged = segment_column_name(view->segment, column->chunk->column);
    return -1;
}

bool scan_ask(struct block_view *view, const struct expr_test *test, struct value v, uint32_t i)
{
    if (i % SCRATCH_EVERY == 0)
        arena_reset(view->scope->scratch);
    return expr_test_value(test, v, view->scope);
}

bool scan_needle(const struct expr_test *test, struct needle *out)
{
    struct slice text = SLICE("");
    bool whole = test->kind == TEST_EQUAL || test->kind == TEST_PREFIX ||
                 test->kind == TEST_SUFFIX || test->kind == TEST_CONTAINS;
    bool pattern = test->kind == TEST_WILDCARD || test->kind == TEST_TERM;
    if ((!whole && !pattern) || (test->flags & TEST_NUMERIC))
        return false;
    if (whole || (test->kind == TEST_TERM && !test->wildcard.count))
        text = test->text;
    for (size_t i = 0; pattern && i < test->wildcard.count; i++)
        if (test->wildcard.parts[i].kind == WILDCARD_LITERAL &&
            test->wildcard.parts[i].text.len > text.len)
            text = test->wildcard.parts[i].text;
    /* blanks stand between slots nearly everywhere: without them it is told better where it may be */
    struct slice words = slice_trim(text);
    *out = (struct needle){words.len >= NEEDLE_FROM ? words : text,
                           (test->flags & TEST_CASED) != 0};
    return text.len >= NEEDLE_FROM;
}

/* ---- by the bytes of all entries together ------------------------------------------------- */

static bool texts_rule_out(struct slice raw, const struct expr_test *test)
{
    struct needle needle;
    struct fold_needle folded;
    if (!scan_needle(test, &needle))
        return false;
    if (needle.cased)
        return slice_find(raw, needle.text) < 0;
    fold_needle_init(&folded, needle.text);
    return fold_find(&folded, raw) == FOLD_NO;
}

/* The address that a text is the printed form of. */
static bool address_of(const struct expr_test *test, struct ip *out)
{
    char text[IP_TEXT_SIZE];
    return test->kind == TEST_EQUAL && ip_parse(test->text, out) &&
           slice_equal(slice_of(text, ip_format(out->bytes, out->family, text)), test->text);
}

static bool addresses_rule_out(struct slice raw, const struct expr_test *test)
{
    struct ip ip;
    if (test->kind != TEST_EQUAL || (test->flags & TEST_NUMERIC))
        return false;
    if (!address_of(test, &ip))
        return true;
    return slice_find(raw, ip.family == 4 ? slice_of((char *)ip.bytes + 12, 4)
                                          : slice_of((char *)ip.bytes, 16)) < 0;
}

static int rules_out(struct block_view *view, const struct expr_test *test,
                     struct segment_column *column, bool *out, struct err *err)
{
    uint16_t types = column->chunk->types_seen;
    bool texts = types == 1U << VALUE_STRING, addresses = types == 1U << VALUE_IP;
    *out = false;
    if (column->dict || (!texts && !addresses))
        return 0;
    if (segment_load_raw_dict(column, view->arena, err) < 0)
        return -1;
    *out = texts ? texts_rule_out(column->raw_dict, test)
                 : addresses_rule_out(column->raw_dict, test);
    return 0;
}

/* ---- entry by entry ----------------------------------------------------------------------- */

/* cidr_contains() for IPv4: one comparison an entry. */
static uint32_t ask_ip4s(const struct cidr *cidr, const struct segment_column *column,
                         uint8_t *yes)
{
    uint32_t count = 0, mask = cidr->bits ? UINT32_MAX << (32 - cidr->bits) : 0;
    uint32_t base = ip4_number(cidr->base.bytes);
    for (uint32_t i = 0; i < column->dict_count; i++) {
        const struct value *v = &column->dict[i];
        count += yes[i] = v->scale == 4 && (ip4_number(v->ip) & mask) == base;
    }
    return count;
}

/* Entries that fulfil the test, as bytes. */
static uint32_t ask_addresses(const struct expr_test *test, const struct segment_column *column,
                              uint8_t *yes)
{
    uint32_t count = 0;
    struct cidr cidr = test->cidr;
    if (test->kind == TEST_EQUAL) {
        if (!address_of(test, &cidr.base))
            return 0;
        cidr.bits = cidr.base.family == 4 ? 32 : 128;
    }
    if (cidr.base.family == 4)
        return ask_ip4s(&cidr, column, yes);
    for (uint32_t i = 0; i < column->dict_count; i++)
        count += yes[i] = cidr_contains(&cidr, column->dict[i].ip, column->dict[i].scale);
    return count;
}

static uint32_t ask_entries(struct block_view *view, const struct expr_test *test,
                            const struct segment_column *column, uint8_t *yes)
{
    uint32_t count = 0;
    bool whole = test->kind == TEST_CIDR ||
                 (test->kind == TEST_EQUAL && !(test->flags & TEST_NUMERIC));
    if (whole && column->chunk->types_seen == 1U << VALUE_IP)
        return ask_addresses(test, column, yes);
    for (uint32_t i = 0; i < column->dict_count; i++)
        count += yes[i] = scan_ask(view, test, column->dict[i], i);
    return count;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* A column that has every row: its entries are the rows, so 64 of them are one word. */
static void mark_dense(const struct segment_column *column, const uint8_t *yes,
                       const uint64_t *selected, uint64_t *out)
{
    for (uint32_t at = 0; at < column->count; at += 64) {
        uint32_t n = column->count - at < 64 ? column->count - at : 64;
        const uint32_t *codes = column->codes + at;
        uint64_t word = 0;
        if (!selected[at / 64])
            continue;
        for (uint32_t i = 0; i < n; i++)
            word |= (uint64_t)yes[codes[i]] << i;
        out[at / 64] |= word & selected[at / 64];
    }
}

static void mark_sparse(const struct segment_column *column, const uint8_t *yes,
                        const uint64_t *selected, uint64_t *out)
{
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        if (yes[column->codes[i]] && bits_get(selected, row))
            bits_set(out, row);
    }
}

/* Few rows: only their codes are read. */
static int mark_points(struct block_view *view, struct segment_column *column, const uint8_t *yes,
                       const uint64_t *selected, uint32_t count, uint64_t *out, struct err *err)
{
    uint32_t *rows = arena_alloc(view->arena, 2 * count * sizeof(*rows) + 1), n = 0;
    if (!rows)
        return err_nomem(err);
    uint32_t *codes = rows + count;
    for (size_t row = bits_next(selected, view->row_count, 0); row < view->row_count;
         row = bits_next(selected, view->row_count, row + 1))
        rows[n++] = (uint32_t)row;
    if (segment_point_codes(column, rows, n, view->arena, codes, err) < 0)
        return scan_damaged(view, column);
    for (uint32_t i = 0; i < n; i++)
        if (codes[i] != UINT32_MAX && yes[codes[i]])
            bits_set(out, rows[i]);
    return 0;
}

bool scan_has_dict(const struct chunk *chunk)
{
    return chunk->encoding == CHUNK_CONST || chunk->encoding == CHUNK_DICT;
}

int scan_dict_ask(struct block_view *view, const struct expr_test *test,
                  struct segment_column *column, struct dict_answer *out, struct err *err)
{
    bool none;
    *out = (struct dict_answer){0};
    if (rules_out(view, test, column, &none, err) < 0)
        return scan_damaged(view, column);
    if (none)
        return 0;
    if (segment_load_dict(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    out->yes = arena_alloc(view->arena, column->dict_count);
    if (!out->yes)
        return err_nomem(err);
    out->count = ask_entries(view, test, column, out->yes);
    return 0;
}

int scan_dict_mark(struct block_view *view, struct segment_column *column,
                   const struct dict_answer *answer, const uint64_t *selected, uint64_t *out,
                   struct err *err)
{
    if (!answer->count)
        return 0;
    uint32_t count = (uint32_t)bits_count(selected, view->row_count);
    if (count <= SEGMENT_FEW_ROWS && !(column->chunk->flags & CHUNK_MULTI))
        return mark_points(view, column, answer->yes, selected, count, out, err);
    if (segment_load_rows(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    if (answer->count == column->dict_count && column->dense) {
        bits_or(out, selected, view->row_count);
        return 0;
    }
    if (segment_load_codes(column, view->arena, err) < 0)
        return scan_damaged(view, column);
    (column->dense ? mark_dense : mark_sparse)(column, answer->yes, selected, out);
    return 0;
}

/* Texts of Sigma's values: wildcards and escapes, encodings, dashes. */
#include "base/utf8.h"
#include "detect/sigma_item.h"

/* ---- texts with wildcards ---- */

struct pattern {
    struct wildcard_part *parts;
    size_t count;
};

/* Sigma's escapes: a backslash before * ? or \ makes it literal, elsewhere it is itself. */
static bool parse_pattern(struct slice text, struct arena *arena, struct pattern *out)
{
    size_t most = 3; /* a literal, and a star on either side */
    for (size_t i = 0; i < text.len; i++)
        most += text.ptr[i] == '*' || text.ptr[i] == '?' ? 2 : 0;
    out->parts = arena_array(arena, most, sizeof(*out->parts));
    char *bytes = arena_alloc(arena, text.len + 1);
    size_t used = 0, start = 0;
    out->count = 0;
    if (!out->parts || !bytes)
        return false;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.ptr[i] : '*';
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        if (i < text.len && c == '\\' && (next == '*' || next == '?' || next == '\\')) {
            bytes[used++] = next;
            i++;
            continue;
        }
        if (c != '*' && c != '?') {
            bytes[used++] = c;
            continue;
        }
        if (used > start)
            out->parts[out->count++] = (struct wildcard_part){
                WILDCARD_LITERAL, slice_of(bytes + start, used - start)};
        start = used;
        if (i < text.len)
            out->parts[out->count++] =
                (struct wildcard_part){c == '*' ? WILDCARD_ANY : WILDCARD_ONE, SLICE("")};
    }
    return true;
}

static void open_pattern(struct pattern *pattern, enum place place)
{
    struct wildcard_part any = {WILDCARD_ANY, SLICE("")};
    bool front = place == PLACE_CONTAINS || place == PLACE_ENDS;
    bool back = place == PLACE_CONTAINS || place == PLACE_STARTS;
    if (front && (pattern->count == 0 || pattern->parts[0].kind != WILDCARD_ANY)) {
        memmove(pattern->parts + 1, pattern->parts, pattern->count * sizeof(any));
        pattern->parts[0] = any;
        pattern->count++;
    }
    if (back && pattern->parts[pattern->count - 1].kind != WILDCARD_ANY)
        pattern->parts[pattern->count++] = any;
}

/* The plainest test that means the same. */
static const struct expr *pattern_test(struct arena *arena, struct slice column,
                                       const struct pattern *pattern, unsigned flags)
{
    const struct wildcard_part *p = pattern->parts;
    size_t n = pattern->count;
    bool front = n && p[0].kind == WILDCARD_ANY, back = n > 1 && p[n - 1].kind == WILDCARD_ANY;
    size_t literals = n - front - back;
    if (n == 0)
        return expr_test_new(arena, column, TEST_EQUAL, flags, SLICE(""));
    if (n == 1 && front)
        return expr_test_new(arena, column, TEST_EXISTS, flags, SLICE(""));
    if (literals == 1 && p[front].kind == WILDCARD_LITERAL) {
        enum test_kind kind = front && back ? TEST_CONTAINS
                              : front       ? TEST_SUFFIX
                              : back        ? TEST_PREFIX
                                            : TEST_EQUAL;
        return expr_test_new(arena, column, kind, flags, p[front].text);
    }
    struct expr *test = expr_test_new(arena, column, TEST_WILDCARD, flags, SLICE(""));
    struct wildcard_part *parts = arena_array(arena, n, sizeof(*parts));
    if (!test || !parts)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        parts[i] = p[i];
        char *folded = arena_alloc(arena, 3 * p[i].text.len + 1);
        if (!folded)
            return NULL;
        if (!(flags & TEST_CASED))
            parts[i].text = slice_of(folded, utf8_fold_text(p[i].text, folded));
    }
    test->test.wildcard = (struct wildcard){parts, n, !(flags & TEST_CASED)};
    return test;
}

/* ---- encodings ---- */

static struct slice widen(struct slice text, enum coding coding, struct arena *arena)
{
    char *to = arena_alloc(arena, 4 * text.len + 3);
    size_t len = 0;
    bool big_end = coding == CODING_UTF16BE;
    if (to && coding == CODING_UTF16) { /* byte order mark */
        to[len++] = '\xff';
        to[len++] = '\xfe';
    }
    while (to && text.len) {
        uint32_t c;
        size_t used = utf8_decode(text, &c);
        if (used == 0) {
            c = (unsigned char)text.ptr[0];
            used = 1;
        }
        text = slice_from(text, used);
        uint32_t units[2] = {c, 0};
        if (c > 0xffff) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        for (int u = 0; u < (c > 0xffff ? 2 : 1); u++) {
            to[len++] = (char)(big_end ? units[u] >> 8 : units[u] & 0xff);
            to[len++] = (char)(big_end ? units[u] & 0xff : units[u] >> 8);
        }
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

static struct slice to_base64(struct slice bytes, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, 16 * MIB);
    buffer_put_base64(&text, bytes);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

/* The characters that do not depend on what stands before and behind, for one of three offsets. */
static struct slice base64_at(struct slice bytes, size_t offset, struct arena *arena)
{
    static const size_t skip_front[] = {0, 2, 3};
    static const size_t skip_back[] = {0, 3, 2}; /* by (length + offset) mod 3, of the padded text */
    char *padded = arena_alloc(arena, bytes.len + 3);
    if (!padded)
        return SLICE_NONE;
    memset(padded, ' ', offset);
    memcpy(padded + offset, bytes.ptr, bytes.len);
    struct slice text = to_base64(slice_of(padded, bytes.len + offset), arena);
    size_t front = skip_front[offset], back = skip_back[(bytes.len + offset) % 3];
    if (!text.ptr || text.len < front + back)
        return SLICE_NONE;
    return slice_sub(text, front, text.len - front - back);
}

enum { ENCODED_MAX = 27 }; /* three offsets, once for each encoding */

/* The texts that one text stands for. None: too short for what is the same at every place, or memory is out. */
static size_t encode_once(enum coding coding, struct slice text, struct arena *arena, struct slice out[3])
{
    size_t count = 0;
    for (size_t offset = 0; offset < (coding == CODING_BASE64_OFFSET ? 3 : 1); offset++) {
        out[count] = coding == CODING_BASE64_OFFSET ? base64_at(text, offset, arena)
                     : coding == CODING_BASE64      ? to_base64(text, arena)
                                                    : widen(text, coding, arena);
        count += out[count].ptr != NULL;
    }
    return count;
}

static size_t encode(const struct item *item, struct slice text, struct arena *arena, struct slice out[ENCODED_MAX])
{
    size_t count = 1;
    out[0] = text;
    for (size_t i = 0; i < item->coding_count; i++) {
        struct slice next[ENCODED_MAX];
        size_t made = 0;
        for (size_t k = 0; k < count; k++)
            made += encode_once(item->codings[i], out[k], arena, next + made);
        memcpy(out, next, made * sizeof(*out));
        count = made;
    }
    return count;
}

/* ---- windash: a dash or slash before a word stands for all dashes ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static size_t dash_length(struct slice text)
{
    static const char *const dashes[] = {"-", "/", "\u2013", "\u2014", "\u2015"};
    for (size_t i = 0; i < ARRAY_COUNT(dashes); i++)
        if (slice_starts(text, slice_text(dashes[i])))
            return strlen(dashes[i]);
    return 0;
}

static bool is_dash(struct slice text, size_t at)
{
    size_t len = dash_length(slice_from(text, at));
    bool before = at == 0 || !is_word(text.ptr[at - 1]);
    return len && before && at + len < text.len && is_word(text.ptr[at + len]);
}

enum { DASHES = 5, DASH_PLACES_MAX = 4 }; /* 625 texts; dashes behind the fourth are alike */

static size_t dash_places(struct slice text)
{
    size_t places = 0;
    for (size_t i = 0; i < text.len; i++)
        places += is_dash(text, i);
    return places < DASH_PLACES_MAX ? places : DASH_PLACES_MAX;
}

/* One of the texts: the number has a digit to the base of five for each place, the last is for all the rest. */
static struct slice with_dashes(struct slice text, size_t number, struct arena *arena)
{
    static const char *const dashes[DASHES] = {"-", "/", "\u2013", "\u2014", "\u2015"};
    char *to = arena_alloc(arena, 3 * text.len + 1);
    size_t len = 0, place = 0;
    for (size_t i = 0; to && i < text.len;) {
        if (!is_dash(text, i)) {
            to[len++] = text.ptr[i++];
            continue;
        }
        const char *dash = dashes[number % DASHES];
        memcpy(to + len, dash, strlen(dash));
        len += strlen(dash);
        i += dash_length(slice_from(text, i));
        if (++place < DASH_PLACES_MAX)
            number /= DASHES;
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

/* ---- as a test of a column ---- */

static enum sigma_outcome placed_test(struct sigma_context *context, const struct item *item,
                                      struct slice column, struct pattern *pattern,
                                      const struct expr **out)
{
    open_pattern(pattern, item->place);
    const struct expr *test = pattern_test(context->arena, column, pattern, sigma_test_flags(item));
    if (!test || !(*out = expr_or(context->arena, *out, test)))
        return sigma_no_memory(context);
    return SIGMA_OK;
}

/* What is encoded is the text without its escapes; there is no code for a wildcard. */
static enum sigma_outcome coded_value(struct sigma_context *context, const struct item *item,
                                      struct slice column, const struct pattern *plain,
                                      const struct expr **out)
{
    struct slice encoded[ENCODED_MAX];
    struct slice text = plain->count ? plain->parts[0].text : SLICE("");
    if (plain->count > 1 || (plain->count && plain->parts[0].kind != WILDCARD_LITERAL)) {
        return sigma_refuse(context, context->node, "a wildcard cannot be encoded; write \\* or \\? for the character");
    }
    size_t count = encode(item, text, context->arena, encoded);
    for (size_t i = 0; i < count; i++) {
        struct wildcard_part *part = arena_array(context->arena, 3, sizeof(*part));
        if (!part)
            return sigma_no_memory(context);
        part[0] = (struct wildcard_part){WILDCARD_LITERAL, encoded[i]};
        struct pattern pattern = {part, 1};
        enum sigma_outcome outcome = placed_test(context, item, column, &pattern, out);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

enum sigma_outcome sigma_text(struct sigma_context *context, const struct item *item,
                                     struct slice column, struct slice text,
                                     const struct expr **out)
{
    struct pattern pattern;
    *out = NULL;
    if (!parse_pattern(text, context->arena, &pattern))
        return sigma_no_memory(context);
    if (item->coding_count)
        return coded_value(context, item, column, &pattern, out);
    return placed_test(context, item, column, &pattern, out);
}

enum sigma_outcome sigma_dashed_text(struct sigma_context *context, const struct item *item,
                                       struct slice column, struct slice text,
                                       const struct expr **out)
{
    size_t count = 1;
    for (size_t place = dash_places(text); place; place--)
        count *= DASHES;
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct expr *test;
        struct slice variant = with_dashes(text, i, context->arena);
        if (!variant.ptr)
            return sigma_no_memory(context);
        enum sigma_outcome outcome = sigma_text(context, item, column, variant, &test);
        if (outcome != SIGMA_OK)
            return outcome;
        if (!(*out = expr_or(context->arena, *out, test)))
            return sigma_no_memory(context);
    }
    return SIGMA_OK;
}

#include "detect/sigma_value.h"

#include "base/utf8.h"

enum { MODIFIERS_MAX = 16, VALUES_MAX = 100000 };

enum place { PLACE_WHOLE, PLACE_CONTAINS, PLACE_STARTS, PLACE_ENDS };
enum coding { CODING_NONE, CODING_BASE64, CODING_BASE64_OFFSET };
enum width { WIDTH_UTF8, WIDTH_UTF16LE, WIDTH_UTF16BE, WIDTH_UTF16 };

/* What the modifiers of one item add up to. */
struct item {
    struct slice field; /* none: keywords */
    enum place place;
    enum coding coding;
    enum width width;
    bool all, cased, windash, cidr, exists, not_equal, regex, fieldref, expand;
    bool ordered, time_part, flagged, placed;
    enum test_kind order;
    enum time_part part;
    unsigned regex_flags;
};

static enum sigma_outcome refuse(struct sigma_context *context, const struct yaml_node *node,
                                 const char *text)
{
    yaml_err(context->err, node, "%s", text);
    return SIGMA_ERROR;
}

static enum sigma_outcome no_memory(struct sigma_context *context)
{
    err_nomem(context->err);
    return SIGMA_ERROR;
}

/* ---- modifiers ---- */

static bool flag_modifier(struct item *item, struct slice name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"all", &item->all},         {"cased", &item->cased},   {"windash", &item->windash},
        {"cidr", &item->cidr},       {"exists", &item->exists}, {"neq", &item->not_equal},
        {"re", &item->regex},        {"fieldref", &item->fieldref}, {"expand", &item->expand},
    };
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        if (slice_is(name, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    return false;
}

static bool word_modifier(struct item *item, struct slice name)
{
    static const struct {
        const char *name;
        int kind, value;
    } words[] = {
        {"contains", 0, PLACE_CONTAINS}, {"startswith", 0, PLACE_STARTS},
        {"endswith", 0, PLACE_ENDS},     {"base64", 1, CODING_BASE64},
        {"base64offset", 1, CODING_BASE64_OFFSET}, {"wide", 2, WIDTH_UTF16LE},
        {"utf16le", 2, WIDTH_UTF16LE},   {"utf16be", 2, WIDTH_UTF16BE},
        {"utf16", 2, WIDTH_UTF16},       {"lt", 3, TEST_LESS},
        {"lte", 3, TEST_LESS_EQUAL},     {"gt", 3, TEST_GREATER},
        {"gte", 3, TEST_GREATER_EQUAL},  {"minute", 4, TIME_MINUTE},
        {"hour", 4, TIME_HOUR},          {"day", 4, TIME_DAY},
        {"week", 4, TIME_WEEK},          {"month", 4, TIME_MONTH},
        {"year", 4, TIME_YEAR},          {"i", 5, REGEX_CASELESS},
        {"m", 5, REGEX_MULTILINE},       {"s", 5, REGEX_DOTALL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (!slice_is(name, words[i].name))
            continue;
        switch (words[i].kind) {
        case 0:
            item->place = (enum place)words[i].value;
            item->placed = true;
            return true;
        case 1:
            item->coding = (enum coding)words[i].value;
            return true;
        case 2:
            item->width = (enum width)words[i].value;
            return true;
        case 3:
            item->ordered = true;
            item->order = (enum test_kind)words[i].value;
            return true;
        case 4:
            item->time_part = true;
            item->part = (enum time_part)words[i].value;
            return true;
        default:
            item->regex_flags |= (unsigned)words[i].value;
            item->flagged = true;
            return true;
        }
    }
    return false;
}

/* Modifiers that make no sense together, or NULL. */
static const char *contradiction(const struct item *item)
{
    bool coded = item->coding != CODING_NONE || item->width != WIDTH_UTF8;
    bool number = item->ordered || item->time_part;
    int types = item->regex + item->cidr + item->exists + item->fieldref + number;
    if (types > 1)
        return "re, cidr, exists, fieldref and tests of numbers or times exclude each other";
    if (item->flagged && !item->regex)
        return "i, m and s belong behind re";
    if (coded && types)
        return "an encoding is for texts, not for re, cidr, exists, fieldref, numbers and times";
    if (item->windash && types)
        return "windash is for texts, not for re, cidr, exists, fieldref, numbers and times";
    if (item->placed && (item->cidr || item->exists || number))
        return "contains, startswith and endswith are for texts, not for cidr, exists, numbers and times";
    if (item->regex && (item->place == PLACE_STARTS || item->place == PLACE_ENDS))
        return "a regular expression is found anywhere; write ^ or $ instead of startswith or endswith";
    if (item->exists && (item->all || item->not_equal || item->expand))
        return "exists stands alone, with true or false";
    if (!item->field.ptr && (item->cidr || item->exists || item->fieldref || number))
        return "this modifier needs the name of a field before it";
    return NULL;
}

static enum sigma_outcome read_key(struct sigma_context *context, struct slice key,
                                   const struct yaml_node *node, struct item *item)
{
    struct slice part;
    *item = (struct item){0};
    slice_next_part(&key, '|', &item->field);
    if (item->field.len == 0)
        item->field = SLICE_NONE;
    while (key.ptr && slice_next_part(&key, '|', &part))
        if (!flag_modifier(item, part) && !word_modifier(item, part)) {
            yaml_err(context->err, node, "there is no modifier '%.*s'", SLICE_ARG(part));
            return SIGMA_ERROR;
        }
    const char *wrong = contradiction(item);
    return wrong ? refuse(context, node, wrong) : SIGMA_OK;
}

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

static struct slice widen(struct slice text, enum width width, struct arena *arena)
{
    char *to = arena_alloc(arena, 4 * text.len + 3);
    size_t len = 0;
    bool big_end = width == WIDTH_UTF16BE;
    if (to && width == WIDTH_UTF16) { /* byte order mark */
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

enum { ENCODED_MAX = 3 };

/* The texts that one value stands for after wide and base64. */
static size_t encode(const struct item *item, struct slice text, struct arena *arena,
                     struct slice out[ENCODED_MAX])
{
    struct slice wide = item->width == WIDTH_UTF8 ? text : widen(text, item->width, arena);
    size_t count = 0;
    if (!wide.ptr)
        return 0;
    if (item->coding == CODING_NONE)
        out[count++] = wide;
    else if (item->coding == CODING_BASE64)
        out[count++] = to_base64(wide, arena);
    else
        for (size_t offset = 0; offset < 3; offset++)
            out[count++] = base64_at(wide, offset, arena);
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

/* ---- one value against one column ---- */

static unsigned test_flags(const struct item *item)
{
    return item->cased ? TEST_CASED : 0;
}

static enum sigma_outcome placed_test(struct sigma_context *context, const struct item *item,
                                      struct slice column, struct pattern *pattern,
                                      const struct expr **out)
{
    open_pattern(pattern, item->place);
    const struct expr *test = pattern_test(context->arena, column, pattern, test_flags(item));
    if (!test || !(*out = expr_or(context->arena, *out, test)))
        return no_memory(context);
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
        err_set(context->err, ERR_CONFIG, "a wildcard cannot be encoded; write \\* or \\? for the character");
        return SIGMA_ERROR;
    }
    size_t count = encode(item, text, context->arena, encoded);
    for (size_t i = 0; i < count; i++) {
        struct wildcard_part *part = arena_array(context->arena, 3, sizeof(*part));
        if (!part)
            return no_memory(context);
        if (!encoded[i].ptr)
            continue;
        part[0] = (struct wildcard_part){WILDCARD_LITERAL, encoded[i]};
        struct pattern pattern = {part, 1};
        enum sigma_outcome outcome = placed_test(context, item, column, &pattern, out);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    return *out ? SIGMA_OK : no_memory(context);
}

static enum sigma_outcome text_value(struct sigma_context *context, const struct item *item,
                                     struct slice column, struct slice text,
                                     const struct expr **out)
{
    struct pattern pattern;
    *out = NULL;
    if (!parse_pattern(text, context->arena, &pattern))
        return no_memory(context);
    if (item->coding != CODING_NONE || item->width != WIDTH_UTF8)
        return coded_value(context, item, column, &pattern, out);
    return placed_test(context, item, column, &pattern, out);
}

static enum sigma_outcome dashed_value(struct sigma_context *context, const struct item *item,
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
            return no_memory(context);
        enum sigma_outcome outcome = text_value(context, item, column, variant, &test);
        if (outcome != SIGMA_OK)
            return outcome;
        if (!(*out = expr_or(context->arena, *out, test)))
            return no_memory(context);
    }
    return SIGMA_OK;
}

static enum sigma_outcome regex_value(struct sigma_context *context, const struct item *item,
                                      struct slice column, const struct yaml_node *node,
                                      const struct expr **out)
{
    struct expr *test = expr_test_new(context->arena, column, TEST_REGEX, TEST_CASED, node->text);
    if (!test)
        return no_memory(context);
    if (regex_new_in(context->arena, node->text, item->regex_flags, &test->test.regex,
                     context->err) < 0) {
        err_within(context->err, "line %d", node->line);
        return SIGMA_ERROR;
    }
    *out = test;
    return SIGMA_OK;
}

static enum sigma_outcome cidr_value(struct sigma_context *context, struct slice column,
                                     const struct yaml_node *node, const struct expr **out)
{
    struct expr *test = expr_test_new(context->arena, column, TEST_CIDR, TEST_CASED, node->text);
    if (!test)
        return no_memory(context);
    if (!cidr_parse(node->text, &test->test.cidr)) {
        yaml_err(context->err, node, "'%.*s' is no network; write 10.0.0.0/8 or 2001:db8::/32",
                 SLICE_ARG(node->text));
        return SIGMA_ERROR;
    }
    *out = test;
    return SIGMA_OK;
}

static enum sigma_outcome number_value(struct sigma_context *context, const struct item *item,
                                       struct slice column, const struct yaml_node *node,
                                       const struct expr **out)
{
    enum test_kind kind = item->time_part ? TEST_TIME_PART : item->ordered ? item->order : TEST_EQUAL;
    unsigned flags = TEST_NUMERIC | test_flags(item) | (kind == TEST_EQUAL ? TEST_PLAIN_NUMBER : 0);
    struct expr *test = expr_test_new(context->arena, column, kind, flags, node->text);
    if (!test)
        return no_memory(context);
    if (!(test->test.flags & TEST_NUMERIC))
        return refuse(context, node, "this modifier needs a number");
    test->test.part = item->part;
    *out = test;
    return SIGMA_OK;
}

/* hour|gte: 22 and the like: any of the values a part of a time can have. */
static enum sigma_outcome ordered_time(struct sigma_context *context, const struct item *item,
                                       struct slice column, const struct yaml_node *node,
                                       const struct expr **out)
{
    static const int first[] = {0, 0, 1, 1, 1, 1970}, last[] = {59, 23, 31, 53, 12, 2261};
    int64_t limit;
    *out = NULL;
    if (!slice_to_i64(node->text, &limit))
        return refuse(context, node, "this modifier needs an integer");
    for (int64_t n = first[item->part]; n <= last[item->part]; n++) {
        if (item->order == TEST_LESS ? n >= limit : item->order == TEST_LESS_EQUAL ? n > limit
            : item->order == TEST_GREATER ? n <= limit : n < limit)
            continue;
        struct slice text = arena_printf(context->arena, "%lld", (long long)n);
        struct expr *test = text.ptr ? expr_test_new(context->arena, column, TEST_TIME_PART, TEST_NUMERIC, text)
                                     : NULL;
        if (!test || !(*out = expr_or(context->arena, *out, test)))
            return no_memory(context);
        test->test.part = item->part;
    }
    return *out ? SIGMA_OK : refuse(context, node, "no time can fulfil this");
}

static enum sigma_outcome field_value(struct sigma_context *context, const struct item *item,
                                      struct slice column, const struct yaml_node *node,
                                      const struct expr **out)
{
    static const enum test_kind kinds[] = {TEST_FIELD_EQUAL, TEST_FIELD_CONTAINS, TEST_FIELD_PREFIX,
                                           TEST_FIELD_SUFFIX};
    struct slice others[LOGSOURCE_COLUMNS_MAX] = {node->text};
    size_t count = 1;
    *out = NULL;
    if (context->variant)
        count = logsource_columns(context->variant, node->text, context->arena, others);
    for (size_t i = 0; i < count; i++) {
        struct expr *test = expr_test_new(context->arena, column, kinds[item->place],
                                          test_flags(item), SLICE(""));
        if (!test || !(*out = expr_or(context->arena, *out, test)))
            return no_memory(context);
        test->test.other = others[i];
    }
    return SIGMA_OK;
}

static bool is_number(const struct yaml_node *node)
{
    struct decimal d;
    return node->style == YAML_PLAIN && decimal_parse(node->text, &d);
}

static enum sigma_outcome one_value(struct sigma_context *context, const struct item *item,
                                    struct slice column, const struct yaml_node *node,
                                    const struct expr **out)
{
    bool yes;
    if (node->kind != YAML_SCALAR)
        return refuse(context, node, "a single value is needed here");
    if (item->exists) {
        if (!yaml_to_bool(node, &yes))
            return refuse(context, node, "exists needs true or false");
        *out = expr_test_new(context->arena, column, TEST_EXISTS, 0, SLICE(""));
        return *out ? SIGMA_OK : no_memory(context);
    }
    if (yaml_is_null(node)) {
        *out = expr_test_new(context->arena, column, TEST_NULL, 0, SLICE(""));
        return *out ? SIGMA_OK : no_memory(context);
    }
    if (item->regex)
        return regex_value(context, item, column, node, out);
    if (item->cidr)
        return cidr_value(context, column, node, out);
    if (item->fieldref)
        return field_value(context, item, column, node, out);
    bool plain_number = is_number(node) && item->place == PLACE_WHOLE &&
                        item->coding == CODING_NONE && item->width == WIDTH_UTF8;
    if (item->ordered && item->time_part)
        return ordered_time(context, item, column, node, out);
    if (item->ordered || item->time_part || plain_number)
        return number_value(context, item, column, node, out);
    if (item->windash)
        return dashed_value(context, item, column, node->text, out);
    return text_value(context, item, column, node->text, out);
}

/* The value over all columns the field may be in. "Missing" must hold for every one of them. */
static enum sigma_outcome value_anywhere(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    struct slice columns[LOGSOURCE_COLUMNS_MAX] = {item->field};
    size_t count = 1;
    bool missing = !item->exists && yaml_is_null(node), present = true;
    if (context->variant && item->field.ptr)
        count = logsource_columns(context->variant, item->field, context->arena, columns);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct expr *test;
        enum sigma_outcome outcome = one_value(context, item, columns[i], node, &test);
        if (outcome != SIGMA_OK)
            return outcome;
        *out = missing ? expr_and(context->arena, *out, test) : expr_or(context->arena, *out, test);
        if (!*out)
            return no_memory(context);
    }
    if (item->exists && yaml_to_bool(node, &present) && !present)
        *out = expr_not(context->arena, *out);
    return *out ? SIGMA_OK : no_memory(context);
}

/* The same predicates, on every value of the event. */
static const struct expr *as_keyword(const struct expr *test, struct arena *arena)
{
    if (test->kind == EXPR_TEST) {
        struct expr *keyword = expr_new(arena, EXPR_KEYWORD);
        if (keyword)
            keyword->test = test->test;
        return keyword;
    }
    struct expr *copy = expr_list(arena, test->kind, test->args, test->arg_count);
    for (size_t i = 0; copy && i < test->arg_count; i++)
        if (!(copy->args[i] = as_keyword(test->args[i], arena)))
            return NULL;
    return copy;
}

static enum sigma_outcome keyword_value(struct sigma_context *context, const struct item *item,
                                        const struct yaml_node *node, const struct expr **out)
{
    struct item inside = *item;
    const struct expr *test;
    if (node->kind != YAML_SCALAR || yaml_is_null(node))
        return refuse(context, node, "a keyword is a text");
    inside.place = PLACE_CONTAINS;
    enum sigma_outcome outcome =
        item->regex     ? regex_value(context, item, SLICE(""), node, &test)
        : item->windash ? dashed_value(context, &inside, SLICE(""), node->text, &test)
                        : text_value(context, &inside, SLICE(""), node->text, &test);
    if (outcome != SIGMA_OK)
        return outcome;
    *out = as_keyword(test, context->arena);
    return *out ? SIGMA_OK : no_memory(context);
}

static enum sigma_outcome positive_value(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    return item->field.ptr ? value_anywhere(context, item, node, out) : keyword_value(context, item, node, out);
}

static enum sigma_outcome no_values(struct sigma_context *context, const struct yaml_node *node,
                                    struct slice missing)
{
    if (!missing.ptr)
        return no_memory(context);
    if (!missing.len)
        return refuse(context, node, "the placeholders stand for more texts than a value may");
    yaml_err(context->err, node, "the placeholder %%%.*s%% has no values; give it some in a file placeholders.yaml",
             SLICE_ARG(missing));
    return SIGMA_INACTIVE;
}

/* Any of the texts that the placeholders of a value stand for. */
static enum sigma_outcome expanded_value(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    const struct slice *texts;
    struct slice missing;
    if (node->kind != YAML_SCALAR)
        return refuse(context, node, "a single value is needed here");
    size_t count = placeholders_expand(context->placeholders, node->text, context->arena, &texts, &missing);
    const struct expr **tests = arena_array(context->arena, count + 1, sizeof(*tests));
    if (!count || !tests)
        return tests ? no_values(context, node, missing) : no_memory(context);
    for (size_t i = 0; i < count; i++) {
        struct yaml_node one = *node;
        one.text = texts[i];
        one.style = YAML_QUOTED;
        enum sigma_outcome outcome = positive_value(context, item, &one, &tests[i]);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    *out = expr_list(context->arena, EXPR_OR, tests, count);
    return *out ? SIGMA_OK : no_memory(context);
}

static enum sigma_outcome any_value(struct sigma_context *context, const struct item *item,
                                    const struct yaml_node *node, const struct expr **out)
{
    enum sigma_outcome outcome = item->expand ? expanded_value(context, item, node, out)
                                              : positive_value(context, item, node, out);
    if (outcome == SIGMA_OK && item->not_equal) {
        *out = expr_not(context->arena, *out);
        if (!*out)
            return no_memory(context);
    }
    return outcome;
}

enum sigma_outcome sigma_item(struct sigma_context *context, struct slice key,
                              const struct yaml_node *value, const struct expr **out)
{
    struct item item;
    *out = NULL;
    enum sigma_outcome outcome = read_key(context, key, value, &item);
    if (outcome != SIGMA_OK || value->kind == YAML_SCALAR)
        return outcome != SIGMA_OK ? outcome : any_value(context, &item, value, out);
    if (value->kind != YAML_SEQUENCE || value->count == 0)
        return refuse(context, value, "a field needs a value or a list of values");
    if (value->count > VALUES_MAX)
        return refuse(context, value, "a list has more than 100,000 values");
    const struct expr **tests = arena_array(context->arena, value->count, sizeof(*tests));
    if (!tests)
        return no_memory(context);
    for (size_t i = 0; i < value->count; i++) {
        outcome = any_value(context, &item, value->entries[i].value, &tests[i]);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    bool every = item.all || item.not_equal;
    *out = expr_list(context->arena, every ? EXPR_AND : EXPR_OR, tests, value->count);
    return *out ? SIGMA_OK : no_memory(context);
}

enum sigma_outcome sigma_keyword(struct sigma_context *context, const struct yaml_node *value,
                                 const struct expr **out)
{
    return sigma_item(context, SLICE(""), value, out);
}

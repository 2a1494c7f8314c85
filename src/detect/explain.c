#include "detect/explain.h"

#include "base/buffer.h"
#include "event/schema.h"

enum { SENTENCE_MAX = 16 * 1024, VALUES_PER_FIELD_MAX = 16 };

/* What an event is usually about, when the rule does not say. */
static const struct rule_entity usual[] = {
#define USUAL(type, field) {{type, sizeof(type) - 1}, {field, sizeof(field) - 1}}
    USUAL("wallet", "wallet.from"),      USUAL("asset", "wallet.asset"),
    USUAL("asset", "exchange.asset"),    USUAL("key", "wallet.key_id"),
    USUAL("key", "exchange.api_key_id"), USUAL("account", "user.id"),
    USUAL("user", "user.name"),          USUAL("host", "host.name"),
    USUAL("host", "winlog.computer_name"), USUAL("ip", "source.ip"),
    USUAL("hash", "process.hash.sha256"),
#undef USUAL
};

/* What a sentence is about. */
struct subject {
    const struct rule *rule;
    const struct finding *finding;
    const struct batch *batch;
    uint32_t row;
};

struct slice explain_entity_type(struct slice column)
{
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        if (slice_equal(usual[i].field, column))
            return usual[i].type;
    return SLICE_NONE;
}

static uint64_t events_of(const struct finding *finding)
{
    return finding->evidence_seen ? finding->evidence_seen : finding->evidence_count;
}

static bool put_known(struct buffer *to, struct slice name, const struct finding *finding)
{
    for (size_t i = 0; i < finding->group_count; i++)
        if (slice_equal(finding->groups[i].type, name)) {
            buffer_put(to, finding->groups[i].value);
            return true;
        }
    if (slice_is(name, "count"))
        buffer_put_u64(to, events_of(finding));
    return slice_is(name, "count");
}

/* False: the row has no such field. */
static bool put_one(struct buffer *to, struct slice name, const struct subject *about)
{
    uint32_t row = about->row;
    if (put_known(to, name, about->finding))
        return true;
    const struct column *column = row == UINT32_MAX ? NULL : batch_find(about->batch, schema_alias(name));
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    if (count > VALUES_PER_FIELD_MAX)
        count = VALUES_PER_FIELD_MAX;
    for (uint32_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        buffer_put_text(to, i ? ", " : "");
        buffer_put(to, value_text_small(column->values[first + i], small));
    }
    return count > 0;
}

/* The first of several, {a|b}, that is there. */
static void put_field(struct buffer *to, struct slice names, const struct subject *about)
{
    struct slice name;
    while (names.len && slice_next_part(&names, '|', &name))
        if (put_one(to, name, about))
            return;
    buffer_put_char(to, '?');
}

/* The next {field} of a template and the text before it; false: the rest has none. */
static bool next_field(struct slice *pattern, struct slice *before, struct slice *name)
{
    ptrdiff_t open = slice_find_char(*pattern, '{');
    ptrdiff_t close = open < 0 ? -1 : slice_find_char(slice_from(*pattern, (size_t)open), '}');
    if (close < 0)
        return false;
    *before = slice_sub(*pattern, 0, (size_t)open);
    *name = slice_sub(*pattern, (size_t)open + 1, (size_t)close - 1);
    *pattern = slice_from(*pattern, (size_t)open + (size_t)close + 1);
    return true;
}

static void fill_in(struct buffer *to, struct slice pattern, const struct subject *about)
{
    struct slice before, name;
    while (next_field(&pattern, &before, &name)) {
        buffer_put(to, before);
        put_field(to, name, about);
    }
    buffer_put(to, pattern);
}

static void put_part(struct buffer *to, const char **separator, bool japanese, struct slice name,
                     struct slice value)
{
    buffer_put_text(to, *separator);
    buffer_put(to, name);
    buffer_put_char(to, ' ');
    buffer_put(to, value);
    *separator = japanese ? "、" : ", ";
}

static void usual_sentence(struct buffer *to, bool japanese, const struct subject *about)
{
    const struct finding *finding = about->finding;
    buffer_printf(to, japanese ? "規則「%.*s」に一致しました" : "The rule \"%.*s\" matched",
                  SLICE_ARG(about->rule->title));
    if (events_of(finding) > 1)
        buffer_printf(to, japanese ? "（イベント %llu 件）" : " with %llu events",
                      (unsigned long long)events_of(finding));
    const char *separator = japanese ? "：" : ": ";
    for (size_t i = 0; i < finding->group_count; i++)
        put_part(to, &separator, japanese, finding->groups[i].type, finding->groups[i].value);
    for (size_t i = 0; !finding->group_count && i < finding->entity_count; i++)
        put_part(to, &separator, japanese, finding->entities[i].type, finding->entities[i].value);
    buffer_put_text(to, japanese ? "。" : ".");
}

static struct slice sentence(struct slice pattern, bool japanese, const struct subject *about, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, SENTENCE_MAX);
    if (pattern.ptr)
        fill_in(&text, pattern, about);
    else
        usual_sentence(&text, japanese, about);
    struct slice copy = arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

int explain_finding(const struct rule *rule, const struct batch *batch, uint32_t row, struct arena *arena,
                    struct finding *finding)
{
    struct subject about = {rule, finding, batch, row};
    finding->explanation_en = sentence(rule->explain_en, false, &about, arena);
    finding->explanation_ja = sentence(rule->explain_ja, true, &about, arena);
    return finding->explanation_en.ptr && finding->explanation_ja.ptr ? 0 : -1;
}

static size_t add_entity(struct entity *entities, size_t count, struct slice type, struct value v,
                         struct arena *arena)
{
    struct slice text = v.type == VALUE_NULL ? SLICE_NONE : value_text(v, arena);
    if (!text.len)
        return count;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(entities[i].type, type) && slice_equal(entities[i].value, text))
            return count;
    entities[count] = (struct entity){type, text};
    return count + 1;
}

static void visit_pattern(struct slice pattern, expr_field_visit visit, void *context)
{
    struct slice before, name;
    while (next_field(&pattern, &before, &name)) {
        struct slice one;
        while (name.len && slice_next_part(&name, '|', &one))
            visit(context, schema_alias(one));
    }
}

void explain_columns(const struct rule *rule, expr_field_visit visit, void *context)
{
    const struct rule_entity *from = rule->entity_count ? rule->entities : usual;
    size_t most = rule->entity_count ? rule->entity_count : ARRAY_COUNT(usual);
    for (size_t i = 0; i < most; i++)
        visit(context, schema_alias(from[i].field));
    visit_pattern(rule->explain_en, visit, context);
    visit_pattern(rule->explain_ja, visit, context);
}

int explain_entities(const struct rule *rule, const struct batch *batch, uint32_t row,
                     struct arena *arena, const struct entity **out, size_t *count)
{
    const struct rule_entity *from = rule->entity_count ? rule->entities : usual;
    size_t most = rule->entity_count ? rule->entity_count : ARRAY_COUNT(usual);
    struct entity *entities = arena_array(arena, most + 1, sizeof(*entities));
    *count = 0;
    if (!entities)
        return -1;
    for (size_t i = 0; i < most && row != UINT32_MAX; i++)
        *count = add_entity(entities, *count, from[i].type,
                            batch_first(batch, row, schema_alias(from[i].field)), arena);
    *out = entities;
    return 0;
}

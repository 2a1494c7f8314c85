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

static void put_field(struct buffer *to, struct slice name, const struct batch *batch, uint32_t row)
{
    const struct column *column = row == UINT32_MAX ? NULL : batch_find(batch, schema_alias(name));
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    if (count > VALUES_PER_FIELD_MAX)
        count = VALUES_PER_FIELD_MAX;
    for (uint32_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        buffer_put_text(to, i ? ", " : "");
        buffer_put(to, value_text_small(column->values[first + i], small));
    }
    if (count == 0)
        buffer_put_char(to, '?');
}

static void fill_in(struct buffer *to, struct slice pattern, const struct batch *batch, uint32_t row)
{
    for (;;) {
        ptrdiff_t open = slice_find_char(pattern, '{');
        ptrdiff_t close = open < 0 ? -1 : slice_find_char(slice_from(pattern, (size_t)open), '}');
        if (close < 0) {
            buffer_put(to, pattern);
            return;
        }
        buffer_put(to, slice_sub(pattern, 0, (size_t)open));
        put_field(to, slice_sub(pattern, (size_t)open + 1, (size_t)close - 1), batch, row);
        pattern = slice_from(pattern, (size_t)open + (size_t)close + 1);
    }
}

static void usual_sentence(struct buffer *to, const struct rule *rule, bool japanese,
                           const struct batch *batch, uint32_t row)
{
    buffer_printf(to, japanese ? "規則「%.*s」に一致しました" : "The rule \"%.*s\" matched",
                  SLICE_ARG(rule->title));
    const char *separator = japanese ? "：" : ": ";
    for (size_t i = 0; i < ARRAY_COUNT(usual) && row != UINT32_MAX; i++) {
        struct value v = batch_first(batch, row, usual[i].field);
        char small[VALUE_TEXT_SIZE];
        if (v.type == VALUE_NULL)
            continue;
        buffer_put_text(to, separator);
        buffer_put(to, usual[i].type);
        buffer_put_char(to, ' ');
        buffer_put(to, value_text_small(v, small));
        separator = japanese ? "、" : ", ";
    }
    buffer_put_text(to, japanese ? "。" : ".");
}

struct slice explain_sentence(const struct rule *rule, struct slice pattern, bool japanese,
                              const struct batch *batch, uint32_t row, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, SENTENCE_MAX);
    if (pattern.ptr)
        fill_in(&text, pattern, batch, row);
    else
        usual_sentence(&text, rule, japanese, batch, row);
    struct slice copy = arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
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

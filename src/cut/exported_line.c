#include "cut/exported_line.h"

#include "base/json.h"
#include "base/time.h"
#include "event/exported.h"
#include "event/schema.h"

static struct slice text_of(const struct json_token *token, struct arena *arena)
{
    struct slice text = json_token_text(token);
    return token->text_escaped ? json_unescape(text, arena) : text;
}

static struct slice key_of(const struct json_token *token, struct arena *arena)
{
    struct slice key = json_token_key(token);
    return token->key_escaped ? json_unescape(key, arena) : key;
}

static int broken(struct err *err, struct slice name)
{
    return err_set(err, ERR_INPUT, "the field %.*s is not as an export writes it", SLICE_ARG(name));
}

/* {"base64":"..."} */
static int bytes_of(const struct json_tokens *tokens, uint32_t object, struct arena *arena,
                    struct slice name, struct slice *out, struct err *err)
{
    uint32_t at = json_member(tokens, object, SLICE("base64"));
    struct buffer bytes;
    if (!at || tokens->list[at].kind != JSON_STRING)
        return broken(err, name);
    buffer_init(&bytes, EXPORT_LINE_BYTES_MAX);
    bool fine = buffer_put_from_base64(&bytes, json_token_text(&tokens->list[at]));
    *out = fine && !buffer_failed(&bytes) ? arena_copy(arena, buffer_slice(&bytes)) : SLICE_NONE;
    buffer_close(&bytes);
    return !fine ? broken(err, name) : out->ptr ? 0 : err_nomem(err);
}

/* The text of a scalar, and the type it has when none is named. */
static int scalar_of(const struct json_tokens *tokens, uint32_t at, struct slice name,
                     struct arena *arena, struct slice *text, enum value_type *type,
                     struct err *err)
{
    const struct json_token *token = &tokens->list[at];
    int64_t n;
    *text = json_token_text(token);
    switch ((enum json_kind)token->kind) {
    case JSON_NULL:
        *type = VALUE_NULL;
        return 0;
    case JSON_FALSE:
    case JSON_TRUE:
        *type = VALUE_BOOL;
        return 0;
    case JSON_NUMBER:
        *type = slice_to_i64(*text, &n) ? VALUE_I64 : VALUE_DECIMAL;
        return 0;
    case JSON_STRING:
        *text = text_of(token, arena);
        *type = exported_string_type(name, *text);
        return text->ptr ? 0 : err_nomem(err);
    case JSON_OBJECT:
        *type = VALUE_STRING;
        return bytes_of(tokens, at, arena, name, text, err);
    case JSON_ARRAY:
    case JSON_RAW:
        break;
    }
    return broken(err, name);
}

/* note: token of the type's name, 0: none. */
static int put_scalar(const struct json_tokens *tokens, uint32_t at, uint32_t note,
                      struct batch *batch, struct column *column, uint32_t row, struct err *err)
{
    struct slice text;
    enum value_type type = VALUE_TYPE_COUNT;
    struct value v;
    if (scalar_of(tokens, at, column->name, batch->arena, &text, &type, err) < 0)
        return -1;
    if (note)
        type = exported_type_by_name(json_token_text(&tokens->list[note]));
    if (type == VALUE_TYPE_COUNT || !exported_value(type, text, batch->arena, &v))
        return broken(err, column->name);
    return column_add(batch, column, row, v) < 0 ? err_nomem(err) : 0;
}

static int put_field(const struct json_tokens *tokens, uint32_t at, uint32_t note,
                     struct batch *batch, struct slice name, uint32_t row, struct err *err)
{
    const struct json_token *token = &tokens->list[at];
    struct column *column = batch_column(batch, name);
    if (!column)
        return err_nomem(err);
    if (column->count && column->rows[column->count - 1] == row)
        return broken(err, name); /* twice */
    if (token->kind != JSON_ARRAY)
        return put_scalar(tokens, at, note, batch, column, row, err);
    if (note && tokens->list[note].kind != JSON_ARRAY)
        return broken(err, name);
    uint32_t one = note ? note + 1 : 0, end = note ? tokens->list[note].next : 0;
    for (uint32_t i = at + 1; i < token->next; i = tokens->list[i].next) {
        if (note && one >= end)
            return broken(err, name);
        if (put_scalar(tokens, i, one, batch, column, row, err) < 0)
            return -1;
        one = note ? tokens->list[one].next : 0;
    }
    return 0;
}

/* The member of that name, escaped or not; 0 when there is none. */
static uint32_t note_of(const struct json_tokens *tokens, uint32_t types, struct slice name,
                        struct arena *arena)
{
    for (uint32_t i = types + 1; types && i < tokens->list[types].next; i = tokens->list[i].next)
        if (slice_equal(key_of(&tokens->list[i], arena), name))
            return i;
    return 0;
}

static int put_others(const struct json_tokens *tokens, uint32_t others, struct batch *batch,
                      uint32_t row, struct err *err)
{
    for (uint32_t i = others + 1; i < tokens->list[others].next; i = tokens->list[i].next) {
        uint32_t name = json_member(tokens, i, SLICE("name"));
        uint32_t value = json_member(tokens, i, SLICE("value"));
        uint32_t type = json_member(tokens, i, SLICE("type"));
        struct slice text;
        enum value_type ignored;
        if (!name || !value || !type)
            return broken(err, EXPORTED_OTHER);
        if (scalar_of(tokens, name, SLICE(""), batch->arena, &text, &ignored, err) < 0 ||
            put_field(tokens, value, type, batch, text, row, err) < 0)
            return -1;
    }
    return 0;
}

/* What batch_finish() fills from the row and the delivery. */
static bool is_filled(struct slice name)
{
    return slice_equal(name, FIELD_ORIGINAL) || slice_equal(name, FIELD_INGESTED) ||
           slice_equal(name, FIELD_SEQ) || slice_equal(name, FIELD_STREAM) ||
           slice_equal(name, FIELD_SOURCE) || slice_equal(name, FIELD_IDENTITY);
}

int exported_line_put(const struct json_tokens *tokens, struct batch *batch, uint32_t row,
                      int64_t *time_ns, struct err *err)
{
    uint32_t types = json_member(tokens, 0, EXPORTED_TYPES);
    bool zone;
    for (uint32_t i = 1; i < tokens->count; i = tokens->list[i].next) {
        struct slice name = key_of(&tokens->list[i], batch->arena);
        if (!name.ptr)
            return err_nomem(err);
        int result = 0;
        if (slice_equal(name, FIELD_TIMESTAMP)) {
            if (!time_parse_rfc3339(json_token_text(&tokens->list[i]), time_ns, &zone))
                result = broken(err, name);
        } else if (slice_equal(name, EXPORTED_OTHER)) {
            result = put_others(tokens, i, batch, row, err);
        } else if (i != types && !is_filled(name)) {
            uint32_t note = note_of(tokens, types, name, batch->arena);
            result = put_field(tokens, i, note, batch, name, row, err);
        }
        if (result < 0)
            return -1;
    }
    return 0;
}

/* ---- the head ---- */

static int head_text(const struct json_tokens *tokens, struct slice name, struct arena *arena,
                     struct slice *out, struct err *err)
{
    uint32_t at = json_member(tokens, 0, name);
    enum value_type type = VALUE_STRING;
    if (!at)
        return 0;
    if (scalar_of(tokens, at, SLICE(""), arena, out, &type, err) < 0)
        return -1;
    return type == VALUE_STRING ? 0 : broken(err, name);
}

int exported_line_head(struct json_scanner *scanner, struct slice line, struct arena *arena,
                       struct exported_head *out, struct err *err)
{
    struct json_tokens tokens;
    struct slice ingested = SLICE_NONE;
    bool zone;
    *out = (struct exported_head){.original = SLICE("")};
    if (json_scan(scanner, line, JSON_DEPTH_MAX, NULL, &tokens, err) < 0)
        return -1;
    if (tokens.list[0].kind != JSON_OBJECT || slice_find_char(line, 0x1f) >= 0 ||
        !json_member(&tokens, 0, FIELD_TIMESTAMP))
        return err_set(err, ERR_INPUT, "it is no event as hinomi export writes it");
    if (head_text(&tokens, FIELD_ORIGINAL, arena, &out->original, err) < 0 ||
        head_text(&tokens, FIELD_STREAM, arena, &out->stream, err) < 0 ||
        head_text(&tokens, FIELD_SOURCE, arena, &out->source, err) < 0 ||
        head_text(&tokens, FIELD_IDENTITY, arena, &out->identity, err) < 0 ||
        head_text(&tokens, FIELD_INGESTED, arena, &ingested, err) < 0)
        return -1;
    if (ingested.ptr && !time_parse_rfc3339(ingested, &out->ingested_ns, &zone))
        return broken(err, FIELD_INGESTED);
    out->has_ingested = ingested.ptr != NULL;
    return 0;
}

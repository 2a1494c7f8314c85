#include "cut/winjson.h"

#include "cut/winevent.h"

struct walk {
    struct winevent event;
    const struct json_token *list;
};

static int put_element(struct walk *walk, struct slice name, uint32_t at);

static int unescaped(struct walk *walk, struct slice text, bool escaped, struct slice *out)
{
    *out = escaped ? json_unescape(text, walk->event.batch->arena) : text;
    return out->ptr ? 0 : err_nomem(walk->event.err);
}

static int key_of(struct walk *walk, const struct json_token *token, struct slice *out)
{
    return unescaped(walk, json_token_key(token), token->key_escaped, out);
}

/* Numbers and words as written, null as an empty text. */
static int text_of(struct walk *walk, const struct json_token *token, struct slice *out)
{
    *out = SLICE("");
    if (token->kind == JSON_NULL)
        return 0;
    return unescaped(walk, json_token_text(token), token->text_escaped, out);
}

static bool is_container(const struct json_token *token)
{
    return token->kind == JSON_OBJECT || token->kind == JSON_ARRAY;
}

/* "Provider_attributes": attributes written beside the element and not in it. */
static bool names_attributes(struct slice key)
{
    static const struct slice tail = {"_attributes", sizeof("_attributes") - 1};
    return key.len > tail.len && slice_equal(slice_from(key, key.len - tail.len), tail);
}

static int put_attribute(struct walk *walk, struct slice name, const struct json_token *token)
{
    struct slice text;
    if (is_container(token) || token->kind == JSON_NULL)
        return 0;
    if (text_of(walk, token, &text) < 0)
        return -1;
    return winevent_attribute(&walk->event, name, text, false);
}

/* All members of "#attributes". */
static int put_attribute_object(struct walk *walk, uint32_t object)
{
    const struct json_token *list = walk->list;
    struct slice key;
    for (uint32_t i = object + 1; i < list[object].next; i = list[i].next)
        if (key_of(walk, &list[i], &key) < 0 || put_attribute(walk, key, &list[i]) < 0)
            return -1;
    return 0;
}

static int put_attributes(struct walk *walk, uint32_t object)
{
    const struct json_token *list = walk->list;
    struct slice key;
    for (uint32_t i = object + 1; i < list[object].next; i = list[i].next) {
        if (key_of(walk, &list[i], &key) < 0)
            return -1;
        if (slice_is(key, "#attributes") && list[i].kind == JSON_OBJECT) {
            if (put_attribute_object(walk, i) < 0)
                return -1;
        } else if (key.len > 1 && key.ptr[0] == '@') {
            if (put_attribute(walk, slice_from(key, 1), &list[i]) < 0)
                return -1;
        }
    }
    return 0;
}

/* An element of its own: winevent takes attributes wherever they are. Elsewhere than in System
 * they say nothing that becomes a field. */
static int put_beside(struct walk *walk, struct slice key, uint32_t object)
{
    if (walk->event.section != WINEVENT_SYSTEM || walk->event.depth != 2)
        return 0;
    if (winevent_open(&walk->event, slice_sub(key, 0, key.len - sizeof("_attributes") + 1)) < 0 ||
        put_attribute_object(walk, object) < 0)
        return -1;
    return winevent_close(&walk->event);
}

static int put_children(struct walk *walk, uint32_t object)
{
    const struct json_token *list = walk->list;
    struct slice key;
    for (uint32_t i = object + 1; i < list[object].next; i = list[i].next) {
        if (key_of(walk, &list[i], &key) < 0)
            return -1;
        if (!key.len || key.ptr[0] == '@' || key.ptr[0] == '#')
            continue;
        if (names_attributes(key) && list[i].kind == JSON_OBJECT) {
            if (put_beside(walk, key, i) < 0)
                return -1;
        } else if (put_element(walk, key, i) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One element whose text is at number text (0: none) and the rest in object (0: none). */
static int put_one(struct walk *walk, struct slice name, uint32_t object, uint32_t text)
{
    struct slice piece;
    if (winevent_open(&walk->event, name) < 0 || (object && put_attributes(walk, object) < 0))
        return -1;
    if (text && (text_of(walk, &walk->list[text], &piece) < 0 ||
                 winevent_text(&walk->event, piece, false) < 0))
        return -1;
    if (object && put_children(walk, object) < 0)
        return -1;
    return winevent_close(&walk->event);
}

static int put_list(struct walk *walk, struct slice name, uint32_t array)
{
    const struct json_token *list = walk->list;
    for (uint32_t i = array + 1; i < list[array].next; i = list[i].next)
        if (put_element(walk, name, i) < 0)
            return -1;
    return 0;
}

/* {"#text":["a","b"]} are two elements with the same attributes. */
static int put_object(struct walk *walk, struct slice name, uint32_t object)
{
    const struct json_token *list = walk->list;
    struct json_tokens tokens = {.list = list, .count = list[object].next};
    uint32_t text = json_member(&tokens, object, SLICE("#text"));
    if (!text || list[text].kind != JSON_ARRAY)
        return put_one(walk, name, object, text);
    for (uint32_t i = text + 1; i < list[text].next; i = list[i].next)
        if (put_one(walk, name, object, i) < 0)
            return -1;
    return 0;
}

static int put_element(struct walk *walk, struct slice name, uint32_t at)
{
    switch ((enum json_kind)walk->list[at].kind) {
    case JSON_OBJECT:
        return put_object(walk, name, at);
    case JSON_ARRAY:
        return put_list(walk, name, at);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER:
    case JSON_STRING:
    case JSON_RAW:
        break;
    }
    return put_one(walk, name, 0, at);
}

int cut_winjson(struct columns *columns, const struct json_tokens *tokens, struct batch *batch,
                uint32_t row, bool *left, struct err *err)
{
    struct walk walk = {.event = {.columns = columns, .batch = batch, .row = row, .err = err},
                        .list = tokens->list};
    bool object = tokens->count && tokens->list[0].kind == JSON_OBJECT;
    uint32_t event = object ? json_member(tokens, 0, SLICE("Event")) : 0;
    if (!event || tokens->list[event].kind != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "the JSON has no object \"Event\"");
    columns_begin(columns, batch);
    int result = put_one(&walk, SLICE("Event"), event, 0);
    *left |= walk.event.left;
    return result;
}

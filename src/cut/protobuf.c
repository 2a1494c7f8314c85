#include "cut/protobuf.h"

#include "base/json.h"

#include <assert.h>
#include <math.h>

/* ---- the wire ---- */

static int damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "the protobuf message is damaged: %s", what);
}

static bool take_fixed(struct slice *message, size_t size, uint64_t *out)
{
    uint32_t four = 0;
    if (size == 8)
        return slice_take_le64(message, out);
    bool ok = slice_take_le32(message, &four);
    *out = four;
    return ok;
}

static int take_value(struct slice *message, struct protobuf_field *out, struct err *err);

/* The fields of a group are passed over up to the end of the outermost one. Obsolete, so nobody looks inside. */
static int take_group(struct slice *message, uint32_t number, struct slice *out, struct err *err)
{
    enum { GROUP_END = 4 };
    struct slice start = *message;
    uint32_t open[PROTOBUF_DEPTH_MAX] = {number};
    size_t depth = 1;
    while (depth) {
        uint64_t key;
        struct protobuf_field inner;
        if (!slice_take_varint(message, &key))
            return damaged(err, "a group has no end");
        inner.kind = (enum protobuf_kind)(key & 7);
        if ((key & 7) == GROUP_END) {
            if (open[--depth] != (uint32_t)(key >> 3))
                return damaged(err, "a group is not closed as it was opened");
        } else if (inner.kind == PROTOBUF_GROUP) {
            if (depth == PROTOBUF_DEPTH_MAX)
                return damaged(err, "its groups are nested too deeply");
            open[depth++] = (uint32_t)(key >> 3);
        } else if (take_value(message, &inner, err) < 0) {
            return -1;
        }
    }
    *out = slice_sub(start, 0, start.len - message->len);
    return 1;
}

static int take_value(struct slice *message, struct protobuf_field *out, struct err *err)
{
    uint64_t len;
    switch (out->kind) {
    case PROTOBUF_VARINT:
        return slice_take_varint(message, &out->value) ? 1 : damaged(err, "a number ends early");
    case PROTOBUF_EIGHT:
        return take_fixed(message, 8, &out->value) ? 1 : damaged(err, "a number of eight bytes ends early");
    case PROTOBUF_FOUR:
        return take_fixed(message, 4, &out->value) ? 1 : damaged(err, "a number of four bytes ends early");
    case PROTOBUF_BYTES:
        if (!slice_take_varint(message, &len) || len > message->len)
            return damaged(err, "a field is longer than the message");
        return slice_take(message, (size_t)len, &out->bytes) ? 1 : damaged(err, "a field ends early");
    case PROTOBUF_GROUP:
        return take_group(message, out->number, &out->bytes, err);
    }
    return damaged(err, "a field is of a kind that there is not");
}

int protobuf_next(struct slice *message, struct protobuf_field *out, struct err *err)
{
    struct slice start = *message;
    uint64_t key;
    if (message->len == 0)
        return 0;
    if (!slice_take_varint(message, &key))
        return damaged(err, "a field's number ends early");
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return damaged(err, "a field's number is out of range");
    *out = (struct protobuf_field){.number = (uint32_t)(key >> 3), .kind = (enum protobuf_kind)(key & 7)};
    int result = take_value(message, out, err);
    out->whole = slice_sub(start, 0, start.len - message->len);
    return result;
}

/* ---- the tree ---- */

static const struct protobuf_known unknown_fields = {
    .type = PROTOBUF_BASE64,
    .repeated = true,
    .name = "unknownFields",
};

struct building {
    struct arena *arena;
    struct err *err;
    int depth;
};

/* The members of one message: where each repeated one's list is, and where it goes on. */
struct object {
    struct json_node *node;
    struct json_node *last;
    struct json_node *lists[PROTOBUF_FIELDS_MAX + 1];
    struct json_node *ends[PROTOBUF_FIELDS_MAX + 1];
};

static int full(struct building *building)
{
    return err_set(building->err, ERR_LIMIT, "the message has too many values; send fewer at once");
}

static struct json_node *new_node(struct building *building, enum json_kind kind)
{
    struct json_node *node = arena_calloc(building->arena, sizeof(*node));
    if (node) {
        node->kind = kind;
        node->text = SLICE("");
    }
    return node;
}

static void append(struct json_node *parent, struct json_node **last, struct json_node *node)
{
    if (*last)
        (*last)->next = node;
    else
        parent->first = node;
    *last = node;
    parent->count++;
}

/* Where the value of a field goes: a member, or the end of its list. */
static int place(struct building *building, struct object *object, const struct protobuf_known *known, size_t index,
                 struct json_node *node)
{
    if (!node)
        return full(building);
    struct json_node *member = known->repeated ? object->lists[index] : node;
    if (!member) {
        member = object->lists[index] = new_node(building, JSON_ARRAY);
        if (!member)
            return full(building);
    }
    if (!known->repeated || member->count == 0) {
        member->key = slice_text(known->name);
        append(object->node, &object->last, member);
    }
    if (known->repeated)
        append(member, &object->ends[index], node);
    return 0;
}

static struct json_node *double_node(struct building *building, uint64_t bits)
{
    static const uint64_t stale = UINT64_C(0x7ff0000000000002); /* Prometheus, model/value */
    double number;
    char text[32];
    memcpy(&number, &bits, sizeof(number));
    struct json_node *node = new_node(building, isfinite(number) ? JSON_NUMBER : JSON_STRING);
    if (!node)
        return NULL;
    if (isfinite(number))
        node->text = arena_copy(building->arena, slice_of(text, json_format_f64(number, text)));
    else if (isnan(number))
        node->text = bits == stale ? SLICE("StaleNaN") : SLICE("NaN");
    else
        node->text = number > 0 ? SLICE("Infinity") : SLICE("-Infinity");
    return node->text.ptr ? node : NULL;
}

static struct json_node *number_node(struct building *building, enum protobuf_type type, uint64_t value)
{
    if (type == PROTOBUF_DOUBLE)
        return double_node(building, value);
    if (type == PROTOBUF_BOOL)
        return new_node(building, value ? JSON_TRUE : JSON_FALSE);
    struct json_node *node = new_node(building, JSON_NUMBER);
    if (!node)
        return NULL;
    if (type == PROTOBUF_SINT) /* zigzag */
        value = (value >> 1) ^ (0 - (value & 1));
    bool is_signed = type == PROTOBUF_INT || type == PROTOBUF_SINT || type == PROTOBUF_SFIXED;
    node->text = is_signed ? arena_printf(building->arena, "%lld", (long long)(int64_t)value)
                           : arena_printf(building->arena, "%llu", (unsigned long long)value);
    return node->text.ptr ? node : NULL;
}

static struct slice base64_text(struct arena *arena, struct slice bytes)
{
    char *room = arena_alloc(arena, BASE64_SIZE(bytes.len) + 1);
    return room ? slice_of(room, (size_t)(base64_write(bytes, room) - room)) : SLICE_NONE;
}

static struct slice hex_text(struct arena *arena, struct slice bytes)
{
    char *room = arena_alloc(arena, 2 * bytes.len + 1);
    for (size_t i = 0; room && i < bytes.len; i++) {
        room[2 * i] = "0123456789abcdef"[(unsigned char)bytes.ptr[i] >> 4];
        room[2 * i + 1] = "0123456789abcdef"[(unsigned char)bytes.ptr[i] & 15];
    }
    return room ? slice_of(room, 2 * bytes.len) : SLICE_NONE;
}

static struct json_node *text_node(struct building *building, enum protobuf_type type, struct slice bytes)
{
    struct json_node *node = new_node(building, JSON_STRING);
    if (!node)
        return NULL;
    node->text = type == PROTOBUF_STRING ? (bytes.len ? bytes : SLICE(""))
                 : type == PROTOBUF_HEX  ? hex_text(building->arena, bytes)
                                         : base64_text(building->arena, bytes);
    return node->text.ptr ? node : NULL;
}

static enum protobuf_kind kind_of(enum protobuf_type type, const struct protobuf_field *field)
{
    switch (type) {
    case PROTOBUF_STRING:
    case PROTOBUF_BASE64:
    case PROTOBUF_HEX:
    case PROTOBUF_MESSAGE:
        return PROTOBUF_BYTES;
    case PROTOBUF_BOOL:
    case PROTOBUF_INT:
    case PROTOBUF_UINT:
    case PROTOBUF_SINT:
        return PROTOBUF_VARINT;
    case PROTOBUF_FIXED:
        return field->kind == PROTOBUF_FOUR ? PROTOBUF_FOUR : PROTOBUF_EIGHT;
    case PROTOBUF_SFIXED:
    case PROTOBUF_DOUBLE:
        break;
    }
    return PROTOBUF_EIGHT;
}

static bool is_scalar(enum protobuf_type type)
{
    return type != PROTOBUF_STRING && type != PROTOBUF_BASE64 && type != PROTOBUF_HEX && type != PROTOBUF_MESSAGE;
}

/* [packed] numbers of a repeated field, one behind the other. Fixed ones of four bytes are not among what we read. */
static int put_packed(struct building *building, struct object *object, const struct protobuf_known *known,
                      size_t index, struct slice bytes)
{
    bool varint = known->type == PROTOBUF_BOOL || known->type == PROTOBUF_INT || known->type == PROTOBUF_UINT ||
                  known->type == PROTOBUF_SINT;
    while (bytes.len) {
        uint64_t value;
        if (!(varint ? slice_take_varint(&bytes, &value) : slice_take_le64(&bytes, &value)))
            return damaged(building->err, "a list of numbers ends early");
        if (place(building, object, known, index, number_node(building, known->type, value)) < 0)
            return -1;
    }
    return 0;
}

static struct json_node *build(struct building *building, struct slice bytes, const struct protobuf_message *message);

static int put_field(struct building *building, struct object *object, const struct protobuf_message *message,
                     const struct protobuf_field *field)
{
    size_t index = 0;
    while (index < message->count && message->fields[index].number != field->number)
        index++;
    const struct protobuf_known *known = index < message->count ? &message->fields[index] : NULL;
    if (known && known->repeated && is_scalar(known->type) && field->kind == PROTOBUF_BYTES)
        return put_packed(building, object, known, index, field->bytes);
    if (!known || kind_of(known->type, field) != field->kind)
        return place(building, object, &unknown_fields, PROTOBUF_FIELDS_MAX,
                     text_node(building, PROTOBUF_BASE64, field->whole));
    if (known->type == PROTOBUF_MESSAGE && building->depth < PROTOBUF_DEPTH_MAX) {
        struct json_node *node = build(building, field->bytes, known->message);
        return node ? place(building, object, known, index, node) : -1; /* err says why */
    }
    return place(building, object, known, index,
                 is_scalar(known->type) ? number_node(building, known->type, field->value)
                                        : text_node(building, known->type, field->bytes));
}

/* NULL: err is set. */
static struct json_node *build(struct building *building, struct slice bytes, const struct protobuf_message *message)
{
    struct object object = {.node = new_node(building, JSON_OBJECT)};
    struct protobuf_field field;
    int more;
    assert(message->count <= PROTOBUF_FIELDS_MAX);
    if (!object.node) {
        full(building);
        return NULL;
    }
    building->depth++;
    while ((more = protobuf_next(&bytes, &field, building->err)) > 0)
        if (put_field(building, &object, message, &field) < 0)
            return NULL;
    building->depth--;
    return more < 0 ? NULL : object.node;
}

int protobuf_tree(struct slice bytes, const struct protobuf_message *message, struct arena *arena,
                  const struct json_node **out, struct err *err)
{
    struct building building = {.arena = arena, .err = err};
    *out = build(&building, bytes, message);
    return *out ? 0 : -1;
}

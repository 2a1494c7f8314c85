#include "gate/gate_inputs.h"

#include "base/hash.h"
#include "base/limits.h"
#include "event/value_bytes.h"

#include <sodium.h>

enum { DIGEST_BYTES = (POLICY_DIGEST_SIZE - 1) / 2, ASKED_STATE = 'S', ASKED_BOUND = 'B' };

/* ---- writing down ---- */

void gate_inputs_init(struct gate_inputs *inputs)
{
    buffer_init(&inputs->bytes, GATE_INPUTS_BYTES_MAX);
    inputs->asked = NULL;
}

void gate_inputs_close(struct gate_inputs *inputs)
{
    buffer_close(&inputs->bytes);
}

void gate_inputs_begin(struct gate_inputs *inputs, enum gate_how how, unsigned flags, const struct policy *policy)
{
    unsigned char digest[DIGEST_BYTES] = {0};
    buffer_clear(&inputs->bytes);
    if (policy && sodium_hex2bin(digest, sizeof(digest), policy->digest, strlen(policy->digest), NULL, NULL, NULL) < 0)
        memset(digest, 0, sizeof(digest));
    buffer_put_char(&inputs->bytes, (char)how);
    buffer_put_char(&inputs->bytes, (char)flags);
    buffer_put(&inputs->bytes, slice_of(digest, sizeof(digest)));
}

static void put_values(struct buffer *to, const struct value *values, size_t count)
{
    buffer_put_varint(to, count);
    for (size_t i = 0; i < count; i++)
        value_put_bytes(to, values[i]);
}

static bool is_of_request(struct slice name)
{
    return slice_starts(name, SLICE("request."));
}

static size_t count_columns(const struct batch *batch)
{
    size_t count = 0;
    for (uint32_t i = 0; i < batch->column_count; i++)
        count += !is_of_request(batch->columns[i]->name);
    return count;
}

void gate_inputs_columns(struct gate_inputs *inputs, const struct batch *batch)
{
    buffer_put_varint(&inputs->bytes, count_columns(batch));
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const struct column *column = batch->columns[i];
        if (is_of_request(column->name))
            continue;
        buffer_put_block(&inputs->bytes, column->name);
        put_values(&inputs->bytes, column->values, column->count); /* of the only row */
    }
}

static uint32_t crc_of_state(struct slice table, struct slice key, struct slice field)
{
    uint32_t crc = hash_crc32c(0, table);
    crc = hash_crc32c(crc, slice_of("", 1));
    crc = hash_crc32c(crc, key);
    crc = hash_crc32c(crc, slice_of("", 1));
    return hash_crc32c(crc, field);
}

static void put_asked(struct gate_inputs *inputs, char kind, uint32_t crc, bool found, const struct value_list *list)
{
    buffer_put_char(&inputs->bytes, kind);
    buffer_put_le32(&inputs->bytes, crc);
    put_values(&inputs->bytes, list->values, found ? list->count : 0);
}

static bool listen_state(void *context, struct slice table, struct slice key, struct slice field, int64_t now_ns,
                         struct arena *scratch, struct value_list *out)
{
    struct gate_inputs *inputs = context;
    const struct expr_scope *asked = inputs->asked;
    bool found = asked->state(asked->state_context, table, key, field, now_ns, scratch, out);
    put_asked(inputs, ASKED_STATE, crc_of_state(table, key, field), found, out);
    return found;
}

/* Most names are columns, of which nothing is bound. */
static bool listen_bound(void *context, struct slice name, struct value_list *out)
{
    struct gate_inputs *inputs = context;
    const struct expr_scope *asked = inputs->asked;
    bool found = asked->bound(asked->bound_context, name, out);
    if (found)
        put_asked(inputs, ASKED_BOUND, hash_crc32c(0, name), true, out);
    return found;
}

void gate_inputs_listen(struct gate_inputs *inputs, const struct expr_scope *asked, struct expr_scope *to)
{
    inputs->asked = asked;
    *to = *asked;
    to->state = asked->state ? listen_state : NULL;
    to->state_context = inputs;
    to->bound = asked->bound ? listen_bound : NULL;
    to->bound_context = inputs;
}

/* ---- giving again ---- */

static bool take_values(struct slice *from, struct arena *arena, struct value_list *out)
{
    uint64_t count;
    if (!slice_take_varint(from, &count) || count > from->len)
        return false;
    struct value *values = arena_array(arena, (size_t)count + 1, sizeof(*values));
    if (!values)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!value_take_bytes(from, arena, &values[i]))
            return false;
    *out = (struct value_list){values, (uint32_t)count};
    return true;
}

static bool take_column(struct slice *from, struct arena *arena, struct slice *name, struct value_list *values)
{
    return slice_take_block(from, name) && take_values(from, arena, values);
}

/* Where the columns end. */
static bool split(struct slice bytes, uint64_t columns, struct gate_given *out)
{
    struct arena *arena = arena_new(GATE_INPUTS_BYTES_MAX);
    struct slice rest = bytes, name;
    struct value_list values;
    bool whole = arena != NULL;
    for (uint64_t i = 0; whole && i < columns; i++)
        whole = take_column(&rest, arena, &name, &values);
    arena_free(arena);
    out->columns = slice_sub(bytes, 0, bytes.len - rest.len);
    out->asked = rest;
    return whole;
}

bool gate_given_read(struct slice inputs, struct gate_given *out)
{
    struct slice how, flags, digest;
    uint64_t columns = 0;
    *out = (struct gate_given){0};
    if (!slice_take(&inputs, 1, &how) || (unsigned char)how.ptr[0] > HOW_PAYLOAD || !slice_take(&inputs, 1, &flags) ||
        !slice_take(&inputs, DIGEST_BYTES, &digest))
        return false;
    out->how = (enum gate_how)how.ptr[0];
    out->flags = (unsigned char)flags.ptr[0];
    if (!sodium_is_zero((const unsigned char *)digest.ptr, digest.len))
        sodium_bin2hex(out->digest, sizeof(out->digest), (const unsigned char *)digest.ptr, digest.len);
    if (out->how != HOW_POLICY)
        return inputs.len == 0;
    return slice_take_varint(&inputs, &columns) && columns <= inputs.len && split(inputs, columns, out);
}

static void tell(const struct gate_given *given, struct slice name, const struct value_list *values)
{
    if (given->visit)
        given->visit(given->context, name, values);
}

bool gate_given_columns(const struct gate_given *given, struct batch *batch)
{
    struct slice rest = given->columns, name;
    struct value_list values;
    while (rest.len) {
        if (!take_column(&rest, batch->arena, &name, &values))
            return false;
        for (uint32_t i = 0; i < values.count; i++)
            if (batch_put(batch, 0, name, values.values[i]) < 0)
                return false;
        tell(given, name, &values);
    }
    return true;
}

/* The next thing that was asked, if it is this one. */
static bool give(struct gate_given *given, char kind, uint32_t crc, struct arena *scratch, struct value_list *out)
{
    struct slice rest = given->asked, found;
    uint32_t was;
    if (!slice_take(&rest, 1, &found) || found.ptr[0] != kind || !slice_take_le32(&rest, &was) || was != crc ||
        !take_values(&rest, scratch, out))
        return false;
    given->asked = rest;
    return true;
}

static bool give_state(void *context, struct slice table, struct slice key, struct slice field, int64_t now_ns,
                       struct arena *scratch, struct value_list *out)
{
    struct gate_given *given = context;
    (void)now_ns;
    *out = (struct value_list){0};
    if (!give(given, ASKED_STATE, crc_of_state(table, key, field), scratch, out))
        given->differs = true;
    if (given->visit)
        tell(given, arena_printf(scratch, "state(%.*s, %.*s, %.*s)", SLICE_ARG(table), SLICE_ARG(key), SLICE_ARG(field)), out);
    return out->count > 0;
}

static bool give_bound(void *context, struct slice name, struct value_list *out)
{
    struct gate_given *given = context;
    if (!give(given, ASKED_BOUND, hash_crc32c(0, name), given->scratch, out))
        return false;
    tell(given, name, out);
    return true;
}

void gate_given_answer(struct gate_given *given, struct expr_scope *scope)
{
    given->scratch = scope->scratch;
    scope->state = give_state;
    scope->state_context = given;
    scope->bound = give_bound;
    scope->bound_context = given;
}

#include "decode/run_put.h"

#include "base/limits.h"

int keys_compile(struct decoder_compiler *compiler, const struct yaml_node *node, const char *fallback,
                 struct keys *out)
{
    if (verb_under(compiler, node, fallback, &out->under) < 0)
        return -1;
    if (verb_texts(compiler, yaml_get(node, "skip"), &out->skip, &out->skip_count) < 0)
        return -1;
    return verb_names(compiler, yaml_get(node, "names"), &out->names);
}

struct key_put keys_begin(struct run *run, const struct keys *keys)
{
    columns_begin(&run->runner->columns, run->batch);
    return (struct key_put){.run = run, .keys = keys};
}

bool keys_room(struct key_put *put)
{
    bool room = put->count < EVENT_FIELDS_MAX;
    put->count += room;
    put->run->left |= !room;
    return room;
}

static void put_column(struct run *run, struct column *column, struct value v)
{
    if (!column || (column->count >= FIELD_VALUES_MAX &&
                    column->rows[column->count - FIELD_VALUES_MAX] == run->row))
        run->left = true;
    else if (column_add(run->batch, column, run->row, v) < 0)
        run->out_of_memory = true;
}

void keys_put_value(struct key_put *put, struct slice key, struct value v)
{
    struct run *run = put->run;
    struct slice under = put->keys->under;
    char name[FIELD_NAME_MAX];
    uintptr_t field = put->keys->names ? (uintptr_t)map_find(put->keys->names, key) : 0;
    if (field) {
        run_put(run, (uint32_t)field - 1, v, false);
        return;
    }
    if (under.len + key.len > sizeof(name) || !key.len) {
        run->left = true;
        return;
    }
    struct column *column = columns_guess(&run->runner->columns, under, key);
    if (column) {
        put_column(run, column, v);
        return;
    }
    if (under.len) {
        memcpy(mempcpy(name, under.ptr, under.len), key.ptr, key.len);
        key = slice_of(name, under.len + key.len);
    }
    put_column(run, columns_look_up(&run->runner->columns, run->batch, key), v);
}

void keys_put(struct key_put *put, struct slice key, struct slice value)
{
    const struct keys *keys = put->keys;
    for (uint32_t i = 0; i < keys->skip_count; i++)
        if (slice_equal_short(value, keys->skip[i]))
            return;
    put->run->out_of_memory |= !value.ptr;
    if (value.ptr)
        keys_put_value(put, key, value_string(value));
}

#include "decode/run_put.h"

#include "base/hash.h"
#include "base/limits.h"

int keys_compile(struct decoder_compiler *compiler, const struct yaml_node *node, const char *fallback,
                 struct keys *out)
{
    if (verb_under(compiler, node, fallback, &out->under) < 0)
        return -1;
    if (verb_texts(compiler, yaml_get(node, "skip"), &out->skip, &out->skip_count) < 0)
        return -1;
    out->table = ++compiler->fields->key_tables;
    return verb_names(compiler, yaml_get(node, "names"), &out->names);
}

struct key_put keys_begin(struct run *run, const struct keys *keys)
{
    struct runner *runner = run->runner;
    struct key_table *table = keys->table ? &runner->key_tables[keys->table - 1] : NULL;
    columns_begin(&runner->columns, run->batch);
    return (struct key_put){.run = run, .keys = keys, .table = table};
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
    if (column && column->newest_row != run->row) {
        run->out_of_memory |= column_add(run->batch, column, run->row, v) < 0;
        return;
    }
    if (!column || (column->count >= FIELD_VALUES_MAX &&
                    column->rows[column->count - FIELD_VALUES_MAX] == run->row))
        run->left = true;
    else if (column_add(run->batch, column, run->row, v) < 0)
        run->out_of_memory = true;
}

/* --- keys that are known --- */

static struct column *known_column(struct key_put *put, struct slice key)
{
    struct known_key *known = &put->table->keys[hash_ends(key) >> (32 - KEY_TABLE_LOG2)];
    if (known->life != put->run->runner->life || !slice_equal_short(known->key, key))
        return NULL;
    if (put->last)
        put->last->next = known->column;
    put->last = known;
    if (known->next)
        column_prefetch(known->next);
    return known->column;
}

static void remember(struct key_put *put, struct slice key, struct column *column)
{
    struct known_key *known = &put->table->keys[hash_ends(key) >> (32 - KEY_TABLE_LOG2)];
    uint64_t life = put->run->runner->life;
    struct slice copy = known->life == life || !column ? SLICE_NONE : arena_copy(put->run->batch->arena, key);
    if (copy.ptr)
        *known = (struct known_key){.key = copy, .column = column, .life = life};
}

/* The column of a key that is put under its own name; NULL when there can be none. */
static struct column *column_under(struct key_put *put, struct slice key)
{
    struct run *run = put->run;
    struct slice under = put->keys->under;
    char name[FIELD_NAME_MAX];
    if (under.len + key.len > sizeof(name) || !key.len)
        return NULL;
    if (under.len) {
        memcpy(mempcpy(name, under.ptr, under.len), key.ptr, key.len);
        key = slice_of(name, under.len + key.len);
    }
    return columns_look_up(&run->runner->columns, run->batch, key);
}

void keys_put_value(struct key_put *put, struct slice key, struct value v)
{
    struct run *run = put->run;
    struct column *column = put->table ? known_column(put, key) : NULL;
    if (column) {
        put_column(run, column, v);
        return;
    }
    uintptr_t field = put->keys->names ? (uintptr_t)map_find(put->keys->names, key) : 0;
    if (field) {
        run_put(run, (uint32_t)field - 1, v, false);
        column = run_column(run, (uint32_t)field - 1);
    } else {
        column = column_under(put, key);
        put_column(run, column, v);
    }
    if (put->table)
        remember(put, key, column);
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

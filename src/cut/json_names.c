#include "cut/json_names.h"

#include "base/hash.h"
#include "event/schema.h"

static uint32_t place_of(const struct json_name *object, struct slice key)
{
    uint32_t mixed = hash_ends(key) ^ (uint32_t)((uintptr_t)object >> 4) * UINT32_C(0x85ebca6b);
    return mixed >> (32 - JSON_NAMES_LOG2);
}

/* The object's path, a dot unless it ends in one, and the key. */
static struct slice path_of(struct arena *arena, const struct json_name *object, struct slice key)
{
    struct slice before = object ? object->path : SLICE("");
    bool dot = before.len && before.ptr[before.len - 1] != '.';
    char *start = arena_alloc(arena, before.len + dot + key.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    if (before.len)
        to = mempcpy(to, before.ptr, before.len);
    if (dot)
        *to++ = '.';
    if (key.len)
        to = mempcpy(to, key.ptr, key.len);
    return slice_of(start, (size_t)(to - start));
}

static struct json_name *make_name(struct json_names *names, struct json_name *object, struct slice key)
{
    struct arena *arena = names->batch->arena;
    struct slice path = path_of(arena, object, key);
    struct json_name *name = path.ptr ? arena_calloc(arena, sizeof(*name)) : NULL;
    if (!name)
        return NULL;
    name->key = slice_from(path, path.len - key.len);
    name->object = object;
    name->path = path;
    return name;
}

struct json_name *json_names_look_up(struct json_names *names, struct json_name *object, struct slice key,
                                     bool *too_long)
{
    uint32_t place = place_of(object, key);
    struct json_name *known = names->table[place].life == names->batch->life ? names->table[place].name : NULL;
    if (known && known->object == object && slice_equal_short(known->key, key))
        return known;
    *too_long = key.len + (object ? object->path.len : 0) + 1 > FIELD_NAME_MAX;
    struct json_name *name = *too_long ? NULL : make_name(names, object, key);
    if (name) {
        names->table[place].life = names->batch->life;
        names->table[place].name = name;
    }
    return name;
}

struct json_name *json_names_begin(struct json_names *names, struct batch *batch, struct slice prefix)
{
    bool too_long;
    names->batch = batch;
    columns_begin(&names->columns, batch);
    return json_names_look_up(names, NULL, prefix, &too_long);
}

struct column *json_names_find_column(struct json_names *names, struct json_name *name)
{
    name->column = columns_look_up(&names->columns, names->batch, schema_metric_alias(name->path));
    return name->column;
}

#include "know/know.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "know/know_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct knowledge {
    struct arena *arena; /* holds everything here, this struct included */
    int holders;
    struct map by_name; /* "macro name/2" to the strongest struct know_object */
    struct know_object **all; /* the strongest of each name, by kind and name */
    size_t count;
    struct know_object **wild; /* macros with a star in their name */
    size_t wild_count;
    struct know_note *notes, **last_note;
    size_t object_count;
};

struct know_builder {
    struct knowledge *set;
    struct arena *scratch;
    enum know_origin origin;
    const char *path;
};

/* ---- notes ---- */

static int note(struct knowledge *set, bool wrong, struct slice text, struct err *err)
{
    struct know_note *one = arena_calloc(set->arena, sizeof(*one));
    if (!one || !text.ptr)
        return err_nomem(err);
    one->wrong = wrong;
    one->text = text;
    *set->last_note = one;
    set->last_note = &one->next;
    return 0;
}

/* ---- adding ---- */

static struct slice key_of(struct arena *arena, const struct know_object *object)
{
    const struct know_macro *macro = object->spec;
    if (object->kind == KNOW_MACRO)
        return arena_printf(arena, "macro %.*s/%zu", SLICE_ARG(object->name), macro->arg_count);
    return arena_printf(arena, "%s %.*s", know_kind_name(object->kind), SLICE_ARG(object->name));
}

/* A person's own do not hide what others see, so they are no clash. */
static int note_clash(struct knowledge *set, const struct know_object *winner,
                      const struct know_object *loser, struct err *err)
{
    if (winner->origin == KNOW_OWN)
        return 0;
    bool same = winner->origin == loser->origin;
    struct slice text = arena_printf(
        set->arena, "%.*s: the %s %.*s is defined here and in %.*s; %s", SLICE_ARG(winner->place),
        know_kind_name(winner->kind), SLICE_ARG(winner->name), SLICE_ARG(loser->place),
        same ? "the first one counts, take the other away" : "this one counts");
    return note(set, same, text, err);
}

/* Into the list of its name: strong ones first, of equal ones the first to come. */
static int insert(struct knowledge *set, struct know_object *object, struct err *err)
{
    struct slice key = key_of(set->arena, object);
    void **slot = key.ptr ? map_slot(&set->by_name, key) : NULL;
    if (!slot)
        return err_nomem(err);
    struct know_object *first = *slot, **at = &first;
    while (*at && (*at)->origin >= object->origin)
        at = &(*at)->next;
    object->next = *at;
    *at = object;
    *slot = first;
    if (first->next == NULL)
        return 0;
    return first == object ? note_clash(set, object, object->next, err)
                           : note_clash(set, first, object, err);
}

static int add(struct know_builder *builder, const struct know_object *made, struct err *err)
{
    struct knowledge *set = builder->set;
    struct know_object *object = arena_alloc(set->arena, sizeof(*object));
    if (!object)
        return err_nomem(err);
    *object = *made;
    if (++set->object_count > KNOW_OBJECTS_MAX)
        return note(set, true,
                    arena_printf(set->arena, "%.*s: there are more than %d definitions; this one is "
                                             "left out", SLICE_ARG(made->place), KNOW_OBJECTS_MAX),
                    err);
    return insert(set, object, err);
}

/* "line 3: x" of a document that begins at line first of its file becomes "PLACE:5: x". */
static struct slice placed(struct arena *arena, struct slice place, int first, const char *text)
{
    int line = 1, used = 0;
    if (sscanf(text, "line %d: %n", &line, &used) < 1 || used == 0)
        used = 0;
    return arena_printf(arena, "%.*s:%d: %s", SLICE_ARG(place), first + line - 1, text + used);
}

/* One document. -1 only when memory is out. */
static int take_document(struct know_builder *builder, struct slice text, int first_line,
                         struct know_object *from, struct err *err)
{
    struct arena *arena = builder->set->arena;
    const struct yaml_node *const *documents;
    size_t count = 0;
    struct know_object object;
    struct err why;
    struct slice file = from->place;
    if (yaml_parse(text, arena, &documents, &count, &why) < 0)
        goto wrong;
    if (count == 0 || yaml_is_null(documents[0]))
        return 0;
    if (text.len > KNOW_TEXT_BYTES_MAX) {
        err_set(&why, ERR_LIMIT, "a definition is longer than %d bytes", KNOW_TEXT_BYTES_MAX);
        goto wrong;
    }
    if (know_read(documents[0], arena, &object, &why) < 0)
        goto wrong;
    object.origin = from->origin;
    object.owner = from->owner;
    object.updated_ns = from->updated_ns;
    object.text = arena_copy(arena, slice_trim(text));
    object.place = first_line ? arena_printf(arena, "%.*s:%d", SLICE_ARG(file),
                                             first_line + documents[0]->line - 1)
                              : file;
    if (!object.text.ptr || !object.place.ptr)
        return err_nomem(err);
    return add(builder, &object, err);
wrong:
    if (why.code == ERR_NOMEM)
        return err_nomem(err);
    return note(builder->set, true, placed(arena, file, first_line ? first_line : 1, why.text), err);
}

static bool is_divider(struct slice line)
{
    return slice_starts(line, SLICE("---")) && slice_trim(slice_from(line, 3)).len == 0;
}

/* Documents are read one by one, so that a slip in one leaves the others. */
static int take_documents(struct know_builder *builder, struct slice text,
                          struct know_object *from, struct err *err)
{
    struct slice rest = text, line;
    const char *start = text.ptr;
    int number = 1, first = 1;
    while (slice_next_line(&rest, &line)) {
        if (is_divider(line)) {
            if (take_document(builder, slice_of(start, (size_t)(line.ptr - start)), first, from, err) < 0)
                return -1;
            start = rest.ptr ? rest.ptr : text.ptr + text.len;
            first = number + 1;
        }
        number++;
    }
    return take_document(builder, slice_of(start, (size_t)(text.ptr + text.len - start)), first, from,
                         err);
}

static int take_file(void *context, const char *path, struct err *err)
{
    struct know_builder *builder = context;
    struct slice text;
    struct err why;
    struct know_object from = {.origin = builder->origin, .owner = SLICE("")};
    from.place = arena_copy(builder->set->arena, slice_text(path));
    if (!from.place.ptr)
        return err_nomem(err);
    arena_reset(builder->scratch);
    if (file_read(path, YAML_BYTES_MAX, builder->scratch, &text, &why) < 0)
        return note(builder->set, true, arena_copy(builder->set->arena, slice_text(why.text)), err);
    return take_documents(builder, text, &from, err);
}

/* ---- building ---- */

struct know_builder *know_builder_new(void)
{
    struct know_builder *builder = mem_calloc(1, sizeof(*builder));
    struct arena *arena = arena_new(KNOW_BYTES_MAX);
    struct arena *scratch = arena_new(2 * YAML_BYTES_MAX);
    struct knowledge *set = arena ? arena_calloc(arena, sizeof(*set)) : NULL;
    if (!builder || !scratch || !set) {
        arena_free(scratch);
        arena_free(arena);
        mem_free(builder);
        return NULL;
    }
    *set = (struct knowledge){.arena = arena, .holders = 1};
    set->last_note = &set->notes;
    map_init(&set->by_name, arena);
    *builder = (struct know_builder){.set = set, .scratch = scratch};
    return builder;
}

void know_builder_free(struct know_builder *builder)
{
    if (!builder)
        return;
    know_release(builder->set);
    arena_free(builder->scratch);
    mem_free(builder);
}

int know_builder_folder(struct know_builder *builder, const char *folder, enum know_origin origin,
                        struct err *err)
{
    builder->origin = origin;
    if (access(folder, F_OK) != 0)
        return 0;
    if (!file_is_dir(folder))
        return take_file(builder, folder, err);
    return file_walk(folder, ".yaml", take_file, builder, err);
}

int know_builder_text(struct know_builder *builder, struct slice text, struct slice owner,
                      bool shared, int64_t updated_ns, struct err *err)
{
    struct arena *arena = builder->set->arena;
    struct know_object from = {.origin = shared ? KNOW_SHARED : KNOW_OWN,
                               .owner = arena_copy(arena, owner),
                               .place = arena_printf(arena, "%s %.*s",
                                                     shared ? "shared by" : "of", SLICE_ARG(owner)),
                               .updated_ns = updated_ns};
    if (!from.owner.ptr || !from.place.ptr)
        return err_nomem(err);
    return take_document(builder, text, 0, &from, err);
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct know_object *x = *(struct know_object *const *)a;
    const struct know_object *y = *(struct know_object *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = slice_compare(x->name, y->name);
    if (order == 0 && x->kind == KNOW_MACRO) {
        size_t n = ((const struct know_macro *)x->spec)->arg_count;
        size_t m = ((const struct know_macro *)y->spec)->arg_count;
        order = (n > m) - (n < m);
    }
    return order;
}

static int list_all(struct knowledge *set)
{
    const struct map_entry *entry;
    set->all = arena_array(set->arena, set->by_name.count + 1, sizeof(struct know_object *));
    set->wild = arena_array(set->arena, set->by_name.count + 1, sizeof(struct know_object *));
    if (!set->all || !set->wild)
        return -1;
    for (size_t at = 0; (entry = map_next(&set->by_name, &at));)
        set->all[set->count++] = entry->value;
    qsort(set->all, set->count, sizeof(struct know_object *), by_kind_and_name);
    for (size_t i = 0; i < set->count; i++)
        if (set->all[i]->kind == KNOW_MACRO && slice_find_char(set->all[i]->name, '*') >= 0)
            set->wild[set->wild_count++] = set->all[i];
    return 0;
}

struct knowledge *know_builder_done(struct know_builder *builder)
{
    struct knowledge *set = builder->set;
    int result = list_all(set);
    builder->set = NULL;
    know_builder_free(builder);
    if (result == 0)
        return set;
    know_release(set);
    return NULL;
}

int know_load(const char *shipped, const char *folder, struct knowledge **out, struct err *err)
{
    struct know_builder *builder = know_builder_new();
    *out = NULL;
    if (!builder)
        return err_nomem(err);
    if ((shipped && know_builder_folder(builder, shipped, KNOW_SHIPPED, err) < 0) ||
        (folder && know_builder_folder(builder, folder, KNOW_FOLDER, err) < 0)) {
        know_builder_free(builder);
        return -1;
    }
    *out = know_builder_done(builder);
    return *out ? 0 : err_nomem(err);
}

int know_parse(struct slice text, struct arena *arena, struct know_object *out, struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    if (text.len > KNOW_TEXT_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a definition is longer than %d bytes", KNOW_TEXT_BYTES_MAX);
    if (yaml_parse(text, arena, &documents, &count, err) < 0)
        return -1;
    if (count != 1)
        return err_set(err, ERR_CONFIG, "here one definition is needed, not %zu", count);
    if (know_read(documents[0], arena, out, err) < 0)
        return -1;
    out->text = slice_trim(text);
    return 0;
}

/* ---- asking ---- */

struct knowledge *know_hold(const struct knowledge *set)
{
    struct knowledge *held = (struct knowledge *)(uintptr_t)set; /* only the count changes */
    if (held)
        __atomic_add_fetch(&held->holders, 1, __ATOMIC_RELAXED);
    return held;
}

void know_release(struct knowledge *set)
{
    if (set && __atomic_sub_fetch(&set->holders, 1, __ATOMIC_ACQ_REL) == 0)
        arena_free(set->arena);
}

const struct know_object *know_visible(const struct know_object *object, struct slice person)
{
    while (object && object->origin == KNOW_OWN &&
           !(person.len && slice_equal(object->owner, person)))
        object = object->next;
    return object;
}

static const struct know_object *find_key(const struct knowledge *set, const char *key,
                                          size_t len, struct slice person)
{
    return know_visible(map_find(&set->by_name, slice_of(key, len)), person);
}

const struct know_object *know_find(const struct knowledge *set, enum know_kind kind,
                                    struct slice name, struct slice person)
{
    char key[KNOW_NAME_BYTES_MAX + 32];
    if (!set || name.len > KNOW_NAME_BYTES_MAX)
        return NULL;
    int len = snprintf(key, sizeof(key), "%s %.*s", know_kind_name(kind), SLICE_ARG(name));
    return find_key(set, key, (size_t)len, person);
}

const struct know_object *know_find_macro(const struct knowledge *set, struct slice name,
                                          size_t arg_count, struct slice person)
{
    char key[KNOW_NAME_BYTES_MAX + 64];
    if (!set || name.len > KNOW_NAME_BYTES_MAX)
        return NULL;
    int len = snprintf(key, sizeof(key), "macro %.*s/%zu", SLICE_ARG(name), arg_count);
    const struct know_object *found = find_key(set, key, (size_t)len, person), *best = NULL;
    for (size_t i = 0; !found && i < set->wild_count; i++) {
        const struct know_object *one = know_visible(set->wild[i], person);
        const struct know_macro *macro = one ? one->spec : NULL;
        if (one && macro->arg_count == arg_count && slice_matches_stars(name, one->name) &&
            (!best || one->name.len > best->name.len))
            best = one;
    }
    return found ? found : best;
}

const struct know_object *know_nearest(const struct knowledge *set, enum know_kind kind,
                                       struct slice name)
{
    const struct know_object *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; set && i < set->count; i++) {
        if (set->all[i]->kind != kind || set->all[i]->origin == KNOW_OWN)
            continue;
        size_t distance = slice_distance(name, set->all[i]->name);
        if (distance < best) {
            best = distance;
            nearest = set->all[i];
        }
    }
    return nearest;
}

const struct know_object *know_at(const struct knowledge *set, size_t index)
{
    return set && index < set->count ? set->all[index] : NULL;
}

const struct know_note *know_notes(const struct knowledge *set)
{
    return set ? set->notes : NULL;
}

const char *know_origin_name(enum know_origin origin)
{
    static const char *const names[] = {"shipped", "folder", "shared", "own"};
    return names[origin];
}

struct slice know_title(const struct know_object *object, struct arena *arena)
{
    const struct know_macro *macro = object->spec;
    if (object->kind != KNOW_MACRO || macro->arg_count == 0)
        return object->name;
    return arena_printf(arena, "%.*s(%zu)", SLICE_ARG(object->name), macro->arg_count);
}

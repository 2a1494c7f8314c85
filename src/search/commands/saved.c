#include "search/commands/saved.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <stdio.h>

static const struct saved_value *value_at(struct slice text, const struct saved_value *values,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice name = values[i].name;
        if (text.len >= name.len + 2 && text.ptr[name.len + 1] == '$' &&
            slice_equal(slice_sub(text, 1, name.len), name))
            return &values[i];
    }
    return NULL;
}

static int substitute(struct run *run, struct slice text, const struct saved_value *values,
                      size_t count, struct slice *out, struct err *err)
{
    struct buffer to;
    buffer_init(&to, QUERY_BYTES_MAX);
    while (text.len) {
        const struct saved_value *v = text.ptr[0] == '$' ? value_at(text, values, count) : NULL;
        if (v)
            buffer_put(&to, v->value);
        else
            buffer_put_char(&to, text.ptr[0]);
        text = slice_from(text, v ? v->name.len + 2 : 1);
    }
    bool failed = buffer_failed(&to);
    *out = arena_copy(run->arena, buffer_slice(&to));
    buffer_close(&to);
    if (failed)
        return err_set(err, ERR_LIMIT, "a saved search is longer than %d bytes", QUERY_BYTES_MAX);
    return out->ptr ? 0 : run_nomem(run, err);
}

int saved_expand(struct run *run, const struct spl_command *command, struct slice name,
                 const struct saved_value *values, size_t count, struct spl_expansion *out,
                 struct err *err)
{
    const struct knowledge *set = run->options->knowledge;
    const struct know_object *object =
        know_find(set, KNOW_SAVED_SEARCH, name, run->options->person);
    struct slice text, what;
    if (!object) {
        err_set(err, ERR_NOT_FOUND, "there is no saved search %.*s", SLICE_ARG(name));
        object = know_nearest(set, KNOW_SAVED_SEARCH, name);
        if (object)
            snprintf(err->suggestion, sizeof(err->suggestion), "%.*s", SLICE_ARG(object->name));
        return -1;
    }
    const struct know_saved_search *saved = object->spec;
    what = arena_printf(run->arena, "the saved search %.*s", SLICE_ARG(name));
    if (!what.ptr)
        return run_nomem(run, err);
    if (substitute(run, saved->search, values, count, &text, err) < 0 ||
        expansion_add_text(run, out, command, text, what.ptr, err) < 0)
        return -1;
    if (!out->earliest.ptr)
        out->earliest = saved->earliest;
    if (!out->latest.ptr)
        out->latest = saved->latest;
    return 0;
}

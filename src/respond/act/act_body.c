#include "respond/act/act_body.h"

#include "base/time.h"

enum { BODY_BYTES_MAX = 1024 * 1024 };

static const char *const names[] = {"entity.type", "entity.value", "incident", "severity", "action", "id",
                                    "key",         "do",           "reason",   "by",       "until"};

static struct slice value_of(size_t name, const struct act_work *work)
{
    char time[TIME_TEXT_SIZE];
    const struct slice values[] = {
        work->entity.type, work->entity.value, work->incident, slice_text(severity_name(work->severity)),
        work->settings->name, work->id, work->key, work->undo ? SLICE("undo") : SLICE("do"), work->reason, work->by,
        work->until_ns ? arena_copy(work->arena, slice_of(time, time_format(work->until_ns, time))) : SLICE("")};
    return values[name].ptr ? values[name] : SLICE("");
}

/* The next {name} behind its text. Braces of the JSON itself are never followed by a letter without a quote. */
static bool next_name(struct slice *from, struct slice *before, struct slice *name)
{
    for (size_t i = 0; i + 1 < from->len; i++) {
        bool opens = from->ptr[i] == '{' && from->ptr[i + 1] >= 'a' && from->ptr[i + 1] <= 'z';
        ptrdiff_t end = opens ? slice_find_char(slice_from(*from, i), '}') : -1;
        if (end < 0)
            continue;
        *before = slice_sub(*from, 0, i);
        *name = slice_sub(*from, i + 1, (size_t)end - 1);
        *from = slice_from(*from, i + (size_t)end + 1);
        return true;
    }
    return false;
}

static size_t find_name(struct slice name)
{
    size_t at = 0;
    while (at < ARRAY_COUNT(names) && !slice_is(name, names[at]))
        at++;
    return at;
}

int act_body_check(struct slice template, struct err *err)
{
    struct slice before, name;
    while (next_name(&template, &before, &name))
        if (find_name(name) == ARRAY_COUNT(names))
            return err_set(err, ERR_CONFIG, "there is no {%.*s}; there are {entity.type}, {entity.value}, {incident}, {severity}, "
                           "{action}, {id}, {key}, {do}, {reason}, {by} and {until}", SLICE_ARG(name));
    return 0;
}

/* A JSON text without its quotes; what is not UTF-8 is shown as such a text is, in base64. */
static void put_escaped(struct buffer *to, struct slice value)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, BODY_BYTES_MAX);
    json_init(&json, &text);
    json_text(&json, value);
    struct slice whole = buffer_slice(&text);
    if (whole.len && whole.ptr[0] == '{') {
        buffer_put_text(to, "base64:");
        buffer_put_base64(to, value);
    } else if (whole.len >= 2) {
        buffer_put(to, slice_sub(whole, 1, whole.len - 2));
    }
    to->failed |= buffer_failed(&text);
    buffer_close(&text);
}

static void put_usual(struct buffer *to, const struct act_work *work)
{
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        json_put_text(&json, names[i], value_of(i, work));
    json_close(&json, '}');
}

struct slice act_body_fill(struct slice template, const struct act_work *work)
{
    struct buffer text;
    struct slice before, name;
    buffer_init(&text, BODY_BYTES_MAX);
    if (!template.len)
        put_usual(&text, work);
    while (next_name(&template, &before, &name)) {
        size_t at = find_name(name);
        buffer_put(&text, before);
        if (at < ARRAY_COUNT(names))
            put_escaped(&text, value_of(at, work));
    }
    buffer_put(&text, template);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(work->arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

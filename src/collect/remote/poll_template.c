#include "collect/remote/poll_template.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <time.h>

enum { STAMP_MAX = 128 };

struct hole {
    struct slice name, form;
};

/* Text before the next hole, the hole, and what follows. False: there is none any more. */
static bool next_hole(struct slice *rest, struct slice *before, struct hole *hole)
{
    ptrdiff_t at = slice_find(*rest, SLICE("${"));
    ptrdiff_t end = at < 0 ? -1 : slice_find_char(slice_from(*rest, (size_t)at), '}');
    if (end < 0)
        return false;
    struct slice inside = slice_sub(*rest, (size_t)at + 2, (size_t)end - 2);
    *before = slice_sub(*rest, 0, (size_t)at);
    *rest = slice_from(*rest, (size_t)(at + end) + 1);
    *hole = (struct hole){inside, SLICE("")};
    slice_cut(inside, ':', &hole->name, &hole->form);
    return true;
}

static bool is_time(struct slice name)
{
    return slice_is(name, "start") || slice_is(name, "end") || slice_is(name, "day");
}

static bool is_stamp_form(struct slice form)
{
    return form.len == 0 || slice_is(form, "unix") || slice_is(form, "ms") ||
           (form.len < STAMP_MAX / 2 && slice_find_char(form, '%') >= 0);
}

int poll_template_check(struct slice text, struct err *err)
{
    struct slice before;
    struct hole hole;
    while (next_hole(&text, &before, &hole)) {
        bool known = slice_is(hole.name, "cursor") || slice_is(hole.name, "page") || slice_is(hole.name, "each") ||
                     slice_is(hole.name, "entry");
        if (!known && !is_time(hole.name))
            return err_set(err, ERR_CONFIG, "${%.*s}: there is no such place; there are start, end, day, cursor, page, each and entry",
                           SLICE_ARG(hole.name));
        if (is_time(hole.name) ? !is_stamp_form(hole.form) : hole.form.len > 0)
            return err_set(err, ERR_CONFIG, "${%.*s:%.*s}: a time is written as unix, ms or by %%Y, %%m, %%d, %%H, %%M and %%S, "
                           "other places have no form", SLICE_ARG(hole.name), SLICE_ARG(hole.form));
    }
    return 0;
}

bool poll_template_has(struct slice text, const char *name)
{
    struct slice before;
    struct hole hole;
    while (next_hole(&text, &before, &hole))
        if (slice_is(hole.name, name))
            return true;
    return false;
}

void poll_put_encoded(struct buffer *to, struct slice text, bool slashes)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '.' ||
                     c == '~' || (slashes && c == '/');
        if (plain) {
            buffer_put_char(to, (char)c);
        } else {
            buffer_put_char(to, '%');
            buffer_put_hex(to, c, 2, true);
        }
    }
}

static void put_stamp(int64_t time_ns, struct slice form, struct buffer *to)
{
    char wanted[STAMP_MAX / 2], stamp[STAMP_MAX];
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm parts;
    if (slice_is(form, "unix")) {
        buffer_put_i64(to, time_ns / NS_PER_SECOND);
        return;
    }
    if (slice_is(form, "ms")) {
        buffer_put_i64(to, time_ns / NS_PER_MS);
        return;
    }
    if (form.len == 0)
        form = SLICE("%Y-%m-%dT%H:%M:%SZ");
    memcpy(wanted, form.ptr, form.len);
    wanted[form.len] = '\0';
    gmtime_r(&seconds, &parts);
    /* The form is the configuration's, checked, and bounded by the room. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t len = strftime(stamp, sizeof(stamp), wanted, &parts);
#pragma GCC diagnostic pop
    buffer_put(to, slice_of(stamp, len));
}

static void put_value(const struct hole *hole, const struct poll_values *values, struct buffer *to)
{
    if (slice_is(hole->name, "start"))
        put_stamp(values->start_ns, hole->form, to);
    else if (slice_is(hole->name, "end"))
        put_stamp(values->end_ns, hole->form, to);
    else if (slice_is(hole->name, "day"))
        put_stamp(values->day_ns, hole->form, to);
    else if (slice_is(hole->name, "page"))
        buffer_put_u64(to, values->page);
    else if (slice_is(hole->name, "cursor"))
        buffer_put(to, values->cursor);
    else if (slice_is(hole->name, "each"))
        buffer_put(to, values->each);
    else
        buffer_put(to, values->entry);
}

/* Without the quotes. */
static void put_in_body(struct slice value, struct buffer *to)
{
    struct buffer quoted;
    struct json json;
    buffer_init(&quoted, value.len * 6 + 64);
    json_init(&json, &quoted);
    json_text(&json, value);
    if (buffer_failed(&quoted))
        to->failed = true;
    else
        buffer_put(to, slice_sub(buffer_slice(&quoted), 1, quoted.len - 2));
    buffer_close(&quoted);
}

void poll_template_fill(struct slice text, const struct poll_values *values, enum poll_place place, struct buffer *to)
{
    struct slice before;
    struct hole hole;
    struct buffer value;
    buffer_init(&value, to->max);
    while (next_hole(&text, &before, &hole)) {
        buffer_clear(&value);
        put_value(&hole, values, &value);
        buffer_put(to, before);
        if (place == POLL_IN_URL)
            poll_put_encoded(to, buffer_slice(&value), slice_is(hole.name, "entry") || slice_is(hole.name, "day"));
        else
            put_in_body(buffer_slice(&value), to);
    }
    to->failed = to->failed || buffer_failed(&value);
    buffer_put(to, text);
    buffer_close(&value);
}

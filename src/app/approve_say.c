#include "app/approve_say.h"

#include "base/limits.h"
#include "base/time.h"
#include "base/utf8.h"

#include <stdio.h>
#include <unistd.h>

enum { GROUP = 4 };

void approve_plain(struct buffer *to, struct slice text)
{
    while (text.len) {
        uint32_t code;
        size_t len = utf8_decode(text, &code);
        if (len == 1 && code >= ' ' && code < 0x7f)
            buffer_put_char(to, (char)code);
        else if (len)
            buffer_printf(to, "\\u{%X}", (unsigned)code);
        else
            buffer_printf(to, "\\x%02X", (unsigned)(unsigned char)text.ptr[0]);
        text = slice_from(text, len ? len : 1);
    }
}

static void say_plain(struct slice text)
{
    struct buffer plain;
    buffer_init(&plain, 16 * MIB);
    approve_plain(&plain, text);
    fprintf(stderr, "%.*s", SLICE_ARG(buffer_failed(&plain) ? SLICE("(memory is out)") : buffer_slice(&plain)));
    buffer_close(&plain);
}

void approve_say(const char *name, struct slice text)
{
    fprintf(stderr, "  %-14s ", name);
    say_plain(text.len ? text : SLICE("-"));
    fputc('\n', stderr);
}

void approve_say_time(const char *name, int64_t time_ns, const char *otherwise)
{
    char text[TIME_TEXT_SIZE];
    approve_say(name, time_ns ? slice_of(text, time_format(time_ns, text)) : slice_text(otherwise));
}

void approve_say_danger(const char *name, struct slice text)
{
    bool red = isatty(STDERR_FILENO);
    fprintf(stderr, "%s  %-14s DANGER: ", red ? "\033[1;31m" : "", name);
    say_plain(text);
    fprintf(stderr, "%s\n", red ? "\033[0m" : "");
}

void approve_say_groups(const char *name, struct slice text, bool from_right)
{
    size_t first = from_right ? text.len % GROUP : GROUP;
    fprintf(stderr, "  %-14s ", name);
    while (text.len) {
        say_plain(slice_sub(text, 0, first ? first : GROUP));
        text = slice_from(text, first ? first : GROUP);
        first = GROUP;
        if (text.len)
            fputc(' ', stderr);
    }
    fputc('\n', stderr);
}

/* Of the same length: each place that differs; else what is between the common beginning and end. */
static void mark(struct slice text, struct slice other)
{
    size_t before = 0, behind = 0;
    while (before < text.len && before < other.len && text.ptr[before] == other.ptr[before])
        before++;
    while (behind < text.len - before && behind < other.len - before && text.ptr[text.len - 1 - behind] == other.ptr[other.len - 1 - behind])
        behind++;
    fprintf(stderr, "  %-14s ", "");
    for (size_t i = 0; i < text.len - behind; i++)
        fputc(i >= before && (text.len != other.len || text.ptr[i] != other.ptr[i]) ? '^' : ' ', stderr);
    fputc('\n', stderr);
}

void approve_say_pair(const char *name, struct slice text, const char *other_name, struct slice other)
{
    struct buffer a, b;
    buffer_init(&a, 64 * KIB);
    buffer_init(&b, 64 * KIB);
    approve_plain(&a, text);
    approve_plain(&b, other);
    approve_say(name, text);
    mark(buffer_slice(&a), buffer_slice(&b));
    approve_say(other_name, other);
    mark(buffer_slice(&b), buffer_slice(&a));
    buffer_close(&a);
    buffer_close(&b);
}

#include "cut/url.h"

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

static ptrdiff_t find_last(struct slice text, char c)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.ptr[i - 1] == c)
            return (ptrdiff_t)i - 1;
    return -1;
}

/* Cuts at the first c; what is behind it, or an empty text. */
static struct slice cut_behind(struct slice *text, char c)
{
    ptrdiff_t at = slice_find_char(*text, c);
    struct slice behind = at < 0 ? SLICE("") : slice_from(*text, (size_t)at + 1);
    if (at >= 0)
        *text = slice_sub(*text, 0, (size_t)at);
    return behind;
}

void url_cut_host(struct slice text, struct slice *host, struct slice *port)
{
    *host = text;
    *port = SLICE("");
    if (text.len && text.ptr[0] == '[') {
        ptrdiff_t end = slice_find_char(text, ']');
        if (end > 0) {
            *host = slice_sub(text, 1, (size_t)end - 1);
            if (slice_starts(slice_from(text, (size_t)end + 1), SLICE(":")))
                *port = slice_from(text, (size_t)end + 2);
        }
    } else {
        ptrdiff_t colon = find_last(text, ':');
        bool one = colon >= 0 && slice_find_char(text, ':') == colon;
        if (one && all_digits(slice_from(text, (size_t)colon + 1))) {
            *host = slice_sub(text, 0, (size_t)colon);
            *port = slice_from(text, (size_t)colon + 1);
        }
    }
    if (slice_find_char(*host, ':') >= 0)
        (void)cut_behind(host, '%');
}

static bool is_scheme(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)(text.ptr[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !((text.ptr[i] >= '0' && text.ptr[i] <= '9') || text.ptr[i] == '+' ||
                                    text.ptr[i] == '-' || text.ptr[i] == '.')))
            return false;
    }
    return text.len > 0;
}

static void cut_authority(struct slice authority, struct url *out)
{
    ptrdiff_t at = find_last(authority, '@');
    if (at >= 0) {
        out->username = slice_sub(authority, 0, (size_t)at);
        out->password = cut_behind(&out->username, ':');
        authority = slice_from(authority, (size_t)at + 1);
    }
    url_cut_host(authority, &out->domain, &out->port);
}

static struct slice extension_of(struct slice path)
{
    struct slice name = slice_from(path, (size_t)(find_last(path, '/') + 1));
    ptrdiff_t dot = find_last(name, '.');
    struct slice extension = dot > 0 ? slice_from(name, (size_t)dot + 1) : SLICE("");
    return extension.len <= 16 ? extension : SLICE("");
}

void url_cut(struct slice text, struct url *out)
{
    *out = (struct url){0};
    ptrdiff_t colon = slice_find(text, SLICE("://"));
    bool authority = colon > 0 && is_scheme(slice_sub(text, 0, (size_t)colon));
    if (authority) {
        out->scheme = slice_sub(text, 0, (size_t)colon);
        text = slice_from(text, (size_t)colon + 3);
    } else if (slice_starts(text, SLICE("//"))) {
        authority = true;
        text = slice_from(text, 2);
    }
    out->fragment = cut_behind(&text, '#');
    out->query = cut_behind(&text, '?');
    bool path_only = !authority && (text.len == 0 || text.ptr[0] == '/' || text.ptr[0] == '*');
    ptrdiff_t slash = slice_find_char(text, '/');
    size_t host = path_only ? 0 : slash < 0 ? text.len : (size_t)slash;
    if (host)
        cut_authority(slice_sub(text, 0, host), out);
    out->path = slice_from(text, host);
    out->extension = extension_of(out->path);
}

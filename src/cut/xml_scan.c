#include "cut/xml_scan.h"

#include "base/utf8.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_char(char c)
{
    return (unsigned char)c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':';
}

static void bad(struct xml_scan *scan, struct xml_token *out, const char *why)
{
    scan->why = why;
    scan->in_tag = false;
    out->kind = XML_BAD;
}

static void skip_space(struct xml_scan *scan)
{
    while (scan->at < scan->text.len && is_space(scan->text.ptr[scan->at]))
        scan->at++;
}

static struct slice take_name(struct xml_scan *scan)
{
    size_t start = scan->at;
    while (scan->at < scan->text.len && is_name_char(scan->text.ptr[scan->at]))
        scan->at++;
    return slice_sub(scan->text, start, scan->at - start);
}

static struct slice local_part(struct slice name)
{
    ptrdiff_t colon = slice_find_char(name, ':');
    return colon >= 0 ? slice_from(name, (size_t)colon + 1) : name;
}

static bool here(const struct xml_scan *scan, struct slice text)
{
    return slice_starts(slice_from(scan->text, scan->at), text);
}

/* Behind the end of what begins here; false when it does not end. */
static bool skip_until(struct xml_scan *scan, struct slice end)
{
    ptrdiff_t found = slice_find(slice_from(scan->text, scan->at), end);
    if (found < 0)
        return false;
    scan->at += (size_t)found + end.len;
    return true;
}

static void set_text(struct xml_token *out, enum xml_kind kind, struct slice text)
{
    out->kind = kind;
    out->text = text;
    out->escaped = text.len && memchr(text.ptr, '&', text.len);
}

static void close_element(struct xml_scan *scan, struct xml_token *out)
{
    scan->depth--;
    out->kind = XML_CLOSE;
    out->name = local_part(scan->open[scan->depth]);
}

static void next_in_tag(struct xml_scan *scan, struct xml_token *out)
{
    skip_space(scan);
    if (here(scan, SLICE("/>"))) {
        scan->at += 2;
        scan->in_tag = false;
        close_element(scan, out);
        return;
    }
    struct slice name = take_name(scan);
    skip_space(scan);
    if (name.len == 0 || !here(scan, SLICE("="))) {
        bad(scan, out, "a start tag is broken");
        return;
    }
    scan->at++;
    skip_space(scan);
    char quote = scan->at < scan->text.len ? scan->text.ptr[scan->at] : 0;
    struct slice rest = slice_from(scan->text, scan->at + 1);
    ptrdiff_t end = quote == '"' || quote == '\'' ? slice_find_char(rest, quote) : -1;
    if (end < 0) {
        bad(scan, out, "an attribute's value is broken");
        return;
    }
    scan->at += (size_t)end + 2;
    out->name = local_part(name);
    set_text(out, XML_ATTRIBUTE, slice_sub(rest, 0, (size_t)end));
}

static void open_element(struct xml_scan *scan, struct xml_token *out)
{
    scan->at++;
    struct slice name = take_name(scan);
    if (name.len == 0 || (scan->depth == 0 && scan->seen_root)) {
        bad(scan, out, name.len ? "there is more than one element" : "a tag has no name");
        return;
    }
    if (scan->depth == XML_DEPTH_MAX) {
        bad(scan, out, "elements are nested too deeply");
        return;
    }
    scan->open[scan->depth++] = name;
    scan->seen_root = true;
    scan->in_tag = true;
    out->kind = XML_OPEN;
    out->name = local_part(name);
}

static void end_tag(struct xml_scan *scan, struct xml_token *out)
{
    scan->at += 2;
    struct slice name = take_name(scan);
    skip_space(scan);
    bool right = scan->depth && slice_equal(scan->open[scan->depth - 1], name);
    if (!right || !here(scan, SLICE(">"))) {
        bad(scan, out, "an end tag does not fit");
        return;
    }
    scan->at++;
    close_element(scan, out);
}

/* Comments, processing instructions, CDATA. False when nothing is to be told yet. */
static bool special(struct xml_scan *scan, struct xml_token *out)
{
    size_t start = scan->at;
    if (here(scan, SLICE("<![CDATA["))) {
        if (!skip_until(scan, SLICE("]]>"))) {
            bad(scan, out, "a CDATA section does not end");
            return true;
        }
        out->kind = XML_TEXT;
        out->text = slice_sub(scan->text, start + 9, scan->at - start - 12);
        return true;
    }
    bool comment = here(scan, SLICE("<!--"));
    if (!comment && !here(scan, SLICE("<?"))) {
        bad(scan, out, "document types are not read");
        return true;
    }
    scan->at += comment ? 4 : 2;
    if (skip_until(scan, comment ? SLICE("-->") : SLICE("?>")))
        return false;
    bad(scan, out, "a comment does not end");
    return true;
}

static bool text_until_tag(struct xml_scan *scan, struct xml_token *out)
{
    struct slice rest = slice_from(scan->text, scan->at);
    ptrdiff_t end = slice_find_char(rest, '<');
    struct slice text = slice_sub(rest, 0, end < 0 ? rest.len : (size_t)end);
    scan->at += text.len;
    if (scan->depth) {
        set_text(out, XML_TEXT, text);
        return true;
    }
    if (slice_trim(text).len == 0)
        return false;
    bad(scan, out, "there is text outside of the element");
    return true;
}

void xml_next(struct xml_scan *scan, struct xml_token *out)
{
    *out = (struct xml_token){0};
    if (scan->in_tag) {
        skip_space(scan);
        if (!here(scan, SLICE(">"))) {
            next_in_tag(scan, out);
            return;
        }
        scan->at++;
        scan->in_tag = false;
    }
    while (!scan->why && scan->at < scan->text.len) {
        if (!here(scan, SLICE("<"))) {
            if (text_until_tag(scan, out))
                return;
        } else if (here(scan, SLICE("</"))) {
            end_tag(scan, out);
            return;
        } else if (here(scan, SLICE("<!")) || here(scan, SLICE("<?"))) {
            if (special(scan, out))
                return;
        } else {
            open_element(scan, out);
            return;
        }
    }
    if (!scan->why && (scan->depth || !scan->seen_root))
        bad(scan, out, "the text ends too early");
    else
        out->kind = scan->why ? XML_BAD : XML_DONE;
}

/* "#10;" or "#xa;" behind the '&'; 0 when it is none. */
static uint32_t char_reference(struct slice text, size_t *used)
{
    bool hex = text.len > 1 && (text.ptr[1] | 0x20) == 'x';
    uint32_t code = 0;
    size_t at = hex ? 2 : 1;
    for (; at < text.len && at < 10 && text.ptr[at] != ';'; at++) {
        char c = text.ptr[at];
        uint32_t digit =
            c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        if (digit >= (hex ? 16U : 10U))
            return 0;
        code = code * (hex ? 16 : 10) + digit;
    }
    if (at >= text.len || text.ptr[at] != ';' || code > 0x10ffff || (code & 0xfffff800) == 0xd800)
        return 0;
    *used = at + 1;
    return code;
}

static uint32_t reference(struct slice text, size_t *used)
{
    static const struct {
        struct slice name;
        char c;
    } names[] = {{{"lt;", 3}, '<'},
                 {{"gt;", 3}, '>'},
                 {{"amp;", 4}, '&'},
                 {{"quot;", 5}, '"'},
                 {{"apos;", 5}, '\''}};
    if (text.len && text.ptr[0] == '#')
        return char_reference(text, used);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_starts(text, names[i].name)) {
            *used = names[i].name.len;
            return (unsigned char)names[i].c;
        }
    return 0;
}

struct slice xml_unescape(struct slice text, struct arena *arena)
{
    char *start = arena_alloc(arena, text.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    while (text.len) {
        ptrdiff_t found = slice_find_char(text, '&');
        size_t plain = found < 0 ? text.len : (size_t)found, used = 0;
        memcpy(to, text.ptr, plain);
        to += plain;
        text = slice_from(text, plain);
        if (found < 0)
            break;
        uint32_t code = reference(slice_from(text, 1), &used);
        if (code)
            to += utf8_encode(code, to);
        else
            *to++ = '&';
        text = slice_from(text, 1 + (code ? used : 0));
    }
    return slice_of(start, (size_t)(to - start));
}

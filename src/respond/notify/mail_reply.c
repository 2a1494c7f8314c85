#include "respond/notify/mail_reply.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "base/unescape.h"
#include "cut/encoding.h"

enum { DEPTH_MAX = 8 };

struct reader {
    struct arena *arena;
    struct encoding encoding;
    struct mail_reply_found *found;
    unsigned parts;
};

/* ---- header ---- */

struct header {
    struct slice rest;
};

/* The next field, unfolded; false at the end of the header. */
static bool next_field(struct reader *reader, struct header *header, struct slice *name, struct slice *value)
{
    struct slice line, more;
    if (!slice_next_line(&header->rest, &line) || !line.len)
        return false;
    bool named = slice_cut(line, ':', name, value);
    if (!named)
        *name = *value = SLICE("");
    for (;;) {
        struct slice after = header->rest;
        if (!slice_next_line(&after, &more) || !more.len || (more.ptr[0] != ' ' && more.ptr[0] != '\t'))
            break;
        struct slice both = arena_printf(reader->arena, "%.*s%.*s", SLICE_ARG(*value), SLICE_ARG(more));
        if (both.ptr && both.len < MAILBOX_MAIL_BYTES)
            *value = both;
        header->rest = after;
    }
    *name = slice_trim(*name);
    *value = slice_trim(*value);
    return true;
}

static struct slice find_field(struct reader *reader, struct slice text, const char *wanted)
{
    struct header header = {text};
    struct slice name, value;
    while (next_field(reader, &header, &name, &value))
        if (slice_is_nocase(name, wanted))
            return value;
    return SLICE_NONE;
}

/* Behind the first empty line. */
static struct slice body_of(struct slice text)
{
    struct slice line;
    while (slice_next_line(&text, &line))
        if (!line.len)
            return text;
    return SLICE("");
}

/* "text/plain; charset=utf-8": the value of a parameter, without quotes. */
static struct slice parameter(struct slice value, const char *wanted)
{
    struct slice part;
    if (!slice_next_part(&value, ';', &part))
        return SLICE_NONE;
    while (slice_next_part(&value, ';', &part)) {
        struct slice name, text;
        if (!slice_cut(part, '=', &name, &text) || !slice_is_nocase(slice_trim(name), wanted))
            continue;
        text = slice_trim(text);
        if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
            text = slice_sub(text, 1, text.len - 2);
        return text;
    }
    return SLICE_NONE;
}

static struct slice main_type(struct slice value)
{
    ptrdiff_t end = slice_find_char(value, ';');
    return slice_trim(end < 0 ? value : slice_sub(value, 0, (size_t)end));
}

/* ---- encodings ---- */

/* =XX and soft line ends; '_' is a space in words of a header. */
static struct slice unquote(struct slice text, bool word, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (!to)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i++) {
        struct slice rest = slice_from(text, i + 1);
        int high = rest.len > 1 ? unescape_hex_digit(rest.ptr[0]) : -1, low = high >= 0 ? unescape_hex_digit(rest.ptr[1]) : -1;
        if (text.ptr[i] == '=' && low >= 0) {
            to[len++] = (char)(high << 4 | low);
            i += 2;
        } else if (text.ptr[i] == '=' && slice_starts(rest, SLICE("\r\n"))) {
            i += 2;
        } else if (text.ptr[i] == '=' && slice_starts(rest, SLICE("\n"))) {
            i++;
        } else {
            to[len++] = word && text.ptr[i] == '_' ? ' ' : text.ptr[i];
        }
    }
    return slice_of(to, len);
}

/* A mail that was cut may end within a group of four. */
static struct slice unbase64(struct slice text, struct arena *arena)
{
    char *clean = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (!clean)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i++)
        if (unescape_base64_digit(text.ptr[i]) >= 0)
            clean[len++] = text.ptr[i];
    return unescape_base64(slice_of(clean, len - (len % 4 == 1)), arena);
}

static struct slice to_utf8(struct reader *reader, struct slice charset, struct slice text)
{
    bool damaged;
    if (!text.ptr || !charset.len || slice_is_nocase(charset, "utf-8") || slice_is_nocase(charset, "us-ascii") ||
        charset.len >= ENCODING_NAME_MAX || !encoding_is_known(charset))
        return text;
    struct slice done = encoding_to_utf8(&reader->encoding, charset, text, reader->arena, &damaged);
    return done.ptr ? done : text;
}

/* "=?utf-8?B?...?=" at the start of *text: its meaning, and *text stands behind it. */
static bool take_word(struct reader *reader, struct slice *text, struct slice *out)
{
    struct slice charset, how, rest = slice_from(*text, 2);
    if (!slice_starts(*text, SLICE("=?")) || !slice_cut(rest, '?', &charset, &rest) || !slice_cut(rest, '?', &how, &rest))
        return false;
    ptrdiff_t end = slice_find(rest, SLICE("?="));
    if (end < 0 || how.len != 1)
        return false;
    struct slice bytes = slice_sub(rest, 0, (size_t)end);
    bytes = (how.ptr[0] | 0x20) == 'b' ? unbase64(bytes, reader->arena) : unquote(bytes, true, reader->arena);
    ptrdiff_t language = slice_find_char(charset, '*');
    *out = to_utf8(reader, language < 0 ? charset : slice_sub(charset, 0, (size_t)language), bytes);
    *text = slice_from(rest, (size_t)end + 2);
    return out->ptr != NULL;
}

static struct slice decode_words(struct reader *reader, struct slice text)
{
    struct buffer to;
    bool word_before = false;
    buffer_init(&to, 4 * MAILBOX_MAIL_BYTES);
    while (text.len) {
        struct slice word, spaces = text;
        while (spaces.len && (spaces.ptr[0] == ' ' || spaces.ptr[0] == '\t'))
            spaces = slice_from(spaces, 1);
        bool between = word_before && spaces.len < text.len && slice_starts(spaces, SLICE("=?"));
        if (between)
            text = spaces;
        word_before = take_word(reader, &text, &word);
        if (word_before) {
            buffer_put(&to, word);
        } else {
            buffer_put_char(&to, text.ptr[0]);
            text = slice_from(text, 1);
        }
    }
    struct slice copy = buffer_failed(&to) ? SLICE("") : arena_copy(reader->arena, buffer_slice(&to));
    buffer_close(&to);
    return copy;
}

/* ---- what is looked for ---- */

static bool is_token(struct slice text)
{
    bool fits = text.len >= MAIL_TOKEN_LEAST && text.len <= MAIL_TOKEN_MOST;
    for (size_t i = 0; fits && i < text.len; i++) {
        char c = text.ptr[i];
        fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    }
    return fits;
}

static void look_for_token(struct reader *reader, struct slice text)
{
    ptrdiff_t at;
    while (!reader->found->token.len && (at = slice_find(text, SLICE("[HIN:"))) >= 0) {
        text = slice_from(text, (size_t)at + 5);
        ptrdiff_t end = slice_find_char(slice_sub(text, 0, MAIL_TOKEN_MOST + 1), ']');
        struct slice token = end < 0 ? SLICE("") : slice_sub(text, 0, (size_t)end);
        if (is_token(token))
            reader->found->token = token;
    }
}

/* "Sato <sato@example.jp>", "sato@example.jp (Sato)" */
static struct slice address_in(struct slice value)
{
    ptrdiff_t begin = -1;
    for (size_t i = 0; i < value.len; i++) /* the last: a name may have one too */
        if (value.ptr[i] == '<')
            begin = (ptrdiff_t)i;
    struct slice text = begin < 0 ? value : slice_from(value, (size_t)begin + 1);
    ptrdiff_t end = slice_find_char(text, begin < 0 ? ' ' : '>');
    text = slice_trim(end < 0 ? text : slice_sub(text, 0, (size_t)end));
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return SLICE_NONE;
    return slice_find_char(text, '@') > 0 && text.len <= 320 ? text : SLICE_NONE;
}

static bool is_automatic(struct reader *reader, struct slice mail)
{
    struct slice submitted = main_type(find_field(reader, mail, "Auto-Submitted"));
    struct slice precedence = find_field(reader, mail, "Precedence"), way_back = find_field(reader, mail, "Return-Path");
    struct slice suppress = find_field(reader, mail, "X-Autoreply");
    struct slice type = main_type(find_field(reader, mail, "Content-Type"));
    return (submitted.len && !slice_is_nocase(submitted, "no")) || slice_is(way_back, "<>") || (suppress.len && !slice_is_nocase(suppress, "no")) ||
           slice_is_nocase(precedence, "bulk") || slice_is_nocase(precedence, "junk") || slice_is_nocase(precedence, "auto_reply") ||
           slice_is_nocase(type, "multipart/report") || !slice_is_none(find_field(reader, mail, "X-Autorespond")) ||
           !slice_is_none(find_field(reader, mail, "X-Failed-Recipients"));
}

static void read_part(struct reader *reader, struct slice part, int depth);

/* Parts stand between lines of "--boundary"; what is before the first and behind "--boundary--" is none. */
static void read_multipart(struct reader *reader, struct slice body, struct slice boundary, int depth)
{
    struct slice rest = body, line;
    const char *begin = NULL;
    while (!reader->found->token.len && rest.len) {
        const char *at = rest.ptr;
        if (!slice_next_line(&rest, &line))
            break;
        bool mark = slice_starts(line, SLICE("--")) && slice_starts(slice_from(line, 2), boundary);
        struct slice behind = mark ? slice_trim(slice_from(line, 2 + boundary.len)) : SLICE("");
        if (!mark || (behind.len && !slice_is(behind, "--")))
            continue;
        if (begin)
            read_part(reader, slice_of(begin, (size_t)(at - begin)), depth + 1);
        if (behind.len)
            return;
        begin = rest.len ? rest.ptr : NULL;
    }
    if (begin && !reader->found->token.len)
        read_part(reader, slice_of(begin, (size_t)(body.ptr + body.len - begin)), depth + 1);
}

static void read_part(struct reader *reader, struct slice part, int depth)
{
    struct slice type = find_field(reader, part, "Content-Type"), how = find_field(reader, part, "Content-Transfer-Encoding");
    struct slice body = body_of(part), kind = main_type(type), boundary = parameter(type, "boundary");
    if (depth > DEPTH_MAX || reader->parts++ >= MAILBOX_PARTS_MAX)
        return;
    if (kind.len > 10 && slice_equal_nocase(slice_sub(kind, 0, 10), SLICE("multipart/"))) {
        if (boundary.len)
            read_multipart(reader, body, boundary, depth);
        return;
    }
    if (kind.len && !(kind.len > 5 && slice_equal_nocase(slice_sub(kind, 0, 5), SLICE("text/"))))
        return;
    if (slice_is_nocase(how, "base64"))
        body = unbase64(body, reader->arena);
    else if (slice_is_nocase(how, "quoted-printable"))
        body = unquote(body, false, reader->arena);
    look_for_token(reader, to_utf8(reader, parameter(type, "charset"), body));
}

void mail_reply_read(struct slice mail, struct arena *arena, struct mail_reply_found *out)
{
    struct reader reader = {.arena = arena, .found = out};
    *out = (struct mail_reply_found){0};
    struct slice subject = find_field(&reader, mail, "Subject");
    out->from = address_in(find_field(&reader, mail, "From"));
    out->automatic = is_automatic(&reader, mail);
    look_for_token(&reader, decode_words(&reader, subject));
    if (!out->token.len)
        read_part(&reader, mail, 0);
    encoding_close(&reader.encoding);
}

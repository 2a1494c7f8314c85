#include "collect/hec_parse.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "event/delivery.h"

/* A strict skimmer: it finds where values begin and end; decoders read them later. */
struct skim {
    struct slice text;
    size_t at;
    struct err *err;
};

static bool wrong(struct skim *skim, const char *what)
{
    err_set_at(skim->err, ERR_INPUT, (int)skim->at, (int)skim->at + 1, "%s at byte %zu", what,
               skim->at);
    return false;
}

static char peek(const struct skim *skim)
{
    return skim->at < skim->text.len ? skim->text.ptr[skim->at] : '\0';
}

static void skip_space(struct skim *skim)
{
    while (skim->at < skim->text.len && strchr(" \t\r\n", skim->text.ptr[skim->at]) &&
           skim->text.ptr[skim->at])
        skim->at++;
}

/* The bytes between the quotes, escapes left as they are. */
static bool skim_string(struct skim *skim, struct slice *out)
{
    size_t start = ++skim->at;
    while (skim->at < skim->text.len) {
        unsigned char c = (unsigned char)skim->text.ptr[skim->at];
        if (c == '"') {
            *out = slice_sub(skim->text, start, skim->at - start);
            skim->at++;
            return true;
        }
        if (c < 0x20)
            return wrong(skim, "a text holds a raw control character");
        skim->at += c == '\\' ? 2 : 1;
    }
    skim->at = skim->text.len;
    return wrong(skim, "a text has no closing quote");
}

/* Numbers and words; which ones are valid is for the decoder to say. */
static bool skim_word(struct skim *skim)
{
    size_t start = skim->at;
    while (skim->at < skim->text.len && !strchr(" \t\r\n,:{}[]\"", skim->text.ptr[skim->at]))
        skim->at++;
    return skim->at > start || wrong(skim, "a value is missing");
}

static bool skim_value(struct skim *skim, struct slice *out)
{
    size_t start = skim->at;
    int depth = 0;
    do {
        skip_space(skim);
        char c = peek(skim);
        struct slice ignored;
        if (skim->at >= skim->text.len)
            return wrong(skim, "the JSON ends early");
        if (c == '"') {
            if (!skim_string(skim, &ignored))
                return false;
        } else if (c == '{' || c == '[') {
            skim->at++;
            if (++depth > JSON_DEPTH_MAX)
                return wrong(skim, "the JSON is nested too deeply");
        } else if (c == '}' || c == ']') {
            skim->at++;
            if (--depth < 0)
                return wrong(skim, "a closing bracket has no opening one");
        } else if (c == ',' || c == ':') {
            if (depth == 0)
                return wrong(skim, "a value is missing");
            skim->at++;
        } else if (!skim_word(skim)) {
            return false;
        }
    } while (depth > 0);
    *out = slice_sub(skim->text, start, skim->at - start);
    return true;
}

static int hex4(struct slice s)
{
    int n = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = i < s.len ? s.ptr[i] : 'x';
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

static bool unescape_unicode(struct slice text, size_t *at, struct buffer *to)
{
    int unit = hex4(slice_from(text, *at + 2));
    size_t used = 6;
    if (unit < 0)
        return false;
    uint32_t c = (uint32_t)unit;
    if (c >= 0xd800 && c < 0xdc00 && slice_starts(slice_from(text, *at + 6), SLICE("\\u"))) {
        int low = hex4(slice_from(text, *at + 8));
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            used = 12;
        }
    }
    char bytes[4];
    buffer_put(to, slice_of(bytes, utf8_encode(c, bytes)));
    *at += used;
    return true;
}

static bool unescape(struct slice text, struct buffer *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    for (size_t i = 0; i < text.len;) {
        ptrdiff_t run = slice_find_char(slice_from(text, i), '\\');
        size_t len = run < 0 ? text.len - i : (size_t)run;
        buffer_put(to, slice_sub(text, i, len));
        i += len;
        if (i >= text.len)
            return true;
        char c = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        const char *known = c ? strchr(from, c) : NULL;
        if (c == 'u') {
            if (!unescape_unicode(text, &i, to))
                return false;
        } else if (known) {
            buffer_put_char(to, into[known - from]);
            i += 2;
        } else {
            return false;
        }
    }
    return true;
}

struct entry {
    struct slice event, time, host, source, sourcetype, index, fields; /* as they stand */
};

static bool skim_member(struct skim *skim, struct entry *entry)
{
    const struct {
        const char *name;
        struct slice *to;
    } known[] = {
        {"event", &entry->event},   {"time", &entry->time},
        {"host", &entry->host},     {"source", &entry->source},
        {"sourcetype", &entry->sourcetype}, {"index", &entry->index},
        {"fields", &entry->fields},
    };
    struct slice key, value;
    if (peek(skim) != '"')
        return wrong(skim, "a key in quotes is needed");
    if (!skim_string(skim, &key))
        return false;
    skip_space(skim);
    if (peek(skim) != ':')
        return wrong(skim, "a colon is missing");
    skim->at++;
    skip_space(skim);
    if (!skim_value(skim, &value))
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_is(key, known[i].name))
            *known[i].to = value;
    return true;
}

static bool skim_object(struct skim *skim, struct entry *entry)
{
    if (peek(skim) != '{')
        return wrong(skim, "an object { is needed");
    skim->at++;
    for (bool first = true;; first = false) {
        skip_space(skim);
        if (peek(skim) == '}' && first) {
            skim->at++;
            return true;
        }
        if (!skim_member(skim, entry))
            return false;
        skip_space(skim);
        char c = peek(skim);
        if (c != ',' && c != '}')
            return wrong(skim, "a comma or } is missing");
        skim->at++;
        if (c == '}')
            return true;
    }
}

static struct slice without_quotes(struct slice value)
{
    return value.len >= 2 && value.ptr[0] == '"' ? slice_sub(value, 1, value.len - 2) : value;
}

static bool put_hint(struct buffer *hints, const char *name, struct slice value,
                     struct slice fallback, bool raw)
{
    if (slice_is(value, "null"))
        value = SLICE_NONE;
    if (!value.ptr && !fallback.ptr)
        return true;
    if (hints->len)
        buffer_put_char(hints, 0x1f);
    buffer_printf(hints, "%s=", name);
    size_t start = hints->len;
    if (!value.ptr)
        buffer_put(hints, fallback);
    else if (raw)
        buffer_put(hints, value);
    else if (!unescape(without_quotes(value), hints))
        return false;
    for (size_t i = start; i < hints->len; i++) /* the separator cannot be part of a hint */
        if (hints->ptr[i] == 0x1f)
            hints->ptr[i] = ' ';
    return true;
}

static bool put_hints(const struct entry *entry, const struct hec_defaults *defaults,
                      struct buffer *hints)
{
    return put_hint(hints, "time", entry->time, SLICE_NONE, false) &&
           put_hint(hints, "host", entry->host, defaults->host, false) &&
           put_hint(hints, "source", entry->source, defaults->source, false) &&
           put_hint(hints, "sourcetype", entry->sourcetype, defaults->sourcetype, false) &&
           put_hint(hints, "index", entry->index, defaults->index, false) &&
           put_hint(hints, "fields", entry->fields, SLICE_NONE, true);
}

static enum hec_problem put_entry(struct skim *skim, const struct entry *entry,
                                  const struct hec_defaults *defaults, struct buffer *scratch,
                                  struct buffer *hints, struct buffer *records)
{
    if (!entry->event.ptr || slice_is(entry->event, "null")) {
        wrong(skim, "an object has no \"event\"");
        return HEC_EVENT_MISSING;
    }
    struct slice raw = entry->event;
    buffer_clear(scratch);
    buffer_clear(hints);
    if (raw.ptr[0] == '"') {
        if (!unescape(without_quotes(raw), scratch)) {
            wrong(skim, "a text has a broken escape");
            return HEC_INVALID;
        }
        raw = buffer_slice(scratch);
    }
    if (raw.len == 0) {
        wrong(skim, "an \"event\" is blank");
        return HEC_EVENT_BLANK;
    }
    if (!put_hints(entry, defaults, hints)) {
        wrong(skim, "a text has a broken escape");
        return HEC_INVALID;
    }
    delivery_put_record(records, raw, buffer_slice(hints));
    return HEC_OK;
}

enum hec_problem hec_parse(struct slice body, const struct hec_defaults *defaults,
                           struct buffer *records, uint32_t *event_count, struct err *err)
{
    struct skim skim = {.text = body, .err = err};
    struct buffer scratch, hints;
    buffer_init(&scratch, HTTP_BODY_BYTES_MAX);
    buffer_init(&hints, HTTP_BODY_BYTES_MAX);
    enum hec_problem problem = HEC_OK;
    *event_count = 0;
    for (skip_space(&skim); problem == HEC_OK && skim.at < body.len; skip_space(&skim)) {
        struct entry entry = {0};
        problem = skim_object(&skim, &entry)
                      ? put_entry(&skim, &entry, defaults, &scratch, &hints, records)
                      : HEC_INVALID;
        *event_count += problem == HEC_OK;
        skip_space(&skim);
        if (problem == HEC_OK && peek(&skim) == ',') /* some senders write a list without brackets */
            skim.at++;
    }
    buffer_close(&scratch);
    buffer_close(&hints);
    return problem == HEC_OK && *event_count == 0 ? HEC_NO_DATA : problem;
}

enum hec_problem hec_parse_raw(struct slice body, const struct hec_defaults *defaults,
                               struct buffer *records, uint32_t *event_count)
{
    struct buffer hints;
    struct entry none = {0};
    struct slice line;
    buffer_init(&hints, 64 * KIB);
    *event_count = 0;
    put_hints(&none, defaults, &hints);
    while (slice_next_line(&body, &line)) {
        if (line.len == 0)
            continue;
        delivery_put_record(records, line, buffer_slice(&hints));
        ++*event_count;
    }
    buffer_close(&hints);
    return *event_count ? HEC_OK : HEC_NO_DATA;
}

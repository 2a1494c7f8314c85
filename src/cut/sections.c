#include "cut/sections.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Words, perhaps with a bracket: "Package Name (NTLM only)". */
static bool is_label(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i], small = (char)(c | 0x20);
        bool letter = (small >= 'a' && small <= 'z') || (unsigned char)c >= 0x80;
        if (!letter && (i == 0 || (!(c >= '0' && c <= '9') && slice_find_char(SLICE(" -_()/."), c) < 0)))
            return false;
    }
    return text.len > 0 && text.len <= LABEL_BYTES_MAX && !is_blank(text.ptr[text.len - 1]);
}

static void *known_under(const struct section_words *words, struct slice heading, struct slice label)
{
    char room[2 * LABEL_BYTES_MAX + 1];
    const struct slice *kind = heading.len ? map_find(words->headings, heading) : NULL;
    if (!kind || kind->len > LABEL_BYTES_MAX || label.len > LABEL_BYTES_MAX)
        return NULL;
    memcpy(room, kind->ptr, kind->len);
    room[kind->len] = '.';
    memcpy(room + kind->len + 1, label.ptr, label.len);
    return map_find(words->labels, slice_of(room, kind->len + 1 + label.len));
}

void *sections_known(const struct section_words *words, struct slice heading, struct slice label)
{
    void *found = known_under(words, heading, label);
    return found ? found : map_find(words->labels, label);
}

struct sections sections_begin(const struct section_words *words, struct slice text)
{
    return (struct sections){.words = words, .rest = text, .lines = slice_find_char(text, '\n') >= 0};
}

static bool starts_end(const struct section_words *words, struct slice text)
{
    for (uint32_t i = 0; i < words->end_count; i++)
        if (slice_starts(text, words->ends[i]))
            return true;
    return false;
}

/* Up to the last of the sentences that end a text, which begin behind a blank. */
static struct slice before_ends(const struct section_words *words, struct slice value)
{
    for (size_t at = value.len; at > 0; at--)
        if (is_blank(value.ptr[at - 1]) && starts_end(words, slice_from(value, at)))
            return slice_sub(value, 0, at);
    return value;
}

/* The value is all that follows. */
static struct slice take_rest(struct sections *sections, size_t from)
{
    struct slice value = slice_trim(before_ends(sections->words, slice_from(sections->rest, from)));
    sections->rest = SLICE_NONE;
    return value;
}

/* --- over several lines --- */

struct line {
    struct slice text;  /* without what moves it in */
    size_t indent, end; /* end: of the line and its line end, in the rest */
    struct slice label, value;
    bool labelled;
};

static struct line line_at(struct slice rest, size_t at)
{
    struct slice from = slice_from(rest, at);
    ptrdiff_t end = slice_find_char(from, '\n');
    struct slice whole = end < 0 ? from : slice_sub(from, 0, (size_t)end);
    struct line line = {.text = slice_trim(whole), .end = at + whole.len + (end >= 0)};
    line.indent = line.text.len ? (size_t)(line.text.ptr - whole.ptr) : 0;
    ptrdiff_t colon = slice_find_char(line.text, ':');
    if (colon < 0)
        return line;
    line.label = slice_sub(line.text, 0, (size_t)colon);
    line.value = slice_from(line.text, (size_t)colon + 1);
    line.labelled = is_label(line.label) && (!line.value.len || is_blank(line.value.ptr[0]));
    line.value = slice_trim(line.value);
    return line;
}

/* Whether the line goes on with the value of the label above it. */
static bool goes_on(const struct line *labelled, bool has_value, const struct line *next)
{
    if (!next->text.len)
        return false;
    if (next->indent > labelled->indent)
        return has_value || !next->labelled;
    return has_value && !next->labelled;
}

/* The line's value with the lines that go on with it; *rest goes on behind them. */
static struct slice whole_value(const struct section_words *words, const struct line *line, struct slice *rest)
{
    struct slice value = line->value;
    size_t at = line->end;
    bool heading = !value.len && map_has(words->headings, line->label);
    while (!heading && at < rest->len) {
        struct line next = line_at(*rest, at);
        if (!goes_on(line, value.len > 0, &next))
            break;
        const char *start = value.len ? value.ptr : next.text.ptr;
        value = slice_of(start, (size_t)(next.text.ptr + next.text.len - start));
        at = next.end;
    }
    *rest = slice_from(*rest, at);
    return value;
}

static bool next_in_lines(struct sections *sections, struct section_value *out)
{
    while (sections->rest.len) {
        struct line line = line_at(sections->rest, 0);
        if (!line.indent && starts_end(sections->words, line.text))
            return false;
        if (!line.labelled) {
            if (line.text.len && !line.indent)
                sections->heading = SLICE_NONE;
            sections->rest = slice_from(sections->rest, line.end);
            continue;
        }
        bool within = line.indent || known_under(sections->words, sections->heading, line.label);
        *out = (struct section_value){.heading = within ? sections->heading : SLICE_NONE, .label = line.label};
        if (map_has(sections->words->last, line.label))
            out->value = take_rest(sections, (size_t)(line.label.ptr + line.label.len + 1 - sections->rest.ptr));
        else
            out->value = whole_value(sections->words, &line, &sections->rest);
        if (!within)
            sections->heading = line.value.len ? SLICE_NONE : line.label;
        if (out->value.len)
            return true;
    }
    return false;
}

/* --- on one line --- */

/* Where the label begins that ends with the colon, not before `from`; SIZE_MAX: there is none. Two blanks are before
 * it, or one and it is known, the longer the better. */
static size_t label_start(const struct sections *sections, size_t from, size_t colon)
{
    struct slice text = sections->rest;
    size_t best = SIZE_MAX;
    for (size_t at = colon; at >= from && colon - at <= LABEL_BYTES_MAX; at--) {
        struct slice label = slice_sub(text, at, colon - at);
        bool start = at == 0 || is_blank(text.ptr[at - 1]);
        bool wide = at == 0 ? slice_find(label, SLICE(". ")) < 0 /* a sentence is before it */
                            : at > 1 && is_blank(text.ptr[at - 2]);
        if (start && is_label(label) &&
            (wide || sections_known(sections->words, sections->heading, label) || map_has(sections->words->headings, label)))
            best = at;
        if (at == 0 || (start && wide) || text.ptr[at - 1] == ':')
            break;
    }
    return best;
}

/* The next label of the text from `from` on: where it begins and the place of its colon. */
static bool find_label(const struct sections *sections, size_t from, size_t *start, size_t *colon)
{
    struct slice text = sections->rest;
    for (size_t i = from; i < text.len; i++) {
        if (text.ptr[i] != ':' || (i + 1 < text.len && !is_blank(text.ptr[i + 1])))
            continue;
        *start = label_start(sections, from, i);
        *colon = i;
        if (*start != SIZE_MAX)
            return true;
    }
    return false;
}

static bool next_on_line(struct sections *sections, struct section_value *out)
{
    const struct section_words *words = sections->words;
    size_t start, colon, next, next_colon;
    while (find_label(sections, 0, &start, &colon)) {
        struct slice text = sections->rest;
        *out = (struct section_value){.heading = sections->heading, .label = slice_sub(text, start, colon - start)};
        if (map_has(words->last, out->label)) {
            out->value = take_rest(sections, colon + 1);
            return out->value.len > 0;
        }
        bool known = sections_known(words, sections->heading, out->label);
        if (!known && map_has(words->headings, out->label))
            sections->heading = out->label;
        bool more = find_label(sections, colon + 1, &next, &next_colon);
        out->value = slice_trim(more ? slice_sub(text, colon + 1, next - colon - 1)
                                     : before_ends(words, slice_from(text, colon + 1)));
        sections->rest = more ? slice_from(text, next) : SLICE_NONE;
        if (out->value.len)
            return true;
        if (!known)
            sections->heading = out->label;
    }
    return false;
}

bool sections_next(struct sections *sections, struct section_value *out)
{
    return sections->lines ? next_in_lines(sections, out) : next_on_line(sections, out);
}

/* pattern/regex_machine_parse: the positions of a pattern and what may follow what, by recursive
 * descent (syntax: pcre2pattern(3)). */
#include "base/bits.h"
#include "pattern/regex_machine_inside.h"

#include <string.h>

enum {
    DEPTH_MAX = 32,   /* of groups in groups */
    ITEMS_MAX = 4096, /* read, copies counted */
    COPIES = 4,       /* of what is repeated a counted number of times; more are any number */
};

/* A part of the pattern. */
struct part {
    uint64_t first[REGEX_POSITION_WORDS], last[REGEX_POSITION_WORDS];
    bool empty; /* it may match the empty text */
};

struct reader {
    struct regex_machine *machine;
    struct slice pattern;
    size_t at;
    unsigned depth, items;
    bool nocase; /* perhaps */
    bool failed;
};

static void read_branches(struct reader *r, struct part *out);

static bool is_over(const struct reader *r)
{
    return r->failed || r->at >= r->pattern.len;
}

static char peek(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->pattern.len ? r->pattern.ptr[r->at + ahead] : '\0';
}

static bool is_one_of(char c, const char *list)
{
    return c != '\0' && strchr(list, c) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void set_empty(struct part *part)
{
    *part = (struct part){.empty = true};
}

/* ---- what follows what ---- */

static void join(struct reader *r, const uint64_t *from, const uint64_t *to)
{
    struct regex_machine *machine = r->machine;
    for (uint32_t p = 0; p < machine->count; p++)
        if (bits_get(from, p))
            bits_or(machine->sides[0].follow[p], to, REGEX_POSITIONS_MAX);
}

/* part, then next. */
static void append(struct reader *r, struct part *part, const struct part *next)
{
    join(r, part->last, next->first);
    if (part->empty)
        bits_or(part->first, next->first, REGEX_POSITIONS_MAX);
    if (!next->empty)
        memset(part->last, 0, sizeof(part->last));
    bits_or(part->last, next->last, REGEX_POSITIONS_MAX);
    part->empty = part->empty && next->empty;
}

static void set_position(struct reader *r, const struct byte_set *bytes, struct part *out)
{
    struct regex_machine *machine = r->machine;
    *out = (struct part){0};
    if (machine->count == REGEX_POSITIONS_MAX) {
        r->failed = true;
        return;
    }
    uint32_t p = machine->count++;
    for (int c = 0; c < 256; c++)
        if (bits_get(bytes->bits, (size_t)c))
            bits_set(machine->byte[c], p);
    bits_set(out->first, p);
    bits_set(out->last, p);
}

/* Any text at all: what is not known any closer. */
static void set_any(struct reader *r, struct part *out)
{
    struct byte_set all;
    byte_set_fill(&all);
    set_position(r, &all, out);
    join(r, out->last, out->first);
    out->empty = true;
}

/* ---- characters and classes ---- */

static void add_range(struct byte_set *set, unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to && c < 256; c++)
        byte_set_add(set, (unsigned char)c);
}

static void invert(struct byte_set *set)
{
    for (int w = 0; w < 4; w++)
        set->bits[w] = ~set->bits[w];
}

/* \d and its like: the bytes that it surely means, and those that it may. */
static bool class_escape(char letter, struct byte_set *sure, struct byte_set *maybe)
{
    *sure = (struct byte_set){{0}};
    char lower = (char)(letter | 0x20);
    if (!is_one_of(letter, "dDwWsShHvV"))
        return false;
    if (lower == 'd' || lower == 'w')
        add_range(sure, '0', '9');
    if (lower == 'w') {
        add_range(sure, 'a', 'z');
        add_range(sure, 'A', 'Z');
        byte_set_add(sure, '_');
    }
    if (lower == 's' || lower == 'v')
        add_range(sure, '\n', '\r');
    if (lower == 's' || lower == 'h')
        byte_set_add(sure, ' ');
    if (lower == 's' || lower == 'h')
        byte_set_add(sure, '\t');
    *maybe = *sure;
    if (lower == 'h' || lower == 'v' || lower == 's' || lower == 'w')
        add_range(maybe, 0x80, 0xff); /* two of them, or by locale */
    if (letter != lower) {
        struct byte_set outside = *maybe;
        *maybe = *sure;
        *sure = outside;
        invert(sure);
        invert(maybe);
    }
    return true;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash: one certain byte, or false and nothing read. */
static bool take_byte_escape(struct reader *r, unsigned char *byte)
{
    static const char letters[] = "nrtfea", bytes[] = "\n\r\t\f\x1b\a";
    char c = peek(r, 0);
    const char *known = c ? strchr(letters, c) : NULL;
    *byte = (unsigned char)(known ? bytes[known - letters] : c);
    if (c == 'x' && peek(r, 1) != '{') {
        unsigned value = 0;
        r->at++;
        for (int i = 0; i < 2 && hex_value(peek(r, 0)) >= 0; i++, r->at++)
            value = value * 16 + (unsigned)hex_value(peek(r, 0));
        *byte = (unsigned char)value;
        return true;
    }
    if (!known && (is_letter(c) || is_digit(c)))
        return false;
    r->at++;
    return true;
}

/* Either case, where case may not count. */
static void add_cases(const struct reader *r, struct byte_set *set, unsigned char byte)
{
    byte_set_add(set, byte);
    if (r->nocase && is_letter((char)byte))
        byte_set_add(set, byte ^ 0x20);
}

static void read_char(struct reader *r, unsigned char byte, struct part *out)
{
    struct byte_set set = {{0}};
    add_cases(r, &set, byte);
    set_position(r, &set, out);
}

/* A member of a class: a byte, or a set of its own (*single false). */
static void read_member(struct reader *r, bool *single, unsigned char *byte, struct byte_set *sure,
                        struct byte_set *maybe)
{
    struct byte_set own_sure, own_maybe;
    char c = peek(r, 0);
    *single = false;
    if (c == '[' && is_one_of(peek(r, 1), ":.=")) {
        size_t end = r->at + 2;
        while (end < r->pattern.len && r->pattern.ptr[end] != ']')
            end++;
        if (end < r->pattern.len && r->pattern.ptr[end - 1] == peek(r, 1)) {
            byte_set_fill(maybe); /* [:alpha:] */
            r->at = end + 1;
            return;
        }
    }
    r->at++;
    *single = true;
    *byte = (unsigned char)c;
    if (c != '\\')
        return;
    if (class_escape(peek(r, 0), &own_sure, &own_maybe)) {
        r->at++;
        *single = false;
        for (int w = 0; w < 4; w++) {
            sure->bits[w] |= own_sure.bits[w];
            maybe->bits[w] |= own_maybe.bits[w];
        }
        return;
    }
    if (peek(r, 0) == 'b') {
        r->at++;
        *byte = '\b';
    } else if (!take_byte_escape(r, byte)) {
        r->failed = true;
    }
}

static void read_class(struct reader *r, struct part *out)
{
    struct byte_set sure = {{0}}, maybe = {{0}};
    r->at++;
    bool negated = peek(r, 0) == '^';
    r->at += negated;
    for (size_t start = r->at; !is_over(r) && (peek(r, 0) != ']' || r->at == start);) {
        unsigned char low, high;
        bool single;
        read_member(r, &single, &low, &sure, &maybe);
        high = low;
        if (single && peek(r, 0) == '-' && peek(r, 1) != ']' && peek(r, 1)) {
            r->at++;
            bool ends;
            read_member(r, &ends, &high, &sure, &maybe);
            if (!ends || high < low) { /* [a-\d]: the dash is one, too */
                high = low;
                add_cases(r, &maybe, '-');
            }
        }
        for (unsigned c = low; single && c <= high; c++) {
            byte_set_add(&sure, (unsigned char)c);
            add_cases(r, &maybe, (unsigned char)c);
        }
    }
    r->failed = r->failed || is_over(r);
    r->at++;
    if (negated)
        invert(&sure);
    set_position(r, negated ? &sure : &maybe, out);
}

/* ---- how often ---- */

struct times {
    uint32_t least, most; /* most UINT32_MAX: any number */
};

static uint32_t read_count(struct reader *r)
{
    uint32_t n = 0;
    for (; is_digit(peek(r, 0)); r->at++)
        n = n < 100000 ? n * 10 + (uint32_t)(peek(r, 0) - '0') : n;
    return n;
}

/* "{2,5}": the reader stands at the brace. What one version of PCRE2 takes for a count and another for
 * letters is neither here. */
static bool read_braces(struct reader *r, struct times *times)
{
    size_t start = r->at;
    r->failed = r->failed || is_one_of(peek(r, 1), ", \t");
    if (!is_digit(peek(r, 1)))
        return false;
    r->at++;
    times->least = times->most = read_count(r);
    if (peek(r, 0) == ',') {
        r->at++;
        times->most = is_digit(peek(r, 0)) ? read_count(r) : UINT32_MAX;
    }
    if (peek(r, 0) == '}') {
        r->at++;
        return true;
    }
    r->failed = r->failed || is_one_of(peek(r, 0), " \t");
    r->at = start;
    return false;
}

static bool read_times(struct reader *r, struct times *times)
{
    char c = peek(r, 0);
    if (c == '{') {
        if (!read_braces(r, times))
            return false;
    } else if (is_one_of(c, "*+?")) {
        r->at++;
        *times = (struct times){c == '+', c == '?' ? 1 : UINT32_MAX};
    } else {
        return false;
    }
    r->machine->open = r->machine->open || peek(r, 0) == '+'; /* it gives nothing back */
    r->at += is_one_of(peek(r, 0), "?+");
    return true;
}

/* ---- groups and escapes ---- */

/* Past the name and the closing character; false when there is none. */
static bool skip_name(struct reader *r, char close)
{
    while (!is_over(r) && peek(r, 0) != close)
        r->at++;
    r->at++;
    return r->at <= r->pattern.len;
}

/* Options between "(?" and ")" or ":". */
static void read_options(struct reader *r)
{
    bool off = false;
    for (; !is_over(r) && !is_one_of(peek(r, 0), ":)"); r->at++) {
        char c = peek(r, 0);
        off = off || c == '-';
        r->nocase = r->nocase || (c == 'i' && !off);
        if (!is_one_of(c, "imsUJn^-"))
            r->failed = true;
    }
}

enum group_kind { GROUP_PLAIN, GROUP_LOOK, GROUP_ANY, GROUP_NOTHING };

/* Behind "(?": what kind of group it is; the reader stands at its content, or behind it. */
static enum group_kind read_kind(struct reader *r)
{
    bool p = peek(r, 0) == 'P';
    char c = peek(r, p), next = peek(r, p + 1U);
    r->at += p;
    if (p && c == '=') {
        r->failed = r->failed || !skip_name(r, ')');
        return GROUP_ANY;
    }
    if (!p && (is_one_of(c, "=!") || (c == '<' && is_one_of(next, "=!")))) {
        r->at += c == '<' ? 2 : 1;
        return GROUP_LOOK;
    }
    if ((c == '<' || (c == '\'' && !p))) {
        r->at++;
        r->failed = r->failed || !skip_name(r, c == '<' ? '>' : '\'');
        return GROUP_PLAIN;
    }
    if (p) {
        r->failed = true;
        return GROUP_NOTHING;
    }
    if (c == '>')
        r->machine->open = true; /* what it takes it does not give back */
    if (is_one_of(c, "|>")) {
        r->at++;
        return GROUP_PLAIN;
    }
    read_options(r);
    r->at++;
    return peek(r, 0) && r->pattern.ptr[r->at - 1] == ':' ? GROUP_PLAIN : GROUP_NOTHING;
}

static void read_group(struct reader *r, struct part *out)
{
    enum group_kind kind = GROUP_PLAIN;
    r->at++;
    r->failed = r->failed || peek(r, 0) == '*' || r->depth == DEPTH_MAX;
    if (peek(r, 0) == '?') {
        r->at++;
        kind = read_kind(r);
    }
    set_empty(out);
    if (r->failed)
        return;
    if (kind == GROUP_ANY)
        set_any(r, out);
    if (kind == GROUP_ANY || kind == GROUP_NOTHING)
        return;
    r->depth++;
    read_branches(r, out);
    r->depth--;
    r->failed = r->failed || peek(r, 0) != ')';
    r->at++;
    if (kind == GROUP_LOOK) {
        r->machine->open = true;
        set_empty(out);
    }
}

/* References may be to any text. */
static void read_reference(struct reader *r, struct part *out)
{
    if (peek(r, 0) == 'k') {
        char open = peek(r, 1);
        r->at += 2;
        r->failed = r->failed || !is_one_of(open, "<'{") ||
                    !skip_name(r, open == '<' ? '>' : open == '{' ? '}' : '\'');
    }
    while (is_digit(peek(r, 0)))
        r->at++;
    set_any(r, out);
}

static void read_escape(struct reader *r, struct part *out)
{
    struct byte_set sure, maybe;
    unsigned char byte;
    char c = peek(r, 0);
    if (class_escape(c, &sure, &maybe)) {
        r->at++;
        set_position(r, &maybe, out);
    } else if (is_one_of(c, "bBAzZG")) {
        r->at++;
        r->machine->open = true;
        set_empty(out);
    } else if (c == 'N' && peek(r, 1) != '{') {
        r->at++;
        byte_set_fill(&maybe);
        set_position(r, &maybe, out);
    } else if (c == 'R' || c == 'X') {
        r->at++;
        r->machine->open = true; /* both take what belongs together as a whole */
        set_any(r, out);
    } else if (c == 'k' || is_digit(c)) {
        read_reference(r, out);
    } else if (take_byte_escape(r, &byte)) {
        read_char(r, byte, out);
    } else {
        r->failed = true;
        set_empty(out);
    }
}

static void read_item(struct reader *r, struct part *out)
{
    struct byte_set all = {{0}};
    struct times ignored;
    char c = peek(r, 0);
    /* a count of a count, or of a comment: not read */
    r->failed = r->failed || is_one_of(c, "*+?") || (c == '{' && read_braces(r, &ignored)) ||
                ++r->items > ITEMS_MAX;
    set_empty(out);
    if (r->failed)
        return;
    if (c == '[') {
        read_class(r, out);
    } else if (c == '(') {
        read_group(r, out);
    } else if (c == '\\') {
        r->at++;
        read_escape(r, out);
    } else if (c == '^' || c == '$') {
        r->at++;
        r->machine->open = true;
    } else if (c == '.') {
        r->at++;
        byte_set_fill(&all);
        set_position(r, &all, out);
    } else {
        r->at++;
        read_char(r, (unsigned char)c, out);
    }
}

/* An item and how often it comes: as many copies one behind the other, the last of them again and
 * again where there may be more. */
static void read_repeated(struct reader *r, struct part *out)
{
    size_t start = r->at;
    struct times times = {1, 1};
    struct part item;
    read_item(r, out);
    size_t behind_item = r->at;
    if (is_over(r) || !read_times(r, &times))
        return;
    size_t end = r->at;
    if (times.most == 0)
        set_empty(out);
    uint32_t most = times.most < COPIES ? times.most : times.most == UINT32_MAX ? times.least : COPIES;
    most = most > COPIES ? COPIES : most;
    bool again = times.most > COPIES;
    if (again && most < 2)
        join(r, out->last, out->first);
    out->empty = out->empty || times.least == 0;
    for (uint32_t i = 1; i < most && !r->failed; i++) {
        r->at = start;
        read_item(r, &item);
        r->failed = r->failed || r->at != behind_item;
        if (again && i + 1 == most)
            join(r, item.last, item.first);
        item.empty = item.empty || i >= times.least;
        append(r, out, &item);
    }
    r->at = end;
}

static void read_branch(struct reader *r, struct part *out)
{
    set_empty(out);
    while (!is_over(r) && !is_one_of(peek(r, 0), "|)")) {
        struct part next;
        read_repeated(r, &next);
        append(r, out, &next);
    }
}

static void read_branches(struct reader *r, struct part *out)
{
    read_branch(r, out);
    while (!r->failed && peek(r, 0) == '|') {
        struct part other;
        r->at++;
        read_branch(r, &other);
        bits_or(out->first, other.first, REGEX_POSITIONS_MAX);
        bits_or(out->last, other.last, REGEX_POSITIONS_MAX);
        out->empty = out->empty || other.empty;
    }
}

bool regex_machine_parse(struct regex_machine *machine, struct slice pattern)
{
    struct reader r = {.machine = machine, .pattern = pattern};
    struct part whole;
    if (pattern.len && memchr(pattern.ptr, '\0', pattern.len))
        return false;
    read_branches(&r, &whole);
    if (r.failed || r.at != pattern.len || whole.empty)
        return false;
    bits_or(machine->sides[0].start, whole.first, REGEX_POSITIONS_MAX);
    bits_or(machine->sides[0].end, whole.last, REGEX_POSITIONS_MAX);
    return true;
}

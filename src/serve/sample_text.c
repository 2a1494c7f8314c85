#include "serve/sample_text.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "cut/json_tree.h"

enum {
    FIXED_BYTES_MIN = 4, /* of what lines are told by: decode/recognition.h */
    FIXED_RUNS = 3,
    FIELDS_SHOWN_MAX = 24, /* of a line; what is behind them is one more */
    WORDS_LOOKED_MAX = 64,
    JSON_KEYS_ASKED = 4,
    DELIMITERS_MIN = 3,
    PAIRS_MIN = 2
};

struct slice sample_text_cut(struct slice text, size_t bytes_max)
{
    size_t len = text.len > bytes_max ? bytes_max : text.len, begin = len;
    if (len == text.len)
        return text;
    while (begin && len - begin < 3 && ((unsigned char)text.ptr[begin] & 0xc0) == 0x80)
        begin--;
    return slice_sub(text, 0, (unsigned char)text.ptr[begin] >= 0xc0 ? begin : len);
}

/* ---- format ---- */

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_binary(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return true;
    }
    return !utf8_valid(text);
}

static size_t count_of(struct slice text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == c;
    return count;
}

/* name=value, the value not empty. */
static size_t pairs_in(struct slice text)
{
    size_t count = 0;
    for (size_t i = 1; i + 1 < text.len; i++)
        count += text.ptr[i] == '=' && is_word((unsigned char)text.ptr[i - 1]) && text.ptr[i + 1] > ' ' &&
                 text.ptr[i + 1] != '=';
    return count;
}

/* '\0': none. */
static char delimiter_of(struct slice text)
{
    static const char delimiters[] = "|;,";
    if (count_of(text, '\t'))
        return '\t';
    for (size_t i = 0; i < sizeof(delimiters) - 1; i++)
        if (count_of(text, delimiters[i]) >= DELIMITERS_MIN)
            return delimiters[i];
    return '\0';
}

enum sample_format sample_text_format(struct slice text)
{
    struct slice begin = slice_trim(slice_sub(text, 0, 64));
    if (is_binary(text))
        return SAMPLE_BINARY;
    if (slice_starts(begin, SLICE("{")) || slice_starts(begin, SLICE("[{")))
        return SAMPLE_JSON;
    if (begin.len > 1 && begin.ptr[0] == '<' && (begin.ptr[1] == '?' || is_word((unsigned char)begin.ptr[1])) &&
        (slice_find(text, SLICE("</")) >= 0 || slice_find(text, SLICE("/>")) >= 0))
        return SAMPLE_XML;
    if (pairs_in(text) >= PAIRS_MIN)
        return SAMPLE_PAIRS;
    return delimiter_of(text) ? SAMPLE_DELIMITED : SAMPLE_TEXT;
}

const char *sample_format_name(enum sample_format format)
{
    static const char *const names[] = {"text", "json", "xml", "pairs", "delimited", "binary"};
    return names[format];
}

/* ---- what stands still ---- */

struct word {
    struct slice text; /* as the example has it */
    struct slice gap;  /* before it */
    bool open;
};

struct words {
    struct word list[WORDS_LOOKED_MAX];
    uint32_t count;
    struct slice rest; /* of the example, behind them */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The example cut as the template was: its words stand at the same places. Ends with the first line. */
static void cut_words(const struct template *template, struct words *out)
{
    struct slice line = template->example;
    size_t at = 0;
    out->count = 0;
    while (out->count < template->count && out->count < WORDS_LOOKED_MAX) {
        size_t start = at, begin;
        while (at < line.len && is_blank(line.ptr[at]))
            at++;
        begin = at;
        while (at < line.len && !is_blank(line.ptr[at]))
            at++;
        struct word word = {slice_sub(line, begin, at - begin), slice_sub(line, start, begin - start),
                            template_is_open(template, out->count)};
        if (begin == line.len || slice_find_char(word.gap, '\n') >= 0) {
            at = start;
            break;
        }
        out->list[out->count++] = word;
    }
    out->rest = slice_from(line, at);
}

/* Words in a row that are in all lines, one blank apart: up to FIXED_RUNS of them, the longest, in their order. */
static size_t fixed_runs(const struct words *words, struct slice out[FIXED_RUNS])
{
    size_t count = 0;
    for (uint32_t i = 0; i < words->count;) {
        uint32_t behind = i + 1;
        if (words->list[i++].open)
            continue;
        while (behind < words->count && !words->list[behind].open && slice_is(words->list[behind].gap, " "))
            behind++;
        const struct slice first = words->list[i - 1].text, last = words->list[behind - 1].text;
        struct slice run = slice_of(first.ptr, (size_t)(last.ptr + last.len - first.ptr));
        i = behind;
        if (run.len < FIXED_BYTES_MIN)
            continue;
        size_t shortest = 0;
        for (size_t k = 1; k < count; k++)
            if (out[k].len < out[shortest].len)
                shortest = k;
        if (count == FIXED_RUNS && out[shortest].len >= run.len)
            continue;
        if (count == FIXED_RUNS)
            memmove(&out[shortest], &out[shortest + 1], (--count - shortest) * sizeof(*out));
        out[count++] = run;
    }
    return count;
}

/* ---- a decoder ---- */

/* Between single quotes of YAML. */
static void put_quoted(struct buffer *to, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        for (int times = text.ptr[i] == '\'' ? 2 : 1; times; times--)
            buffer_put_char(to, text.ptr[i]);
}

static void put_dissect(struct buffer *to, const struct words *words)
{
    unsigned fields = 0, opens = 0;
    for (uint32_t k = 0; k < words->count; k++)
        opens += words->list[k].open;
    if (!opens) { /* it has nothing to cut */
        buffer_put_text(to, "  - copy: {_text: message}\n");
        return;
    }
    uint32_t i = 0;
    bool open = false; /* the last field takes all that follows */
    buffer_put_text(to, "  - dissect: '");
    for (; i < words->count && fields < FIELDS_SHOWN_MAX; i++) {
        const struct word *word = &words->list[i];
        bool skips = word->gap.len > 1 && i && words->list[i - 1].open; /* the field before took blanks: -> */
        put_quoted(to, skips ? slice_sub(word->gap, 0, 1) : word->gap);
        open = word->open;
        if (!open) {
            put_quoted(to, word->text);
            continue;
        }
        bool wide = i + 1 < words->count && words->list[i + 1].gap.len > 1;
        buffer_printf(to, "%%{mine.field%u%s}", ++fields, wide ? "->" : "");
    }
    if (i < words->count)
        buffer_put_text(to, " %{mine.rest}");
    else if (words->rest.len && !open)
        buffer_put_text(to, "%{mine.rest}");
    buffer_put_text(to, "'\n");
}

static void put_columns(struct buffer *to, struct slice line)
{
    char delimiter = delimiter_of(line);
    size_t columns = count_of(line, delimiter) + 1;
    if (delimiter == '\t')
        buffer_put_text(to, "  - tsv: {names: [");
    else
        buffer_put_text(to, "  - csv: {names: [");
    for (size_t i = 0; i < columns && i < FIELDS_SHOWN_MAX; i++)
        buffer_printf(to, "%smine.field%zu", i ? ", " : "", i + 1);
    buffer_put_text(to, "]");
    if (delimiter != '\t' && delimiter != ',')
        buffer_printf(to, ", separator: '%c'", delimiter);
    buffer_put_text(to, "}\n");
}

static void put_steps(struct buffer *to, const struct template *template, const struct words *words)
{
    buffer_put_text(to, "steps:\n");
    switch (sample_text_format(template->example)) {
    case SAMPLE_XML:
        buffer_put_text(to, "  - xml: {under: mine}\n");
        break;
    case SAMPLE_PAIRS:
        buffer_put_text(to, "  - kv: {under: mine}\n");
        break;
    case SAMPLE_DELIMITED:
        put_columns(to, template->example);
        break;
    case SAMPLE_TEXT:
        put_dissect(to, words);
        break;
    case SAMPLE_JSON:
    case SAMPLE_BINARY:
        break;
    }
}

static void put_head(struct buffer *to, struct slice corrects)
{
    buffer_printf(to, "name: my-source\nversion: 1\ncorrects: [%.*s]\ndataset: my.source\nsummary: say what it is\n"
                      "recognise:\n", SLICE_ARG(corrects));
}

static void put_decoder(struct buffer *to, const struct sample_about *about, const struct words *words,
                        const struct slice *runs, size_t run_count)
{
    put_head(to, about->corrects);
    buffer_put_text(to, "  contains: [");
    for (size_t i = 0; i < run_count; i++) {
        buffer_put_text(to, i ? ", '" : "'");
        put_quoted(to, runs[i]);
        buffer_put_text(to, "'");
    }
    buffer_put_text(to, about->inner ? "]\n  inner_only: true\n" : "]\n");
    put_steps(to, about->template, words);
}

/* What cannot stand in one line of YAML as it is: U+0085, U+2028 and U+2029 end it, a byte order mark is left out. */
static bool breaks_yaml(struct slice text)
{
    return slice_find(text, SLICE("\xc2\x85")) >= 0 || slice_find(text, SLICE("\xe2\x80\xa8")) >= 0 ||
           slice_find(text, SLICE("\xe2\x80\xa9")) >= 0 || slice_find(text, SLICE("\xef\xbb\xbf")) >= 0;
}

static bool put_lines_decoder(struct buffer *to, const struct sample_about *about)
{
    struct slice runs[FIXED_RUNS];
    struct words words;
    cut_words(about->template, &words);
    size_t count = fixed_runs(&words, runs);
    if (!count || slice_find(about->template->example, SLICE("%{")) >= 0 || breaks_yaml(about->template->example))
        return false;
    put_decoder(to, about, &words, runs, count);
    return true;
}

/* ---- of JSON ---- */

static bool is_plain_key(struct slice key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!is_word((unsigned char)key.ptr[i]) && !(i && (key.ptr[i] == '-' || key.ptr[i] == '_')))
            return false;
    return key.len > 0;
}

static bool has_key(const struct json_node *object, struct slice key)
{
    const struct json_node *member = object->first;
    while (member && !slice_equal(member->key, key))
        member = member->next;
    return member != NULL;
}

/* By the keys that all samples have. False when one of them is no object. */
static bool put_json_decoder(struct buffer *to, const struct sample_about *about, struct arena *arena)
{
    const struct json_node *objects[UNKNOWN_SAMPLES_MAX];
    unsigned keys = 0;
    struct err err;
    for (size_t i = 0; i < about->sample_count; i++)
        if (json_tree_parse(about->samples[i], arena, &objects[i], &err) < 0 || objects[i]->kind != JSON_OBJECT)
            return false;
    put_head(to, about->corrects);
    buffer_put_text(to, "  json: [");
    const struct json_node *key = about->sample_count ? objects[0]->first : NULL;
    for (; key && keys < JSON_KEYS_ASKED; key = key->next) {
        bool all = is_plain_key(key->key);
        for (size_t i = 1; all && i < about->sample_count; i++)
            all = has_key(objects[i], key->key);
        if (all)
            buffer_printf(to, "%s'%.*s'", keys++ ? ", " : "", SLICE_ARG(key->key));
    }
    buffer_put_text(to, "]\nsteps:\n  - json: {under: mine}\n");
    return keys > 0;
}

struct slice sample_decoder(const struct sample_about *about, struct arena *arena)
{
    struct slice text = SLICE_NONE;
    struct buffer to;
    enum sample_format format = sample_text_format(about->template->example);
    bool made = false;
    buffer_init(&to, MIB);
    if (format == SAMPLE_JSON && !about->inner)
        made = put_json_decoder(&to, about, arena);
    else if (format != SAMPLE_JSON && format != SAMPLE_BINARY)
        made = put_lines_decoder(&to, about);
    if (made && !buffer_failed(&to))
        text = arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    return text;
}

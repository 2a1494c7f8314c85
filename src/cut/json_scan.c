#include "cut/json_scan.h"

#include "base/lane.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cut/json_index.h"

enum { TOKENS_FIRST = 256, SCAN_DEPTH_MAX = 256, TOKENS_KEPT = 64 * 1024 };

struct json_scanner {
    struct json_index *index;
    uint32_t *positions; /* of the slow way */
    size_t position_size;
    struct json_token *tokens;
    size_t token_size;
};

struct json_scanner *json_scanner_new(void)
{
    struct json_scanner *scanner = mem_calloc(1, sizeof(*scanner));
    if (!scanner)
        return NULL;
    scanner->index = json_index_new();
    if (!scanner->index) {
        mem_free(scanner);
        return NULL;
    }
    return scanner;
}

void json_scanner_free(struct json_scanner *scanner)
{
    if (!scanner)
        return;
    json_index_free(scanner->index);
    mem_free(scanner->positions);
    mem_free(scanner->tokens);
    mem_free(scanner);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_mark(char c)
{
    return c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
}

static size_t string_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at;
}

size_t json_index_slowly(const char *text, size_t len, uint32_t *to)
{
    size_t count = 0;
    for (size_t at = 0; at < len; at++) {
        if (is_space(text[at]))
            continue;
        to[count++] = (uint32_t)at;
        if (text[at] == '"')
            at = string_end(text, len, at);
        else if (!is_mark(text[at]))
            while (at + 1 < len && !is_space(text[at + 1]) && !is_mark(text[at + 1]) &&
                   text[at + 1] != '"')
                at++;
    }
    return count;
}

/* --- the walk over the positions --- */

struct walk {
    const char *text;
    uint32_t len;
    const uint32_t *positions;
    size_t count;
    size_t at;          /* the next position to look at */
    const char *escape; /* the first backslash at or behind where we are */
    struct json_token *tokens;
    uint32_t token_count;
    unsigned depth_max;
    struct arena *arena; /* for values without their escapes; NULL: they stay */
    struct err *err;
};

static int expected(struct walk *walk, size_t at, const char *what)
{
    size_t byte = at < walk->count ? walk->positions[at] : walk->len;
    int start = (int)byte;
    if (byte >= walk->len)
        return err_set_at(walk->err, ERR_INPUT, start, start, "JSON ends at byte %zu: %s expected",
                          byte, what);
    unsigned char c = (unsigned char)walk->text[byte];
    if (c < 0x20 || c > 0x7e)
        return err_set_at(walk->err, ERR_INPUT, start, start + 1,
                          "JSON has byte 0x%02x at byte %zu: %s expected", c, byte, what);
    return err_set_at(walk->err, ERR_INPUT, start, start + 1,
                      "JSON has '%c' at byte %zu: %s expected", c, byte, what);
}

static const char *find_escape(const struct walk *walk, const char *from)
{
    const char *end = walk->text + walk->len;
    const char *found = from < end ? memchr(from, '\\', (size_t)(end - from)) : NULL;
    return found ? found : end;
}

static bool hex4(const char *at)
{
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* What a letter behind a backslash stands for; 0 when it may not stand there. */
static const char letters[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* The first backslash from here on, or the end. The next one mostly is near. */
static inline const char *next_escape(const char *at, const char *end)
{
    for (unsigned step; end - at >= LANE; at += step) {
        step = lane_find(at, '\\');
        if (step < LANE)
            return at + step;
    }
    while (at < end && *at != '\\')
        at++;
    return at;
}

/* Every escape between the quotes must be one of RFC 8259's. */
static bool escapes_valid(const char *at, const char *end)
{
    while ((at = next_escape(at, end)) < end) {
        if (end - at < 2)
            return false;
        char c = at[1];
        if (c == 'u') {
            if (end - at < 6 || !hex4(at + 2))
                return false;
            at += 6;
        } else if (letters[(unsigned char)c]) {
            at += 2;
        } else {
            return false;
        }
    }
    return true;
}

static uint32_t without_space(const struct walk *walk, uint32_t start, uint32_t end)
{
    while (end > start && is_space(walk->text[end - 1]))
        end--;
    return end;
}

static bool unescape(struct slice escaped, char *start, size_t *len);

/* The text of the string without its escapes, which are checked on the way. */
static int take_unescaped(struct walk *walk, size_t at, const char **text, uint32_t *len)
{
    char *room = arena_alloc(walk->arena, *len + 1U);
    size_t bytes;
    if (!room)
        return err_nomem(walk->err);
    if (!unescape(slice_of(*text, *len), room, &bytes))
        return expected(walk, at, "a string with valid escapes");
    *text = room;
    *len = (uint32_t)bytes;
    return 0;
}

/* A backslash lies before the string's end, in it or before it. */
static int look_for_escapes(struct walk *walk, size_t at, bool is_value, const char **text, uint32_t *len,
                            bool *escaped)
{
    const char *stop = *text + *len;
    if (walk->escape < *text)
        walk->escape = find_escape(walk, *text);
    if (walk->escape >= stop)
        return 0;
    if (is_value && walk->arena) {
        if (take_unescaped(walk, at, text, len) < 0)
            return -1;
    } else {
        *escaped = true;
        if (!escapes_valid(walk->escape, stop))
            return expected(walk, at, "a string with valid escapes");
    }
    walk->escape = find_escape(walk, stop);
    return 0;
}

/* The string that begins at position number at: up to the quote before the next position. Inlined: there
 * are two for every field of every event. */
__attribute__((always_inline)) static inline int take_string(struct walk *walk, size_t at, bool is_value,
                                                             const char **text, uint32_t *len,
                                                             bool *escaped)
{
    uint32_t start = walk->positions[at];
    uint32_t end = at + 1 < walk->count ? walk->positions[at + 1] : walk->len;
    if (UNLIKELY(walk->text[end - 1] != '"'))
        end = without_space(walk, start, end);
    if (UNLIKELY(end < start + 2 || walk->text[end - 1] != '"'))
        return expected(walk, walk->count, "the end of a string");
    const char *stop = walk->text + end - 1;
    *text = walk->text + start + 1;
    *len = end - start - 2;
    *escaped = false;
    return LIKELY(walk->escape >= stop) ? 0 : look_for_escapes(walk, at, is_value, text, len, escaped);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 8259 section 6. */
static bool number_valid(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    if (at == end || !is_digit(*at))
        return false;
    if (*at++ != '0')
        while (at < end && is_digit(*at))
            at++;
    if (at < end && *at == '.') {
        if (++at == end || !is_digit(*at))
            return false;
        while (at < end && is_digit(*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (at == end || !is_digit(*at))
            return false;
        while (at < end && is_digit(*at))
            at++;
    }
    return at == end;
}

static int take_scalar(struct walk *walk, size_t at, struct json_token *token)
{
    uint32_t start = walk->positions[at];
    uint32_t end = at + 1 < walk->count ? walk->positions[at + 1] : walk->len;
    end = without_space(walk, start, end);
    struct slice text = slice_of(walk->text + start, end - start);
    token->text = text.ptr;
    token->text_len = (uint32_t)text.len;
    if (number_valid(text.ptr, text.ptr + text.len))
        token->kind = JSON_NUMBER;
    else if (slice_equal(text, SLICE("true")))
        token->kind = JSON_TRUE;
    else if (slice_equal(text, SLICE("false")))
        token->kind = JSON_FALSE;
    else if (slice_equal(text, SLICE("null")))
        token->kind = JSON_NULL;
    else
        return expected(walk, at, "a value");
    return 0;
}

/* A container that is too deep: its brackets are counted, nothing else is looked at. */
static int take_raw(struct walk *walk, struct json_token *token)
{
    size_t at = walk->at, depth = 0;
    do {
        if (at >= walk->count)
            return expected(walk, at, "a closing bracket");
        char c = walk->text[walk->positions[at++]];
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    } while (depth);
    token->kind = JSON_RAW;
    token->text = walk->text + walk->positions[walk->at];
    token->text_len = walk->positions[at - 1] + 1 - walk->positions[walk->at];
    walk->at = at;
    return 0;
}

/* "key" : */
static int take_key(struct walk *walk, struct json_token *token)
{
    if (walk->at >= walk->count || walk->text[walk->positions[walk->at]] != '"')
        return expected(walk, walk->at, "a key in quotes");
    if (walk->at + 1 >= walk->count || walk->text[walk->positions[walk->at + 1]] != ':')
        return expected(walk, walk->at + 1, "':'");
    if (take_string(walk, walk->at, false, &token->key, &token->key_len, &token->key_escaped) < 0)
        return -1;
    walk->at += 2;
    return 0;
}

struct level {
    uint32_t token;
    bool object;
};

/* Closes containers as long as they close; then wants a comma. 1 when the outermost is closed. */
static int after_value(struct walk *walk, struct level *levels, unsigned *depth)
{
    for (;;) {
        if (*depth == 0)
            return 1;
        const struct level *level = &levels[*depth - 1];
        char c = walk->at < walk->count ? walk->text[walk->positions[walk->at]] : 0;
        if (c == ',') {
            walk->at++;
            return 0;
        }
        if (c != (level->object ? '}' : ']'))
            return expected(walk, walk->at, level->object ? "',' or '}'" : "',' or ']'");
        struct json_token *token = &walk->tokens[level->token];
        token->text_len = (uint32_t)(walk->text + walk->positions[walk->at] + 1 - token->text);
        token->next = walk->token_count;
        walk->at++;
        --*depth;
    }
}

/* Opens a container. 1 when it is empty and therefore already over. */
static int open_container(struct walk *walk, struct level *levels, unsigned *depth,
                          struct json_token *token)
{
    bool object = token->kind == JSON_OBJECT;
    levels[*depth] = (struct level){(uint32_t)(token - walk->tokens), object};
    ++*depth;
    walk->at++;
    return walk->at < walk->count && walk->text[walk->positions[walk->at]] == (object ? '}' : ']');
}

/* One value; containers are opened only. 1 when the value is complete. */
static int take_value(struct walk *walk, struct level *levels, unsigned *depth,
                      struct json_token *token)
{
    if (walk->at >= walk->count)
        return expected(walk, walk->at, "a value");
    char c = walk->text[walk->positions[walk->at]];
    if (c == '"') {
        token->kind = JSON_STRING;
        int result =
            take_string(walk, walk->at++, true, &token->text, &token->text_len, &token->text_escaped);
        return result < 0 ? -1 : 1;
    }
    if (c == '{' || c == '[') {
        if (*depth >= walk->depth_max)
            return take_raw(walk, token) < 0 ? -1 : 1;
        token->kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
        token->text = walk->text + walk->positions[walk->at];
        return open_container(walk, levels, depth, token);
    }
    return take_scalar(walk, walk->at++, token) < 0 ? -1 : 1;
}

/* There are never more tokens than positions, so the list has room. */
static int walk_document(struct walk *walk)
{
    UNSET struct level levels[SCAN_DEPTH_MAX];
    unsigned depth = 0;
    for (;;) {
        struct json_token *token = &walk->tokens[walk->token_count];
        *token = (struct json_token){0};
        if (depth && levels[depth - 1].object && take_key(walk, token) < 0)
            return -1;
        walk->token_count++;
        token->next = walk->token_count;
        int done = take_value(walk, levels, &depth, token);
        if (done == 1)
            done = after_value(walk, levels, &depth);
        if (done < 0)
            return -1;
        if (done == 1)
            break;
    }
    return walk->at < walk->count ? expected(walk, walk->at, "nothing behind the value") : 0;
}

static int grow(void **list, size_t *size, size_t count, size_t width, struct err *err)
{
    if (count <= *size && (*size <= TOKENS_KEPT || count > TOKENS_FIRST))
        return 0;
    size_t size_new = TOKENS_FIRST, bytes;
    while (size_new < count)
        size_new *= 2;
    mem_free(*list);
    *list = mem_multiply(size_new, width, &bytes) ? mem_alloc(bytes) : NULL;
    *size = *list ? size_new : 0;
    return *list ? 0 : err_nomem(err);
}

/* Where the positions come from; *not_utf8 only when the fast way ran. */
static int find_positions(struct json_scanner *scanner, struct slice text, struct walk *walk,
                          bool *not_utf8, struct err *err)
{
    switch (json_index_run(scanner->index, text.ptr, text.len, &walk->positions, &walk->count)) {
    case JSON_INDEX_OK:
        return 0;
    case JSON_INDEX_NOT_UTF8:
        *not_utf8 = true;
        return 0;
    case JSON_INDEX_NOMEM:
        return err_nomem(err);
    case JSON_INDEX_REFUSED:
        break;
    }
    void *list = scanner->positions;
    int result = grow(&list, &scanner->position_size, text.len, sizeof(uint32_t), err);
    scanner->positions = list;
    if (result < 0)
        return -1;
    walk->count = json_index_slowly(text.ptr, text.len, scanner->positions);
    walk->positions = scanner->positions;
    *not_utf8 = !utf8_valid(text);
    return 0;
}

int json_scan(struct json_scanner *scanner, struct slice text, unsigned depth_max, struct arena *arena,
              struct json_tokens *out, struct err *err)
{
    *out = (struct json_tokens){0};
    if (text.len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "a JSON text of %zu bytes is too long", text.len);
    struct walk walk = {.text = text.ptr, .len = (uint32_t)text.len, .arena = arena, .err = err};
    walk.depth_max = depth_max < SCAN_DEPTH_MAX ? depth_max : SCAN_DEPTH_MAX;
    if (find_positions(scanner, text, &walk, &out->not_utf8, err) < 0)
        return -1;
    void *list = scanner->tokens;
    int result = grow(&list, &scanner->token_size, walk.count + 1, sizeof(struct json_token), err);
    scanner->tokens = list;
    if (result < 0)
        return -1;
    walk.tokens = scanner->tokens;
    walk.escape = find_escape(&walk, walk.text);
    if (walk_document(&walk) < 0)
        return -1;
    out->list = walk.tokens;
    out->count = walk.token_count;
    return 0;
}

/* --- escapes --- */

static uint32_t hex_value(const char *at)
{
    uint32_t n = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        n = n * 16 + (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return n;
}

/* "uXXXX", and its second half if it is one. Returns the bytes read. */
static size_t unescape_unicode(const char *at, const char *end, char **to)
{
    uint32_t code = hex_value(at + 1);
    size_t used = 5;
    if (code >= 0xd800 && code <= 0xdbff && end - at >= 11 && at[5] == '\\' && at[6] == 'u' && hex4(at + 7)) {
        uint32_t low = hex_value(at + 7);
        if (low >= 0xdc00 && low <= 0xdfff) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            used = 11;
        }
    }
    if (code >= 0xd800 && code <= 0xdfff)
        code = 0xfffd;
    *to += utf8_encode(code, *to);
    return used;
}

/* Bytes up to the next backslash. Whole lanes are written: there is room for all that is left. */
static inline const char *copy_plain(const char *at, const char *end, char **to)
{
    while (end - at >= LANE) {
        unsigned plain = lane_find(at, '\\');
        memcpy(*to, at, LANE);
        *to += plain;
        at += plain;
        if (plain < LANE)
            return at;
    }
    while (at < end && *at != '\\')
        *(*to)++ = *at++;
    return at;
}

/* start has room for as many bytes. False: an escape is none of RFC 8259's. */
static bool unescape(struct slice escaped, char *start, size_t *len)
{
    char *to = start;
    const char *at = escaped.ptr, *end = escaped.ptr + escaped.len;
    while ((at = copy_plain(at, end, &to)) < end) {
        if (end - at < 2)
            return false;
        char c = letters[(unsigned char)*++at];
        if (LIKELY(c)) {
            *to++ = c;
            at++;
            continue;
        }
        if (*at != 'u' || end - at < 5 || !hex4(at + 1))
            return false;
        at += unescape_unicode(at, end, &to);
    }
    *len = (size_t)(to - start);
    return true;
}

struct slice json_unescape(struct slice escaped, struct arena *arena)
{
    size_t len;
    char *start = arena_alloc(arena, escaped.len + 1);
    return start && unescape(escaped, start, &len) ? slice_of(start, len) : SLICE_NONE;
}

uint32_t json_member(const struct json_tokens *tokens, uint32_t object, struct slice key)
{
    if (tokens->list[object].kind != JSON_OBJECT)
        return 0;
    for (uint32_t i = object + 1; i < tokens->list[object].next; i = tokens->list[i].next)
        if (!tokens->list[i].key_escaped && slice_equal(json_token_key(&tokens->list[i]), key))
            return i;
    return 0;
}

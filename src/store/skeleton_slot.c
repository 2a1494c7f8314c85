#include "store/skeleton_slot.h"

#include "base/hash.h"
#include "store/ints.h"

enum {
    DIGITS_MAX = 18,    /* that i64 holds */
    HEXINT_MAX = 15,
    GUID_LEN = 36,
    TYPED_FROM = 8,     /* fewer tokens are not worth a kind */
    DICT_REPEATS = 3,   /* an entry pays when it comes so often on average */
    DICT_MAX = 65536,
    LOOK_AT = 1024,     /* tokens; when nearly all of them differ, no dictionary is tried */
};

/* ---- what the tokens have in common ---- */

enum {
    DIGIT = 1, LOWER_HEX = 2, UPPER_HEX = 4, POINT = 8, DASH = 16, OTHER = 32,
};
static const uint8_t CLASS[256] = {
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['a'] = LOWER_HEX, ['b'] = LOWER_HEX, ['c'] = LOWER_HEX, ['d'] = LOWER_HEX,
    ['e'] = LOWER_HEX, ['f'] = LOWER_HEX, ['A'] = UPPER_HEX, ['B'] = UPPER_HEX,
    ['C'] = UPPER_HEX, ['D'] = UPPER_HEX, ['E'] = UPPER_HEX, ['F'] = UPPER_HEX,
    ['.'] = POINT, ['-'] = DASH,
};

static uint8_t classes_of(struct slice text)
{
    uint8_t seen = 0, other = 0;
    if (text.len > SLOT_TEXT_MAX) /* no kind holds it */
        return OTHER;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t class = CLASS[(uint8_t)text.ptr[i]];
        seen |= class;
        other |= !class;
    }
    return other ? seen | OTHER : seen;
}

struct look {
    uint8_t classes;
    bool same_len, has_0x;
    size_t len; /* of the first */
};

static struct look look_at(const struct slice *tokens, uint32_t count)
{
    struct look look = {.same_len = true, .has_0x = true, .len = tokens[0].len};
    for (uint32_t i = 0; i < count && look.has_0x; i++)
        look.has_0x = tokens[i].len > 2 && tokens[i].ptr[0] == '0' && tokens[i].ptr[1] == 'x';
    size_t from = look.has_0x ? 2 : 0;
    for (uint32_t i = 0; i < count; i++) {
        look.same_len = look.same_len && tokens[i].len == look.len;
        look.classes |= classes_of(slice_from(tokens[i], from));
        if (look.classes & OTHER)
            break;
    }
    return look;
}

/* ---- numbers ---- */

static unsigned digit_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 32) - 'a' + 10;
}

static int64_t number_of(struct slice digits, unsigned base)
{
    uint64_t n = 0;
    for (size_t i = 0; i < digits.len; i++)
        if (digits.ptr[i] != '.')
            n = n * base + digit_value(digits.ptr[i]);
    return (int64_t)n;
}

static bool no_leading_zero(struct slice digits, size_t digits_max)
{
    return digits.len >= 1 && digits.len <= digits_max && (digits.len == 1 || digits.ptr[0] != '0');
}

static bool fits_int(struct slice token, size_t fraction)
{
    size_t point = fraction ? fraction + 1 : 0;
    if (token.len <= point || token.len - (fraction ? 1 : 0) > DIGITS_MAX ||
        (fraction && token.ptr[token.len - point] != '.'))
        return false;
    struct slice whole = slice_sub(token, 0, token.len - point);
    struct slice part = slice_from(token, token.len - fraction); /* 2005.06.03 is no number */
    return no_leading_zero(whole, DIGITS_MAX) && slice_find_char(whole, '.') < 0 &&
           slice_find_char(part, '.') < 0;
}

static bool fits_ip4(struct slice token, int64_t *out)
{
    uint32_t ip = 0;
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        size_t start = at;
        uint32_t n = 0;
        while (at < token.len && token.ptr[at] != '.' && at - start < 4)
            n = n * 10 + digit_value(token.ptr[at++]);
        if (at == start || n > 255 || (at - start > 1 && token.ptr[start] == '0') ||
            (part < 3 ? at >= token.len || token.ptr[at] != '.' : at != token.len))
            return false;
        at++;
        ip = ip << 8 | n;
    }
    *out = ip;
    return true;
}

static bool fits(const struct slot_coding *coding, struct slice token, int64_t *out)
{
    struct slice digits = slice_from(token, coding->flags & SLOT_0X ? 2 : 0);
    switch ((enum slot_kind)coding->kind) {
    case SLOT_INT:
        *out = number_of(digits, 10);
        return fits_int(token, coding->width);
    case SLOT_DIGITS:
        *out = number_of(digits, 10);
        return true;
    case SLOT_HEXINT:
        *out = number_of(digits, 16);
        return no_leading_zero(digits, HEXINT_MAX);
    case SLOT_IP4:
        return fits_ip4(token, out);
    case SLOT_REST:
    case SLOT_CONSTANT:
    case SLOT_COLUMN:
    case SLOT_HEX:
    case SLOT_GUID:
    case SLOT_DICT:
    case SLOT_KIND_COUNT:
        break;
    }
    return false;
}

/* The numbers of all tokens, or NULL when one does not fit. */
static int64_t *numbers_of(const struct slot_coding *coding, const struct slice *tokens,
                           uint32_t count, struct arena *arena)
{
    int64_t *numbers = arena_alloc(arena, count * sizeof(*numbers));
    for (uint32_t i = 0; numbers && i < count; i++)
        if (!fits(coding, tokens[i], &numbers[i]))
            return NULL;
    return numbers;
}

static uint8_t fraction_of(struct slice token)
{
    ptrdiff_t point = slice_find_char(token, '.');
    size_t after = point < 0 ? 0 : token.len - (size_t)point - 1;
    return after > DIGITS_MAX ? 0 : (uint8_t)after;
}

/* ---- choosing ---- */

static bool try_numbers(struct slot_coding coding, const struct slice *tokens, uint32_t count,
                        struct arena *arena, struct slot_coding *out, struct buffer *data)
{
    int64_t *numbers = numbers_of(&coding, tokens, count, arena);
    if (!numbers)
        return false;
    ints_encode(numbers, count, data);
    *out = coding;
    return true;
}

/* Digits before and between the dashes. */
static const uint8_t GUID_PARTS[] = {8, 4, 4, 4, 12};
enum { GUID_DIGITS = 32 };

static bool is_guid(struct slice token)
{
    unsigned dashes = 0;
    if (token.len != GUID_LEN || token.ptr[8] != '-' || token.ptr[13] != '-' ||
        token.ptr[18] != '-' || token.ptr[23] != '-')
        return false;
    for (size_t i = 0; i < GUID_LEN; i++)
        dashes += token.ptr[i] == '-';
    return dashes == ARRAY_COUNT(GUID_PARTS) - 1;
}

/* Of a hexadecimal digit, told by arithmetic: letters are nine behind their low four bits. */
static inline unsigned hex_value(char c)
{
    return ((unsigned)c & 15) + ((unsigned)c >> 6) * 9;
}

/* Hexadecimal digits, two a byte; an odd one is padded. */
static void put_hex(struct slice digits, struct buffer *data)
{
    size_t pairs = digits.len / 2;
    char *to = buffer_reserve(data, pairs + 1);
    if (!to)
        return;
    for (size_t i = 0; i < pairs; i++)
        to[i] = (char)(hex_value(digits.ptr[2 * i]) << 4 | hex_value(digits.ptr[2 * i + 1]));
    if (digits.len % 2)
        to[pairs] = (char)(hex_value(digits.ptr[2 * pairs]) << 4);
    buffer_commit(data, pairs + digits.len % 2);
}

static void put_guid(struct slice token, struct buffer *data)
{
    char digits[GUID_DIGITS], *to = digits;
    const char *from = token.ptr;
    for (size_t part = 0; part < ARRAY_COUNT(GUID_PARTS); part++, from += 1)
        for (uint8_t i = 0; i < GUID_PARTS[part]; i++)
            *to++ = *from++;
    put_hex(slice_of(digits, GUID_DIGITS), data);
}

static bool try_hex(const struct look *look, const struct slice *tokens, uint32_t count,
                    struct slot_coding *out, struct buffer *data)
{
    size_t from = look->has_0x ? 2 : 0;
    bool guid = look->classes & DASH;
    for (uint32_t i = 0; guid && i < count; i++)
        if (!is_guid(tokens[i]))
            return false;
    size_t width = look->len - from;
    if (!look->same_len || width < 4 || width > SLOT_HEX_MAX)
        return false;
    out->kind = guid ? SLOT_GUID : SLOT_HEX;
    out->width = (uint8_t)width;
    for (uint32_t i = 0; i < count; i++)
        if (guid)
            put_guid(tokens[i], data);
        else
            put_hex(slice_from(tokens[i], from), data);
    return true;
}

static bool choose_number(const struct look *look, const struct slice *tokens, uint32_t count,
                          struct arena *arena, struct slot_coding *out, struct buffer *data)
{
    uint8_t letters = look->classes & (LOWER_HEX | UPPER_HEX);
    struct slot_coding coding = {.flags = look->has_0x ? SLOT_0X : 0};
    if (look->classes & OTHER || letters == (LOWER_HEX | UPPER_HEX))
        return false;
    if (!letters && !look->has_0x && !(look->classes & DASH)) {
        coding.kind = SLOT_INT;
        coding.width = look->classes & POINT ? fraction_of(tokens[0]) : 0;
        if (try_numbers(coding, tokens, count, arena, out, data))
            return true;
        coding = (struct slot_coding){.kind = SLOT_IP4};
        if (look->classes & POINT)
            return try_numbers(coding, tokens, count, arena, out, data);
        coding = (struct slot_coding){.kind = SLOT_DIGITS, .width = (uint8_t)look->len};
        if (look->same_len && look->len <= DIGITS_MAX)
            return try_numbers(coding, tokens, count, arena, out, data);
    }
    if (look->classes & POINT)
        return false;
    coding.flags |= letters == UPPER_HEX ? SLOT_UPPER : 0;
    *out = coding;
    if (!(look->classes & DASH)) {
        coding.kind = SLOT_HEXINT;
        if (try_numbers(coding, tokens, count, arena, out, data))
            return true;
    }
    return try_hex(look, tokens, count, out, data);
}

/* ---- texts that repeat ---- */

struct words {
    uint32_t *table; /* entry + 1 */
    uint32_t size;
    uint32_t *entries; /* a token that says it */
    uint32_t *codes;
    uint32_t count, max;
};

static bool words_make(struct words *words, uint32_t token_count, struct arena *arena)
{
    words->max = token_count / DICT_REPEATS;
    if (words->max > DICT_MAX)
        words->max = DICT_MAX;
    for (words->size = 16; words->size < words->max * 2 + 2;)
        words->size *= 2;
    words->table = arena_array(arena, words->size, sizeof(*words->table));
    words->entries = arena_alloc(arena, words->max * sizeof(uint32_t) + 4);
    words->codes = arena_alloc(arena, token_count * sizeof(uint32_t));
    return words->table && words->entries && words->codes;
}

/* False when there are too many different ones. */
static bool words_fill(struct words *words, const struct slice *tokens, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)hash_bytes(tokens[i]) & (words->size - 1);
        while (words->table[at] &&
               !slice_equal_short(tokens[words->entries[words->table[at] - 1]], tokens[i]))
            at = (at + 1) & (words->size - 1);
        if (!words->table[at]) {
            if (words->count == words->max || (i >= LOOK_AT && words->count > i / 4 * 3))
                return false;
            words->entries[words->count++] = i;
            words->table[at] = words->count;
        }
        words->codes[i] = words->table[at] - 1;
    }
    return true;
}

static unsigned bits_for(uint32_t count)
{
    return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

static size_t words_cost(const struct words *words, const struct slice *tokens, uint32_t count)
{
    size_t bytes = ints_packed_size(count, bits_for(words->count));
    for (uint32_t i = 0; i < words->count; i++)
        bytes += tokens[words->entries[i]].len / 2 + 1; /* they are compressed */
    return bytes;
}

static bool put_words(const struct words *words, uint32_t count, struct slot_coding *out,
                      struct buffer *data)
{
    unsigned bits = bits_for(words->count);
    size_t size = ints_packed_size(count, bits);
    char *room = buffer_reserve(data, size + 8);
    if (!room)
        return false;
    ints_pack(words->codes, count, bits, room);
    buffer_commit(data, size);
    *out = (struct slot_coding){
        .kind = SLOT_DICT, .dict_count = words->count, .dict = words->entries};
    return true;
}

/* What was written is read and printed again: a kind that is not exact is none. */
static bool is_exact(const struct slot_coding *coding, const struct slice *tokens, uint32_t count,
                     struct slice written, struct arena *arena)
{
    struct slot_tokens again;
    char text[SLOT_TEXT_MAX];
    if (!slot_coding_good(coding) || !slot_decode(coding, count, &written, arena, &again))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!slice_equal_short(slot_print(&again, i, text), tokens[i]))
            return false;
    return written.len == 0;
}

bool slot_encode(const struct slice *tokens, uint32_t count, struct arena *arena,
                 struct slot_coding *out, struct buffer *data)
{
    *out = (struct slot_coding){.kind = SLOT_REST};
    if (count < TYPED_FROM)
        return true;
    size_t before = data->len;
    struct look look = look_at(tokens, count);
    bool typed = choose_number(&look, tokens, count, arena, out, data) &&
                 is_exact(out, tokens, count, slice_from(buffer_slice(data), before), arena);
    struct words words = {0};
    if (!words_make(&words, count, arena))
        return false;
    if (words_fill(&words, tokens, count) &&
        (!typed || words_cost(&words, tokens, count) < data->len - before)) {
        data->len = before;
        return put_words(&words, count, out, data);
    }
    if (!typed) {
        data->len = before;
        *out = (struct slot_coding){.kind = SLOT_REST};
    }
    return !buffer_failed(data);
}

/* ---- reading ---- */

bool slot_coding_good(const struct slot_coding *coding)
{
    switch ((enum slot_kind)coding->kind) {
    case SLOT_REST:
    case SLOT_IP4:
    case SLOT_HEXINT:
        return true;
    case SLOT_INT:
    case SLOT_DIGITS:
        return coding->width <= DIGITS_MAX;
    case SLOT_HEX:
        return coding->width <= SLOT_HEX_MAX;
    case SLOT_GUID:
        return coding->width == GUID_LEN;
    case SLOT_DICT:
        return coding->dict_count <= DICT_MAX;
    case SLOT_CONSTANT:
    case SLOT_COLUMN:
    case SLOT_KIND_COUNT:
        break;
    }
    return false;
}

static size_t hex_bytes(const struct slot_coding *coding)
{
    return coding->kind == SLOT_GUID ? 16 : ((size_t)coding->width + 1) / 2;
}

bool slot_decode(const struct slot_coding *coding, uint32_t count, struct slice *data,
                 struct arena *arena, struct slot_tokens *out)
{
    *out = (struct slot_tokens){.coding = *coding};
    if (coding->kind == SLOT_REST)
        return true;
    if (coding->kind == SLOT_HEX || coding->kind == SLOT_GUID)
        return slice_take(data, hex_bytes(coding) * count, &out->bytes);
    if (coding->kind == SLOT_DICT) {
        unsigned bits = bits_for(coding->dict_count);
        uint32_t *codes = arena_alloc(arena, count * sizeof(*codes) + 4);
        struct slice packed;
        if (!codes || !slice_take(data, ints_packed_size(count, bits), &packed) ||
            !ints_unpack(packed, codes, count, bits))
            return false;
        for (uint32_t i = 0; i < count; i++)
            if (codes[i] >= coding->dict_count)
                return false;
        out->codes = codes;
        return true;
    }
    int64_t *numbers = arena_alloc(arena, count * sizeof(*numbers) + 8);
    out->numbers = numbers;
    return numbers && ints_take(data, numbers, count);
}

bool slot_skip(const struct slot_coding *coding, uint32_t count, struct slice *data)
{
    struct slice skipped;
    if (coding->kind == SLOT_REST)
        return true;
    if (coding->kind == SLOT_HEX || coding->kind == SLOT_GUID)
        return slice_take(data, hex_bytes(coding) * count, &skipped);
    if (coding->kind == SLOT_DICT)
        return slice_take(data, ints_packed_size(count, bits_for(coding->dict_count)), &skipped);
    return ints_skip(data, count);
}

/* Inlined, so that the division is by a constant. */
__attribute__((always_inline)) static inline struct slice print_digits(uint64_t n, unsigned base, const char *digits, char *end)
{
    char *at = end;
    do
        *--at = digits[n % base];
    while (n /= base);
    return slice_of(at, (size_t)(end - at));
}

static const char LOWER[] = "0123456789abcdef", UPPER[] = "0123456789ABCDEF";

static struct slice print_fraction(uint64_t n, unsigned fraction, char to[SLOT_TEXT_MAX])
{
    char *at = to + SLOT_TEXT_MAX;
    for (unsigned i = 0; i < fraction; i++, n /= 10)
        *--at = LOWER[n % 10];
    if (fraction)
        *--at = '.';
    struct slice whole = print_digits(n, 10, LOWER, at);
    return slice_of(whole.ptr, (size_t)(to + SLOT_TEXT_MAX - whole.ptr));
}

static char *put_bytes(const uint8_t *from, unsigned count, const char *digits, char *to)
{
    for (unsigned i = 0; i < count / 2; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    if (count % 2)
        *to++ = digits[from[count / 2] >> 4];
    return to;
}

static struct slice print_bytes(const struct slot_tokens *tokens, uint32_t n,
                                char to[SLOT_TEXT_MAX])
{
    const struct slot_coding *coding = &tokens->coding;
    const char *digits = coding->flags & SLOT_UPPER ? UPPER : LOWER;
    const uint8_t *from = (const uint8_t *)tokens->bytes.ptr + hex_bytes(coding) * n;
    char *at = to;
    if (coding->flags & SLOT_0X) {
        *at++ = '0';
        *at++ = 'x';
    }
    if (coding->kind == SLOT_GUID) {
        for (size_t part = 0; part < ARRAY_COUNT(GUID_PARTS); part++) {
            at = put_bytes(from, GUID_PARTS[part], digits, at);
            from += GUID_PARTS[part] / 2;
            *at++ = '-';
        }
        at--;
    } else {
        at = put_bytes(from, coding->width, digits, at);
    }
    return slice_of(to, (size_t)(at - to));
}

static struct slice print_ip4(uint32_t ip, char to[SLOT_TEXT_MAX])
{
    char *at = to + SLOT_TEXT_MAX;
    for (int part = 0; part < 4; part++, ip >>= 8) {
        if (part)
            *--at = '.';
        at = (char *)(uintptr_t)print_digits(ip & 255, 10, LOWER, at).ptr;
    }
    return slice_of(at, (size_t)(to + SLOT_TEXT_MAX - at));
}

struct slice slot_print(const struct slot_tokens *tokens, uint32_t n, char to[SLOT_TEXT_MAX])
{
    const struct slot_coding *coding = &tokens->coding;
    char *end = to + SLOT_TEXT_MAX;
    uint64_t number = tokens->numbers ? (uint64_t)tokens->numbers[n] : 0;
    struct slice text;
    switch ((enum slot_kind)coding->kind) {
    case SLOT_INT:
        return print_fraction(number, coding->width, to);
    case SLOT_DIGITS:
        for (char *at = end; at > end - coding->width; number /= 10)
            *--at = LOWER[number % 10];
        return slice_of(end - coding->width, coding->width);
    case SLOT_HEXINT:
        text = print_digits(number, 16, coding->flags & SLOT_UPPER ? UPPER : LOWER, end);
        if (!(coding->flags & SLOT_0X))
            return text;
        end = (char *)(uintptr_t)text.ptr - 2;
        end[0] = '0';
        end[1] = 'x';
        return slice_of(end, text.len + 2);
    case SLOT_HEX:
    case SLOT_GUID:
        return print_bytes(tokens, n, to);
    case SLOT_IP4:
        return print_ip4((uint32_t)number, to);
    case SLOT_REST:
    case SLOT_CONSTANT:
    case SLOT_COLUMN:
    case SLOT_DICT:
    case SLOT_KIND_COUNT:
        break;
    }
    return SLICE_NONE;
}

const char *slot_printed_bytes(uint8_t kind)
{
    switch ((enum slot_kind)kind) {
    case SLOT_INT:
    case SLOT_IP4:
        return "0123456789.";
    case SLOT_DIGITS:
        return "0123456789";
    case SLOT_HEXINT:
    case SLOT_HEX:
        return "0123456789abcdefxABCDEFX";
    case SLOT_GUID:
        return "0123456789abcdef-ABCDEF";
    case SLOT_REST:
    case SLOT_CONSTANT:
    case SLOT_COLUMN:
    case SLOT_DICT:
    case SLOT_KIND_COUNT:
        break;
    }
    return NULL;
}

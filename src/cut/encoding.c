#include "cut/encoding.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <errno.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

void encoding_close(struct encoding *encoding)
{
    if (encoding->open)
        iconv_close(encoding->converter);
    *encoding = (struct encoding){0};
}

static bool encoding_open(struct encoding *encoding, struct slice name)
{
    if (encoding->open && slice_is(name, encoding->name))
        return true;
    encoding_close(encoding);
    if (name.len == 0 || name.len >= ENCODING_NAME_MAX)
        return false;
    memcpy(encoding->name, name.ptr, name.len);
    encoding->name[name.len] = '\0';
    encoding->converter = iconv_open("UTF-8", encoding->name);
    encoding->open = (intptr_t)encoding->converter != -1; /* iconv_open(3): (iconv_t)-1 */
    return encoding->open;
}

bool encoding_is_known(struct slice name)
{
    struct encoding encoding = {0};
    bool known = encoding_open(&encoding, name);
    encoding_close(&encoding);
    return known;
}

/* No encoding that iconv knows makes more than four bytes of UTF-8 from one byte. */
struct slice encoding_to_utf8(struct encoding *encoding, struct slice name, struct slice text,
                              struct arena *arena, bool *damaged)
{
    size_t room = text.len * 4 + sizeof(REPLACEMENT), left = text.len;
    char *start = encoding_open(encoding, name) ? arena_alloc(arena, room) : NULL;
    char *to = start, *from = (char *)(uintptr_t)text.ptr;
    if (!start)
        return SLICE_NONE;
    iconv(encoding->converter, NULL, NULL, NULL, NULL);
    while (left > 0 && iconv(encoding->converter, &from, &left, &to, &room) == (size_t)-1) {
        if (errno == E2BIG || room < sizeof(REPLACEMENT))
            return SLICE_NONE;
        to = mempcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        room -= sizeof(REPLACEMENT) - 1;
        from++;
        left--;
        *damaged = true;
    }
    return slice_of(start, (size_t)(to - start));
}

/* ---- guessing ---- */

/* Points of a character; kana are what every Japanese text has. */
enum { POINTS_KANA = 4, POINTS_LEVEL1 = 3, POINTS_SIGN = 2, POINTS_RARE = -2, POINTS_WRONG = -1000000 };
/* Half-width kana: of EUC-JP two bytes that hardly mean anything else; of CP932 one byte, which counts when there
 * are several. */
enum { POINTS_HALF_EUC = 4, POINTS_HALF_FIRST = -1, POINTS_HALF_NEXT = 1 };

static bool in(unsigned char c, unsigned char from, unsigned char to)
{
    return c >= from && c <= to;
}

/* Row 1 to 94 of JIS X 0208. */
static int points_of_row(unsigned row)
{
    if (row == 4 || row == 5)
        return POINTS_KANA;
    if (row <= 3)
        return POINTS_SIGN;
    return row >= 16 && row <= 47 ? POINTS_LEVEL1 : POINTS_RARE;
}

static int points_euc(const unsigned char *at, size_t left, bool half_before, size_t *used)
{
    (void)half_before;
    *used = at[0] == 0x8f ? 3 : 2;
    if (left < *used)
        return 0; /* cut off */
    if (at[0] == 0x8e)
        return in(at[1], 0xa1, 0xdf) ? POINTS_HALF_EUC : POINTS_WRONG;
    if (at[0] == 0x8f)
        return in(at[1], 0xa1, 0xfe) && in(at[2], 0xa1, 0xfe) ? POINTS_RARE : POINTS_WRONG;
    return in(at[0], 0xa1, 0xfe) && in(at[1], 0xa1, 0xfe) ? points_of_row(at[0] - 0xa0U) : POINTS_WRONG;
}

static int points_cp932(const unsigned char *at, size_t left, bool half_before, size_t *used)
{
    *used = 1;
    if (in(at[0], 0xa1, 0xdf))
        return half_before ? POINTS_HALF_NEXT : POINTS_HALF_FIRST;
    *used = 2;
    if (left < 2 && in(at[0], 0x81, 0xfc))
        return 0;
    if (left < 2 || !(in(at[0], 0x81, 0x9f) || in(at[0], 0xe0, 0xfc)) ||
        !(in(at[1], 0x40, 0x7e) || in(at[1], 0x80, 0xfc)))
        return POINTS_WRONG;
    unsigned lead = at[0] - (at[0] >= 0xe0 ? 0xc1U : 0x81U);
    return points_of_row(lead * 2 + 1 + (at[1] >= 0x9f));
}

static int points(struct slice text,
                  int (*of)(const unsigned char *at, size_t left, bool half_before, size_t *used))
{
    bool half = false;
    int sum = 0;
    for (size_t i = 0, used; i < text.len; i += used) {
        const unsigned char *at = (const unsigned char *)text.ptr + i;
        used = 1;
        if (*at < 0x80) {
            half = false;
            continue;
        }
        int one = of(at, text.len - i, half, &used);
        half = used == 1;
        if (one == POINTS_WRONG)
            return one;
        sum += one;
    }
    return sum;
}

/* Sixteen bytes at a time: gcc and clang make the processor's vector instructions of it, whichever it has. */
typedef unsigned char sixteen __attribute__((vector_size(16)));

static inline sixteen not_plain(const char *at)
{
    sixteen bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return (bytes & 0x80) | (sixteen)(bytes == 0x1b);
}

static inline bool is_zero(sixteen bytes)
{
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof(halves));
    return (halves[0] | halves[1]) == 0;
}

/* No byte but ASCII, and no escape. */
static bool is_plain(struct slice text)
{
    enum { LEN = sizeof(sixteen) };
    size_t i = 0;
    for (; i + 4 * LEN <= text.len; i += 4 * LEN) {
        const char *at = text.ptr + i;
        if (!is_zero(not_plain(at) | not_plain(at + LEN) | not_plain(at + 2 * LEN) | not_plain(at + 3 * LEN)))
            return false;
    }
    for (; i + LEN <= text.len; i += LEN)
        if (!is_zero(not_plain(text.ptr + i)))
            return false;
    if (text.len >= LEN)
        return is_zero(not_plain(text.ptr + text.len - LEN));
    for (; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80 || text.ptr[i] == 0x1b)
            return false;
    return true;
}

struct slice encoding_guess(struct slice text)
{
    if (is_plain(text))
        return SLICE_NONE;
    if (utf8_is_ascii(text)) /* only an escape: RFC 1468 */
        return slice_find(text, SLICE("\x1b$B")) >= 0 || slice_find(text, SLICE("\x1b$@")) >= 0 ? SLICE("ISO-2022-JP")
                                                                                              : SLICE_NONE;
    if (utf8_valid(text) || slice_find_char(text, '\0') >= 0) /* NUL: lengths and values that are no text */
        return SLICE_NONE;
    int euc = points(text, points_euc), cp932 = points(text, points_cp932);
    if (euc <= 0 && cp932 <= 0)
        return SLICE_NONE;
    return euc >= cp932 ? SLICE("EUC-JP") : SLICE("CP932");
}

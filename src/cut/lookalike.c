#include "cut/lookalike.h"

#include "base/attr.h"
#include "base/utf8.h"

enum { LABEL_MAX_BYTES = 63 }; /* RFC 1035, section 2.3.4 */

/* The letter below the accents, by code point; a dot: none. */
static const char latin[] = /* U+00C0 .. U+024F */
    "aaaaaa.ceeeeiiiidnooooo.ouuuuypbaaaaaa.ceeeeiiiidnooooo.ouuuuypy"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllll."
    ".llnnnnnn.nnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "bbbb...ccdddd....ffg..iikkl..nnooo..pp.ss..ttttuu.uyyzz.....ss.p"
    "l............aaiioouuuuuuuuuu.aaaa....ggkkoooo..j...gg.pnnaa..oo"
    "aaaaeeeeiiiioooorrrruuuusstt..hhnd..zzaaeeooooooooyylntj..acclts"
    "z..bu.eejjqqrryy";
static const char latin_more[] = /* U+1E00 .. U+1EFF */
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwy.s..b.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

struct look {
    uint16_t from;
    char to;
};
static const struct look looks[] = {
    {0x00a1, 'i'}, {0x00aa, 'a'}, {0x00b5, 'u'}, {0x00ba, 'o'}, {0x00d7, 'x'}, {0x0250, 'a'}, {0x0251, 'a'},
    {0x0254, 'o'}, {0x0255, 'c'}, {0x0258, 'e'}, {0x025b, 'e'}, {0x025c, 'e'}, {0x025f, 'j'}, {0x0261, 'g'},
    {0x0262, 'g'}, {0x0266, 'h'}, {0x0269, 'i'}, {0x026a, 'i'}, {0x026b, 'l'}, {0x026c, 'l'}, {0x026d, 'l'},
    {0x026f, 'w'}, {0x0271, 'm'}, {0x0273, 'n'}, {0x0274, 'n'}, {0x0275, 'o'}, {0x0278, 'o'}, {0x027c, 'r'},
    {0x027d, 'r'}, {0x027e, 'r'}, {0x0280, 'r'}, {0x0282, 's'}, {0x0284, 'f'}, {0x0289, 'u'}, {0x028b, 'u'},
    {0x028c, 'v'}, {0x028f, 'y'}, {0x0290, 'z'}, {0x0291, 'z'}, {0x0299, 'b'}, {0x029c, 'h'}, {0x029d, 'j'},
    {0x029f, 'l'}, {0x02a0, 'q'}, {0x03ac, 'a'}, {0x03ad, 'e'}, {0x03ae, 'n'}, {0x03af, 'i'}, {0x03b1, 'a'},
    {0x03b2, 'b'}, {0x03b3, 'y'}, {0x03b5, 'e'}, {0x03b7, 'n'}, {0x03b9, 'i'}, {0x03ba, 'k'}, {0x03bc, 'u'},
    {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c0, 'n'}, {0x03c1, 'p'}, {0x03c2, 'c'}, {0x03c3, 'o'}, {0x03c4, 't'},
    {0x03c5, 'u'}, {0x03c7, 'x'}, {0x03c9, 'w'}, {0x03ca, 'i'}, {0x03cb, 'u'}, {0x03cc, 'o'}, {0x03cd, 'u'},
    {0x03ce, 'w'}, {0x03f1, 'p'}, {0x03f2, 'c'}, {0x03f3, 'j'}, {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'},
    {0x0435, 'e'}, {0x0438, 'n'}, {0x0439, 'n'}, {0x043a, 'k'}, {0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'},
    {0x043f, 'n'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0446, 'u'},
    {0x0448, 'w'}, {0x0449, 'w'}, {0x044c, 'b'}, {0x0450, 'e'}, {0x0451, 'e'}, {0x0454, 'e'}, {0x0455, 's'},
    {0x0456, 'i'}, {0x0457, 'i'}, {0x0458, 'j'}, {0x045b, 'h'}, {0x045c, 'k'}, {0x045d, 'n'}, {0x045e, 'y'},
    {0x0461, 'w'}, {0x0475, 'v'}, {0x0493, 'f'}, {0x0497, 'x'}, {0x049b, 'k'}, {0x049d, 'k'}, {0x04a1, 'k'},
    {0x04a3, 'h'}, {0x04ab, 'c'}, {0x04af, 'y'}, {0x04b1, 'y'}, {0x04b3, 'x'}, {0x04bb, 'h'}, {0x04cf, 'l'},
    {0x04d1, 'a'}, {0x04d3, 'a'}, {0x04d5, 'a'}, {0x04e7, 'o'}, {0x04e9, 'o'}, {0x04fd, 'x'}, {0x0501, 'd'},
    {0x050b, 'h'}, {0x050d, 'g'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0561, 'w'}, {0x0566, 'q'}, {0x056c, 'l'},
    {0x0570, 'h'}, {0x0578, 'n'}, {0x057c, 'n'}, {0x057d, 'u'}, {0x0581, 'g'}, {0x0582, 'l'}, {0x0584, 'p'},
    {0x0585, 'o'}, {0x1d00, 'a'}, {0x1d04, 'c'}, {0x1d05, 'd'}, {0x1d07, 'e'}, {0x1d0a, 'j'}, {0x1d0b, 'k'},
    {0x1d0d, 'm'}, {0x1d0f, 'o'}, {0x1d11, 'o'}, {0x1d18, 'p'}, {0x1d1b, 't'}, {0x1d1c, 'u'}, {0x1d20, 'v'},
    {0x1d21, 'w'}, {0x1d22, 'z'}, {0x2113, 'l'}, {0x2170, 'i'}, {0x2174, 'v'}, {0x2179, 'x'}, {0x217c, 'l'},
    {0x217d, 'c'}, {0x217e, 'd'}, {0x217f, 'm'}, {0x2c61, 'l'}, {0x2c65, 'a'}, {0x2c66, 't'}, {0xa731, 's'},
};

static bool unseen(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x487) || (c >= 0x1ab0 && c <= 0x1aff) ||
           (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x200b && c <= 0x200f) || (c >= 0x20d0 && c <= 0x20ff) ||
           (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfe20 && c <= 0xfe2f) || c == 0xad || c == 0x2060 || c == 0xfeff;
}

static char look_find(uint32_t c)
{
    size_t low = 0, high = ARRAY_COUNT(looks);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (looks[middle].from == c)
            return looks[middle].to;
        if (looks[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* The letter of ASCII that the code point looks like, 0 when it looks like none. */
static char letter(uint32_t c)
{
    char found = 0;
    if (c >= 0xc0 && c < 0xc0 + sizeof(latin) - 1)
        found = latin[c - 0xc0];
    else if (c >= 0x1e00 && c < 0x1e00 + sizeof(latin_more) - 1)
        found = latin_more[c - 0x1e00];
    else if (c >= 0xff01 && c <= 0xff5e) /* full-width */
        found = (char)(c - 0xff01 + '!');
    else if (c >= 0x1d400 && c <= 0x1d6a3) /* mathematical letters: alphabets of 26 capitals, 26 small */
        found = (char)('a' + (c - 0x1d400) % 26);
    else if (c >= 0x1d7ce && c <= 0x1d7ff) /* mathematical digits */
        found = (char)('0' + (c - 0x1d7ce) % 10);
    else if (c >= 0x24d0 && c <= 0x24e9) /* letters in circles, small */
        found = (char)('a' + (c - 0x24d0));
    return found && (found != '.' || c == 0xff0e) ? found : look_find(c);
}

static size_t put(uint32_t c, char *to)
{
    if (unseen(c))
        return 0;
    if (c >= 0x80) {
        char found = letter(c);
        if (!found)
            found = letter(utf8_fold(c));
        bool stop = c == 0x3002 || c == 0xff61; /* the full-width one is among the letters */
        c = found ? (unsigned char)found : stop ? '.' : utf8_fold(c);
    }
    if (c >= 'A' && c <= 'Z')
        c |= 0x20;
    return utf8_encode(c, to);
}

static size_t put_text(struct slice label, char *to)
{
    size_t len = 0;
    while (label.len) {
        uint32_t c;
        size_t used = utf8_decode(label, &c);
        if (used)
            len += put(c, to + len);
        else
            to[len++] = label.ptr[0]; /* stands for itself */
        label = slice_from(label, used ? used : 1);
    }
    return len;
}

/* RFC 3492, section 6.1, with the parameters of section 5. */
static uint32_t adapted(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / 700 : delta / 2;
    for (delta += delta / points; delta > 35 * 26 / 2; k += 36)
        delta /= 35;
    return k + 36 * delta / (delta + 38);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0' + 26;
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

/* One number in variable length, added to *i. The characters that it takes; 0: it is none. */
static size_t punycode_number(struct slice s, uint32_t bias, uint32_t *i)
{
    uint32_t weight = 1;
    for (size_t at = 0; at < s.len; at++) {
        uint32_t k = 36 * ((uint32_t)at + 1);
        uint32_t least = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        int digit = digit_of(s.ptr[at]);
        uint32_t add;
        if (digit < 0 || __builtin_mul_overflow((uint32_t)digit, weight, &add) || __builtin_add_overflow(*i, add, i))
            return 0;
        if ((uint32_t)digit < least)
            return at + 1;
        if (__builtin_mul_overflow(weight, 36 - least, &weight))
            return 0;
    }
    return 0;
}

/* What stands behind xn--, as code points. Their count; 0: it is not Punycode. */
static size_t punycode(struct slice s, uint32_t to[LABEL_MAX_BYTES])
{
    size_t count = 0, plain = 0;
    uint32_t n = 0x80, i = 0, bias = 72;
    for (size_t at = 0; at < s.len; at++)
        plain = s.ptr[at] == '-' ? at : plain;
    for (; count < plain; count++)
        to[count] = (unsigned char)s.ptr[count];
    s = slice_from(s, plain ? plain + 1 : 0);
    while (s.len) {
        uint32_t before = i;
        size_t used = punycode_number(s, bias, &i);
        uint32_t points = (uint32_t)count + 1;
        if (!used || i / points > 0x10ffff - n)
            return 0;
        bias = adapted(i - before, points, before == 0);
        n += i / points;
        if (n >= 0xd800 && n <= 0xdfff)
            return 0;
        i %= points;
        for (size_t at = count++; at > i; at--)
            to[at] = to[at - 1];
        to[i++] = n;
        s = slice_from(s, used);
    }
    return count;
}

static size_t put_label(struct slice label, char *to)
{
    uint32_t points[LABEL_MAX_BYTES];
    size_t count = 0, len = 0;
    if (label.len <= LABEL_MAX_BYTES && label.len > 4 && slice_is_nocase(slice_sub(label, 0, 4), "xn--"))
        count = punycode(slice_from(label, 4), points);
    if (!count)
        return put_text(label, to);
    for (size_t i = 0; i < count; i++)
        len += put(points[i], to + len);
    return len;
}

size_t lookalike_write(struct slice name, char *to)
{
    size_t len = 0;
    for (;;) {
        ptrdiff_t dot = slice_find_char(name, '.');
        size_t end = dot < 0 ? name.len : (size_t)dot;
        len += put_label(slice_sub(name, 0, end), to + len);
        if (dot < 0)
            return len;
        to[len++] = '.';
        name = slice_from(name, end + 1);
    }
}

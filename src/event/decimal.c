#include "event/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static uint128 power_of_ten(unsigned exponent)
{
    enum { WORD_MOST = 19 }; /* the greatest that fits into 64 bits */
    static const uint64_t powers[WORD_MOST + 1] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
        1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
        1000000000000000000, UINT64_C(10000000000000000000)};
    assert(exponent <= DECIMAL_DIGITS_MAX);
    return exponent <= WORD_MOST ? powers[exponent] : (uint128)powers[WORD_MOST] * powers[exponent - WORD_MOST];
}

/* 10^37, the least number of 38 digits. */
#define WIDEST ((uint128)UINT64_C(10000000000000000000) * UINT64_C(1000000000000000000))

static uint128 magnitude(int128 n)
{
    return n < 0 ? -(uint128)n : (uint128)n;
}

static bool fits(uint128 size)
{
    return size < power_of_ten(DECIMAL_DIGITS_MAX);
}

struct mantissa {
    uint128 digits;
    int scale;
    bool any;
};

/* Digits with at most one point; stops at the first other byte. False when 38 digits do not do. */
static bool take_mantissa(struct slice *text, struct mantissa *m)
{
    bool point = false;
    for (; text->len; *text = slice_from(*text, 1)) {
        char c = text->ptr[0];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        uint128 next = m->digits * 10 + (unsigned)(c - '0');
        if (m->digits >= WIDEST)
            return false;
        m->digits = next;
        m->scale += point;
        m->any = true;
        if (m->scale > DECIMAL_DIGITS_MAX)
            return false;
    }
    return m->any;
}

static bool take_exponent(struct slice *text, int64_t *exponent)
{
    *exponent = 0;
    if (!text->len || (text->ptr[0] | 0x20) != 'e')
        return true;
    struct slice digits = slice_from(*text, 1);
    if (digits.len && digits.ptr[0] == '+')
        digits = slice_from(digits, 1);
    *text = SLICE_NONE;
    return slice_to_i64(digits, exponent) && *exponent >= -1000 && *exponent <= 1000;
}

bool decimal_parse(struct slice text, struct decimal *out)
{
    bool negative = text.len && text.ptr[0] == '-';
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        text = slice_from(text, 1);
    struct mantissa m = {0};
    int64_t exponent;
    if (!take_mantissa(&text, &m) || !take_exponent(&text, &exponent) || text.len)
        return false;
    int64_t scale = m.scale - exponent;
    while (scale > DECIMAL_DIGITS_MAX && m.digits % 10 == 0 && m.digits) {
        m.digits /= 10;
        scale--;
    }
    for (; scale < 0; scale++) {
        if (m.digits >= WIDEST)
            return false;
        m.digits *= 10;
    }
    if (scale > DECIMAL_DIGITS_MAX && m.digits)
        return false;
    out->scale = (uint8_t)(m.digits || scale <= DECIMAL_DIGITS_MAX ? scale : 0);
    out->coefficient = negative ? -(int128)m.digits : (int128)m.digits;
    return true;
}

struct decimal decimal_from_i64(int64_t n)
{
    return (struct decimal){.coefficient = n, .scale = 0};
}

size_t decimal_format(struct decimal d, char to[DECIMAL_TEXT_SIZE])
{
    char digits[DECIMAL_TEXT_SIZE];
    size_t count = 0;
    uint128 rest = magnitude(d.coefficient);
    for (; rest > UINT64_MAX; rest /= 10)
        digits[count++] = (char)('0' + (int)(rest % 10));
    for (uint64_t low = (uint64_t)rest; low || count <= d.scale; low /= 10) /* a division of 128 bits takes ten times as long */
        digits[count++] = (char)('0' + (int)(low % 10));
    size_t len = 0;
    if (d.coefficient < 0)
        to[len++] = '-';
    while (count > 0) {
        if (count == d.scale)
            to[len++] = '.';
        to[len++] = digits[--count];
    }
    to[len] = '\0';
    return len;
}

double decimal_to_f64(struct decimal d)
{
    /* Both are doubles exactly, and so their quotient is rounded but once (W. D. Clinger, "How to read
     * floating point numbers accurately", 1990). */
    enum { EXACT_POWERS = 22 };
    static const double powers[EXACT_POWERS + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int128 most = (int128)1 << 53;
    char text[DECIMAL_TEXT_SIZE];
    if (d.scale <= EXACT_POWERS && d.coefficient <= most && d.coefficient >= -most)
        return (double)(int64_t)d.coefficient / powers[d.scale];
    decimal_format(d, text);
    return strtod(text, NULL); /* correctly rounded, which dividing would not be */
}

struct decimal decimal_trim(struct decimal d)
{
    while (d.scale > 0 && d.coefficient != (int64_t)d.coefficient && d.coefficient % 10 == 0) {
        d.coefficient /= 10;
        d.scale--;
    }
    if (d.coefficient != (int64_t)d.coefficient)
        return d;
    int64_t low = (int64_t)d.coefficient; /* a division of 128 bits takes ten times as long */
    while (d.scale > 0 && low % 10 == 0) {
        low /= 10;
        d.scale--;
    }
    d.coefficient = low;
    return d;
}

bool decimal_is_integer(struct decimal d)
{
    return decimal_trim(d).scale == 0;
}

bool decimal_to_i64(struct decimal d, int64_t *out)
{
    d = decimal_trim(d);
    if (d.scale != 0 || d.coefficient > INT64_MAX || d.coefficient < INT64_MIN)
        return false;
    *out = (int64_t)d.coefficient;
    return true;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    int sign_a = (a.coefficient > 0) - (a.coefficient < 0);
    int sign_b = (b.coefficient > 0) - (b.coefficient < 0);
    if (sign_a != sign_b || sign_a == 0)
        return sign_a - sign_b;
    /* Same sign: compare whole parts, then fractions brought to the same scale. */
    uint128 unit_a = power_of_ten(a.scale), unit_b = power_of_ten(b.scale);
    uint128 size_a = magnitude(a.coefficient), size_b = magnitude(b.coefficient);
    uint128 whole_a = size_a / unit_a, whole_b = size_b / unit_b;
    if (whole_a != whole_b)
        return whole_a > whole_b ? sign_a : -sign_a;
    uint128 part_a = size_a % unit_a, part_b = size_b % unit_b; /* < 10^scale each */
    if (a.scale < b.scale)
        part_a *= power_of_ten((unsigned)(b.scale - a.scale));
    else
        part_b *= power_of_ten((unsigned)(a.scale - b.scale));
    return part_a == part_b ? 0 : part_a > part_b ? sign_a : -sign_a;
}

/* d with a larger scale; false when the digits do not fit. */
static bool rescale(struct decimal d, uint8_t scale, int128 *out)
{
    uint128 size = magnitude(d.coefficient);
    for (uint8_t at = d.scale; at < scale; at++) {
        if (size >= power_of_ten(DECIMAL_DIGITS_MAX - 1))
            return false;
        size *= 10;
    }
    *out = d.coefficient < 0 ? -(int128)size : (int128)size;
    return true;
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *out)
{
    int128 x, y;
    uint8_t scale = a.scale > b.scale ? a.scale : b.scale;
    if (!rescale(a, scale, &x) || !rescale(b, scale, &y)) {
        a = decimal_trim(a);
        b = decimal_trim(b);
        scale = a.scale > b.scale ? a.scale : b.scale;
        if (!rescale(a, scale, &x) || !rescale(b, scale, &y))
            return false;
    }
    int128 sum = x + y; /* both below 10^38: no overflow */
    if (!fits(magnitude(sum)))
        return false;
    *out = (struct decimal){sum, scale};
    return true;
}

bool decimal_subtract(struct decimal a, struct decimal b, struct decimal *out)
{
    b.coefficient = -b.coefficient;
    return decimal_add(a, b, out);
}

bool decimal_multiply(struct decimal a, struct decimal b, struct decimal *out)
{
    a = decimal_trim(a);
    b = decimal_trim(b);
    int128 product;
    if (a.scale + b.scale > DECIMAL_DIGITS_MAX ||
        __builtin_mul_overflow(a.coefficient, b.coefficient, &product) || !fits(magnitude(product)))
        return false;
    *out = (struct decimal){product, (uint8_t)(a.scale + b.scale)};
    return true;
}

struct decimal decimal_round(struct decimal d, uint8_t places)
{
    if (d.scale <= places)
        return d;
    uint128 unit = power_of_ten((unsigned)(d.scale - places));
    uint128 size = magnitude(d.coefficient);
    uint128 rounded = size / unit + (size % unit * 2 >= unit);
    return (struct decimal){d.coefficient < 0 ? -(int128)rounded : (int128)rounded, places};
}

/* sum += a * b, all as two's complement 256-bit words; a < 2^128, b < 2^128. */
static void add_product(uint64_t word[4], uint128 a, uint128 b, bool negative)
{
    uint64_t x[2] = {(uint64_t)a, (uint64_t)(a >> 64)};
    uint64_t y[2] = {(uint64_t)b, (uint64_t)(b >> 64)};
    uint64_t product[4] = {0};
    for (int i = 0; i < 2; i++) {
        uint128 carry = 0;
        for (int j = 0; j < 2; j++) {
            carry += (uint128)x[i] * y[j] + product[i + j];
            product[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
        product[i + 2] = (uint64_t)carry;
    }
    uint128 carry = negative;
    for (int i = 0; i < 4; i++) {
        carry += (uint128)word[i] + (negative ? ~product[i] : product[i]);
        word[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

void decimal_sum_add(struct decimal_sum *sum, struct decimal d)
{
    if (d.scale > sum->scale)
        sum->scale = d.scale;
    add_product(sum->word, magnitude(d.coefficient),
                power_of_ten((unsigned)(DECIMAL_DIGITS_MAX - d.scale)), d.coefficient < 0);
}

void decimal_sum_merge(struct decimal_sum *sum, const struct decimal_sum *other)
{
    uint128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (uint128)sum->word[i] + other->word[i];
        sum->word[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (other->scale > sum->scale)
        sum->scale = other->scale;
}

/* word /= by */
static void divide(uint64_t word[4], uint64_t by)
{
    uint128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | word[i];
        word[i] = (uint64_t)(rest / by);
        rest %= by;
    }
}

enum { DIGITS_A_WORD = 19 }; /* 10^19 is the greatest power of ten below 2^64 */

/* to = from, or -from. */
static void signed_words(const uint64_t from[4], bool negative, uint64_t to[4])
{
    uint128 carry = negative;
    for (int i = 0; i < 4; i++) {
        carry += negative ? ~from[i] : from[i];
        to[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* The amount without its sign in units of 10^-scale; the digits behind that are zeros. True: it is negative. */
static bool sum_magnitude(const struct decimal_sum *sum, uint64_t word[4])
{
    bool negative = sum->word[3] >> 63;
    signed_words(sum->word, negative, word);
    for (unsigned left = (unsigned)(DECIMAL_DIGITS_MAX - sum->scale), step; left; left -= step) {
        step = left < DIGITS_A_WORD ? left : DIGITS_A_WORD;
        divide(word, (uint64_t)power_of_ten(step));
    }
    return negative;
}

bool decimal_sum_total(const struct decimal_sum *sum, struct decimal *out)
{
    uint64_t word[4];
    bool negative = sum_magnitude(sum, word);
    uint128 size = (uint128)word[1] << 64 | word[0];
    if (word[3] || word[2] || !fits(size))
        return false;
    *out = (struct decimal){negative ? -(int128)size : (int128)size, sum->scale};
    return true;
}

void decimal_sum_units(const struct decimal_sum *sum, uint64_t word[4])
{
    uint64_t size[4];
    bool negative = sum_magnitude(sum, size);
    signed_words(size, negative, word);
}

void decimal_sum_of_units(const uint64_t word[4], uint8_t scale, struct decimal_sum *out)
{
    uint128 unit = power_of_ten((unsigned)(DECIMAL_DIGITS_MAX - scale));
    const uint64_t by[2] = {(uint64_t)unit, (uint64_t)(unit >> 64)};
    *out = (struct decimal_sum){.scale = scale};
    for (int j = 0; j < 2; j++) {
        uint128 carry = 0;
        for (int i = 0; i + j < 4; i++) {
            carry += (uint128)word[i] * by[j] + out->word[i + j];
            out->word[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
    }
}

int decimal_sum_compare(const struct decimal_sum *a, const struct decimal_sum *b)
{
    if (a->word[3] != b->word[3])
        return (int64_t)a->word[3] < (int64_t)b->word[3] ? -1 : 1;
    for (int i = 2; i >= 0; i--)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

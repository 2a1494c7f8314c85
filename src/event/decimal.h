#pragma once
/*
 * event/decimal: exact money. coefficient / 10^scale, up to 38 digits.
 * The scale is kept as written ("1.50" prints "1.50"); comparing is by value.
 */
#include "base/slice.h"

#include <stdint.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

enum { DECIMAL_DIGITS_MAX = 38, DECIMAL_TEXT_SIZE = 48 };

struct decimal {
    int128 coefficient; /* |coefficient| < 10^38 */
    uint8_t scale;      /* digits after the point, 0..38 */
};

/* "-12.340", "1e3", "2.5E-7". False when it is no number or needs more than 38 digits: then the
 * text itself is kept by the caller. */
bool decimal_parse(struct slice text, struct decimal *out);
struct decimal decimal_from_i64(int64_t n);
/* Never an exponent. Returns the length. */
size_t decimal_format(struct decimal d, char to[DECIMAL_TEXT_SIZE]);
double decimal_to_f64(struct decimal d);
bool decimal_is_integer(struct decimal d);
bool decimal_to_i64(struct decimal d, int64_t *out); /* false when it has a fraction or does not fit */
struct decimal decimal_trim(struct decimal d);       /* without trailing zeros after the point */

int decimal_compare(struct decimal a, struct decimal b); /* exact for every pair */
/* False when the exact result needs more than 38 digits. */
bool decimal_add(struct decimal a, struct decimal b, struct decimal *out);
bool decimal_subtract(struct decimal a, struct decimal b, struct decimal *out);
bool decimal_multiply(struct decimal a, struct decimal b, struct decimal *out);
/* To places digits after the point, half away from zero. */
struct decimal decimal_round(struct decimal d, uint8_t places);

/* A sum that cannot overflow on less than 10^38 addends: 256 bits at a fixed scale of 38. */
struct decimal_sum {
    uint64_t word[4]; /* two's complement, least significant first */
    uint8_t scale;    /* the largest scale seen: how the result is shown */
};
void decimal_sum_add(struct decimal_sum *sum, struct decimal d);
void decimal_sum_merge(struct decimal_sum *sum, const struct decimal_sum *other);
/* False when the total needs more than 38 digits. */
bool decimal_sum_total(const struct decimal_sum *sum, struct decimal *out);
/* What was summed in units of 10^-scale, exactly, as two's complement; and back. For keeping a sum in less room. */
void decimal_sum_units(const struct decimal_sum *sum, uint64_t word[4]);
void decimal_sum_of_units(const uint64_t word[4], uint8_t scale, struct decimal_sum *out);
int decimal_sum_compare(const struct decimal_sum *a, const struct decimal_sum *b);

/* Between numbers and text, and digests. */
#include "expr/function.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>

static int64_t to_integer(struct value number)
{
    double n = value_to_f64(number);
    if (number.type == VALUE_I64)
        return number.i64;
    return n >= -9.2e18 && n <= 9.2e18 ? (int64_t)n : 0;
}

/* 1234567.891 -> 1,234,567.89: two decimals only where there is a fraction. */
static struct slice with_commas(struct value number, struct arena *arena)
{
    char digits[DECIMAL_TEXT_SIZE];
    struct decimal d;
    char text[32];
    if (number.type == VALUE_I64)
        d = decimal_from_i64(number.i64);
    else if (number.type == VALUE_DECIMAL)
        d = value_get_decimal(number);
    else if (!decimal_parse(slice_of(text, json_format_f64(number.f64, text)), &d))
        return SLICE_NONE;
    size_t len = decimal_format(decimal_round(d, decimal_is_integer(d) ? 0 : 2), digits);
    struct slice all = slice_of(digits, len), whole = all, fraction = SLICE_NONE;
    slice_cut(all, '.', &whole, &fraction);
    struct buffer out;
    buffer_init(&out, 256);
    size_t sign = whole.len && whole.ptr[0] == '-';
    for (size_t i = 0; i < whole.len; i++) {
        if (i > sign && (whole.len - i) % 3 == 0)
            buffer_put_char(&out, ',');
        buffer_put_char(&out, whole.ptr[i]);
    }
    if (fraction.len) {
        buffer_put_char(&out, '.');
        buffer_put(&out, fraction);
    }
    struct slice copy = arena_copy(arena, buffer_slice(&out));
    buffer_close(&out);
    return copy;
}

static struct slice as_duration(int64_t seconds, struct arena *arena)
{
    const char *sign = seconds < 0 ? "-" : "";
    uint64_t n = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    unsigned long long days = n / 86400;
    int hour = (int)(n / 3600 % 24), minute = (int)(n / 60 % 60), second = (int)(n % 60);
    if (days)
        return arena_printf(arena, "%s%llu+%02d:%02d:%02d", sign, days, hour, minute, second);
    return arena_printf(arena, "%s%02d:%02d:%02d", sign, hour, minute, second);
}

static struct slice as_binary(uint64_t n, struct arena *arena)
{
    char bits[65];
    size_t at = sizeof(bits);
    do
        bits[--at] = (char)('0' + (n & 1));
    while (n >>= 1);
    return arena_copy(arena, slice_of(bits + at, sizeof(bits) - at));
}

static int formatted(struct call *call, struct value v, struct slice format, struct value *out)
{
    struct arena *arena = call->scope->scratch;
    struct value number;
    struct slice text = SLICE_NONE;
    if (!value_to_number(v, arena, &number))
        return 0;
    if (slice_is_nocase(format, "hex"))
        text = arena_printf(arena, "0x%llX", (unsigned long long)to_integer(number));
    else if (slice_is_nocase(format, "commas"))
        text = with_commas(number, arena);
    else if (slice_is_nocase(format, "duration"))
        text = as_duration(to_integer(number), arena);
    else if (slice_is_nocase(format, "binary"))
        text = as_binary((uint64_t)to_integer(number), arena);
    *out = text.ptr ? value_string(text) : value_null();
    return 0;
}

static int map_tostring(struct call *call, struct value v, struct value *out)
{
    struct slice format;
    if (call_text(call, 1, &format) < 0)
        return -1;
    if (v.type == VALUE_BOOL) {
        *out = value_string(v.boolean ? SLICE("True") : SLICE("False"));
        return 0;
    }
    if (format.ptr)
        return formatted(call, v, format, out);
    struct slice text = value_text(v, call->scope->scratch);
    *out = value_string(text);
    return text.ptr ? 0 : err_nomem(call->err);
}

static int call_tostring(struct call *call, struct value_list *out)
{
    return call_map(call, map_tostring, out);
}

static bool parse_base(struct slice text, int64_t base, int64_t *out)
{
    bool negative = text.len && text.ptr[0] == '-';
    text = slice_from(text, negative);
    if (base == 16 && text.len > 2 && text.ptr[0] == '0' && (text.ptr[1] | 0x20) == 'x')
        text = slice_from(text, 2);
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : 99;
        if (digit >= base || __builtin_mul_overflow(n, base, &n) ||
            __builtin_add_overflow(n, (int64_t)digit, &n))
            return false;
    }
    *out = negative ? -n : n;
    return text.len > 0;
}

static int map_tonumber(struct call *call, struct value v, struct value *out)
{
    struct arena *arena = call->scope->scratch;
    int64_t base = 10, n;
    bool ok = true;
    if (call->node->arg_count < 2) {
        if (!value_to_number(v, arena, out))
            *out = value_null();
        return 0;
    }
    struct slice text = value_text(v, arena);
    if (!text.ptr)
        return err_nomem(call->err);
    if (call_i64(call, 1, &base, &ok) < 0)
        return -1;
    if (ok && base >= 2 && base <= 36 && parse_base(slice_trim(text), base, &n))
        *out = value_i64(n);
    return 0;
}

static int call_tonumber(struct call *call, struct value_list *out)
{
    return call_map(call, map_tonumber, out);
}

static int call_typeof(struct call *call, struct value_list *out)
{
    struct value_list list;
    struct value number;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    struct slice name = SLICE("String");
    if (list.count == 0)
        name = SLICE("Invalid");
    else if (list.count > 1)
        name = SLICE("Multivalue");
    else if (list.values[0].type == VALUE_BOOL)
        name = SLICE("Boolean");
    else if (value_to_number(list.values[0], call->scope->scratch, &number))
        name = SLICE("Number");
    return call_return(call, value_string(name), out);
}

static int digest(struct call *call, struct value v, gnutls_digest_algorithm_t algorithm,
                  struct value *out)
{
    struct slice text = value_text(v, call->scope->scratch);
    unsigned char bytes[64];
    char hex[sizeof(bytes) * 2 + 1];
    if (!text.ptr)
        return err_nomem(call->err);
    if (gnutls_hash_fast(algorithm, text.ptr, text.len, bytes) < 0)
        return 0;
    size_t len = gnutls_hash_get_len(algorithm);
    sodium_bin2hex(hex, sizeof(hex), bytes, len);
    text = arena_copy(call->scope->scratch, slice_of(hex, len * 2));
    *out = value_string(text);
    return text.ptr ? 0 : err_nomem(call->err);
}

static int map_md5(struct call *call, struct value v, struct value *out)
{
    return digest(call, v, GNUTLS_DIG_MD5, out);
}

static int call_md5(struct call *call, struct value_list *out)
{
    return call_map(call, map_md5, out);
}

static int map_sha1(struct call *call, struct value v, struct value *out)
{
    return digest(call, v, GNUTLS_DIG_SHA1, out);
}

static int call_sha1(struct call *call, struct value_list *out)
{
    return call_map(call, map_sha1, out);
}

static int map_sha256(struct call *call, struct value v, struct value *out)
{
    return digest(call, v, GNUTLS_DIG_SHA256, out);
}

static int call_sha256(struct call *call, struct value_list *out)
{
    return call_map(call, map_sha256, out);
}

static int map_sha512(struct call *call, struct value v, struct value *out)
{
    return digest(call, v, GNUTLS_DIG_SHA512, out);
}

static int call_sha512(struct call *call, struct value_list *out)
{
    return call_map(call, map_sha512, out);
}

static const struct expr_function functions[] = {
    {"tostring", 1, 2, "tostring(x[, \"hex\"|\"commas\"|\"duration\"|\"binary\"]): as text",
     call_tostring, 0},
    {"tonumber", 1, 2, "tonumber(text[, base]): the number that the text writes", call_tonumber, 0},
    {"typeof", 1, 1, "typeof(x): Number, String, Boolean, Multivalue or Invalid", call_typeof, 0},
    {"md5", 1, 1, "md5(text): the hash in lower hex", call_md5, 0},
    {"sha1", 1, 1, "sha1(text): the hash in lower hex", call_sha1, 0},
    {"sha256", 1, 1, "sha256(text): the hash in lower hex", call_sha256, 0},
    {"sha512", 1, 1, "sha512(text): the hash in lower hex", call_sha512, 0},
};
const struct expr_family functions_convert = {functions, ARRAY_COUNT(functions)};

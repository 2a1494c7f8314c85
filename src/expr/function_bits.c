/* Whole numbers bit by bit, and numbers as formatted text. */
#include "expr/function.h"

#include <math.h>
#include <stdio.h>

typedef int64_t (*combine)(int64_t a, int64_t b);

static int fold(struct call *call, combine with, struct value_list *out)
{
    int64_t total = 0, n;
    for (size_t i = 0; i < call->node->arg_count; i++) {
        bool ok;
        if (call_i64(call, i, &n, &ok) < 0)
            return -1;
        if (!ok)
            return 0;
        total = i ? with(total, n) : n;
    }
    return call_return(call, value_i64(total), out);
}

static int64_t and (int64_t a, int64_t b)
{
    return a & b;
}

static int64_t or (int64_t a, int64_t b)
{
    return a | b;
}

static int64_t xor (int64_t a, int64_t b) { return a ^ b; }

    static int64_t left(int64_t a, int64_t b)
{
    return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b);
}

static int64_t right(int64_t a, int64_t b)
{
    return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a >> b);
}

static int call_and(struct call *call, struct value_list *out)
{
    return fold(call, and, out);
}

static int call_or(struct call *call, struct value_list *out)
{
    return fold(call, or, out);
}

static int call_xor(struct call *call, struct value_list *out)
{
    return fold(call, xor, out);
}

static int call_left(struct call *call, struct value_list *out)
{
    return fold(call, left, out);
}

static int call_right(struct call *call, struct value_list *out)
{
    return fold(call, right, out);
}

/* Within 53 bits, or as many as the second argument says. */
static int call_not(struct call *call, struct value_list *out)
{
    int64_t n, mask = (INT64_C(1) << 53) - 1;
    bool ok, mask_ok = true;
    if (call_i64(call, 0, &n, &ok) < 0)
        return -1;
    if (call->node->arg_count > 1 && call_i64(call, 1, &mask, &mask_ok) < 0)
        return -1;
    return ok && mask_ok ? call_return(call, value_i64(~n & mask), out) : 0;
}

/* ---- printf ---- */

struct directive {
    bool left, zero, plus, space, alternate, commas;
    int width, precision; /* -1: none */
    char conversion;
};

static bool take_number(struct call *call, struct slice *format, size_t *arg, int *out)
{
    if (format->len && format->ptr[0] == '*') {
        int64_t n = 0;
        bool ok;
        *format = slice_from(*format, 1);
        if (call_i64(call, (*arg)++, &n, &ok) < 0)
            return false;
        *out = ok && n > -1000 && n < 1000 ? (int)n : 0;
        return true;
    }
    int n = -1;
    while (format->len && format->ptr[0] >= '0' && format->ptr[0] <= '9') {
        n = (n < 0 ? 0 : n) * 10 + (format->ptr[0] - '0');
        n = n > 1000 ? 1000 : n;
        *format = slice_from(*format, 1);
    }
    *out = n;
    return true;
}

static bool take_directive(struct call *call, struct slice *format, size_t *arg,
                           struct directive *d)
{
    *d = (struct directive){.width = -1, .precision = -1};
    for (; format->len; *format = slice_from(*format, 1)) {
        char c = format->ptr[0];
        if (c == '-')
            d->left = true;
        else if (c == '0')
            d->zero = true;
        else if (c == '+')
            d->plus = true;
        else if (c == ' ')
            d->space = true;
        else if (c == '#')
            d->alternate = true;
        else if (c == '\'')
            d->commas = true;
        else
            break;
    }
    if (!take_number(call, format, arg, &d->width))
        return false;
    if (d->width < -1) {
        d->left = true;
        d->width = -d->width;
    }
    if (format->len && format->ptr[0] == '.') {
        *format = slice_from(*format, 1);
        if (!take_number(call, format, arg, &d->precision))
            return false;
        d->precision = d->precision < 0 ? 0 : d->precision;
    }
    while (format->len && (format->ptr[0] == 'l' || format->ptr[0] == 'h'))
        *format = slice_from(*format, 1);
    if (!format->len)
        return false;
    d->conversion = format->ptr[0];
    *format = slice_from(*format, 1);
    return true;
}

/* The format is put together from known parts, so it is safe though not written in the source. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int print_number(char *to, size_t size, const struct directive *d, struct value number)
{
    char format[32];
    bool real = d->conversion == 'f' || d->conversion == 'F' || d->conversion == 'e' ||
                d->conversion == 'E' || d->conversion == 'g' || d->conversion == 'G';
    char conversion = d->conversion == 'i' ? 'd' : d->conversion == 'p' ? 'x' : d->conversion;
    snprintf(format, sizeof(format), "%%%s%s%s%s%s%s*.*%s%c", d->left ? "-" : "",
             d->zero ? "0" : "", d->plus ? "+" : "", d->space ? " " : "", d->alternate ? "#" : "",
             d->commas ? "'" : "", real ? "" : "ll", conversion);
    int width = d->width < 0 ? 0 : d->width;
    double n = value_to_f64(number);
    if (real)
        return snprintf(to, size, format, width, d->precision, n);
    long long whole = number.type == VALUE_I64 ? number.i64 : fabs(n) < 9.2e18 ? (long long)n : 0;
    return snprintf(to, size, format, width, d->precision, whole);
}
#pragma GCC diagnostic pop

/* 1234567 -> 1,234,567; the C locale knows no commas. */
static struct slice with_commas(struct slice text, char *to)
{
    size_t first = 0, last, len = 0;
    while (first < text.len && (text.ptr[first] < '0' || text.ptr[first] > '9'))
        first++;
    for (last = first; last < text.len && text.ptr[last] >= '0' && text.ptr[last] <= '9';)
        last++;
    for (size_t i = 0; i < text.len; i++) {
        if (i > first && i < last && (last - i) % 3 == 0)
            to[len++] = ',';
        to[len++] = text.ptr[i];
    }
    return slice_of(to, len);
}

static void put_text(struct buffer *out, const struct directive *d, struct slice text)
{
    if (d->precision >= 0)
        text = slice_sub(text, 0, (size_t)d->precision);
    size_t pad = d->width > 0 && text.len < (size_t)d->width ? (size_t)d->width - text.len : 0;
    for (size_t i = 0; i < pad && !d->left; i++)
        buffer_put_char(out, ' ');
    buffer_put(out, text);
    for (size_t i = 0; i < pad && d->left; i++)
        buffer_put_char(out, ' ');
}

static int put_argument(struct call *call, size_t arg, const struct directive *d,
                        struct buffer *out)
{
    struct slice text;
    struct value number;
    bool ok;
    if (d->conversion == 's' || d->conversion == 'c') {
        struct directive one = *d;
        if (call_text(call, arg, &text) < 0)
            return -1;
        one.precision = d->conversion == 'c' ? 1 : d->precision;
        put_text(out, &one, text.ptr ? text : SLICE(""));
        return 0;
    }
    if (call_number(call, arg, &number, &ok) < 0)
        return -1;
    char digits[1500], spaced[2048];
    int len = print_number(digits, sizeof(digits), d, ok ? number : value_i64(0));
    if (len > 0 && (size_t)len < sizeof(digits)) {
        struct slice printed = slice_of(digits, (size_t)len);
        buffer_put(out, d->commas ? with_commas(printed, spaced) : printed);
    }
    return 0;
}

static int call_printf(struct call *call, struct value_list *out)
{
    struct slice format;
    struct buffer text;
    size_t arg = 1;
    int result = 0;
    if (call_text(call, 0, &format) < 0)
        return -1;
    if (!format.ptr)
        return 0;
    buffer_init(&text, MIB);
    while (format.len && result == 0) {
        struct directive d;
        char c = format.ptr[0];
        format = slice_from(format, 1);
        if (c != '%') {
            buffer_put_char(&text, c);
        } else if (format.len && format.ptr[0] == '%') {
            buffer_put_char(&text, '%');
            format = slice_from(format, 1);
        } else if (!take_directive(call, &format, &arg, &d) ||
                   !memchr("csdiuoxXpfFeEgG", d.conversion, 15)) {
            buffer_close(&text);
            return 0;
        } else {
            result = put_argument(call, arg++, &d, &text);
        }
    }
    if (result == 0)
        result = buffer_failed(&text) ? err_nomem(call->err)
                                      : call_return_text(call, buffer_slice(&text), out);
    buffer_close(&text);
    return result;
}

/* How exact a number is written: significant digits, and places behind the point. */
struct exactness {
    struct value value;
    bool is_number;
    int digits, places;
};

/* 0.0120 has 3 digits and 4 places. */
static void measure_text(struct slice text, struct exactness *out)
{
    bool behind = false, begun = false;
    out->digits = out->places = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
        char c = text.ptr[i];
        behind |= c == '.';
        begun |= c >= '1' && c <= '9';
        out->digits += begun && c >= '0' && c <= '9';
        out->places += behind && c >= '0' && c <= '9';
    }
    out->digits = out->digits ? out->digits : 1;
}

/* A product has as many digits as the least exact factor, a sum as many places as the least exact
 * of its parts. */
static int measure(struct call *call, const struct expr *node, struct exactness *out)
{
    struct value_list list;
    char small[VALUE_TEXT_SIZE];
    if (expr_eval(node, call->scope, call->batch, call->row, &list, call->err) < 0)
        return -1;
    struct value v = list.count ? list.values[0] : value_null();
    *out = (struct exactness){0};
    out->is_number = value_to_number(v, call->scope->scratch, &out->value);
    if (!out->is_number)
        return 0;
    bool sum = node->op == OP_ADD || node->op == OP_SUBTRACT;
    if (node->kind != EXPR_ARITHMETIC ||
        !(sum || node->op == OP_MULTIPLY || node->op == OP_DIVIDE)) {
        measure_text(value_text_small(v, small), out);
        return 0;
    }
    struct exactness a, b;
    if (measure(call, node->args[0], &a) < 0 || measure(call, node->args[1], &b) < 0)
        return -1;
    double size = fabs(value_to_f64(out->value));
    int whole = size > 0 ? (int)floor(log10(size)) + 1 : 1;
    if (sum) {
        out->places = a.places < b.places ? a.places : b.places;
        out->digits = out->places + whole;
    } else {
        out->digits = a.digits < b.digits ? a.digits : b.digits;
        out->places = out->digits - whole;
    }
    return 0;
}

static int call_sigfig(struct call *call, struct value_list *out)
{
    struct exactness x;
    char text[64];
    double n;
    if (measure(call, call->node->args[0], &x) < 0)
        return -1;
    int digits = x.digits < 1 ? 1 : x.digits < 15 ? x.digits : 15;
    if (!x.is_number)
        return 0;
    int len = snprintf(text, sizeof(text), "%.*e", digits - 1, value_to_f64(x.value));
    if (len <= 0 || !slice_to_f64(slice_of(text, (size_t)len), &n))
        return 0;
    return call_return(call, value_f64(n), out);
}

static const struct expr_function functions[] = {
    {"bit_and", 2, FUNCTION_ARGS_ANY, "bit_and(a, b, ...): bits that all have", call_and, 0},
    {"bit_or", 2, FUNCTION_ARGS_ANY, "bit_or(a, b, ...): bits that some has", call_or, 0},
    {"bit_xor", 2, FUNCTION_ARGS_ANY, "bit_xor(a, b, ...): bits that an odd number of them has",
     call_xor, 0},
    {"bit_not", 1, 2, "bit_not(a[, mask]): the bits that it has not, of 53 unless masked", call_not,
     0},
    {"bit_shift_left", 2, 2, "bit_shift_left(a, by): bits moved to the left", call_left, 0},
    {"bit_shift_right", 2, 2, "bit_shift_right(a, by): bits moved to the right", call_right, 0},
    {"printf", 1, FUNCTION_ARGS_ANY,
     "printf(format, ...): values as the format says: %s %d %.2f %x", call_printf, 0},
    {"sigfig", 1, 1, "sigfig(x): as many digits as its parts had", call_sigfig, 0},
};
const struct expr_family functions_bits = {functions, ARRAY_COUNT(functions)};

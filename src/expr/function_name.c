/* How names look and where places lie: registered_domain, skeleton, edit_distance, entropy, distance_km. */
#include "cut/domain.h"
#include "cut/lookalike.h"
#include "expr/function.h"

#include <math.h>

static int map_registered_domain(struct call *call, struct value v, struct value *out)
{
    struct domain domain;
    struct slice text = value_text(v, call->scope->scratch);
    if (!text.ptr)
        return err_nomem(call->err);
    bool known = domain_cut(slice_trim(text), &domain);
    *out = known && domain.registered.len ? value_string(domain.registered) : value_null();
    return 0;
}

static int call_registered_domain(struct call *call, struct value_list *out)
{
    return call_map(call, map_registered_domain, out);
}

static int map_skeleton(struct call *call, struct value v, struct value *out)
{
    struct slice text = value_text(v, call->scope->scratch);
    char *to = text.ptr ? arena_array(call->scope->scratch, text.len + 1, 4) : NULL;
    if (!to)
        return err_nomem(call->err);
    *out = value_string(slice_of(to, lookalike_write(text, to)));
    return 0;
}

static int call_skeleton(struct call *call, struct value_list *out)
{
    return call_map(call, map_skeleton, out);
}

static int call_edit_distance(struct call *call, struct value_list *out)
{
    struct slice a, b;
    if (call_text(call, 0, &a) < 0 || call_text(call, 1, &b) < 0)
        return -1;
    return a.ptr && b.ptr ? call_return(call, value_i64((int64_t)slice_distance(a, b)), out) : 0;
}

/* Shannon's, in bits a byte. */
static int map_entropy(struct call *call, struct value v, struct value *out)
{
    uint32_t counts[256] = {0};
    double bits = 0;
    struct slice text = value_text(v, call->scope->scratch);
    if (!text.ptr)
        return err_nomem(call->err);
    for (size_t i = 0; i < text.len; i++)
        counts[(unsigned char)text.ptr[i]]++;
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
        if (counts[i])
            bits -= counts[i] * log2((double)counts[i] / (double)text.len);
    *out = value_f64(text.len ? bits / (double)text.len : 0);
    return 0;
}

static int call_entropy(struct call *call, struct value_list *out)
{
    return call_map(call, map_entropy, out);
}

/* Along a great circle of the mean radius (haversine). */
static int call_distance_km(struct call *call, struct value_list *out)
{
    const double radian = acos(-1) / 180;
    double at[4];
    for (size_t i = 0; i < ARRAY_COUNT(at); i++) {
        struct value v;
        bool ok;
        if (call_number(call, i, &v, &ok) < 0)
            return -1;
        at[i] = ok ? value_to_f64(v) : NAN;
        if (!(fabs(at[i]) <= (i % 2 ? 180 : 90)))
            return 0;
    }
    double north = sin((at[2] - at[0]) * radian / 2), east = sin((at[3] - at[1]) * radian / 2);
    double part = north * north + cos(at[0] * radian) * cos(at[2] * radian) * east * east;
    return call_return(call, value_f64(2 * 6371.0088 * asin(sqrt(fmin(1, part)))), out);
}

static const struct expr_function functions[] = {
    {"registered_domain", 1, 1, "registered_domain(name): the part that was registered; www.a.co.jp: a.co.jp",
     call_registered_domain, 0},
    {"skeleton", 1, 1, "skeleton(name): what it looks like: Punycode read, accents and look-alikes as ASCII, small",
     call_skeleton, 0},
    {"edit_distance", 2, 2, "edit_distance(a, b): changes of a byte that make one the other, of their first 64",
     call_edit_distance, 0},
    {"entropy", 1, 1, "entropy(text): how random it looks, in bits a byte", call_entropy, 0},
    {"distance_km", 4, 4, "distance_km(lat1, lon1, lat2, lon2): between two places, in kilometres",
     call_distance_km, 0},
};
const struct expr_family functions_name = {functions, ARRAY_COUNT(functions)};

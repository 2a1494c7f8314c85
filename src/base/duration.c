#include "base/duration.h"

#include "base/attr.h"
#include "base/clock.h"

bool duration_parse(struct slice text, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ms", NS_PER_MS},    {"s", NS_PER_SECOND}, {"m", NS_PER_MINUTE},
        {"h", NS_PER_HOUR},   {"d", NS_PER_DAY},    {"w", 7 * NS_PER_DAY},
    };
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    int64_t n;
    if (!slice_to_i64(slice_sub(text, 0, digits), &n) || n <= 0)
        return false;
    struct slice unit = slice_from(text, digits);
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        if (slice_is(unit, units[i].name))
            return !__builtin_mul_overflow(n, units[i].ns, ns) && *ns <= 36500 * NS_PER_DAY;
    return false;
}

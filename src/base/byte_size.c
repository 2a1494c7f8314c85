#include "base/byte_size.h"

static const struct unit {
    struct slice name;
    uint64_t bytes;
} units[] = {
    {{"", 0}, 1},
    {{"B", 1}, 1},
    {{"KB", 2}, 1000},
    {{"MB", 2}, 1000000},
    {{"GB", 2}, 1000000000},
    {{"TB", 2}, UINT64_C(1000000000000)},
    {{"KiB", 3}, UINT64_C(1) << 10},
    {{"MiB", 3}, UINT64_C(1) << 20},
    {{"GiB", 3}, UINT64_C(1) << 30},
    {{"TiB", 3}, UINT64_C(1) << 40},
};

bool byte_size_parse(struct slice text, uint64_t *bytes)
{
    size_t digits = 0;
    uint64_t number;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    size_t unit_at = digits;
    while (unit_at < text.len && text.ptr[unit_at] == ' ')
        unit_at++;
    if (!slice_to_u64(slice_sub(text, 0, digits), &number))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (slice_equal(slice_from(text, unit_at), units[i].name)) {
            *bytes = number * units[i].bytes;
            return number <= INT64_MAX / units[i].bytes;
        }
    return false;
}

#include "store/scan_newest.h"

int scan_newest_init(struct scan_newest *newest, uint32_t most, struct arena *arena)
{
    *newest = (struct scan_newest){.times = arena_array(arena, most, sizeof(int64_t)),
                                   .most = most};
    return newest->times ? 0 : -1;
}

static void sink(struct scan_newest *newest, uint32_t at, int64_t time_ns)
{
    for (uint32_t child; (child = 2 * at + 1) < newest->count; at = child) {
        if (child + 1 < newest->count && newest->times[child + 1] < newest->times[child])
            child++;
        if (newest->times[child] >= time_ns)
            break;
        newest->times[at] = newest->times[child];
    }
    newest->times[at] = time_ns;
}

void scan_newest_add(struct scan_newest *newest, int64_t time_ns)
{
    if (newest->count == newest->most) {
        if (time_ns > newest->times[0])
            sink(newest, 0, time_ns);
        return;
    }
    uint32_t at = newest->count++;
    for (; at && newest->times[(at - 1) / 2] > time_ns; at = (at - 1) / 2)
        newest->times[at] = newest->times[(at - 1) / 2];
    newest->times[at] = time_ns;
}

int64_t scan_newest_bound(const struct scan_newest *newest)
{
    return newest->most && newest->count == newest->most ? newest->times[0] : INT64_MIN;
}

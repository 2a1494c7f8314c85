#include "store/time_counts.h"

#include "base/time.h"
#include "store/bytes.h"
#include "store/ints.h"

static int64_t minute_of(int64_t time_ns)
{
    return time_ns / NS_PER_MINUTE - (time_ns % NS_PER_MINUTE < 0);
}

bool time_counts_put(const int64_t *time_ns, size_t count, struct buffer *to)
{
    int64_t counts[TIME_COUNTS_MAX];
    int64_t first = minute_of(time_ns[0]), minutes = minute_of(time_ns[count - 1]) - first + 1;
    if (minutes < 1 || minutes > TIME_COUNTS_MAX)
        return false;
    memset(counts, 0, (size_t)minutes * sizeof(*counts));
    for (size_t i = 0; i < count; i++) {
        int64_t minute = minute_of(time_ns[i]) - first;
        if (minute < 0 || minute >= minutes)
            return false;
        counts[minute]++;
    }
    buffer_put_varint(to, bytes_zigzag(first));
    buffer_put_varint(to, (uint64_t)minutes);
    ints_encode(counts, (size_t)minutes, to);
    return true;
}

bool time_counts_take(struct slice bytes, uint64_t rows, struct arena *arena,
                      struct time_counts *out)
{
    uint64_t first, minutes, sum = 0;
    if (!slice_take_varint(&bytes, &first) || !slice_take_varint(&bytes, &minutes) ||
        minutes == 0 || minutes > TIME_COUNTS_MAX)
        return false;
    int64_t *counts = arena_alloc(arena, minutes * sizeof(*counts));
    if (!counts || !ints_decode(bytes, counts, minutes))
        return false;
    for (uint64_t i = 0; i < minutes; i++) {
        if (counts[i] < 0 || (uint64_t)counts[i] > rows)
            return false;
        sum += (uint64_t)counts[i];
    }
    int64_t minute = bytes_unzigzag(first), most = INT64_MAX / NS_PER_MINUTE - TIME_COUNTS_MAX;
    if (sum != rows || minute > most || minute < -most)
        return false;
    *out = (struct time_counts){minute * NS_PER_MINUTE, (uint32_t)minutes, counts};
    return true;
}

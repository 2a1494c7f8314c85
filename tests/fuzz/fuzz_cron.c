/* A cron schedule: what is read has due times that ascend and stand in its fields. The first byte
 * chooses the zone, eight more the time. */
#include "base/cron.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia",
                                        "Australia/Lord_Howe", "America/St_Johns", "+05:45", "Africa/Casablanca"};
    struct cron cron;
    struct err err;
    int64_t at, next;
    if (size < 9 || cron_parse(slice_of(data + 9, size - 9), &cron, &err) < 0)
        return 0;
    const struct zone *zone = zone_find(slice_text(zones[data[0] % 8]));
    memcpy(&at, data + 1, sizeof(at));
    for (int i = 0; i < 8 && cron_next(&cron, zone, at, &next); i++, at = next) {
        struct time_parts there;
        zone_split(zone, next, &there);
        if (next <= at || next % NS_PER_SECOND != 0)
            abort();
        if (zone_offset(zone, next) == zone_offset(zone, next - 3 * NS_PER_HOUR) &&
            !(cron.minutes >> there.minute & 1))
            abort(); /* only the moment of a change is not in the fields */
    }
    return 0;
}

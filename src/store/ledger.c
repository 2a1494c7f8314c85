#include "store/ledger.h"

#include "store/bytes.h"

enum { MINUTES_A_DAY = 24 * 60, KEY_HEAD = 9, SOURCE_MAX = 512 };
enum { ENTRY_IS_DAY = 1, ENTRY_HAS_DROPS = 2 }; /* bits of an entry's first byte */

int ledger_init(struct ledger *ledger, struct err *err)
{
    *ledger = (struct ledger){.arena = arena_new(LEDGER_ARENA_MAX), .newest_minute = INT64_MIN};
    if (!ledger->arena)
        return err_nomem(err);
    map_init(&ledger->entries, ledger->arena);
    return 0;
}

void ledger_close(struct ledger *ledger)
{
    arena_free(ledger->arena);
    ledger->arena = NULL;
}

void ledger_counts_add(struct ledger_counts *to, const struct ledger_counts *counts)
{
    to->received += counts->received;
    to->stored += counts->stored;
    to->quarantined += counts->quarantined;
    for (size_t i = 0; i < LEDGER_PLACES; i++)
        to->dropped[i] += counts->dropped[i];
}

uint64_t ledger_dropped(const struct ledger_counts *counts)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LEDGER_PLACES; i++)
        sum += counts->dropped[i];
    return sum;
}

int64_t ledger_difference(const struct ledger_counts *counts)
{
    return (int64_t)(counts->received - counts->stored - counts->quarantined - ledger_dropped(counts));
}

static struct slice make_key(struct slice source, int64_t minute, bool is_day,
                             char to[KEY_HEAD + SOURCE_MAX])
{
    source = slice_sub(source, 0, SOURCE_MAX);
    to[0] = is_day;
    bytes_set_le64(to + 1, (uint64_t)minute);
    if (source.len)
        memcpy(to + KEY_HEAD, source.ptr, source.len);
    return slice_of(to, KEY_HEAD + source.len);
}

static bool add_entry(struct ledger *ledger, struct slice source, int64_t minute, bool is_day,
                      struct ledger_counts counts)
{
    char room[KEY_HEAD + SOURCE_MAX];
    struct slice key = make_key(source, minute, is_day, room);
    struct ledger_entry *entry = map_find(&ledger->entries, key);
    if (!entry) {
        struct slice copy = arena_copy(ledger->arena, key);
        entry = arena_calloc(ledger->arena, sizeof(*entry));
        if (!copy.ptr || !entry || map_put(&ledger->entries, copy, entry) < 0)
            return false;
        entry->source = slice_from(copy, KEY_HEAD);
        entry->minute = minute;
        entry->is_day = is_day;
    }
    ledger_counts_add(&entry->counts, &counts);
    if (minute > ledger->newest_minute)
        ledger->newest_minute = minute;
    return true;
}

bool ledger_add(struct ledger *ledger, struct slice source, int64_t minute,
                struct ledger_counts counts)
{
    return add_entry(ledger, source, minute, false, counts) ||
           add_entry(ledger, SLICE("(other)"), minute, false, counts);
}

bool ledger_add_entry(struct ledger *ledger, const struct ledger_entry *entry)
{
    return add_entry(ledger, entry->source, entry->minute, entry->is_day, entry->counts);
}

bool ledger_merge(struct ledger *to, const struct ledger *from)
{
    size_t at = 0;
    for (const struct map_entry *slot; (slot = map_next(&from->entries, &at));) {
        if (!ledger_add_entry(to, slot->value))
            return false;
    }
    return true;
}

void ledger_each(const struct ledger *ledger, ledger_visit visit, void *context)
{
    size_t at = 0;
    for (const struct map_entry *slot; (slot = map_next(&ledger->entries, &at));)
        visit(context, slot->value);
}

static void save_entry(const struct ledger_entry *entry, bool is_day, int64_t minute,
                       struct buffer *to)
{
    bool dropped = ledger_dropped(&entry->counts) > 0;
    buffer_put_char(to, (char)((is_day ? ENTRY_IS_DAY : 0) | (dropped ? ENTRY_HAS_DROPS : 0)));
    buffer_put_varint(to, bytes_zigzag(minute));
    buffer_put_varint(to, entry->source.len);
    buffer_put(to, entry->source);
    buffer_put_varint(to, entry->counts.received);
    buffer_put_varint(to, entry->counts.stored);
    buffer_put_varint(to, entry->counts.quarantined);
    for (size_t i = 0; dropped && i < LEDGER_PLACES; i++)
        buffer_put_varint(to, entry->counts.dropped[i]);
}

/* Loading adds equal keys up, so a day may be written in pieces. */
void ledger_save(const struct ledger *ledger, struct buffer *to)
{
    buffer_put_le64(to, ledger->entries.count);
    size_t at = 0;
    for (const struct map_entry *slot; (slot = map_next(&ledger->entries, &at));) {
        const struct ledger_entry *entry = slot->value;
        bool old = entry->minute < ledger->newest_minute - LEDGER_MINUTES_MAX;
        int64_t day = entry->minute - ((entry->minute % MINUTES_A_DAY) + MINUTES_A_DAY) %
                                          MINUTES_A_DAY;
        save_entry(entry, entry->is_day || old, entry->is_day || old ? day : entry->minute, to);
    }
}

int ledger_load(struct ledger *ledger, struct slice *from, struct err *err)
{
    uint64_t count = 0;
    bool ok = slice_take_le64(from, &count);
    for (uint64_t i = 0; ok && i < count; i++) {
        struct slice kind, source = SLICE_NONE;
        struct ledger_counts counts = {0};
        uint64_t minute = 0, len = 0;
        ok = slice_take(from, 1, &kind) && slice_take_varint(from, &minute) &&
             slice_take_varint(from, &len) && len <= SOURCE_MAX &&
             slice_take(from, (size_t)len, &source) && slice_take_varint(from, &counts.received) &&
             slice_take_varint(from, &counts.stored) &&
             slice_take_varint(from, &counts.quarantined);
        for (size_t k = 0; ok && (kind.ptr[0] & ENTRY_HAS_DROPS) && k < LEDGER_PLACES; k++)
            ok = slice_take_varint(from, &counts.dropped[k]);
        if (ok && !add_entry(ledger, source, bytes_unzigzag(minute), (kind.ptr[0] & ENTRY_IS_DAY) != 0, counts))
            return err_nomem(err);
    }
    return ok ? 0 : err_set(err, ERR_CORRUPT, "the ledger is cut short");
}

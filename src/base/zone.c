#include "base/zone.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/zone_rule.h"

#include <pthread.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_LOCAL_FILE "/etc/localtime"

enum { NAME_MAX_BYTES = 64, HEADER_BYTES = 44, TYPE_BYTES = 6, OFFSET_MAX_S = 26 * 3600 };

struct zone_type {
    int32_t offset_s;
    bool dst;
    struct slice abbreviation;
};

struct zone {
    struct arena *arena; /* holds everything here, this struct included */
    struct slice name;
    size_t change_count;
    const int64_t *changes;   /* seconds since 1970, ascending */
    const uint8_t *change_to; /* type from then on */
    size_t type_count;
    const struct zone_type *types; /* number 0 holds before the first change */
    bool has_rule;
    struct zone_rule rule; /* behind the last change */
};

static uint64_t big_endian(const char *at, size_t len)
{
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

/* RFC 8536 section 3.1; the six counts in the order of the file. */
struct header {
    char version;
    uint32_t is_utc, is_standard, leaps, changes, types, chars;
};

static bool take_header(struct slice *from, struct header *header)
{
    struct slice bytes;
    uint32_t *counts[] = {&header->is_utc,  &header->is_standard, &header->leaps,
                          &header->changes, &header->types,       &header->chars};
    if (from->len < HEADER_BYTES || !slice_starts(*from, SLICE("TZif")))
        return false;
    bytes = slice_sub(*from, 0, HEADER_BYTES);
    *from = slice_from(*from, HEADER_BYTES);
    header->version = bytes.ptr[4];
    for (size_t i = 0; i < 6; i++) {
        *counts[i] = (uint32_t)big_endian(bytes.ptr + 20 + 4 * i, 4);
        if (*counts[i] > ZONE_FILE_BYTES_MAX)
            return false;
    }
    return header->types > 0;
}

static size_t body_size(const struct header *h, size_t time_size)
{
    return h->changes * (time_size + 1) + h->types * (size_t)TYPE_BYTES + h->chars +
           h->leaps * (time_size + 4) + h->is_standard + h->is_utc;
}

static bool fill_types(struct zone *zone, struct slice types, struct slice chars)
{
    struct zone_type *list = arena_array(zone->arena, zone->type_count, sizeof(*list));
    if (!list)
        return false;
    for (size_t i = 0; i < zone->type_count; i++) {
        const char *at = types.ptr + i * TYPE_BYTES;
        struct slice name = slice_from(chars, (unsigned char)at[5]);
        list[i].offset_s = (int32_t)(uint32_t)big_endian(at, 4);
        list[i].dst = at[4] != 0;
        list[i].abbreviation = slice_sub(name, 0, name.len ? strnlen(name.ptr, name.len) : 0);
        if (list[i].offset_s < -OFFSET_MAX_S || list[i].offset_s > OFFSET_MAX_S)
            return false;
    }
    zone->types = list;
    return true;
}

static bool fill_changes(struct zone *zone, struct slice times, struct slice to, size_t time_size)
{
    int64_t *list = arena_array(zone->arena, zone->change_count + 1, sizeof(*list));
    if (!list)
        return false;
    for (size_t i = 0; i < zone->change_count; i++) {
        uint64_t n = big_endian(times.ptr + i * time_size, time_size);
        list[i] = time_size == 4 ? (int32_t)(uint32_t)n : (int64_t)n;
        if ((unsigned char)to.ptr[i] >= zone->type_count || (i && list[i] <= list[i - 1]))
            return false;
    }
    zone->changes = list;
    zone->change_to = (const uint8_t *)to.ptr;
    return true;
}

static bool read_body(struct zone *zone, struct slice *from, const struct header *header,
                      size_t time_size)
{
    struct slice times, to, types, chars;
    size_t size = body_size(header, time_size);
    if (from->len < size)
        return false;
    struct slice body = slice_sub(*from, 0, size);
    *from = slice_from(*from, size);
    times = slice_sub(body, 0, header->changes * time_size);
    body = slice_from(body, times.len);
    to = slice_sub(body, 0, header->changes);
    body = slice_from(body, to.len);
    types = slice_sub(body, 0, header->types * (size_t)TYPE_BYTES);
    body = slice_from(body, types.len);
    chars = slice_sub(body, 0, header->chars);
    zone->change_count = header->changes;
    zone->type_count = header->types;
    return fill_types(zone, types, chars) && fill_changes(zone, times, to, time_size);
}

static void read_footer(struct zone *zone, struct slice footer)
{
    struct slice line;
    if (footer.len < 2 || footer.ptr[0] != '\n')
        return;
    footer = slice_from(footer, 1);
    zone->has_rule = slice_cut(footer, '\n', &line, &footer) && zone_rule_parse(line, &zone->rule);
}

static bool read_tzif(struct zone *zone, struct slice bytes)
{
    struct header header;
    if (!take_header(&bytes, &header))
        return false;
    if (header.version < '2')
        return read_body(zone, &bytes, &header, 4);
    size_t old = body_size(&header, 4);
    if (bytes.len < old)
        return false;
    bytes = slice_from(bytes, old);
    if (!take_header(&bytes, &header) || !read_body(zone, &bytes, &header, 8))
        return false;
    read_footer(zone, bytes);
    return true;
}

static struct zone *zone_new(struct slice name)
{
    struct arena *arena = arena_new(8 * ZONE_FILE_BYTES_MAX);
    struct zone *zone = arena ? arena_calloc(arena, sizeof(*zone)) : NULL;
    if (!zone) {
        arena_free(arena);
        return NULL;
    }
    zone->arena = arena;
    zone->name = arena_copy(arena, name);
    return zone;
}

void zone_free(struct zone *zone)
{
    if (zone)
        arena_free(zone->arena);
}

struct zone *zone_from_bytes(struct slice tzif)
{
    struct zone *zone = zone_new(SLICE("bytes"));
    struct slice copy = zone ? arena_copy(zone->arena, tzif) : SLICE_NONE;
    if (copy.ptr && read_tzif(zone, copy))
        return zone;
    zone_free(zone);
    return NULL;
}

bool zone_parse_offset(struct slice text, int32_t *offset_s)
{
    if (text.len < 2 || (text.ptr[0] != '+' && text.ptr[0] != '-'))
        return false;
    int parts[3] = {0, 0, 0}, count = 0, digits = 0;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':' && digits && count < 2) {
            count++;
            digits = 0;
        } else if (c >= '0' && c <= '9') {
            if (digits == 2 && count == 2)
                return false;
            count += digits == 2;
            digits = digits == 2 ? 1 : digits + 1;
            parts[count] = parts[count] * 10 + (c - '0');
        } else {
            return false;
        }
    }
    if (!digits || (count && digits != 2) || parts[0] > 26 || parts[1] > 59 || parts[2] > 59)
        return false;
    int32_t n = parts[0] * 3600 + parts[1] * 60 + parts[2];
    *offset_s = text.ptr[0] == '-' ? -n : n;
    return true;
}

static struct zone *fixed_zone(struct slice name, int32_t offset_s)
{
    struct zone *zone = zone_new(name);
    struct zone_type *type = zone ? arena_calloc(zone->arena, sizeof(*type)) : NULL;
    if (!type) {
        zone_free(zone);
        return NULL;
    }
    *type = (struct zone_type){.offset_s = offset_s, .abbreviation = zone->name};
    zone->types = type;
    zone->type_count = 1;
    return zone;
}

static bool name_is_safe(struct slice name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '/' && c != '_' && c != '-' && c != '+')
            return false;
    }
    return true;
}

static struct zone *load_zone(struct slice name)
{
    int32_t offset_s;
    char path[sizeof(ZONE_FOLDER) + NAME_MAX_BYTES] = ZONE_LOCAL_FILE;
    if (slice_is_nocase(name, "UTC") || slice_is_nocase(name, "Z") || slice_is(name, "GMT"))
        return fixed_zone(SLICE("UTC"), 0);
    bool prefixed = slice_starts(name, SLICE("GMT")) || slice_starts(name, SLICE("UTC"));
    if (zone_parse_offset(prefixed ? slice_from(name, 3) : name, &offset_s))
        return fixed_zone(name, offset_s);
    if (!name_is_safe(name))
        return NULL;
    if (!slice_is(name, "local")) {
        char *end = mempcpy(path, ZONE_FOLDER, strlen(ZONE_FOLDER));
        *(char *)mempcpy(end, name.ptr, name.len) = '\0';
    }
    struct slice bytes;
    struct zone *zone = zone_new(name);
    if (zone && file_read(path, ZONE_FILE_BYTES_MAX, zone->arena, &bytes, NULL) == 0 &&
        read_tzif(zone, bytes))
        return zone;
    zone_free(zone);
    return slice_is(name, "local") ? fixed_zone(SLICE("UTC"), 0) : NULL;
}

/* Names that were asked for, also those that do not exist. They are never given back: the number
 * is bounded and readers hold pointers without counting. */
static struct {
    pthread_mutex_t lock;
    struct arena *arena;
    struct map by_name;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char no_zone; /* its address in the map: looked for and not there */

static const struct zone *find_locked(struct slice name)
{
    if (!known.arena) {
        known.arena = arena_new(1024 * 1024);
        if (!known.arena)
            return NULL;
        map_init(&known.by_name, known.arena);
    }
    void *found = map_find(&known.by_name, name);
    if (found)
        return found == &no_zone ? NULL : found;
    struct zone *zone = load_zone(name);
    /* names come from logs, too: those that do not exist never take the room of those that do */
    size_t room = zone ? ZONES_MAX : ZONES_MAX / 2;
    struct slice copy = known.by_name.count < room ? arena_copy(known.arena, name) : SLICE_NONE;
    void **slot = copy.ptr ? map_slot(&known.by_name, copy) : NULL;
    if (!slot) {
        zone_free(zone);
        return NULL;
    }
    const void *entry = zone ? (const void *)zone : &no_zone;
    memcpy(slot, &entry, sizeof(entry));
    return zone;
}

const struct zone *zone_find(struct slice name)
{
    pthread_mutex_lock(&known.lock);
    const struct zone *zone = find_locked(name);
    pthread_mutex_unlock(&known.lock);
    return zone;
}

struct slice zone_name(const struct zone *zone)
{
    return zone ? zone->name : SLICE("UTC");
}

static int64_t floor_seconds(int64_t ns)
{
    return ns / NS_PER_SECOND - (ns % NS_PER_SECOND < 0);
}

static struct zone_local by_type(const struct zone_type *type)
{
    return (struct zone_local){type->offset_s, type->dst, type->abbreviation};
}

static struct zone_local by_rule(const struct zone_rule *rule, int64_t utc_s)
{
    bool summer = zone_rule_is_summer(rule, utc_s);
    return (struct zone_local){summer ? rule->summer_s : rule->standard_s, summer,
                               summer ? rule->summer_name : rule->standard_name};
}

struct zone_local zone_at(const struct zone *zone, int64_t utc_ns)
{
    if (!zone)
        return (struct zone_local){0, false, SLICE("UTC")};
    int64_t utc_s = floor_seconds(utc_ns);
    size_t low = 0, high = zone->change_count; /* the number of changes at or before utc_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->change_count && zone->has_rule)
        return by_rule(&zone->rule, utc_s);
    return by_type(&zone->types[low ? zone->change_to[low - 1] : 0]);
}

int32_t zone_offset(const struct zone *zone, int64_t utc_ns)
{
    return zone_at(zone, utc_ns).offset_s;
}

static int64_t saturating_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

void zone_split(const struct zone *zone, int64_t utc_ns, struct time_parts *parts)
{
    time_split(saturating_add(utc_ns, zone_offset(zone, utc_ns) * NS_PER_SECOND), parts);
}

bool zone_to_utc(const struct zone *zone, const struct time_parts *local, int fold, int64_t *utc_ns)
{
    int64_t as_utc;
    if (!time_join(local, &as_utc))
        return false;
    /* A change is never more than a day away from where its two offsets are seen. */
    int32_t before = zone_offset(zone, saturating_add(as_utc, -NS_PER_DAY));
    int32_t after = zone_offset(zone, saturating_add(as_utc, NS_PER_DAY));
    int64_t first = saturating_add(as_utc, -before * NS_PER_SECOND);
    int64_t second = saturating_add(as_utc, -after * NS_PER_SECOND);
    bool first_fits = zone_offset(zone, first) == before;
    bool second_fits = zone_offset(zone, second) == after;
    if (first_fits == second_fits)
        *utc_ns = fold ? second : first;
    else
        *utc_ns = first_fits ? first : second;
    return true;
}

/* store/store_retain: what is too old goes, and the oldest when the disk is too full. */
#include "store/store_state.h"

#include "base/mem.h"
#include "base/time.h"

int store_copy_retention(struct store *store)
{
    size_t count = store->config.retention_count;
    store->rules = arena_array(store->arena, count + 1, sizeof(*store->rules));
    for (size_t i = 0; store->rules && i < count; i++) {
        struct stream_rule *rule = &store->rules[i];
        rule->retention = store->config.retention[i];
        rule->retention.stream = arena_copy(store->arena, rule->retention.stream);
        if (!rule->retention.stream.ptr ||
            !wildcard_from_stars(store->arena, rule->retention.stream, &rule->stream))
            return -1;
    }
    return store->rules ? 0 : -1;
}

struct retention store_retention_of(const struct store *store, struct slice stream)
{
    struct retention others = {stream, store->config.retention_days, store->config.cold_days};
    for (size_t i = 0; i < store->config.retention_count; i++)
        if (wildcard_match(&store->rules[i].stream, stream)) {
            struct retention found = store->rules[i].retention;
            if (found.cold_days == RETENTION_AS_OTHERS)
                found.cold_days = others.cold_days;
            return found;
        }
    return others;
}

/* Segments, oldest first, and what is to become of each. */
struct choice {
    struct store *store;
    struct store_segment **list;
    size_t count;
    struct fate {
        bool held, goes, counted;
        enum drop_reason reason;
    } *fates;
    size_t going;
    uint64_t held_segments, held_bytes, short_bytes;
};

static void let_go(struct choice *choice, size_t i, enum drop_reason reason)
{
    choice->fates[i].goes = true;
    choice->fates[i].reason = reason;
    choice->going++;
}

static void note_held(struct choice *choice, size_t i)
{
    if (choice->fates[i].counted)
        return;
    choice->fates[i].counted = true;
    choice->held_segments++;
    choice->held_bytes += choice->list[i]->info.bytes;
}

static void choose_old(struct choice *choice)
{
    int64_t today = time_day(clock_wall_ns(choice->store->config.clock));
    for (size_t i = 0; i < choice->count; i++) {
        const struct segment_info *info = &choice->list[i]->info;
        uint32_t days = store_retention_of(choice->store, info->stream).days;
        choice->fates[i].held = store_is_held(choice->store, info);
        if (!days || info->day + (int64_t)days >= today)
            continue;
        if (choice->fates[i].held)
            note_held(choice, i);
        else
            let_go(choice, i, DROP_AGE);
    }
}

/* The oldest that may go, until so many bytes are found; the bytes that were not. */
static uint64_t choose_oldest(struct choice *choice, uint64_t bytes, const bool *places,
                              enum drop_reason reason)
{
    for (size_t i = 0; bytes && i < choice->count; i++) {
        const struct segment_info *info = &choice->list[i]->info;
        if (choice->fates[i].goes || !places[info->place])
            continue;
        if (choice->fates[i].held) {
            note_held(choice, i);
            continue;
        }
        let_go(choice, i, reason);
        bytes -= bytes < info->bytes ? bytes : info->bytes;
    }
    return bytes;
}

static void choose_over_max(struct choice *choice)
{
    bool places[MANIFEST_PLACES_MAX + 1];
    uint64_t bytes = 0, max = choice->store->config.disk_max;
    memset(places, true, sizeof(places));
    for (size_t i = 0; i < choice->count; i++)
        bytes += choice->fates[i].goes ? 0 : choice->list[i]->info.bytes;
    if (max && bytes > max)
        choice->short_bytes = choose_oldest(choice, bytes - max, places, DROP_DISK_MAX);
}

/* What goes anyway counts as free already. */
static uint64_t going_bytes(const struct choice *choice, const bool *places)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < choice->count; i++)
        if (choice->fates[i].goes && places[choice->list[i]->info.place])
            bytes += choice->list[i]->info.bytes;
    return bytes;
}

/* Each file system once. */
static int choose_for_room(struct choice *choice, struct err *err)
{
    struct store *store = choice->store;
    struct io_space spaces[MANIFEST_PLACES_MAX + 1];
    uint64_t wanted[MANIFEST_PLACES_MAX + 1];
    bool known[MANIFEST_PLACES_MAX + 1] = {false};
    if (!store->config.disk_free_min && !store->config.disk_free_percent)
        return 0;
    for (uint32_t place = 0; place <= store->place_count; place++) {
        if (place && !store_place_is_there(store, place))
            continue;
        if (store_place_short(store, place, &spaces[place], &wanted[place], err) < 0)
            return -1;
        known[place] = true;
    }
    for (uint32_t place = 0; place <= store->place_count; place++) {
        bool places[MANIFEST_PLACES_MAX + 1] = {false};
        bool seen = !known[place];
        for (uint32_t other = 0; other <= store->place_count; other++) {
            places[other] = known[place] && known[other] && spaces[other].device == spaces[place].device;
            seen |= places[other] && other < place;
        }
        uint64_t going = going_bytes(choice, places);
        if (!seen && wanted[place] > going)
            choice->short_bytes += choose_oldest(choice, wanted[place] - going, places, DROP_DISK_FREE);
    }
    return 0;
}

/* One entry per day, stream and reason. */
static void add_drop(const struct choice *choice, size_t i, struct manifest_drop *drops,
                     size_t *count)
{
    const struct segment_info *info = &choice->list[i]->info;
    struct manifest_drop *drop = drops;
    while (drop < drops + *count &&
           (drop->day != info->day || drop->reason != choice->fates[i].reason ||
            !slice_equal(drop->stream, info->stream)))
        drop++;
    if (drop == drops + *count) {
        ++*count;
        *drop = (struct manifest_drop){.time_ns = clock_wall_ns(choice->store->config.clock),
                                       .stream = info->stream, .day = info->day,
                                       .reason = choice->fates[i].reason,
                                       .time_min = info->time_min, .time_max = info->time_max};
    }
    drop->segments++;
    drop->rows += info->rows;
    drop->bytes += info->bytes;
    drop->time_min = info->time_min < drop->time_min ? info->time_min : drop->time_min;
    drop->time_max = info->time_max > drop->time_max ? info->time_max : drop->time_max;
}

static int drop_chosen(struct choice *choice, struct err *err)
{
    struct store_change change = {
        .removed = mem_alloc(choice->going * sizeof(struct store_segment *) + 1),
        .drops = mem_alloc(choice->going * sizeof(struct manifest_drop) + 1)};
    int result = change.removed && change.drops ? 0 : err_nomem(err);
    for (size_t i = 0; result == 0 && i < choice->count; i++)
        if (choice->fates[i].goes) {
            change.removed[change.removed_count++] = choice->list[i];
            add_drop(choice, i, change.drops, &change.drop_count);
        }
    if (result == 0 && choice->going)
        result = store_commit(choice->store, &change, err);
    mem_free(change.removed);
    mem_free(change.drops);
    return result;
}

/* Once, when it begins and when it ends. */
static void tell(struct choice *choice)
{
    struct store *store = choice->store;
    pthread_mutex_lock(&store->lock);
    store->stats.held_segments = choice->held_segments;
    store->stats.held_bytes = choice->held_bytes;
    store->stats.short_bytes = choice->short_bytes;
    pthread_mutex_unlock(&store->lock);
    if (choice->short_bytes && !store->said_short)
        store_say(store, "retention: the disk should have %llu bytes more, and nothing is left that may go: "
                  "%llu segments of %llu bytes are held (hinomi keep list), the rest is not sealed; "
                  "give it a larger disk or disk_max, or end a hold",
                  (unsigned long long)choice->short_bytes, (unsigned long long)choice->held_segments,
                  (unsigned long long)choice->held_bytes);
    if (!choice->short_bytes && store->said_short)
        store_say(store, "retention: there is room on the disk again");
    store->said_short = choice->short_bytes;
}

/* Under keep_lock. */
static int retain(struct store *store, struct err *err)
{
    struct choice choice = {.store = store};
    struct err room;
    choice.list = store_segments_hold(store, &choice.count);
    choice.fates = mem_calloc(choice.count + 1, sizeof(*choice.fates));
    int result = choice.list && choice.fates ? 0 : err_nomem(err), asked = 0;
    if (result == 0) {
        choose_old(&choice);
        choose_over_max(&choice);
        asked = choose_for_room(&choice, &room);
        result = drop_chosen(&choice, err);
        tell(&choice);
    }
    if (result == 0 && asked < 0) {
        if (err)
            *err = room;
        result = -1;
    }
    store_segments_release(choice.list, choice.count);
    mem_free(choice.fates);
    return result;
}

int store_retain(struct store *store, struct err *err)
{
    int result = 0;
    pthread_mutex_lock(&store->keep_lock);
    if (store->holds_known || !store->config.await_holds)
        result = retain(store, err);
    pthread_mutex_unlock(&store->keep_lock);
    return result;
}

int store_drops(struct store *store, uint64_t after, struct arena *arena,
                struct manifest_drop **out, size_t *count, struct err *err)
{
    *count = 0;
    pthread_mutex_lock(&store->lock);
    *out = arena_array(arena, store->drop_count + 1, sizeof(**out));
    for (size_t i = 0; *out && i < store->drop_count; i++)
        if (store->drops[i].serial > after)
            (*out)[(*count)++] = store->drops[i];
    pthread_mutex_unlock(&store->lock);
    return *out ? 0 : err_nomem(err);
}

/* store/store_holds: spans of time that retention leaves alone. */
#include "store/store_state.h"

int store_set_holds(struct store *store, const struct retention_hold *holds, size_t count,
                    struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    struct stream_hold *list = arena ? arena_array(arena, count + 1, sizeof(*list)) : NULL;
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        struct slice stream = arena_copy(arena, holds[i].stream);
        ok = stream.ptr && wildcard_from_stars(arena, stream, &list[i].stream);
        list[i].from_ns = holds[i].from_ns;
        list[i].to_ns = holds[i].to_ns;
    }
    if (!ok) {
        arena_free(arena);
        return err_nomem(err);
    }
    pthread_mutex_lock(&store->keep_lock);
    arena_free(store->hold_arena);
    store->hold_arena = arena;
    store->holds = list;
    store->hold_count = count;
    store->holds_known = true;
    pthread_mutex_unlock(&store->keep_lock);
    return 0;
}

bool store_is_held(const struct store *store, const struct segment_info *info)
{
    for (size_t i = 0; i < store->hold_count; i++) {
        const struct stream_hold *hold = &store->holds[i];
        if (info->time_min < hold->to_ns && info->time_max >= hold->from_ns &&
            wildcard_match(&hold->stream, info->stream))
            return true;
    }
    return false;
}

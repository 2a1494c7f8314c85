#include "search/commands/running_window.h"

void running_window_init(struct running_window *w, struct aggregator *a, uint64_t window)
{
    *w = (struct running_window){.a = a, .window = window, .part_size = aggregator_part_size(a)};
}

static uint64_t place(const struct running_window *w, uint64_t n)
{
    uint64_t at = w->first + n;
    return at < w->room ? at : at - w->room;
}

static int grow(struct running_window *w)
{
    uint64_t room = w->room ? 2 * w->room : 64;
    room = room < w->window ? room : w->window;
    struct arena *arena = w->a->arena;
    char *parts = arena_alloc(arena, room * w->part_size);
    uint32_t *groups = arena_alloc(arena, room * sizeof(*groups));
    if (!parts || !groups)
        return -1;
    for (uint64_t i = 0; i < w->count; i++) {
        memcpy(parts + i * w->part_size, w->parts + place(w, i) * w->part_size, w->part_size);
        groups[i] = w->groups[place(w, i)];
    }
    arena_give_back(arena, w->parts);
    arena_give_back(arena, w->groups);
    w->parts = parts;
    w->groups = groups;
    w->room = room;
    w->first = 0;
    return 0;
}

int running_window_add(struct running_window *w, uint32_t row, uint32_t group, struct err *err)
{
    if (w->count == w->window) {
        uint64_t oldest = w->first;
        if (!w->anew)
            w->anew = !aggregator_take_away(w->a, w->groups[oldest],
                                            w->parts + oldest * w->part_size);
        w->first = place(w, 1);
        w->count--;
    } else if (w->count == w->room && grow(w) < 0) {
        return run_nomem(w->a->run, err);
    }
    uint64_t at = place(w, w->count++);
    aggregator_part(w->a, row, w->parts + at * w->part_size);
    w->groups[at] = group;
    return w->anew ? 0 : aggregator_merge(w->a, group, w->parts + at * w->part_size, err);
}

int running_window_fill(struct running_window *w, uint32_t group, struct err *err)
{
    if (!w->anew)
        return 0;
    aggregator_clear(w->a, group);
    for (uint64_t i = 0; i < w->count; i++) {
        uint64_t at = place(w, i);
        if (w->groups[at] == group &&
            aggregator_merge(w->a, group, w->parts + at * w->part_size, err) < 0)
            return -1;
    }
    return 0;
}

void running_window_clear(struct running_window *w)
{
    w->first = w->count = 0;
    aggregator_clear(w->a, GROUP_NONE);
}

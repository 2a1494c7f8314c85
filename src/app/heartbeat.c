#include "app/heartbeat.h"

const char *heartbeat_state_name(enum heartbeat_state state)
{
    static const char *const names[] = {"ok", "degraded", "gone"};
    return names[state];
}

enum heartbeat_event heartbeat_note(struct heartbeat *heartbeat, enum heartbeat_state state,
                                    int64_t now_ns)
{
    bool was_down = heartbeat->down;
    if (state == HEARTBEAT_OK) {
        heartbeat->failed = 0;
        heartbeat->down = false;
        return was_down ? HEARTBEAT_UP : HEARTBEAT_NOTHING;
    }
    if (heartbeat->failed++ == 0)
        heartbeat->since_ns = now_ns;
    if (!was_down && heartbeat->failed < heartbeat->after)
        return HEARTBEAT_NOTHING;
    if (was_down && (!heartbeat->wait_ns || now_ns - heartbeat->told_ns < heartbeat->wait_ns))
        return HEARTBEAT_NOTHING;
    heartbeat->down = true;
    heartbeat->told_ns = now_ns;
    heartbeat->wait_ns = was_down ? 2 * heartbeat->wait_ns : heartbeat->again_ns;
    if (heartbeat->wait_ns > heartbeat->again_most_ns)
        heartbeat->wait_ns = heartbeat->again_most_ns;
    return was_down ? HEARTBEAT_AGAIN : HEARTBEAT_DOWN;
}

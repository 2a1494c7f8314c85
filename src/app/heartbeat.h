#pragma once
/*
 * app/heartbeat: from single checks to "it is down" and "it is back", for `hinomi watch`. One failed
 * check is a hiccup; several in a row are told, and told again at growing intervals until it is back.
 *
 * Threads  One.
 */
#include <stdbool.h>
#include <stdint.h>

enum heartbeat_state { HEARTBEAT_OK, HEARTBEAT_DEGRADED, HEARTBEAT_GONE };
enum heartbeat_event { HEARTBEAT_NOTHING, HEARTBEAT_DOWN, HEARTBEAT_AGAIN, HEARTBEAT_UP };

struct heartbeat {
    uint32_t after;    /* so many failed checks in a row are told; at least 1 */
    uint32_t failed;   /* in a row */
    int64_t again_ns;  /* from the first telling to the second, at first; then twice as long each time. 0: never again */
    int64_t again_most_ns;
    bool down;         /* told */
    int64_t told_ns;   /* last */
    int64_t wait_ns;   /* until it is told again */
    int64_t since_ns;  /* the first of them */
};

const char *heartbeat_state_name(enum heartbeat_state state); /* "ok", "degraded", "gone" */

/* One check. HEARTBEAT_AGAIN: it is still down. After HEARTBEAT_UP since_ns still says when it went down. */
enum heartbeat_event heartbeat_note(struct heartbeat *heartbeat, enum heartbeat_state state,
                                    int64_t now_ns);

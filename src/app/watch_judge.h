#pragma once
/*
 * app/watch_judge: what an answer of /v1/health says about a server, for `hinomi watch`.
 *
 * Threads  One.
 */
#include "app/heartbeat.h"
#include "base/arena.h"

enum { WATCH_REASON_SIZE = 400 };

struct watch_judge {
    int64_t answered_ns; /* the server's time in its last answer; 0: none yet */
    char en[WATCH_REASON_SIZE], ja[WATCH_REASON_SIZE]; /* why the last answer is not ok */
};

/* now_ns: our wall clock when the answer came, up to waited_ns after it was made. A server's clock that is off by more than
 * WATCH_CLOCK_S is degraded: times are what it judges by, and one of the two machines is wrong. */
enum heartbeat_state watch_judge(struct watch_judge *judge, int status, struct slice body, int64_t now_ns, int64_t waited_ns,
                                 struct arena *arena);
/* Nobody answered. */
enum heartbeat_state watch_judge_gone(struct watch_judge *judge, const char *why);

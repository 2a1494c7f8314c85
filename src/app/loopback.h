#pragma once
/*
 * app/loopback: a very small HTTP/1.1 client for this machine's own server, so that the demo speaks to
 * the real collectors and the real API as any sender would.
 */
#include "base/buffer.h"
#include "base/err.h"

#include <stdint.h>

struct loopback {
    uint16_t port;
    int fd;          /* -1: not connected; kept between requests */
    int64_t used_ns; /* monotonic, of the last request */
};

/* POSTs a JSON (or event) body to 127.0.0.1; authorization is the header's value. The status, or -1. The
 * reply's body is put into reply (may be NULL). */
MUST_USE int loopback_post(struct loopback *client, const char *path, const char *authorization,
                           const char *key, struct slice body, struct buffer *reply,
                           struct err *err);
void loopback_close(struct loopback *client);

#pragma once
/*
 * net/late_curl: libcurl, loaded when the first request is made: it and the thirty libraries behind it
 * take longer to load than most commands take in all (3 of 8 ms of CPU).
 *
 * Ownership  The library stays loaded.
 * Threads    Any.
 * Errors     ERR_CONFIG when it is not installed.
 */
#include "base/err.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* The functions by their names without "curl_". */
#define LATE_CURL(X)                                                                           \
    X(global_init) X(free) X(url) X(url_set) X(url_get) X(url_cleanup) X(slist_append)         \
    X(slist_free_all) X(easy_init) X(easy_setopt) X(easy_perform) X(easy_getinfo)              \
    X(easy_strerror) X(easy_cleanup) X(easy_send) X(easy_recv)

struct late_curl {
#define MEMBER(name) __typeof__(curl_##name) *name;
    LATE_CURL(MEMBER)
#undef MEMBER
};

/* NULL and an error when it cannot be loaded. */
const struct late_curl *late_curl(struct err *err);

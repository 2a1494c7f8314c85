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
struct late_curl {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_free) *free;
    __typeof__(curl_url) *url;
    __typeof__(curl_url_set) *url_set;
    __typeof__(curl_url_get) *url_get;
    __typeof__(curl_url_cleanup) *url_cleanup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
};

/* NULL and an error when it cannot be loaded. */
const struct late_curl *late_curl(struct err *err);

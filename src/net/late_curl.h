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
    typeof(curl_global_init) *global_init;
    typeof(curl_free) *free;
    typeof(curl_url) *url;
    typeof(curl_url_set) *url_set;
    typeof(curl_url_get) *url_get;
    typeof(curl_url_cleanup) *url_cleanup;
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
    typeof(curl_easy_init) *easy_init;
    typeof(curl_easy_setopt) *easy_setopt;
    typeof(curl_easy_perform) *easy_perform;
    typeof(curl_easy_getinfo) *easy_getinfo;
    typeof(curl_easy_strerror) *easy_strerror;
    typeof(curl_easy_cleanup) *easy_cleanup;
};

/* NULL and an error when it cannot be loaded. */
const struct late_curl *late_curl(struct err *err);

#include "net/late_curl.h"

#include "base/late.h"

static void ready(const void *functions)
{
    const struct late_curl *lib = functions;
    lib->global_init(CURL_GLOBAL_DEFAULT);
}

LATE_LIBRARY(late_curl, LATE_CURL, HINOMI_CURL_LIBRARY, "curl_", "requests need libcurl", ready)

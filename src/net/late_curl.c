#include "net/late_curl.h"

#include "base/attr.h"
#include "base/late.h"

static struct late_curl functions;

static void ready(void)
{
    functions.global_init(CURL_GLOBAL_DEFAULT);
}

static const struct late_function list[] = {
#define ENTRY(member) {#member, offsetof(struct late_curl, member)},
    LATE_CURL(ENTRY)
#undef ENTRY
};

static struct late_library library = {
    .name = HINOMI_CURL_LIBRARY,
    .what = "requests need libcurl",
    .prefix = "curl_",
    .list = list,
    .count = ARRAY_COUNT(list),
    .functions = &functions,
    .ready = ready,
};

const struct late_curl *late_curl(struct err *err)
{
    return late_load(&library, err);
}

#include "net/late_curl.h"

#include "base/late.h"

#include <pthread.h>

static struct late_curl functions;
static struct late_library library;

#define FIND(member) late_find(&library, "curl_" #member, &functions.member)

static void load(void)
{
    late_open(&library, HINOMI_CURL_LIBRARY);
    FIND(global_init);
    FIND(free);
    FIND(url);
    FIND(url_set);
    FIND(url_get);
    FIND(url_cleanup);
    FIND(slist_append);
    FIND(slist_free_all);
    FIND(easy_init);
    FIND(easy_setopt);
    FIND(easy_perform);
    FIND(easy_getinfo);
    FIND(easy_strerror);
    FIND(easy_cleanup);
    if (!library.problem[0])
        functions.global_init(CURL_GLOBAL_DEFAULT);
}

const struct late_curl *late_curl(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "requests need libcurl (%s), which cannot be loaded: %s",
            HINOMI_CURL_LIBRARY, library.problem);
    return NULL;
}

#include "net/late_curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static struct late_curl functions;
static char problem[256];

static void *find(void *library, const char *name)
{
    void *found = library ? dlsym(library, name) : NULL;
    if (!found && !problem[0])
        snprintf(problem, sizeof(problem), "%s", dlerror());
    return found;
}

/* POSIX lets a pointer to an object become one to a function, C does not. */
#define FIND(member) *(void **)(void *)&functions.member = find(library, "curl_" #member)

static void load(void)
{
    void *library = dlopen(HINOMI_CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
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
    if (!problem[0])
        functions.global_init(CURL_GLOBAL_DEFAULT);
}

const struct late_curl *late_curl(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "requests need libcurl (%s), which cannot be loaded: %s",
            HINOMI_CURL_LIBRARY, problem);
    return NULL;
}

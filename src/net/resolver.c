#include "net/resolver.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdatomic.h>

/* Of the thread and who waits; the last one frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int users;
    bool ended;
    int code;
    struct addrinfo *list;
    char host[];
};

static atomic_int hanging;

static struct addrinfo hints_of(int flags)
{
    return (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
}

static void leave(struct lookup *lookup)
{
    pthread_mutex_lock(&lookup->lock);
    bool last = --lookup->users == 0;
    pthread_mutex_unlock(&lookup->lock);
    if (!last)
        return;
    if (lookup->list)
        freeaddrinfo(lookup->list);
    pthread_cond_destroy(&lookup->done);
    pthread_mutex_destroy(&lookup->lock);
    mem_free(lookup);
}

static void *ask(void *context)
{
    struct lookup *lookup = context;
    struct addrinfo hints = hints_of(0), *list = NULL;
    pthread_setname_np(pthread_self(), "resolver");
    int code = getaddrinfo(lookup->host, NULL, &hints, &list);
    pthread_mutex_lock(&lookup->lock);
    lookup->code = code;
    lookup->list = code == 0 ? list : NULL;
    lookup->ended = true;
    pthread_cond_signal(&lookup->done);
    pthread_mutex_unlock(&lookup->lock);
    leave(lookup);
    atomic_fetch_sub(&hanging, 1);
    return NULL;
}

static struct lookup *start(const char *host, struct err *err)
{
    size_t size = strlen(host) + 1;
    pthread_condattr_t monotonic;
    pthread_t thread;
    struct lookup *lookup = mem_calloc(1, sizeof(*lookup) + size);
    if (!lookup) {
        err_nomem(err);
        return NULL;
    }
    memcpy(lookup->host, host, size);
    lookup->users = 2;
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bool room = atomic_fetch_add(&hanging, 1) < NET_LOOKUPS_MAX;
    if (room && thread_start(&thread, ask, lookup) == 0) {
        pthread_detach(thread);
        return lookup;
    }
    atomic_fetch_sub(&hanging, 1);
    lookup->users = 1;
    leave(lookup);
    err_set(err, ERR_IO, "%s: %s", host, room ? "no thread can be started to look it up" : "too many names are being looked up; does the name server answer?");
    return NULL;
}

static int copy(const struct addrinfo *list, struct net_address *out, size_t max)
{
    size_t count = 0;
    for (; list && count < max; list = list->ai_next) {
        memcpy(&out[count].address, list->ai_addr, list->ai_addrlen);
        out[count++].len = list->ai_addrlen;
    }
    return (int)count;
}

/* Numbers need no name server. */
static bool is_number(const char *host, struct net_address *out, size_t max, int *count)
{
    struct addrinfo hints = hints_of(AI_NUMERICHOST), *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    *count = copy(list, out, max);
    freeaddrinfo(list);
    return true;
}

int resolver_real(const struct hin_net *net, const char *host, struct net_address *out, size_t max, struct err *err)
{
    int result;
    (void)net;
    if (is_number(host, out, max, &result))
        return result;
    struct lookup *lookup = start(host, err);
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, NET_LOOKUP_MS * NS_PER_MS);
    if (!lookup)
        return -1;
    pthread_mutex_lock(&lookup->lock);
    for (int code = 0; !lookup->ended && code == 0;)
        code = pthread_cond_timedwait(&lookup->done, &lookup->lock, &until);
    if (!lookup->ended)
        result = err_set(err, ERR_IO, "%s: no name server answered within %d seconds", host, NET_LOOKUP_MS / 1000);
    else if (lookup->code != 0)
        result = err_set(err, ERR_IO, "%s: %s", host, gai_strerror(lookup->code));
    else
        result = copy(lookup->list, out, max);
    pthread_mutex_unlock(&lookup->lock);
    leave(lookup);
    return result;
}

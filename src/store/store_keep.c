/* store/store_keep: the thread that looks after segments and yields to all others. */
#include "store/store_state.h"

#include "base/thread.h"

#include <time.h>
#include <unistd.h>

enum { KEEP_SECONDS = 10 };

/* Room first: what goes need not be merged, and what is merged needs room. */
static void keep_once(struct store *store)
{
    static const struct task {
        const char *name;
        int (*run)(struct store *store, struct err *err); /* 1: there may be more to do */
    } tasks[] = {{"retention", store_retain}, {"merging", store_merge},
                 {"packing", store_pack}, {"moving to cold_dir", store_chill}};
    for (size_t i = 0; i < ARRAY_COUNT(tasks); i++) {
        struct err err;
        int done = 1;
        err_clear(&err);
        while (done == 1 && !store->stopping)
            done = tasks[i].run(store, &err);
        if (done < 0)
            store_say(store, "%s: %s", tasks[i].name, err.text);
    }
}

void *store_keep_run(void *context)
{
    struct store *store = context;
    /* in Linux a thread has its own priority */
    thread_stand_behind(19);
    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += KEEP_SECONDS;
        pthread_cond_timedwait(&store->keep, &store->lock, &until);
        if (store->stopping)
            break;
        pthread_mutex_unlock(&store->lock);
        keep_once(store);
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

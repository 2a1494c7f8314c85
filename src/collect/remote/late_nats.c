#include "collect/remote/late_nats.h"

#include "base/late.h"

#include <pthread.h>

static struct late_nats functions;
static struct late_library library;

static void load(void)
{
    late_open(&library, HINOMI_NATS_LIBRARY);
#define FIND(name) late_find(&library, #name, &functions.name);
    LATE_NATS(FIND)
#undef FIND
}

const struct late_nats *late_nats(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "kind: nats needs libnats (%s), which cannot be loaded: %s", HINOMI_NATS_LIBRARY, library.problem);
    return NULL;
}

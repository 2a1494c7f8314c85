#include "collect/remote/late_kafka.h"

#include "base/late.h"

#include <pthread.h>

static struct late_kafka functions;
static struct late_library library;

static void load(void)
{
    late_open(&library, HINOMI_KAFKA_LIBRARY);
#define FIND(name) late_find(&library, #name, &functions.name);
    LATE_KAFKA(FIND)
#undef FIND
}

const struct late_kafka *late_kafka(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "kind: kafka needs librdkafka (%s), which cannot be loaded: %s", HINOMI_KAFKA_LIBRARY, library.problem);
    return NULL;
}

#include "collect/remote/late_kafka.h"

#include "base/attr.h"
#include "base/late.h"

static struct late_kafka functions;

static const struct late_function list[] = {
#define ENTRY(member) {#member, offsetof(struct late_kafka, member)},
    LATE_KAFKA(ENTRY)
#undef ENTRY
};

static struct late_library library = {
    .name = HINOMI_KAFKA_LIBRARY,
    .what = "kind: kafka needs librdkafka",
    .prefix = "",
    .list = list,
    .count = ARRAY_COUNT(list),
    .functions = &functions,
};

const struct late_kafka *late_kafka(struct err *err)
{
    return late_load(&library, err);
}

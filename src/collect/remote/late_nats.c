#include "collect/remote/late_nats.h"

#include "base/attr.h"
#include "base/late.h"

static struct late_nats functions;

static const struct late_function list[] = {
#define ENTRY(member) {#member, offsetof(struct late_nats, member)},
    LATE_NATS(ENTRY)
#undef ENTRY
};

static struct late_library library = {
    .name = HINOMI_NATS_LIBRARY,
    .what = "kind: nats needs libnats",
    .prefix = "",
    .list = list,
    .count = ARRAY_COUNT(list),
    .functions = &functions,
};

const struct late_nats *late_nats(struct err *err)
{
    return late_load(&library, err);
}

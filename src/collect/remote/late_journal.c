#include "collect/remote/late_journal.h"

#include "base/attr.h"
#include "base/late.h"

static struct late_journal functions;

static const struct late_function list[] = {
#define ENTRY(member) {#member, offsetof(struct late_journal, member)},
    LATE_JOURNAL(ENTRY)
#undef ENTRY
};

static struct late_library library = {
    .name = HINOMI_SYSTEMD_LIBRARY,
    .what = "the journal is read with libsystemd",
    .prefix = "sd_journal_",
    .list = list,
    .count = ARRAY_COUNT(list),
    .functions = &functions,
};

const struct late_journal *late_journal(struct err *err)
{
    return late_load(&library, err);
}

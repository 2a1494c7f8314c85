#include "base/late_archive.h"

#include "base/attr.h"
#include "base/late.h"

static struct late_archive functions;

static const struct late_function list[] = {
#define ENTRY(member) {#member, offsetof(struct late_archive, member)},
    LATE_ARCHIVE(ENTRY)
#undef ENTRY
};

static struct late_library library = {
    .name = HINOMI_ARCHIVE_LIBRARY,
    .what = "archives need libarchive",
    .prefix = "archive_",
    .list = list,
    .count = ARRAY_COUNT(list),
    .functions = &functions,
};

const struct late_archive *late_archive(struct err *err)
{
    return late_load(&library, err);
}

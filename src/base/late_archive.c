#include "base/late_archive.h"

#include "base/late.h"

#include <pthread.h>

static struct late_archive functions;
static struct late_library library;

#define FIND(member) late_find(&library, "archive_" #member, &functions.member)

static void load(void)
{
    late_open(&library, HINOMI_ARCHIVE_LIBRARY);
    FIND(read_new);
    FIND(read_support_filter_all);
    FIND(read_support_format_zip);
    FIND(read_support_format_tar);
    FIND(read_support_filter_bzip2);
    FIND(read_support_filter_xz);
    FIND(read_support_format_raw);
    FIND(read_open_filename);
    FIND(read_open);
    FIND(read_next_header);
    FIND(read_data);
    FIND(read_free);
    FIND(error_string);
    FIND(entry_pathname_utf8);
    FIND(entry_filetype);
}

const struct late_archive *late_archive(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "archives need libarchive (%s), which cannot be loaded: %s",
            HINOMI_ARCHIVE_LIBRARY, library.problem);
    return NULL;
}

#include "collect/remote/late_journal.h"

#include "base/late.h"

#include <pthread.h>

static struct late_journal functions;
static struct late_library library;

#define FIND(member) late_find(&library, "sd_journal_" #member, &functions.member)

static void load(void)
{
    late_open(&library, HINOMI_SYSTEMD_LIBRARY);
    FIND(open);
    FIND(open_directory);
    FIND(close);
    FIND(add_match);
    FIND(add_conjunction);
    FIND(add_disjunction);
    FIND(set_data_threshold);
    FIND(seek_head);
    FIND(seek_tail);
    FIND(seek_cursor);
    FIND(test_cursor);
    FIND(next);
    FIND(previous);
    FIND(get_cursor);
    FIND(get_realtime_usec);
    FIND(get_monotonic_usec);
    FIND(enumerate_available_data);
    FIND(restart_data);
    FIND(wait);
}

const struct late_journal *late_journal(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.problem[0])
        return &functions;
    err_set(err, ERR_CONFIG, "the journal is read with libsystemd (%s), which cannot be loaded: %s",
            HINOMI_SYSTEMD_LIBRARY, library.problem);
    return NULL;
}

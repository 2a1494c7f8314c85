#include "collect/remote/late_journal.h"

#include "base/late.h"

LATE_LIBRARY(late_journal, LATE_JOURNAL, HINOMI_SYSTEMD_LIBRARY, "sd_journal_", "the journal is read with libsystemd", NULL)

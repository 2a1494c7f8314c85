#include "base/late_archive.h"

#include "base/late.h"

LATE_LIBRARY(late_archive, LATE_ARCHIVE, HINOMI_ARCHIVE_LIBRARY, "archive_", "archives need libarchive", NULL)

#pragma once
/*
 * search/search_files: the files beside the events that some commands read and write, and what names
 * of such files may be.
 */
#include "base/arena.h"
#include "base/err.h"
#include "search/source.h"

/* DIR/csv, DIR/memory and the first DIR/NAME.mmdb in the order of names. Paths live in the arena. */
MUST_USE int search_files_find(const char *dir, struct arena *arena, struct search_files *out,
                               struct err *err);
/* A file below one folder: letters of any script, digits, . _ - and blanks; no / and no leading dot. */
bool search_file_name_is_safe(struct slice name);

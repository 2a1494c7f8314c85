#pragma once
/*
 * collect/folder_watch: what changes in folders, as the kernel tells it (inotify), which does not see what other
 * machines write to a network file system.
 *
 * Threads  One. Limits  FILE_FOLDERS_WATCHED_MAX folders.
 */
#include "base/attr.h"
#include "base/slice.h"

struct folder_watch;

/* written: bytes were added to path; else files came, went or were renamed (path may be SLICE_NONE: anywhere). */
typedef void (*folder_change)(void *context, const char *path, bool written);

/* NULL: the kernel does not tell (errno says why). */
MUST_USE struct folder_watch *folder_watch_open(folder_change change, void *context);
void folder_watch_close(struct folder_watch *watch); /* NULL is fine */
int folder_watch_fd(const struct folder_watch *watch); /* readable when there is something */
/* Once more is fine. False: it cannot be watched. */
bool folder_watch_add(struct folder_watch *watch, const char *folder);
void folder_watch_read(struct folder_watch *watch);

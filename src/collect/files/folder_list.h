#pragma once
/*
 * collect/folder_list: what lies in a folder, listed twice: names that are renamed, come or go while it is read are met twice,
 * or not at all, so what both listings do not agree on is marked as moving.
 *
 *   folder_lists (one scan) ─► folder_list (by name): [app.log][app.log.1][app.log.2.gz] ...
 *
 * Ownership  All lies in the arena of the lists. Threads  One.
 * Errors     A folder that cannot be read is empty, and `problem` of its list says why.
 */
#include "base/map.h"

#include <sys/stat.h>

struct folder_entry {
    const char *name;
    uint64_t number;  /* of its inode, as the folder tells it */
    struct stat info; /* of a regular file (all zero: it is none); what a symbolic link leads to */
    bool link;
    bool moving;
};

struct folder_list {
    struct folder_entry *entries;
    size_t count;
    char problem[120]; /* "": none */
};

struct folder_lists {
    struct arena *arena;
    struct map by_folder;
};

void folder_lists_init(struct folder_lists *lists, struct arena *arena);
/* As it was when it was first asked for; NULL: memory is out. */
const struct folder_list *folder_lists_get(struct folder_lists *lists, struct slice folder);
/* Where names that begin with this one start. */
size_t folder_list_find(const struct folder_list *list, struct slice beginning);
bool folder_list_has(const struct folder_list *list, struct slice name);

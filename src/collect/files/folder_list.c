#include "collect/files/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct folder_entry *)a)->name, ((const struct folder_entry *)b)->name);
}

static void look_at(int folder, struct folder_entry *entry)
{
    struct stat info;
    if (fstatat(folder, entry->name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
        entry->moving = true;
        return;
    }
    entry->link = S_ISLNK(info.st_mode);
    if (entry->link && fstatat(folder, entry->name, &info, 0) < 0)
        return;
    if (S_ISREG(info.st_mode))
        entry->info = info;
}

/* All names with their numbers, sorted. */
static int read_names(struct arena *arena, DIR *stream, struct folder_list *out)
{
    size_t size = 0;
    rewinddir(stream);
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_type != DT_REG && entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
            continue;
        if (out->count == size) {
            size_t grown = size ? size * 2 : 64;
            out->entries = arena_grow(arena, out->entries, size * sizeof(*out->entries), grown * sizeof(*out->entries));
            size = grown;
        }
        const char *name = arena_string(arena, slice_text(entry->d_name));
        if (!out->entries || !name)
            return -1;
        out->entries[out->count++] = (struct folder_entry){.name = name, .number = entry->d_ino};
    }
    if (out->count)
        qsort(out->entries, out->count, sizeof(*out->entries), by_name);
    return 0;
}

/* Marks what is not the same in both; names that only the second one has are added to the first. */
static int compare(struct arena *arena, struct folder_list *first, const struct folder_list *second)
{
    size_t count = 0, a = 0, b = 0;
    struct folder_entry *all = arena_array(arena, first->count + second->count + 1, sizeof(*all));
    if (!all)
        return -1;
    while (a < first->count || b < second->count) {
        int order = a == first->count ? 1 : b == second->count ? -1 : by_name(&first->entries[a], &second->entries[b]);
        struct folder_entry *entry = &all[count++];
        *entry = order <= 0 ? first->entries[a] : second->entries[b];
        entry->moving |= order != 0 || entry->number != second->entries[b].number;
        a += order <= 0;
        b += order >= 0;
    }
    first->entries = all;
    first->count = count;
    return 0;
}

static int read_twice(struct arena *arena, const char *folder, struct folder_list *out)
{
    struct folder_list again = {0};
    DIR *stream = opendir(folder);
    if (!stream) {
        if (errno != ENOENT)
            snprintf(out->problem, sizeof(out->problem), "%s", strerror(errno));
        return 0;
    }
    int result = read_names(arena, stream, out);
    for (size_t i = 0; result == 0 && i < out->count; i++)
        look_at(dirfd(stream), &out->entries[i]);
    if (result == 0)
        result = read_names(arena, stream, &again);
    closedir(stream);
    return result < 0 ? -1 : compare(arena, out, &again);
}

void folder_lists_init(struct folder_lists *lists, struct arena *arena)
{
    lists->arena = arena;
    map_init(&lists->by_folder, arena);
}

const struct folder_list *folder_lists_get(struct folder_lists *lists, struct slice folder)
{
    struct folder_list *list = map_find(&lists->by_folder, folder);
    if (list)
        return list;
    const char *path = arena_string(lists->arena, folder);
    list = arena_calloc(lists->arena, sizeof(*list));
    if (!path || !list || read_twice(lists->arena, path, list) < 0 || map_put(&lists->by_folder, slice_text(path), list) < 0)
        return NULL;
    return list;
}

size_t folder_list_find(const struct folder_list *list, struct slice beginning)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct slice name = slice_text(list->entries[middle].name);
        if (slice_compare(name, beginning) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool folder_list_has(const struct folder_list *list, struct slice name)
{
    size_t at = folder_list_find(list, name);
    return at < list->count && slice_is(name, list->entries[at].name);
}

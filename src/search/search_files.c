#include "search/search_files.h"

#include <dirent.h>
#include <string.h>

bool search_file_name_is_safe(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < ' ' || c == '/' || c == '\\' || c == 0x7f)
            return false;
    }
    return name.len && name.len < 200 && name.ptr[0] != '.';
}

int search_files_find(const char *dir, struct arena *arena, struct search_files *out,
                      struct err *err)
{
    struct slice best = SLICE_NONE, csv = arena_printf(arena, "%s/csv", dir);
    struct slice memory = arena_printf(arena, "%s/memory", dir);
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    bool failed = !csv.ptr || !memory.ptr;
    while (folder && !failed && (entry = readdir(folder))) {
        struct slice name = slice_text(entry->d_name);
        if (!slice_ends(name, SLICE(".mmdb")) || name.ptr[0] == '.' ||
            (best.ptr && slice_compare(name, best) > 0))
            continue;
        best = arena_copy(arena, name);
        failed = !best.ptr;
    }
    if (folder)
        closedir(folder);
    struct slice path = best.ptr ? arena_printf(arena, "%s/%.*s", dir, SLICE_ARG(best)) : SLICE_NONE;
    *out = (struct search_files){.geoip = path.ptr, .csv = csv.ptr, .memory = memory.ptr};
    return failed || (best.ptr && !path.ptr) ? err_nomem(err) : 0;
}

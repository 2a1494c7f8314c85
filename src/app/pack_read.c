#include "app/pack_read.h"

#include "base/late_archive.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"

#include <strings.h>

struct reading {
    pack_take take;
    void *context;
    struct pack_counts *counts;
    size_t root_len; /* of a folder's own path */
    uint64_t files, bytes;
};

enum kind { KIND_RULE, KIND_TEXT, KIND_OTHER };

static bool begins_nocase(struct slice name, const char *start)
{
    return name.len >= strlen(start) && strncasecmp(name.ptr, start, strlen(start)) == 0;
}

static enum kind kind_of(struct slice name)
{
    static const char *const texts[] = {"license", "licence", "copying", "notice", "readme", "authors", "version"};
    struct slice base = SLICE(""), part;
    while (slice_next_part(&name, '/', &part))
        base = part;
    if (slice_ends(base, SLICE(".yml")) || slice_ends(base, SLICE(".yaml")))
        return KIND_RULE;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (begins_nocase(base, texts[i]))
            return KIND_TEXT;
    return KIND_OTHER;
}

/* Whether a name stays below the folder it is put in; hidden parts are left out. */
static bool is_plain(struct slice name, bool *hidden)
{
    struct slice part;
    *hidden = false;
    if (name.len == 0 || name.len > PACK_NAME_MAX || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == '\\')
            return false;
    while (slice_next_part(&name, '/', &part)) {
        if (part.len == 0 || slice_is(part, ".."))
            return false;
        *hidden |= part.ptr[0] == '.';
    }
    return true;
}

static int over(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the pack has more than %d files or %llu MB; take a part of it",
                   PACK_FILES_MAX, (unsigned long long)(PACK_BYTES_MAX / MIB));
}

static int take_file(struct reading *reading, struct slice name, struct slice bytes, struct err *err)
{
    bool rule = kind_of(name) == KIND_RULE;
    reading->bytes += bytes.len;
    if (++reading->files > PACK_FILES_MAX || reading->bytes > PACK_BYTES_MAX)
        return over(err);
    reading->counts->rules += rule;
    reading->counts->texts += !rule;
    return reading->take(reading->context, name, bytes, err);
}

/* ---- a folder ---- */

static int on_file(void *context, const char *path, struct err *err)
{
    struct reading *reading = context;
    struct slice name = slice_text(path + reading->root_len), bytes;
    bool hidden;
    while (name.len && name.ptr[0] == '/')
        name = slice_from(name, 1);
    if (kind_of(name) == KIND_OTHER || !is_plain(name, &hidden) || hidden) {
        reading->counts->left_out++;
        return 0;
    }
    struct arena *arena = arena_new(YAML_BYTES_MAX + MIB);
    int result = arena ? file_read(path, YAML_BYTES_MAX, arena, &bytes, err) : err_nomem(err);
    if (result == 0)
        result = take_file(reading, name, bytes, err);
    arena_free(arena);
    return result;
}

/* ---- an archive ---- */

static int broken(const struct late_archive *library, struct archive *archive, const char *path,
                  struct err *err)
{
    const char *why = library->error_string(archive);
    return err_set(err, ERR_INPUT, "%s cannot be read as an archive: %s", path, why ? why : "it is damaged");
}

static int take_entry(struct reading *reading, const struct late_archive *library,
                      struct archive *archive, const char *path, struct slice name, struct err *err)
{
    char *room = mem_alloc(YAML_BYTES_MAX + 1);
    size_t len = 0;
    la_ssize_t got = 1;
    if (!room)
        return err_nomem(err);
    while (got > 0 && len <= YAML_BYTES_MAX) {
        got = library->read_data(archive, room + len, YAML_BYTES_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int result = got < 0 ? broken(library, archive, path, err)
                 : len > YAML_BYTES_MAX
                     ? err_set(err, ERR_LIMIT, "%.*s in %s has more than %zu bytes", SLICE_ARG(name), path, (size_t)YAML_BYTES_MAX)
                     : take_file(reading, name, slice_of(room, len), err);
    mem_free(room);
    return result;
}

static int read_entries(struct reading *reading, const struct late_archive *library,
                        struct archive *archive, const char *path, struct err *err)
{
    struct archive_entry *entry;
    int state;
    while ((state = library->read_next_header(archive, &entry)) == ARCHIVE_OK || state == ARCHIVE_WARN) {
        const char *text = library->entry_pathname_utf8(entry);
        struct slice name = text ? slice_text(text) : SLICE("");
        bool hidden;
        if (library->entry_filetype(entry) == AE_IFDIR)
            continue;
        while (slice_starts(name, SLICE("./")))
            name = slice_from(name, 2);
        if (!is_plain(name, &hidden))
            return err_set(err, ERR_INPUT, "%s has a file named '%.*s', which is no name within a folder", path,
                           SLICE_ARG(name));
        if (library->entry_filetype(entry) != AE_IFREG || hidden || kind_of(name) == KIND_OTHER) {
            if (++reading->counts->left_out > PACK_FILES_MAX)
                return over(err);
            continue;
        }
        if (take_entry(reading, library, archive, path, name, err) < 0)
            return -1;
    }
    return state == ARCHIVE_EOF ? 0 : broken(library, archive, path, err);
}

static int read_archive(struct reading *reading, const char *path, struct err *err)
{
    const struct late_archive *library = late_archive(err);
    if (!library)
        return -1;
    struct archive *archive = library->read_new();
    if (!archive)
        return err_nomem(err);
    library->read_support_filter_all(archive);
    library->read_support_format_zip(archive);
    library->read_support_format_tar(archive);
    int result = library->read_open_filename(archive, path, 64 * 1024) == ARCHIVE_OK
                     ? read_entries(reading, library, archive, path, err)
                     : broken(library, archive, path, err);
    library->read_free(archive);
    return result;
}

int pack_read(const char *path, pack_take take, void *context, struct pack_counts *counts,
              struct err *err)
{
    struct reading reading = {.take = take, .context = context, .counts = counts, .root_len = strlen(path)};
    *counts = (struct pack_counts){0};
    return file_is_dir(path) ? file_walk(path, NULL, on_file, &reading, err)
                             : read_archive(&reading, path, err);
}

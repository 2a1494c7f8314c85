/* What hinomi-verify reads: an exported audit trail or the list of a backup, whichever it is. */
#include "base/limits.h"
#include "proof/audit_file.h"
#include "proof/backup_list.h"

#include <assert.h>
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No accepted name leaves the folder. */
static void check_paths(const struct backup_list *list)
{
    for (size_t i = 0; i < list->file_count; i++) {
        struct slice rest = list->files[i].path, part;
        assert(rest.len && rest.ptr[0] != '/');
        while (slice_next_part(&rest, '/', &part))
            assert(part.len && !slice_is(part, "..") && !slice_is(part, "."));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct audit_walk walk = {0};
    struct backup_list list;
    struct err err;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena || sodium_init() < 0)
        return 0;
    err_clear(&err);
    if (audit_file_check_text(text, arena, &walk, &err) < 0)
        assert(err.text[0]);
    arena_reset(arena);
    err_clear(&err);
    if (backup_list_parse(text, arena, &list, &err) < 0)
        assert(err.text[0]);
    else
        check_paths(&list);
    arena_free(arena);
    return 0;
}

/* The content of a manifest behind its checksum: no crash, and what is understood is written the same again. */
#include "base/hash.h"
#include "base/limits.h"
#include "store/bytes.h"
#include "store/manifest.h"

#include <assert.h>
#include <string.h>
#include <zstd.h>

enum { CONTENT_MAX = 64 * 1024, HEADER = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A whole file around the content. */
static struct slice wrap(const uint8_t *data, size_t size, char *to, size_t room)
{
    size_t len = ZSTD_compress(to + HEADER, room - HEADER, data, size, 1);
    assert(!ZSTD_isError(len));
    memcpy(to, "HINMANI1", 8);
    bytes_set_le32(to + 12, (uint32_t)size);
    bytes_set_le32(to + 8, hash_crc32c(0, slice_of(to + 12, len + 4)));
    return slice_of(to, HEADER + len);
}

static bool decode(struct slice file, struct arena *arena, struct ledger *ledger,
                   struct manifest *out)
{
    *out = (struct manifest){.ledger = ledger};
    assert(ledger_init(ledger, NULL) == 0);
    return manifest_decode(file, arena, out, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[2 * CONTENT_MAX];
    struct ledger ledger, ledger_again;
    struct manifest manifest, again;
    struct buffer first, second;
    char path[256];
    struct arena *arena = arena_new(64 * MIB);
    if (!arena || size > CONTENT_MAX) {
        arena_free(arena);
        return 0;
    }
    buffer_init(&first, MIB);
    buffer_init(&second, MIB);
    if (decode(wrap(data, size, file, sizeof(file)), arena, &ledger, &manifest)) {
        for (size_t i = 0; i < manifest.segment_count; i++)
            (void)manifest_segment_path(&manifest, "/segments", &manifest.segments[i], path, sizeof(path));
        assert(manifest_encode(&manifest, &first, NULL) == 0);
        assert(decode(buffer_slice(&first), arena, &ledger_again, &again));
        assert(manifest_encode(&again, &second, NULL) == 0);
        assert(first.len == second.len && again.segment_count == manifest.segment_count &&
               again.place_count == manifest.place_count && again.drop_count == manifest.drop_count);
        ledger_close(&ledger_again);
    }
    ledger_close(&ledger);
    buffer_close(&first);
    buffer_close(&second);
    arena_free(arena);
    return 0;
}

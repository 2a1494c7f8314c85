/* Packed files: whatever bytes they have, reading them ends, and gives no more than it says. */
#include "base/limits.h"
#include "collect/files/byte_source.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GIVEN_MAX = 8 * 1024 * 1024 }; /* a few bytes may unpack to very many */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[SOURCE_READ_BYTES];
    struct byte_source source;
    struct err err;
    size_t given = 0, nothing = 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    int result = byte_source_open(&source, fd, "fuzz", &err);
    while (result == 0 && !source.end && given < GIVEN_MAX) {
        size_t len = SIZE_MAX;
        result = byte_source_read(&source, room, sizeof(room), &len, &err);
        assert(result < 0 || len <= sizeof(room));
        nothing = result == 0 && len == 0 ? nothing + 1 : 0;
        assert(nothing < 3 + size / 16);
        given += result == 0 ? len : 0;
    }
    byte_source_close(&source);
    return 0;
}

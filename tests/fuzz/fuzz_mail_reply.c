/* A mail that came back: whatever it is, the token is one and the address has no white space. */
#include "respond/notify/mail_reply.h"

#include "base/limits.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct mail_reply_found found;
    if (!arena && !(arena = arena_new(64 * MIB)))
        abort();
    arena_reset(arena);
    mail_reply_read(slice_of(data, size), arena, &found);
    if (found.token.len && (found.token.len < MAIL_TOKEN_LEAST || found.token.len > MAIL_TOKEN_MOST))
        abort();
    for (size_t i = 0; i < found.from.len; i++)
        if (found.from.ptr[i] <= ' ' || found.from.ptr[i] > '~')
            abort();
    return 0;
}

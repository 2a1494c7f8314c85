#include "cut/encoding.h"

#include "base/buffer.h"

#include <errno.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

void encoding_close(struct encoding *encoding)
{
    if (encoding->open)
        iconv_close(encoding->converter);
    *encoding = (struct encoding){0};
}

static bool encoding_open(struct encoding *encoding, struct slice name)
{
    if (encoding->open && slice_is(name, encoding->name))
        return true;
    encoding_close(encoding);
    if (name.len == 0 || name.len >= ENCODING_NAME_MAX)
        return false;
    memcpy(encoding->name, name.ptr, name.len);
    encoding->name[name.len] = '\0';
    encoding->converter = iconv_open("UTF-8", encoding->name);
    encoding->open = (intptr_t)encoding->converter != -1; /* iconv_open(3): (iconv_t)-1 */
    return encoding->open;
}

bool encoding_is_known(struct slice name)
{
    struct encoding encoding = {0};
    bool known = encoding_open(&encoding, name);
    encoding_close(&encoding);
    return known;
}

/* No encoding that iconv knows makes more than four bytes of UTF-8 from one byte. */
struct slice encoding_to_utf8(struct encoding *encoding, struct slice name, struct slice text,
                              struct arena *arena, bool *damaged)
{
    size_t room = text.len * 4 + sizeof(REPLACEMENT), left = text.len;
    char *start = encoding_open(encoding, name) ? arena_alloc(arena, room) : NULL;
    char *to = start, *from = (char *)(uintptr_t)text.ptr;
    if (!start)
        return SLICE_NONE;
    iconv(encoding->converter, NULL, NULL, NULL, NULL);
    while (left > 0 && iconv(encoding->converter, &from, &left, &to, &room) == (size_t)-1) {
        if (errno == E2BIG || room < sizeof(REPLACEMENT))
            return SLICE_NONE;
        to = mempcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        room -= sizeof(REPLACEMENT) - 1;
        from++;
        left--;
        *damaged = true;
    }
    return slice_of(start, (size_t)(to - start));
}

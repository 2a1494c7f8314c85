#include "base/secret.h"

#include "base/file.h"
#include "base/limits.h"

#include <stdlib.h>

static int keep(struct slice text, const char *name, struct arena *arena, struct slice *out, struct err *err)
{
    text = slice_trim(text);
    if (!text.len)
        return err_set(err, ERR_CONFIG, "%s is empty", name);
    *out = arena_copy(arena, text);
    return out->ptr ? 0 : err_nomem(err);
}

int secret_read(struct slice written, struct arena *arena, struct slice *out, struct err *err)
{
    bool file = slice_starts(written, SLICE("file:")), env = slice_starts(written, SLICE("env:"));
    struct slice text;
    *out = SLICE_NONE;
    char *name = arena_string(arena, slice_from(written, file ? 5 : env ? 4 : 0));
    if (!name)
        return err_nomem(err);
    if (file)
        return file_read(name, SECRET_BYTES_MAX, arena, &text, err) < 0 ? -1 : keep(text, name, arena, out, err);
    if (env)
        return getenv(name) ? keep(slice_text(getenv(name)), name, arena, out, err)
                            : err_set(err, ERR_CONFIG, "there is no environment variable %s", name);
    *out = slice_text(name);
    return 0;
}

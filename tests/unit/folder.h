#pragma once
/* A folder of a test's own. */
#include "test.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A fresh folder below the system's for temporary files; removed by folder_remove. */
static inline void folder_make(char path[64])
{
    snprintf(path, 64, P_tmpdir "/hinomi-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline int folder_unlink(void *context, const char *path, struct err *err)
{
    (void)context;
    (void)err;
    unlink(path);
    return 0;
}

static inline void folder_remove(const char *path)
{
    char command[128];
    static const char *const below[] = {"", "/segments"};
    for (int pass = 1; pass >= 0; pass--) {
        snprintf(command, sizeof(command), "%s%s", path, below[pass]);
        struct err err;
        if (access(command, F_OK) == 0)
            (void)!file_walk(command, NULL, folder_unlink, NULL, &err);
        rmdir(command);
    }
}

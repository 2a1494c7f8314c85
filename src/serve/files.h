#pragma once
/* serve/files: the console's files, inside the program (made by tools/embed.py). */
#include "base/slice.h"

struct embedded_file {
    const char *path; /* "/app.js" */
    const char *type; /* MIME */
    const unsigned char *gzip;
    size_t gzip_len;
    const char *etag;
};
extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

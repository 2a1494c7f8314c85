#include "serve/files.h"

#include "net/inflate.h"
#include "serve/api.h"

static const struct embedded_file *find_file(struct slice path)
{
    if (slice_is(path, "/"))
        path = SLICE("/index.html");
    for (size_t i = 0; i < embedded_file_count; i++)
        if (slice_is(path, embedded_files[i].path))
            return &embedded_files[i];
    return NULL;
}

/* A client that takes no gzip gets it unpacked. */
static void reply_plain(struct http_request *request, const struct embedded_file *file,
                        struct slice headers)
{
    struct buffer plain;
    struct err err;
    buffer_init(&plain, 64 * MIB);
    if (inflate_body(INFLATE_GZIP, slice_of(file->gzip, file->gzip_len), 32 * MIB, 1000, &plain,
                     &err) < 0)
        http_reply_error(request, 500, "internal", "%s", err.text);
    else
        http_reply(request, 200, file->type, headers, buffer_slice(&plain));
    buffer_close(&plain);
}

void files_reply(struct http_request *request)
{
    const struct embedded_file *file = find_file(http_path(request));
    struct slice accepts = http_header(request, "accept-encoding");
    if (http_method(request) != HTTP_METHOD_GET && http_method(request) != HTTP_METHOD_HEAD) {
        http_reply_error(request, 405, "method_not_allowed", "the API is under /v1");
        return;
    }
    if (!file) {
        http_reply_error(request, 404, "not_found", "there is no such page; the console is at /");
        return;
    }
    bool gzip = accepts.ptr && slice_find(accepts, SLICE("gzip")) >= 0;
    struct slice headers = arena_printf(
        http_arena(request), "ETag: %s\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n%s",
        file->etag, gzip ? "Content-Encoding: gzip\r\n" : "");
    struct slice same = http_header(request, "if-none-match");
    if (same.ptr && slice_is(same, file->etag))
        http_reply(request, 304, NULL, headers, SLICE(""));
    else if (gzip)
        http_reply(request, 200, file->type, headers, slice_of(file->gzip, file->gzip_len));
    else
        reply_plain(request, file, headers);
}

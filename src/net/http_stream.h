#pragma once
/*
 * net/http_stream: an answer that is sent in pieces while it is made (chunked, RFC 9112 7.1; to an
 * HTTP/1.0 client until the connection closes).
 *
 *   put ──► waiting (bounded) ──► connection ──► reader
 *   any thread                    the loop's, as the reader takes
 *
 * Nobody waits for a slow reader: what does not fit is refused, whole, and whoever puts it decides what
 * that means. A reader that takes nothing for HTTP_IDLE_TIMEOUT_MS is disconnected, and so is one to
 * whom nothing is put for so long.
 * Ownership  http_reply_stream() takes the request over; the stream is the caller's until
 *            http_stream_end(), which it must call once.
 * Threads    One at a time, any.
 */
#include "net/http.h"

struct http_stream;

/* Begins the answer; bytes_max may wait for the reader. NULL: memory is out or the server stops, and the
 * request has been answered or dropped. Not for HEAD. */
MUST_USE struct http_stream *http_reply_stream(struct http_request *request, int status,
                                               const char *content_type, struct slice headers,
                                               size_t bytes_max);
/* False: there is no room for all of it now, or nobody reads any more; nothing of it is sent. */
MUST_USE bool http_stream_put(struct http_stream *stream, struct slice bytes);
bool http_stream_is_open(struct http_stream *stream); /* false: the reader is gone */
void http_stream_end(struct http_stream *stream);     /* what was put is still sent */

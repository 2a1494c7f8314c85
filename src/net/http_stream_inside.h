#pragma once
/* net/http_stream_inside: what http.c and http_stream.c share. The loop's thread only, but for new. */
#include "net/http_stream.h"

/* over is called once when all is sent, on the loop's thread, with the connection free for more. */
struct http_stream_end_of {
    void (*over)(void *context);
    void *context;
};

/* For a connection that the stream holds; chunked false: it ends with the connection. */
MUST_USE struct http_stream *http_stream_new(struct net_loop *loop, struct net_conn *conn,
                                             bool chunked, size_t bytes_max);
void http_stream_free(struct http_stream *stream); /* before http_stream_begin(); NULL is fine */
/* The head is written: what is put goes out from now on. */
void http_stream_begin(struct http_stream *stream, struct http_stream_end_of end);
/* The connection has room again. */
void http_stream_drained(struct http_stream *stream);
/* The connection is gone, or was before it could begin. */
void http_stream_closed(struct http_stream *stream);

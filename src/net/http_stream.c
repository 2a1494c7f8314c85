#include "net/http_stream_inside.h"

#include "base/limits.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CHUNK_FRAME_BYTES = 32 };

struct http_stream {
    struct net_loop *loop;
    struct net_conn *conn;
    bool chunked;
    atomic_int holds; /* whoever puts, the loop, and each posted flush */
    struct http_stream_end_of end; /* the loop's, with going and begun */
    struct buffer going;
    bool begun;
    pthread_mutex_t lock; /* of all below */
    struct buffer waiting;
    bool open, ended, posted;
};

struct http_stream *http_stream_new(struct net_loop *loop, struct net_conn *conn, bool chunked,
                                    size_t bytes_max)
{
    struct http_stream *stream = mem_calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->loop = loop;
    stream->conn = conn;
    stream->chunked = chunked;
    stream->open = true;
    atomic_store(&stream->holds, 2);
    buffer_init(&stream->waiting, bytes_max);
    buffer_init(&stream->going, bytes_max);
    pthread_mutex_init(&stream->lock, NULL);
    net_conn_hold(conn);
    net_loop_hold(loop);
    return stream;
}

void http_stream_free(struct http_stream *stream)
{
    if (!stream)
        return;
    net_conn_drop(stream->conn);
    net_loop_drop(stream->loop);
    buffer_close(&stream->waiting);
    buffer_close(&stream->going);
    pthread_mutex_destroy(&stream->lock);
    mem_free(stream);
}

static void drop(struct http_stream *stream)
{
    if (atomic_fetch_sub(&stream->holds, 1) == 1)
        http_stream_free(stream);
}

/* ---- the loop's side ---- */

/* What waits goes out as soon as the connection has sent what it got before. */
static void flush(struct http_stream *stream)
{
    if (!stream->begun || !net_conn_is_drained(stream->conn))
        return;
    buffer_clear(&stream->going);
    pthread_mutex_lock(&stream->lock);
    struct buffer empty = stream->going;
    stream->going = stream->waiting;
    stream->waiting = empty;
    bool over = stream->ended;
    pthread_mutex_unlock(&stream->lock);
    if (stream->going.len)
        net_conn_write(stream->conn, buffer_slice(&stream->going));
    if (!over)
        return;
    if (stream->chunked)
        net_conn_write(stream->conn, SLICE("0\r\n\r\n"));
    stream->begun = false;
    stream->end.over(stream->end.context);
    drop(stream);
}

static void flush_posted(void *context)
{
    struct http_stream *stream = context;
    pthread_mutex_lock(&stream->lock);
    stream->posted = false;
    pthread_mutex_unlock(&stream->lock);
    flush(stream);
    drop(stream);
}

void http_stream_begin(struct http_stream *stream, struct http_stream_end_of end)
{
    stream->end = end;
    stream->begun = true;
    flush(stream);
}

void http_stream_drained(struct http_stream *stream)
{
    flush(stream);
}

void http_stream_closed(struct http_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->open = false;
    buffer_clear(&stream->waiting);
    pthread_mutex_unlock(&stream->lock);
    stream->begun = false;
    drop(stream);
}

/* ---- whoever puts ---- */

/* Under the lock. */
static void post_flush(struct http_stream *stream)
{
    if (stream->posted || !stream->open)
        return;
    atomic_fetch_add(&stream->holds, 1);
    stream->posted = net_loop_post(stream->loop, flush_posted, stream);
    if (stream->posted)
        return;
    stream->open = false; /* the loop is stopping */
    atomic_fetch_sub(&stream->holds, 1);
}

bool http_stream_put(struct http_stream *stream, struct slice bytes)
{
    pthread_mutex_lock(&stream->lock);
    struct buffer *to = &stream->waiting;
    bool fits = stream->open && to->len + bytes.len + CHUNK_FRAME_BYTES <= to->max;
    size_t before = to->len;
    if (fits && bytes.len) {
        if (stream->chunked)
            buffer_printf(to, "%zx\r\n", bytes.len);
        buffer_put(to, bytes);
        buffer_put_text(to, stream->chunked ? "\r\n" : "");
        if (buffer_failed(to)) { /* memory */
            to->len = before;
            to->failed = fits = false;
        }
        post_flush(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return fits;
}

bool http_stream_is_open(struct http_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool open = stream->open;
    pthread_mutex_unlock(&stream->lock);
    return open;
}

void http_stream_end(struct http_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    post_flush(stream);
    pthread_mutex_unlock(&stream->lock);
    drop(stream);
}

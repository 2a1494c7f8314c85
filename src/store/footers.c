#include "store/footers.h"

#include "store/segment.h"
#include "store/store_state.h"

void footers_init(struct footers *footers)
{
    *footers = (struct footers){0};
    pthread_mutex_init(&footers->lock, NULL);
}

void footers_close(struct footers *footers)
{
    pthread_mutex_destroy(&footers->lock);
}

static void unlink_one(struct footers *footers, struct store_segment *segment)
{
    *(segment->newer ? &segment->newer->older : &footers->newest) = segment->older;
    *(segment->older ? &segment->older->newer : &footers->oldest) = segment->newer;
    segment->newer = segment->older = NULL;
}

static void put_first(struct footers *footers, struct store_segment *segment)
{
    segment->older = footers->newest;
    *(segment->older ? &segment->older->newer : &footers->oldest) = segment;
    footers->newest = segment;
}

static void drop(struct footers *footers, struct store_segment *segment)
{
    unlink_one(footers, segment);
    footers->bytes -= segment_footer_bytes(segment->footer);
    segment_footer_unref(segment->footer);
    segment->footer = NULL;
}

/* A reference of the caller's, or NULL. */
static struct segment_footer *known(struct footers *footers, struct store_segment *segment)
{
    pthread_mutex_lock(&footers->lock);
    struct segment_footer *footer = segment->footer ? segment_footer_ref(segment->footer) : NULL;
    if (footer) {
        unlink_one(footers, segment);
        put_first(footers, segment);
    }
    pthread_mutex_unlock(&footers->lock);
    return footer;
}

static void keep(struct footers *footers, struct store_segment *segment,
                 struct segment_footer *footer)
{
    size_t bytes = segment_footer_bytes(footer);
    pthread_mutex_lock(&footers->lock);
    if (!segment->footer && bytes <= STORE_FOOTERS_BYTES) {
        segment->footer = segment_footer_ref(footer);
        footers->bytes += bytes;
        put_first(footers, segment);
        while (footers->bytes > STORE_FOOTERS_BYTES)
            drop(footers, footers->oldest);
    }
    pthread_mutex_unlock(&footers->lock);
}

int footers_open(struct store_segment *from, struct segment **out, struct err *err)
{
    struct footers *footers = &from->store->footers;
    struct segment_footer *footer = known(footers, from);
    int result = segment_open(from->store->config.io, from->path, footer, out, err);
    if (result == 0 && !footer && segment_file_id(*out) == from->info.file_id)
        keep(footers, from, segment_get_footer(*out));
    segment_footer_unref(footer);
    return result;
}

void footers_forget(struct store_segment *segment)
{
    struct footers *footers = &segment->store->footers;
    pthread_mutex_lock(&footers->lock);
    if (segment->footer)
        drop(footers, segment);
    pthread_mutex_unlock(&footers->lock);
}

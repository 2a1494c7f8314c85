#include "app/listing.h"

#include "app/cli.h"
#include "base/limits.h"
#include "base/time.h"
#include "search/frame.h"


int listing_init(struct listing *listing, struct err *err)
{
    *listing = (struct listing){.arena = arena_new(LISTING_ARENA_MAX)};
    listing->rows = listing->arena ? frame_batch_new(listing->arena, 0) : NULL;
    return listing->rows ? 0 : err_nomem(err);
}

void listing_close(struct listing *listing)
{
    arena_free(listing->arena);
    *listing = (struct listing){0};
}

void listing_row(struct listing *listing)
{
    if (listing->rows->row_count == LISTING_ROWS_MAX)
        listing->failed = true;
    else
        listing->rows->row_count++;
}

static void put(struct listing *listing, const char *name, struct value v)
{
    if (listing->failed)
        return;
    struct column *column = batch_column(listing->rows, slice_text(name));
    if (!column || column_add(listing->rows, column, listing->rows->row_count - 1, v) < 0)
        listing->failed = true;
}

void listing_text(struct listing *listing, const char *column, struct slice text)
{
    put(listing, column, value_string(arena_copy(listing->arena, text.ptr ? text : SLICE(""))));
}

void listing_i64(struct listing *listing, const char *column, int64_t n)
{
    put(listing, column, value_i64(n));
}

void listing_time(struct listing *listing, const char *column, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    size_t len = time_ns ? time_format(time_ns, text) : 0;
    listing_text(listing, column, slice_of(text, len));
}

int listing_print(const struct listing *listing, enum output_format format, struct err *err)
{
    struct buffer out;
    struct slice *names = arena_array(listing->arena, listing->rows->column_count + 1U, sizeof(*names));
    if (!names || listing->failed)
        return err_set(err, ERR_LIMIT, "that is too much to print at once; ask for less");
    for (uint32_t c = 0; c < listing->rows->column_count; c++)
        names[c] = listing->rows->columns[c]->name;
    struct search_result result = {.rows = listing->rows, .names = names, .complete = true};
    buffer_init(&out, 2 * GIB);
    output_put(&result, format, &out);
    bool failed = buffer_failed(&out);
    cli_write(buffer_slice(&out));
    buffer_close(&out);
    cli_flush();
    return failed ? err_nomem(err) : 0;
}

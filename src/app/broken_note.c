#include "app/broken_note.h"

#include "event/delivery.h"

#include <stdio.h>

void broken_note_end(struct broken_note *note)
{
    if (note->more)
        fprintf(
            stderr,
            "hinomi: %s: %llu more events could not be decoded; they carry the tag _decode_error\n",
            note->path, (unsigned long long)note->more);
    *note = (struct broken_note){0};
}

static void begin_file(struct broken_note *note, const struct event_row *row)
{
    struct slice path = row->origin->path;
    broken_note_end(note);
    snprintf(note->path, sizeof(note->path), "%.*s", SLICE_ARG(path));
    note->first_seq = row->seq;
}

static void say_first(struct broken_note *note, const struct batch *batch, uint32_t index)
{
    const struct column *column = batch_find(batch, SLICE("error.message"));
    uint32_t first, count = column ? column_range(column, index, &first) : 0;
    struct slice why = count ? value_slice(column->values[first]) : SLICE("it is not understood");
    fprintf(stderr, "hinomi: %s: event %llu is kept as it came: %.*s\n", note->path,
            (unsigned long long)(batch->rows[index].seq - note->first_seq + 1), SLICE_ARG(why));
    note->said = true;
}

void broken_note_batch(struct broken_note *note, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->row_count; i++) {
        const struct event_row *row = &batch->rows[i];
        if (!row->origin || !row->origin->path.ptr)
            continue;
        if (!slice_is(row->origin->path, note->path))
            begin_file(note, row);
        if (!(row->flags & EVENT_DECODE_ERROR))
            continue;
        if (note->said)
            note->more++;
        else
            say_first(note, batch, i);
    }
}

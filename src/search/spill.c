#include "search/spill.h"

#include "base/hash.h"
#include "base/io.h"
#include "event/value_bytes.h"
#include "store/bytes.h"
#include "store/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void search_memory_init(struct search_memory *memory, size_t bytes_max, const char *folder)
{
    *memory = (struct search_memory){
        .budget = {.bytes_max = bytes_max}, .io = io_real(), .folder = folder, .fd = -1};
}

void search_memory_close(struct search_memory *memory)
{
    if (memory->fd >= 0)
        memory->io->close(memory->io->context, memory->fd);
    memory->fd = -1;
}

bool search_memory_is_worth(const struct search_memory *memory, size_t held)
{
    enum { WORTH_IT = 16 }; /* smaller parts than this share make too many of them */
    return held > memory->budget.bytes_max / WORTH_IT;
}

bool search_memory_is_short(const struct search_memory *memory, size_t held)
{
    const struct arena_budget *budget = &memory->budget;
    return budget->bytes_held > budget->bytes_max / 2 && search_memory_is_worth(memory, held);
}

uint32_t search_memory_rows(const struct search_memory *memory)
{
    enum { BYTES_A_ROW = 8192, LEAST = 256 }; /* so that a frame of usual rows is a small part of it */
    size_t rows = memory->budget.bytes_max / BYTES_A_ROW / 64 * 64;
    return rows < LEAST ? LEAST : rows > FRAME_ROWS_MAX ? FRAME_ROWS_MAX : (uint32_t)rows;
}

/* ---- the file ---- */

static int open_file(struct search_memory *memory, struct err *err)
{
    const struct hin_io *io = memory->io;
    const char *folder = memory->folder ? memory->folder : getenv("TMPDIR");
    char path[4400];
    if (!folder || !*folder)
        folder = P_tmpdir;
    memory->fd = io->open(io->context, folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (memory->fd >= 0)
        return 0;
    /* file systems without O_TMPFILE */
    snprintf(path, sizeof(path), "%.4000s/hinomi-search-%ld-%p", folder, (long)getpid(), (void *)memory);
    memory->fd = io->open(io->context, path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (memory->fd < 0)
        return err_set_errno(err, errno, "the search needs more than its memory, and no temporary file can "
                             "be made in %s", folder);
    io->unlink(io->context, path);
    return 0;
}

/* ---- a block as bytes ----
 *
 *   le32 CRC-32C of the rest, le32 bytes of the rest, le32 rows, le32 columns
 *   column: name (varint, bytes), le32 values, then of each value the steps from the row before as
 *           varint and the value (store/chunk.h)
 */

enum { FRAME_BYTES = 8 };

static uint32_t put_values(struct buffer *to, const struct column *column, const uint32_t *rows,
                           uint32_t first, uint32_t count)
{
    uint32_t values = 0, before = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at, n = column_range(column, rows ? rows[first + i] : first + i, &at);
        for (uint32_t k = 0; k < n; k++) {
            struct value v = column_value(column, at + k);
            if (v.type == VALUE_NULL)
                continue;
            buffer_put_varint(to, i - before);
            value_put_bytes(to, v);
            before = i;
            values++;
        }
    }
    return values;
}

static void set_le32(struct buffer *to, size_t at, uint32_t n)
{
    for (unsigned i = 0; !buffer_failed(to) && i < 4; i++)
        to->ptr[at + i] = (char)(n >> 8 * i);
}

static void put_block(struct buffer *to, const struct batch *batch, const uint32_t *rows,
                      uint32_t first, uint32_t count)
{
    buffer_clear(to);
    buffer_put_le64(to, 0);
    buffer_put_le32(to, count);
    buffer_put_le32(to, batch->column_count);
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const struct column *column = batch->columns[c];
        buffer_put_block(to, column->name);
        size_t place = to->len;
        buffer_put_le32(to, 0);
        set_le32(to, place, put_values(to, column, rows, first, count));
    }
    struct slice rest = slice_from(buffer_slice(to), FRAME_BYTES);
    set_le32(to, 0, hash_crc32c(0, rest));
    set_le32(to, 4, (uint32_t)rest.len);
}

size_t spill_block_bytes(const struct search_memory *memory)
{
    enum { SHARE = 128 };
    size_t share = memory->budget.bytes_max / SHARE;
    return share < SPILL_BLOCK_BYTES ? share : SPILL_BLOCK_BYTES;
}

/* Told from the blocks before. */
static uint32_t rows_of_block(const struct search_memory *memory, const struct spill_part *part)
{
    uint64_t most = search_memory_rows(memory), bytes = part->end - part->at;
    most = most < FRAME_ROWS_MAX ? most / 2 : SPILL_BLOCK_ROWS; /* some blocks are merged at once */
    uint64_t fit = part->rows ? spill_block_bytes(memory) / (bytes / part->rows + 1) : most / 8;
    return (uint32_t)(fit < 1 ? 1 : fit > most ? most : fit);
}

static int write_block(struct search_memory *memory, struct slice bytes, struct err *err)
{
    if (memory->written + bytes.len > SPILL_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the search needs more than %llu GiB of temporary space; narrow its "
                       "time range, keep fewer fields or group earlier",
                       (unsigned long long)(SPILL_BYTES_MAX / GIB));
    if (memory->fd < 0 && open_file(memory, err) < 0)
        return -1;
    if (io_write_all(memory->io, memory->fd, bytes, (off_t)memory->written, "the temporary file", err) < 0)
        return -1;
    memory->written += bytes.len;
    return 0;
}

int spill_write(struct search_memory *memory, const struct batch *batch, const uint32_t *rows,
                uint32_t count, struct spill_part *part, struct err *err)
{
    struct buffer bytes;
    int result = 0;
    if (part->end == 0)
        part->at = part->end = memory->written;
    buffer_init(&bytes, 4 * GIB - 1);
    for (uint32_t at = 0, n; result == 0 && at < count; at += n) {
        n = rows_of_block(memory, part);
        n = n < count - at ? n : count - at;
        put_block(&bytes, batch, rows, at, n);
        result = buffer_failed(&bytes) ? err_nomem(err)
                                       : write_block(memory, buffer_slice(&bytes), err);
        part->rows += n;
        part->end = memory->written;
    }
    memory->spilled += count;
    buffer_close(&bytes);
    return result;
}

/* ---- and back ---- */

int spill_reader_open(struct spill_reader *reader, struct search_memory *memory,
                      const struct spill_part *part, struct err *err)
{
    *reader = (struct spill_reader){.memory = memory, .at = part->at, .end = part->end};
    reader->arena = arena_new_within(&memory->budget);
    return reader->arena ? 0 : err_nomem(err);
}

void spill_reader_close(struct spill_reader *reader)
{
    arena_free(reader->arena);
    reader->arena = NULL;
}

static bool take_column(struct slice *from, struct batch *batch)
{
    struct slice name;
    uint32_t values, row = 0;
    if (!slice_take_block(from, &name) || !slice_take_le32(from, &values))
        return false;
    struct column *column = batch_column(batch, name);
    if (column && values <= from->len) { /* a value has a byte at least */
        column->rows = arena_alloc(batch->arena, (values + 1U) * sizeof(*column->rows));
        column->values = arena_alloc(batch->arena, (values + 1U) * sizeof(*column->values));
        column->size = column->rows && column->values ? values + 1 : 0;
    }
    for (uint32_t i = 0; column && i < values; i++) {
        uint64_t step;
        struct value v;
        if (!slice_take_varint(from, &step) || step >= batch->row_count - row ||
            !value_take_bytes(from, batch->arena, &v) ||
            column_add(batch, column, row += (uint32_t)step, v) < 0)
            return false;
    }
    return column != NULL;
}

static int take_block(struct spill_reader *reader, struct slice bytes, struct batch **out,
                      struct err *err)
{
    uint32_t rows, columns;
    bool fine = slice_take_le32(&bytes, &rows) && slice_take_le32(&bytes, &columns);
    *out = fine ? frame_batch_new(reader->arena, rows) : NULL;
    for (uint32_t i = 0; *out && fine && i < columns; i++)
        fine = take_column(&bytes, *out);
    return *out && fine ? 1 : err_nomem(err);
}

int spill_read(struct spill_reader *reader, struct batch **out, struct err *err)
{
    struct search_memory *memory = reader->memory;
    char head[FRAME_BYTES];
    if (reader->at == reader->end)
        return 0;
    arena_reset(reader->arena);
    if (io_read_all(memory->io, memory->fd, head, sizeof(head), (off_t)reader->at, "the temporary file",
                    err) < 0)
        return -1;
    uint32_t crc = bytes_get_le32(head), len = bytes_get_le32(head + 4);
    char *bytes = arena_alloc(reader->arena, len);
    if (!bytes)
        return err_nomem(err);
    if (io_read_all(memory->io, memory->fd, bytes, len, (off_t)reader->at + FRAME_BYTES,
                    "the temporary file", err) < 0)
        return -1;
    if (hash_crc32c(0, slice_of(bytes, len)) != crc)
        return err_set(err, ERR_CORRUPT, "the temporary file reads back otherwise than it was written; "
                       "check the disk under %s", memory->folder ? memory->folder : "$TMPDIR");
    reader->at += FRAME_BYTES + len;
    return take_block(reader, slice_of(bytes, len), out, err);
}

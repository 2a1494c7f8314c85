#include "store/seal.h"

#include "base/bits.h"
#include "base/mem.h"
#include "event/schema.h"
#include "store/skeleton.h"

#include <stdlib.h>

enum { REFS_MAX = 1024, LOOK_AT = 256, MOVES_PER_ROW = 16 };

struct row_key {
    int64_t time_ns;
    uint64_t seq;
    uint32_t part, row;
};

/* One block being made. All arrays live in the job's arena and are reused block by block. */
struct job {
    struct segment_writer *writer;
    const struct memtable *table;
    struct arena *arena;
    const struct mem_part **parts;
    struct row_key *order; /* every row of the table */
    bool in_order;         /* parts follow each other and are sorted themselves */
    const struct mem_part_column ***pieces; /* by part and column index; NULL where it has none */
    uint32_t **place;      /* of a part's row in the current block, UINT32_MAX when not in it */
    uint32_t block_rows;
    struct row_key *block; /* within order */
    bool single_block;
    struct words *words; /* of the block */

    struct arena *work; /* of the block */
    struct sealed *columns;
    uint32_t column_count;
    uint32_t *rows, *codes; /* of the column being gathered, in work */
    struct value *values;
    uint64_t *seen;         /* by row of the block, for scatter(); bits are zero between columns */
    uint32_t *code_of_row;
    struct value *value_of_row;
};

/* A column of the block, ready to be written. */
struct sealed {
    struct slice name;
    struct chunk_input input;
    int order; /* texts come after what they may repeat */
};

static int compare_keys(const void *a, const void *b)
{
    const struct row_key *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Events mostly come nearly in order: each is moved a little. False when that took too many moves;
 * the keys are all there, in some order. */
static bool settle_order(struct row_key *order, size_t count)
{
    size_t left = count * MOVES_PER_ROW;
    for (size_t i = 1; i < count; i++) {
        struct row_key key = order[i];
        size_t to = i;
        for (; to && compare_keys(&order[to - 1], &key) > 0 && left; to--, left--)
            order[to] = order[to - 1];
        order[to] = key;
        if (!left)
            return false;
    }
    return true;
}

static int collect_rows(struct job *job, struct err *err)
{
    const struct memtable *table = job->table;
    job->parts = arena_array(job->arena, table->part_count + 1U, sizeof(*job->parts));
    job->place = arena_array(job->arena, table->part_count + 1U, sizeof(*job->place));
    job->pieces = arena_array(job->arena, table->part_count + 1U, sizeof(*job->pieces));
    job->order = arena_alloc(job->arena, table->row_count * sizeof(*job->order) + 1);
    if (!job->parts || !job->place || !job->pieces || !job->order)
        return err_nomem(err);
    size_t n = 0;
    uint32_t index = 0;
    job->in_order = true;
    for (const struct mem_part *part = table->first; index < table->part_count;
         part = part->next, index++) {
        job->parts[index] = part;
        job->place[index] = arena_alloc(job->arena, part->row_count * sizeof(uint32_t) + 1);
        job->pieces[index] =
            arena_array(job->arena, table->column_count + 1U, sizeof(**job->pieces));
        if (!job->place[index] || !job->pieces[index])
            return err_nomem(err);
        for (uint32_t c = 0; c < part->column_count; c++)
            job->pieces[index][part->columns[c].index] = &part->columns[c];
        for (uint32_t row = 0; row < part->row_count; row++, n++) {
            job->order[n] = (struct row_key){part->time_ns[row], part->seq[row], index, row};
            job->in_order = job->in_order &&
                            (n == 0 || compare_keys(&job->order[n - 1], &job->order[n]) < 0);
        }
    }
    if (!job->in_order && !settle_order(job->order, n))
        qsort(job->order, n, sizeof(*job->order), compare_keys);
    return 0;
}

static void place_rows(struct job *job)
{
    for (uint32_t p = 0; p < job->table->part_count; p++)
        memset(job->place[p], 0xff, job->parts[p]->row_count * sizeof(uint32_t));
    for (uint32_t i = 0; i < job->block_rows; i++)
        job->place[job->block[i].part][job->block[i].row] = i;
}

/* ---- one column ------------------------------------------------------------------------- */

/* A column's pieces in the parts, in order. */
struct pieces {
    const struct mem_part_column **of_part; /* NULL where the part has none */
    uint32_t count; /* entries in all parts */
    bool codes;     /* all pieces have them */
    bool multi;
    uint16_t types_seen;
};

static void find_pieces(const struct job *job, uint32_t index, struct pieces *out)
{
    out->count = 0;
    out->codes = true;
    out->multi = false;
    out->types_seen = 0;
    for (uint32_t p = 0; p < job->table->part_count; p++) {
        const struct mem_part_column *found = job->pieces[p][index];
        out->of_part[p] = found;
        if (!found)
            continue;
        out->count += found->count;
        out->codes = out->codes && found->codes;
        out->multi = out->multi || found->multi;
        out->types_seen |= found->types_seen;
    }
}

static int reserve_entries(struct job *job, size_t count, bool codes, struct err *err)
{
    job->rows = arena_alloc(job->work, count * sizeof(*job->rows));
    job->codes = codes ? arena_alloc(job->work, count * sizeof(*job->codes)) : NULL;
    job->values = codes ? NULL : arena_alloc(job->work, count * sizeof(*job->values));
    return job->rows && (job->codes || job->values) ? 0 : err_nomem(err);
}

/* Entries of the block in part order; returns how many. */
static uint32_t gather(struct job *job, const struct pieces *pieces)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < job->table->part_count; p++) {
        const struct mem_part_column *piece = pieces->of_part[p];
        const uint32_t *place = job->place[p];
        for (uint32_t i = 0; piece && i < piece->count; i++) {
            uint32_t to = place[piece->rows ? piece->rows[i] : i];
            if (to == UINT32_MAX)
                continue;
            job->rows[n] = to;
            if (pieces->codes)
                job->codes[n] = piece->codes[i];
            else
                job->values[n] = piece->codes ? piece->dict[piece->codes[i]] : piece->values[i];
            n++;
        }
    }
    return n;
}

/* One piece by row of the block. */
static void scatter_piece(struct job *job, const struct mem_part_column *piece,
                          const uint32_t *place, bool codes)
{
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t to = place[piece->rows ? piece->rows[i] : i];
        if (to == UINT32_MAX)
            continue;
        bits_set(job->seen, to);
        if (codes)
            job->code_of_row[to] = piece->codes[i];
        else
            job->value_of_row[to] = piece->codes ? piece->dict[piece->codes[i]] : piece->values[i];
    }
}

/* As gather(), in the order of the rows, where no row has several. */
static uint32_t scatter(struct job *job, const struct pieces *pieces)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < job->table->part_count; p++)
        if (pieces->of_part[p])
            scatter_piece(job, pieces->of_part[p], job->place[p], pieces->codes);
    for (size_t word = 0; word < bits_words(job->block_rows); word++) {
        for (uint64_t left = job->seen[word]; left; left &= left - 1, n++) {
            uint32_t row = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            job->rows[n] = row;
            if (pieces->codes)
                job->codes[n] = job->code_of_row[row];
            else
                job->values[n] = job->value_of_row[row];
        }
        job->seen[word] = 0;
    }
    return n;
}

/* Stable counting sort of the entries by block row, for rows with several that came out of order. */
static int sort_entries(struct job *job, const struct pieces *pieces, uint32_t count,
                        struct err *err)
{
    struct arena *scratch = arena_new(256 * MIB);
    uint32_t *start = scratch ? arena_array(scratch, job->block_rows + 1U, sizeof(*start)) : NULL;
    uint32_t *rows = scratch ? arena_alloc(scratch, count * sizeof(*rows) + 1) : NULL;
    uint32_t *codes = scratch ? arena_alloc(scratch, count * sizeof(*codes) + 1) : NULL;
    struct value *values = scratch ? arena_alloc(scratch, count * sizeof(*values) + 1) : NULL;
    if (!start || !rows || !codes || !values) {
        arena_free(scratch);
        return err_nomem(err);
    }
    for (uint32_t i = 0; i < count; i++)
        start[job->rows[i] + 1]++;
    for (uint32_t r = 0; r < job->block_rows; r++)
        start[r + 1] += start[r];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t to = start[job->rows[i]]++;
        rows[to] = job->rows[i];
        if (pieces->codes)
            codes[to] = job->codes[i];
        else
            values[to] = job->values[i];
    }
    memcpy(job->rows, rows, count * sizeof(*rows));
    if (pieces->codes)
        memcpy(job->codes, codes, count * sizeof(*codes));
    else
        memcpy(job->values, values, count * sizeof(*values));
    arena_free(scratch);
    return 0;
}

/* Only the entries this block uses, in order of first use. */
static int renumber(struct job *job, const struct mem_column *column, struct chunk_input *input,
                    struct err *err)
{
    uint32_t *fresh = arena_alloc(job->work, column->dict_count * sizeof(*fresh));
    struct value *dict = arena_alloc(job->work, column->dict_count * sizeof(*dict));
    if (!fresh || !dict)
        return err_nomem(err);
    memset(fresh, 0xff, column->dict_count * sizeof(*fresh));
    uint32_t used = 0;
    for (uint32_t i = 0; i < input->count; i++) {
        uint32_t *slot = &fresh[job->codes[i]];
        if (*slot == UINT32_MAX) {
            dict[used] = column->dict[job->codes[i]];
            *slot = used++;
        }
        job->codes[i] = *slot;
    }
    input->dict = dict;
    input->dict_count = used;
    return 0;
}

static uint16_t types_of(const struct chunk_input *input)
{
    uint16_t types = 0;
    for (uint32_t i = 0; input->codes && i < input->dict_count; i++)
        types |= (uint16_t)(1U << input->dict[i].type);
    for (uint32_t i = 0; !input->codes && i < input->count; i++)
        types |= (uint16_t)(1U << input->values[i].type);
    return types;
}

/* Texts may be written out of the columns before them: those that vary most come last. */
static int order_of(struct slice name, const struct chunk_input *input)
{
    if (slice_equal(name, FIELD_ORIGINAL))
        return 2;
    return !input->codes && input->types_seen == 1U << VALUE_STRING;
}

static void keep_column(struct job *job, struct slice name, const struct chunk_input *input)
{
    job->columns[job->column_count++] = (struct sealed){name, *input, order_of(name, input)};
}

static int gather_column(struct job *job, const struct mem_column *column, struct pieces *pieces,
                         struct err *err)
{
    find_pieces(job, column->index, pieces);
    if (!pieces->count)
        return 0;
    if (reserve_entries(job, pieces->count, pieces->codes, err) < 0)
        return -1;
    bool simple = job->in_order || pieces->multi;
    uint32_t count = simple ? gather(job, pieces) : scatter(job, pieces);
    if (!count)
        return 0;
    if (!job->in_order && pieces->multi && sort_entries(job, pieces, count, err) < 0)
        return -1;
    struct chunk_input input = {.block_rows = job->block_rows,
                                .count = count,
                                .rows = job->rows,
                                .codes = job->codes,
                                .dict = column->dict,
                                .dict_count = column->dict_count,
                                .values = job->values,
                                .multi = pieces->multi,
                                .types_seen = pieces->types_seen};
    if (!pieces->multi && count == job->block_rows)
        input.rows = NULL;
    if (!job->single_block) {
        if (pieces->codes && renumber(job, column, &input, err) < 0)
            return -1;
        input.types_seen = types_of(&input);
    }
    keep_column(job, column->name, &input);
    return 0;
}

static int gather_keys(struct job *job, struct err *err)
{
    struct value *times = arena_alloc(job->work, job->block_rows * sizeof(*times));
    struct value *seqs = arena_alloc(job->work, job->block_rows * sizeof(*seqs));
    if (!times || !seqs)
        return err_nomem(err);
    for (uint32_t i = 0; i < job->block_rows; i++) {
        times[i] = value_time(job->block[i].time_ns);
        seqs[i] = value_i64((int64_t)job->block[i].seq);
    }
    struct chunk_input input = {.block_rows = job->block_rows,
                                .count = job->block_rows,
                                .values = times,
                                .types_seen = 1U << VALUE_TIME,
                                .time_counts = true};
    keep_column(job, FIELD_TIMESTAMP, &input);
    input.values = seqs;
    input.types_seen = 1U << VALUE_I64;
    input.time_counts = false;
    keep_column(job, FIELD_SEQ, &input);
    return 0;
}

/* A guess from some of the values: texts of a kind look alike. */
static bool has_cut(const struct chunk_input *input)
{
    const struct value *values = input->codes ? input->dict : input->values;
    uint32_t count = input->codes ? input->dict_count : input->count;
    if (!(input->types_seen & 1U << VALUE_STRING))
        return false;
    for (uint32_t i = 0; i < count && i < LOOK_AT; i++)
        if (values[i].type == VALUE_STRING && skeleton_is_cut(value_slice(values[i])))
            return true;
    return false;
}

static void add_ref(struct chunk_refs *refs, const struct chunk_input *input, uint32_t column)
{
    uint32_t mark = (column + 1) * UINT32_C(0x9e3779b1);
    mark ^= mark >> 15;
    for (uint32_t i = 0; input->rows && i < input->count; i++)
        refs->shape_of_row[input->rows[i]] += mark;
    if (refs->count < REFS_MAX)
        refs->list[refs->count++] =
            (struct chunk_ref){.column = column, .input = input, .has_cut = has_cut(input)};
}

/* Of its texts, each as often as it stands there. */
static uint64_t text_bytes(const struct chunk_input *input)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < input->count; i++) {
        const struct value *v = input->codes ? &input->dict[input->codes[i]] : &input->values[i];
        bytes += v->type == VALUE_STRING ? v->len : 0;
    }
    return bytes;
}

static int write_columns(struct job *job, struct err *err)
{
    struct chunk_refs refs = {
        .list = arena_array(job->work, job->column_count + 1U, sizeof(*refs.list)),
        .shape_of_row = arena_array(job->work, job->block_rows + 1U, sizeof(uint32_t)),
        .words = job->words,
        .arena = job->work};
    if (job->words)
        words_clear(job->words);
    if (!refs.list || !refs.shape_of_row)
        return err_nomem(err);
    for (int order = 0; order <= 2; order++)
        for (uint32_t c = 0; c < job->column_count; c++) {
            struct sealed *sealed = &job->columns[c];
            if (sealed->order != order)
                continue;
            sealed->input.refs = &refs;
            if (segment_writer_add(job->writer, sealed->name, &sealed->input, err) < 0)
                return -1;
            struct segment_block *block = &job->writer->blocks[job->writer->block_count - 1];
            if (slice_equal(sealed->name, FIELD_ORIGINAL))
                block->raw_bytes = text_bytes(&sealed->input);
            add_ref(&refs, &sealed->input, block->chunks[block->chunk_count - 1].column);
        }
    return 0;
}

static int begin_block(struct job *job, struct err *err)
{
    int64_t *time_ns = mem_alloc(job->block_rows * sizeof(*time_ns));
    uint64_t *seq = mem_alloc(job->block_rows * sizeof(*seq));
    int result = time_ns && seq ? 0 : err_nomem(err);
    for (uint32_t i = 0; result == 0 && i < job->block_rows; i++) {
        time_ns[i] = job->block[i].time_ns;
        seq[i] = job->block[i].seq;
    }
    if (result == 0)
        result = segment_writer_begin_block(job->writer, job->block_rows, time_ns, seq, err);
    mem_free(time_ns);
    mem_free(seq);
    return result;
}

static int seal_block(struct job *job, struct err *err)
{
    arena_reset(job->work);
    uint32_t part_count = job->table->part_count, column_count = job->table->column_count;
    struct pieces pieces = {
        .of_part = arena_array(job->work, part_count + 1U, sizeof(*pieces.of_part))};
    job->column_count = 0;
    job->columns = arena_array(job->work, column_count + 2U, sizeof(*job->columns));
    job->seen = arena_array(job->work, bits_words(job->block_rows), sizeof(*job->seen));
    job->code_of_row = arena_alloc(job->work, job->block_rows * sizeof(*job->code_of_row));
    job->value_of_row = arena_alloc(job->work, job->block_rows * sizeof(*job->value_of_row));
    if (!pieces.of_part || !job->columns || !job->seen || !job->code_of_row || !job->value_of_row)
        return err_nomem(err);
    place_rows(job);
    if (begin_block(job, err) < 0 || gather_keys(job, err) < 0)
        return -1;
    for (uint32_t c = 0; c < column_count; c++)
        if (gather_column(job, job->table->columns[c], &pieces, err) < 0)
            return -1;
    return write_columns(job, err);
}

static int seal_blocks(struct job *job, struct err *err)
{
    uint64_t rows = job->table->row_count;
    job->single_block = rows <= BLOCK_ROWS_MAX;
    for (uint64_t at = 0; at < rows; at += job->block_rows) {
        job->block = job->order + at;
        job->block_rows = (uint32_t)(rows - at < BLOCK_ROWS_MAX ? rows - at : BLOCK_ROWS_MAX);
        if (seal_block(job, err) < 0)
            return -1;
    }
    return 0;
}

int seal_table(struct segment_writer *writer, const struct memtable *table, struct err *err)
{
    struct job job = {.writer = writer,
                      .table = table,
                      .arena = arena_new(1 * GIB),
                      .work = arena_new(1 * GIB),
                      .words = words_new()};
    int result = job.arena && job.work ? collect_rows(&job, err) : err_nomem(err);
    if (result == 0)
        result = seal_blocks(&job, err);
    arena_free(job.arena);
    arena_free(job.work);
    words_free(job.words);
    return result;
}

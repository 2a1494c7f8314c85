/* store/skeleton_read: texts put together again. Everything on disk is doubted. */
#include "store/skeleton_sieve.h"

#include "store/bytes.h"
#include "store/chunk_read.h"

static int damaged(const struct skeleton_reader *reader, struct err *err, const char *what)
{
    return chunk_damaged(reader->column, err, what);
}

int skeleton_read_kind(const struct skeleton_reader *reader, enum stream_kind kind, struct slice *out,
                     struct err *err)
{
    return chunk_read_kind(reader->column, kind, reader->arena, out, err);
}

/* ---- what the skeletons say ------------------------------------------------------------- */

static bool add_source(struct skeleton_reader *reader, uint64_t column, uint32_t *number)
{
    for (*number = 0; *number < reader->source_count; ++*number)
        if (reader->sources[*number].column == column)
            return true;
    const struct segment_block *block =
        segment_get_block(reader->column->segment, reader->column->block);
    if (reader->source_count == block->chunk_count)
        return false;
    reader->sources[reader->source_count++].column = (uint32_t)column;
    return true;
}

static bool take_column(struct skeleton_reader *reader, struct slice *from, struct skeleton_slot *slot)
{
    uint64_t column, shift = 0;
    struct slice byte;
    if (!slice_take_varint(from, &column) || column > UINT32_MAX || !slice_take(from, 1, &byte))
        return false;
    slot->form.kind = (uint8_t)byte.ptr[0];
    if (form_has_shift(slot->form.kind) && !slice_take_varint(from, &shift))
        return false;
    slot->form.shift = (int16_t)bytes_unzigzag(shift);
    return add_source(reader, column, &slot->source);
}

static bool take_coding(struct slice *from, struct slot_coding *coding)
{
    struct slice bytes;
    uint64_t count;
    if (coding->kind == SLOT_DICT) {
        if (!slice_take_varint(from, &count) || count > UINT32_MAX)
            return false;
        coding->dict_count = (uint32_t)count;
    } else if (coding->kind != SLOT_REST) {
        if (!slice_take(from, 2, &bytes))
            return false;
        coding->width = (uint8_t)bytes.ptr[0];
        coding->flags = (uint8_t)bytes.ptr[1];
    }
    return slot_coding_good(coding);
}

static bool take_slot(struct skeleton_reader *reader, struct slice *from, struct skeleton_slot *slot,
                      struct slice *constant, uint32_t row_count)
{
    struct slice byte;
    if (!slice_take(from, 1, &byte))
        return false;
    slot->coding.kind = (uint8_t)byte.ptr[0];
    if (slot->coding.kind == SLOT_CONSTANT)
        return slice_take_block(from, constant);
    if (slot->coding.kind == SLOT_COLUMN)
        return take_column(reader, from, slot);
    if (!take_coding(from, &slot->coding))
        return false;
    slot->first_token = reader->rest_tokens;
    if (slot->coding.kind == SLOT_REST)
        reader->rest_tokens += row_count;
    else if (slot->coding.kind == SLOT_DICT)
        reader->rest_tokens += slot->coding.dict_count;
    return true;
}

/* Literals with what is constant between them: fewer pieces to put together. False when memory is out. */
static bool join_constants(struct skeleton_reader *reader, struct skeleton_shape *skeleton,
                           const struct slice constants[SKELETON_TOKENS_MAX])
{
    struct slice *literals = skeleton->literals;
    uint32_t slots = 0, tokens = skeleton->token_count;
    size_t bytes = literals[0].len;
    for (uint32_t s = 0; s < tokens; s++)
        bytes += constants[s].len + literals[s + 1].len;
    char *start = arena_alloc(reader->arena, bytes + 1), *end = start;
    for (uint32_t s = 0; start && s <= tokens; s++) {
        memcpy(end, literals[s].ptr, literals[s].len);
        end += literals[s].len;
        if (s < tokens && skeleton->slots[s].coding.kind == SLOT_CONSTANT) {
            memcpy(end, constants[s].ptr, constants[s].len);
            end += constants[s].len;
            continue;
        }
        literals[slots] = slice_of(start, (size_t)(end - start));
        start = end;
        if (s < tokens)
            skeleton->slots[slots++] = skeleton->slots[s];
    }
    skeleton->token_count = slots;
    skeleton->last_part = 2 * slots;
    return start != NULL;
}

static bool take_skeleton(struct skeleton_reader *reader, struct slice *from, struct skeleton_shape *skeleton)
{
    uint64_t rows, tokens;
    struct slice constants[SKELETON_TOKENS_MAX];
    if (!slice_take_varint(from, &rows) || rows > reader->column->count ||
        !slice_take_varint(from, &tokens) || tokens > SKELETON_TOKENS_MAX)
        return false;
    skeleton->row_count = (uint32_t)rows;
    skeleton->token_count = (uint32_t)tokens;
    skeleton->literals = arena_array(reader->arena, tokens + 1, sizeof(*skeleton->literals));
    skeleton->slots = arena_array(reader->arena, tokens + 1, sizeof(*skeleton->slots));
    if (!skeleton->literals || !skeleton->slots)
        return false;
    for (uint64_t s = 0; s < tokens; s++)
        constants[s] = SLICE("");
    for (uint64_t s = 0; s <= tokens; s++)
        if (!slice_take_block(from, &skeleton->literals[s]) ||
            (s < tokens && !take_slot(reader, from, &skeleton->slots[s], &constants[s],
                                      skeleton->row_count)))
            return false;
    return join_constants(reader, skeleton, constants);
}

int skeleton_reader_open(struct skeleton_reader *reader, struct err *err)
{
    struct slice raw;
    uint64_t count;
    const struct segment_block *block =
        segment_get_block(reader->column->segment, reader->column->block);
    if (skeleton_read_kind(reader, STREAM_SKELETONS, &raw, err) < 0)
        return -1;
    reader->sources = arena_array(reader->arena, block->chunk_count + 1U, sizeof(*reader->sources));
    if (!slice_take_varint(&raw, &count) || count == 0 || count > SKELETONS_MAX)
        return damaged(reader, err, "it has an impossible number of skeletons");
    reader->skeletons = arena_array(reader->arena, count, sizeof(*reader->skeletons));
    if (!reader->skeletons || !reader->sources)
        return err_nomem(err);
    for (uint64_t k = 0; k < count; k++)
        if (!take_skeleton(reader, &raw, &reader->skeletons[k]))
            return damaged(reader, err, "a skeleton cannot be read");
    reader->count = (uint32_t)count;
    return raw.len == 0 ? 0 : damaged(reader, err, "bytes are left over");
}

/* ---- where the slots' texts come from --------------------------------------------------- */

static int load_texts(struct skeleton_reader *reader, struct segment_column *data, struct err *err)
{
    if (data->texts)
        return 0;
    struct slice *texts = arena_alloc(reader->arena, data->dict_count * sizeof(*texts) + 1);
    for (uint32_t i = 0; texts && i < data->dict_count; i++) {
        struct slice text = form_print(data->dict[i], (struct form){FORM_TEXT, 0}, reader->room);
        bool own = data->dict[i].type == VALUE_STRING || !text.ptr;
        texts[i] = own ? text : arena_copy(reader->arena, text);
    }
    data->texts = texts;
    return texts ? 0 : err_nomem(err);
}

int skeleton_reader_column(struct segment_column *own, uint32_t number, struct arena *arena,
                           struct segment_column **out, struct err *err)
{
    const struct segment_block *block = segment_get_block(own->segment, own->block);
    const struct chunk *chunk = NULL;
    *out = NULL;
    for (uint32_t i = 0; i < block->chunk_count && &block->chunks[i] < own->chunk; i++)
        if (block->chunks[i].column == number)
            chunk = &block->chunks[i];
    if (!chunk)
        return 0;
    if (own->peers)
        *out = segment_columns_at(own->peers, (size_t)(chunk - block->chunks));
    else if ((*out = arena_alloc(arena, sizeof(**out))) != NULL)
        segment_column_init(*out, own->segment, own->block, chunk);
    return *out ? 0 : err_nomem(err);
}

/* Values of rows that may yet change do not stay with the peer. */
static int load_source_values(struct skeleton_reader *reader, struct skeleton_source *source,
                              struct err *err)
{
    struct segment_column *data = source->data;
    bool lasting = !data->peers || !reader->wanted || reader->wanted == data->peers->wanted;
    if (data->values && !data->values_of)
        return 0;
    if (!lasting) {
        data = arena_alloc(reader->arena, sizeof(*data));
        if (!data)
            return err_nomem(err);
        *data = *source->data;
        source->data = data;
    }
    return segment_load_values(data, reader->wanted, reader->arena, err);
}

static int load_data(struct skeleton_reader *reader, struct skeleton_source *source, struct err *err)
{
    struct segment_column *data = source->data;
    if (segment_load_rows(data, reader->arena, err) < 0)
        return -1;
    if (data->chunk->encoding != CHUNK_CONST && data->chunk->encoding != CHUNK_DICT)
        return load_source_values(reader, source, err);
    if (segment_load_codes(data, reader->arena, err) < 0)
        return -1;
    return reader->few ? 0 : load_texts(reader, data, err);
}

/* Only columns before this one: so references cannot go in circles. */
static int load_source(struct skeleton_reader *reader, struct skeleton_source *source, struct err *err)
{
    struct segment_column *own = reader->column;
    if (skeleton_reader_column(own, source->column, reader->arena, &source->data, err) < 0)
        return -1;
    if (!source->data || own->depth >= SKELETON_DEPTH_MAX)
        return damaged(reader, err, "it refers to a column that is not there");
    struct segment_column *data = source->data;
    uint32_t depth = data->depth;
    data->depth = own->depth + 1;
    int result = load_data(reader, source, err);
    data->depth = depth;
    return result;
}

static struct slice source_text(const struct skeleton_reader *reader, const struct skeleton_slot *slot, uint32_t row)
{
    struct skeleton_source *source = &reader->sources[slot->source];
    const struct segment_column *data = source->data;
    uint32_t entry =
        data->dense ? row : skeleton_find_row(data->rows, data->count, row, &source->cursor);
    if (entry >= data->count)
        return SLICE_NONE;
    if (!data->codes)
        return form_print(data->values[entry], slot->form, reader->room);
    uint32_t code = data->codes[entry];
    return slot->form.kind == FORM_TEXT && data->texts
               ? data->texts[code]
               : form_print(data->dict[code], slot->form, reader->room);
}

static bool is_slot_wanted(const struct skeleton_shape *skeleton, uint32_t slot)
{
    return skeleton->wanted && 2 * slot + 1 >= skeleton->first_part &&
           2 * slot + 1 <= skeleton->last_part;
}

/* The slots in order, each takes what it wrote. */
int skeleton_reader_slots(struct skeleton_reader *reader, struct err *err)
{
    struct slice data = SLICE("");
    if (chunk_find_stream(reader->column->chunk, STREAM_SLOTS) &&
        skeleton_read_kind(reader, STREAM_SLOTS, &data, err) < 0)
        return -1;
    for (uint32_t k = 0; k < reader->count; k++) {
        struct skeleton_shape *skeleton = &reader->skeletons[k];
        for (uint32_t s = 0; s < skeleton->token_count; s++) {
            struct skeleton_slot *slot = &skeleton->slots[s];
            if (slot->coding.kind <= SLOT_COLUMN)
                continue;
            if (!(is_slot_wanted(skeleton, s) ? slot_decode(&slot->coding, skeleton->row_count, &data,
                                                 reader->arena, &slot->tokens)
                                   : slot_skip(&slot->coding, skeleton->row_count, &data)))
                return damaged(reader, err, "the tokens of a slot cannot be read");
        }
    }
    return data.len == 0 ? 0 : damaged(reader, err, "tokens are left over");
}

int skeleton_reader_page(struct skeleton_reader *reader, struct err *err)
{
    return reader->rest.ptr ? 0 : skeleton_read_kind(reader, STREAM_PAGE, &reader->rest, err);
}

int skeleton_reader_rest(struct skeleton_reader *reader, struct err *err)
{
    struct slice lengths;
    if (skeleton_read_kind(reader, STREAM_LENGTHS, &lengths, err) < 0 ||
        skeleton_reader_page(reader, err) < 0)
        return -1;
    if (reader->rest_tokens > lengths.len)
        return damaged(reader, err, "tokens are missing");
    reader->rest_at = arena_alloc(reader->arena, (reader->rest_tokens + 1) * sizeof(uint64_t));
    if (!reader->rest_at)
        return err_nomem(err);
    uint64_t at = 0;
    for (uint64_t i = 0; i < reader->rest_tokens; i++) {
        uint64_t len = lengths.len ? (uint8_t)lengths.ptr[0] : UINT64_MAX;
        reader->rest_at[i] = at;
        if (LIKELY(len < 0x80)) /* nearly all */
            lengths = slice_from(lengths, 1);
        else if (!slice_take_varint(&lengths, &len))
            return damaged(reader, err, "tokens do not add up");
        at += len;
        if (len > reader->rest.len || at > reader->rest.len)
            return damaged(reader, err, "tokens do not add up");
    }
    reader->rest_at[reader->rest_tokens] = at;
    return lengths.len == 0 && at == reader->rest.len
               ? 0
               : damaged(reader, err, "tokens do not add up");
}

static bool is_wanted(const struct skeleton_reader *reader, uint32_t row)
{
    return !reader->wanted || bits_get(reader->wanted, row);
}

int skeleton_reader_codes(struct skeleton_reader *reader, struct err *err)
{
    struct segment_column as_dict = *reader->column; /* codes are stored as a dictionary's are */
    as_dict.codes = NULL;
    as_dict.dict_count = reader->count;
    static const struct value none;
    as_dict.dict = &none;
    if (segment_load_codes(&as_dict, reader->arena, err) < 0)
        return -1;
    reader->codes = (uint32_t *)(uintptr_t)as_dict.codes;
    for (uint32_t i = 0; i < reader->column->count; i++) {
        struct skeleton_shape *skeleton = &reader->skeletons[reader->codes[i]];
        if (skeleton->rows_seen++ == skeleton->row_count)
            return damaged(reader, err, "skeletons and rows do not add up");
        skeleton->wanted =
            skeleton->wanted || (!skeleton->never && is_wanted(reader, reader->column->rows[i]));
    }
    for (uint32_t k = 0; k < reader->count; k++) {
        if (reader->skeletons[k].rows_seen != reader->skeletons[k].row_count)
            return damaged(reader, err, "skeletons and rows do not add up");
        reader->skeletons[k].rows_seen = 0;
    }
    return 0;
}

/* ---- putting together ------------------------------------------------------------------- */

static struct slice slot_text(const struct skeleton_reader *reader,
                              const struct skeleton_slot *slot, uint32_t row, uint32_t nth,
                              char small[SLOT_TEXT_MAX])
{
    uint64_t token = slot->first_token;
    if (slot->coding.kind == SLOT_COLUMN)
        return source_text(reader, slot, row);
    if (slot->coding.kind == SLOT_REST)
        token += nth;
    else if (slot->coding.kind == SLOT_DICT)
        token += slot->tokens.codes[nth];
    else
        return slot_print(&slot->tokens, nth, small);
    return slice_of(reader->rest.ptr + reader->rest_at[token],
                    (size_t)(reader->rest_at[token + 1] - reader->rest_at[token]));
}

static void put_text(struct buffer *to, struct slice text)
{
    if (to->size - to->len >= text.len) {
        if (text.len)
            memcpy(to->ptr + to->len, text.ptr, text.len);
        to->len += text.len;
    } else {
        buffer_put(to, text);
    }
}

static int build_row(struct skeleton_reader *reader, uint32_t i, uint32_t nth, struct buffer *to,
                     struct value *out, struct err *err)
{
    const struct skeleton_shape *skeleton = &reader->skeletons[reader->codes[i]];
    uint32_t row = reader->column->rows[i];
    buffer_clear(to);
    for (uint32_t part = skeleton->first_part; part <= skeleton->last_part; part++) {
        char small[SLOT_TEXT_MAX];
        struct slice text = part % 2 == 0 ? skeleton->literals[part / 2]
                                          : slot_text(reader, &skeleton->slots[part / 2], row, nth, small);
        if (!text.ptr)
            return damaged(reader, err, "a row that it refers to has no value");
        put_text(to, text);
    }
    struct slice copy = buffer_failed(to) ? SLICE_NONE : arena_copy(reader->arena, buffer_slice(to));
    if (!copy.ptr)
        return err_nomem(err);
    *out = value_string(copy);
    return 0;
}

/* Values of all entries; or one behind the other, of those that are wanted, when rows takes which they
 * are of. */
static int build(struct skeleton_reader *reader, uint32_t *rows, struct value *values,
                 struct err *err)
{
    struct buffer text;
    uint32_t n = 0;
    buffer_init(&text, CHUNK_STREAM_RAW_MAX);
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < reader->column->count; i++) {
        uint32_t nth = reader->skeletons[reader->codes[i]].rows_seen++;
        uint32_t row = reader->column->rows[i];
        bool wanted = is_wanted(reader, row);
        if (!rows)
            values[n = i] = value_null();
        if (wanted)
            result = build_row(reader, i, nth, &text, &values[n], err);
        if (rows && wanted)
            rows[n++] = row;
    }
    buffer_close(&text);
    return result;
}

/* What the wanted skeletons need: true when that is texts of the page. */
static bool look_at_wanted(struct skeleton_reader *reader)
{
    bool texts = false;
    for (uint32_t i = 0; i < reader->source_count; i++)
        reader->sources[i].wanted = false;
    for (uint32_t k = 0; k < reader->count; k++) {
        const struct skeleton_shape *skeleton = &reader->skeletons[k];
        for (uint32_t s = 0; s < skeleton->token_count; s++) {
            const struct skeleton_slot *slot = &skeleton->slots[s];
            if (!is_slot_wanted(skeleton, s))
                continue;
            if (slot->coding.kind == SLOT_COLUMN)
                reader->sources[slot->source].wanted = true;
            texts = texts || slot->coding.kind == SLOT_REST || slot->coding.kind == SLOT_DICT;
        }
    }
    return texts;
}

static int load_wanted_sources(struct skeleton_reader *reader, struct err *err)
{
    for (uint32_t i = 0; i < reader->source_count; i++)
        if (reader->sources[i].wanted && load_source(reader, &reader->sources[i], err) < 0)
            return -1;
    return 0;
}

static int read_all(struct skeleton_reader *reader, struct value *values, struct err *err)
{
    if (skeleton_reader_open(reader, err) < 0 || skeleton_reader_codes(reader, err) < 0 ||
        skeleton_reader_slots(reader, err) < 0 ||
        (look_at_wanted(reader) && skeleton_reader_rest(reader, err) < 0) ||
        load_wanted_sources(reader, err) < 0)
        return -1;
    return build(reader, NULL, values, err);
}

int skeleton_read(struct segment_column *column, const uint64_t *wanted, struct value *values,
                  struct arena *arena, struct err *err)
{
    struct buffer room;
    buffer_init(&room, CHUNK_STREAM_RAW_MAX);
    struct skeleton_reader reader = {.column = column, .arena = arena, .wanted = wanted, .room = &room};
    reader.few = wanted && bits_count(wanted, column->block_rows) <= SEGMENT_FEW_ROWS;
    int result = read_all(&reader, values, err);
    buffer_close(&room);
    return result;
}

/* ---- only what may match ---- */

/* The wanted rows of skeletons that are, as bits of the block. */
static uint64_t *rows_left(struct skeleton_reader *reader)
{
    const struct segment_column *column = reader->column;
    uint64_t *rows = arena_calloc(reader->arena, bits_words(column->block_rows) * 8);
    for (uint32_t i = 0; rows && i < column->count; i++)
        if (!reader->skeletons[reader->codes[i]].never && is_wanted(reader, column->rows[i]))
            bits_set(rows, column->rows[i]);
    return rows;
}

static int load_codes(struct skeleton_reader *reader, struct err *err)
{
    return segment_load_rows(reader->column, reader->arena, err) < 0
               ? -1
               : skeleton_reader_codes(reader, err);
}

/* Where all rows are asked for, which row has which skeleton is only read when one is left. */
static int sieve(struct skeleton_reader *reader, const struct skeleton_match *match, struct err *err)
{
    if (skeleton_reader_open(reader, err) < 0 || (reader->wanted && load_codes(reader, err) < 0))
        return -1;
    for (uint32_t k = 0; k < reader->count; k++)
        reader->skeletons[k].never = reader->wanted && !reader->skeletons[k].wanted;
    if (skeleton_sieve(reader, match, err) < 0)
        return -1;
    for (uint32_t k = 0; k < reader->count; k++)
        reader->skeletons[k].wanted = reader->skeletons[k].wanted && !reader->skeletons[k].never;
    return reader->wanted || !skeleton_is_any_left(reader) ? 0 : load_codes(reader, err);
}

static int read_matching(struct skeleton_reader *reader, const struct skeleton_match *match,
                         struct skeleton_texts *out, struct err *err)
{
    struct segment_column *column = reader->column;
    if (sieve(reader, match, err) < 0)
        return -1;
    if (!skeleton_is_any_left(reader))
        return 0;
    const uint64_t *left = rows_left(reader);
    out->count = left ? (uint32_t)bits_count(left, column->block_rows) : 0;
    out->rows = arena_array(reader->arena, out->count + 1U, sizeof(*out->rows));
    out->values = arena_array(reader->arena, out->count + 1U, sizeof(*out->values));
    if (!left || !out->rows || !out->values)
        return err_nomem(err);
    reader->wanted = left;
    reader->few = out->count <= SEGMENT_FEW_ROWS;
    if (column->peers)
        column->peers->wanted = left;
    if (look_at_wanted(reader) && !reader->rest_at && skeleton_reader_rest(reader, err) < 0)
        return -1;
    if (skeleton_reader_slots(reader, err) < 0 || load_wanted_sources(reader, err) < 0)
        return -1;
    return build(reader, out->rows, out->values, err);
}

int skeleton_read_matching(struct segment_column *column, const uint64_t *wanted,
                           const struct skeleton_match *match, struct arena *arena,
                           struct skeleton_texts *out, struct err *err)
{
    struct buffer room;
    buffer_init(&room, CHUNK_STREAM_RAW_MAX);
    struct skeleton_reader reader = {.column = column, .arena = arena, .wanted = wanted, .room = &room};
    *out = (struct skeleton_texts){.count = 0};
    int result = read_matching(&reader, match, out, err);
    buffer_close(&room);
    return result;
}

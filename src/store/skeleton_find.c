#include "store/skeleton_find.h"

#include "base/fold_find.h"
#include "base/utf8.h"
#include "store/skeleton_reader.h"
#include "store/skeleton_span.h"

enum { ESCAPE_TAIL_MAX = 5, KNOWN_MAX = 512 };

/* What was found out about one column for one needle. */
struct known {
    const struct chunk *chunk;
    struct slice text;
    const uint64_t *rows; /* NULL: none */
};

struct search {
    struct segment_column *column;
    const struct needle *needle;
    const struct fold_needle *folded; /* the same, unless cased */
    const uint64_t *selected; /* others are not asked for */
    struct arena *arena;
    struct buffer *room; /* for folding */
    struct known *known; /* shared along references */
    uint32_t *known_count;
};

/* What a skeleton's rows may do. */
struct verdict {
    bool all;
    uint64_t *nth;                 /* of the skeleton's rows; NULL: none by their own tokens */
    const uint64_t **sources;      /* rows of the block that a column gives */
    uint32_t source_count;
};

static int find_in(struct search *search, uint64_t *rows, struct err *err);
static int column_rows(struct search *search, const struct chunk *chunk, const uint64_t **out,
                       struct err *err);

/* ---- texts ---- */

/* As the needle is: folded or not; until the next call. SLICE_NONE when memory is out. */
static struct slice as_needle(const struct search *search, struct slice text)
{
    if (search->needle->cased)
        return text;
    buffer_clear(search->room);
    char *to = buffer_reserve(search->room, 3 * text.len + 1);
    if (!to)
        return SLICE_NONE;
    return slice_of(to, utf8_fold_text(text, to));
}

static int has_text(const struct search *search, struct slice text, bool *out, struct err *err)
{
    *out = false;
    if (text.len * 3 < search->needle->text.len)
        return 0;
    enum fold_answer known =
        search->needle->cased ? FOLD_UNKNOWN : fold_find(search->folded, text);
    *out = known == FOLD_YES;
    if (known != FOLD_UNKNOWN)
        return 0;
    struct slice same = as_needle(search, text);
    if (!same.ptr)
        return err_nomem(err);
    *out = slice_find(same, search->needle->text) >= 0;
    return 0;
}

/* Whether the needle has only such bytes; letters are asked for in lower case. */
static bool only(const struct needle *needle, const char *bytes)
{
    for (size_t i = 0; i < needle->text.len; i++) {
        unsigned char c = (unsigned char)needle->text.ptr[i];
        c = (unsigned char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
        if (!strchr(bytes, c) || !c)
            return false;
    }
    return true;
}

/* Whether a slot of this kind could print the needle at all. */
static bool could_print(const struct needle *needle, uint8_t kind)
{
    const char *bytes = slot_printed_bytes(kind);
    return !bytes || only(needle, bytes);
}

/* ---- what a skeleton says anyway ---- */

/* A stretch of fixed text, from a slot (or the start) to the next (or the end). */
static int judge_stretch(const struct search *search, struct slice raw, bool after_slot,
                         bool before_slot, struct skeleton_span *span, bool *all, struct err *err)
{
    struct slice text = as_needle(search, raw), needle = search->needle->text;
    if (!text.ptr)
        return err_nomem(err);
    /* a character may be cut there: its other bytes would be the slot's */
    bool cut = raw.len && ((before_slot && (uint8_t)raw.ptr[raw.len - 1] >= 0x80) ||
                           (after_slot && (uint8_t)raw.ptr[0] >= 0x80));
    *all = cut || slice_find(text, needle) >= 0 || skeleton_span_stretch(span, text);
    return 0;
}

static const struct chunk *chunk_of(const struct search *search, uint32_t column)
{
    const struct segment_block *block =
        segment_get_block(search->column->segment, search->column->block);
    for (uint32_t i = 0; i < block->chunk_count && &block->chunks[i] < search->column->chunk; i++)
        if (block->chunks[i].column == column)
            return &block->chunks[i];
    return NULL;
}

static const char any_number[] = "0123456789abcdef.:-", any_time[] =
    "0123456789:.+-tz/abcdefghijlmnoprsuvy";

/* Whether a part of the needle may be in the column. */
static int part_may(struct search *search, const struct chunk *chunk, size_t from, size_t to,
                    bool *out, struct err *err)
{
    struct search asked = *search;
    struct needle part = {slice_sub(search->needle->text, from, to - from), search->needle->cased};
    struct fold_needle folded;
    const uint64_t *rows;
    fold_needle_init(&folded, part.text);
    asked.needle = &part;
    asked.folded = &folded;
    asked.selected = NULL; /* what is found is kept for all rows */
    if (column_rows(&asked, chunk, &rows, err) < 0)
        return -1;
    *out = rows != NULL;
    return 0;
}

/* Of columns that are no dictionary only two parts are asked for, which rule most out. */
static int ask_parts(struct search *search, const struct chunk *chunk, struct span_slot *out,
                     struct err *err)
{
    enum { PART = 6 };
    size_t len = search->needle->text.len;
    bool begins, ends;
    if (len <= PART || search->column->depth >= SKELETON_DEPTH_MAX)
        return 0;
    if (part_may(search, chunk, 0, PART, &begins, err) < 0 ||
        part_may(search, chunk, len - PART, len, &ends, err) < 0)
        return -1;
    out->prefix = begins ? len : PART - 1;
    out->suffix = ends ? len : PART - 1;
    return 0;
}

/* What a column's texts can say, however its slots show them. */
static int ask_source(struct search *search, const struct chunk *chunk, struct span_slot *out,
                      struct err *err)
{
    size_t len = search->needle->text.len;
    struct segment_column *data;
    *out = (struct span_slot){NULL, len, len};
    if (chunk && chunk->encoding != CHUNK_DICT && chunk->encoding != CHUNK_CONST)
        return ask_parts(search, chunk, out, err);
    if (!chunk)
        return 0;
    if (chunk->types_seen == 1U << VALUE_IP || chunk->types_seen == 1U << VALUE_I64)
        out->bytes = any_number;
    if (chunk->types_seen != 1U << VALUE_STRING)
        return 0;
    if (skeleton_reader_column(search->column, chunk->column, search->arena, &data, err) < 0 ||
        segment_load_raw_dict(data, search->arena, err) < 0)
        return -1;
    *out = skeleton_span_text(search->needle, data->raw_dict);
    return 0;
}

static int slot_says(struct search *search, const struct skeleton_reader *reader,
                     const struct skeleton_slot *slot, struct skeleton_span *span, bool closely,
                     struct span_slot *out, struct err *err)
{
    size_t len = search->needle->text.len;
    *out = (struct span_slot){NULL, len, len};
    if (slot->coding.kind == SLOT_REST || slot->coding.kind == SLOT_DICT) {
        if (closely)
            *out = *skeleton_span_page(span);
    } else if (slot->coding.kind != SLOT_COLUMN) {
        out->bytes = slot_printed_bytes(slot->coding.kind);
    } else if (slot->form.kind == FORM_TEXT && closely) {
        struct span_slot *known = &span->sources[slot->source];
        if (known->prefix == SIZE_MAX &&
            ask_source(search, chunk_of(search, reader->sources[slot->source].column), known,
                       err) < 0)
            return -1;
        *out = *known;
    } else if (slot->form.kind != FORM_TEXT && slot->form.kind < FORM_JSON) {
        out->bytes = any_time;
    }
    return 0;
}

/* Whether what is fixed has the needle, or it may lie across what is and what is not; closely: what
 * texts can say is looked up. */
static int judge_fixed(struct search *search, const struct skeleton_reader *reader,
                       const struct skeleton_shape *shape, struct skeleton_span *span,
                       bool closely, struct verdict *verdict, struct err *err)
{
    int result = 0;
    skeleton_span_begin(span);
    verdict->all = false;
    for (uint32_t s = 0; result == 0 && s <= shape->token_count && !verdict->all; s++) {
        bool last = s == shape->token_count;
        result = judge_stretch(search, shape->literals[s], s > 0, !last, span, &verdict->all, err);
        struct span_slot says;
        if (result == 0 && !last && !verdict->all &&
            (result = slot_says(search, reader, &shape->slots[s], span, closely, &says, err)) == 0)
            verdict->all = skeleton_span_slot(span, &says);
    }
    return result;
}

/* ---- what columns say ---- */

/* So much of the needle's beginning may be the end of an escape (\n, \u001f) that stands for
 * another byte: what follows must be in the value itself. */
static size_t escape_tail(const struct needle *needle)
{
    static const char *const tails[ESCAPE_TAIL_MAX] = {"0123456789abcdef", "01", "0", "0", "u"};
    struct slice text = needle->text;
    size_t most = text.len && strchr("\"bfnrt", text.ptr[0]) ? 1 : 0;
    for (size_t n = 1; n <= ESCAPE_TAIL_MAX && n <= text.len; n++) {
        bool fits = true;
        for (size_t k = 0; fits && k < n; k++) { /* the last byte of the tail is any hex digit */
            char c = text.ptr[n - 1 - k];
            c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
            fits = c && strchr(tails[k], c);
        }
        most = fits ? n : most;
    }
    return most;
}

static bool is_escaped(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\\' || text.ptr[i] == '"' || (unsigned char)text.ptr[i] < ' ' ||
            (unsigned char)text.ptr[i] >= 0x80)
            return true;
    return false;
}

/* False when certainly no entry has the needle: seen without taking them apart. */
static int dict_may(const struct search *search, struct segment_column *data, bool *out,
                    struct err *err)
{
    uint16_t types = data->chunk->types_seen;
    *out = true;
    if (types == 1U << VALUE_IP || types == 1U << VALUE_I64)
        *out = only(search->needle, any_number);
    if (types != 1U << VALUE_STRING || data->dict)
        return 0;
    return segment_load_raw_dict(data, search->arena, err) < 0
               ? -1
               : has_text(search, data->raw_dict, out, err);
}

static int dict_rows(struct search *search, struct segment_column *data, uint64_t *rows, bool *any,
                     struct err *err)
{
    char small[VALUE_TEXT_SIZE];
    bool may;
    if (dict_may(search, data, &may, err) < 0 ||
        (may && segment_load_dict(data, search->arena, err) < 0))
        return -1;
    if (!may)
        return 0;
    bool *yes = arena_calloc(search->arena, data->dict_count + 1U);
    if (!yes)
        return err_nomem(err);
    for (uint32_t i = 0; i < data->dict_count; i++) {
        if (has_text(search, value_text_small(data->dict[i], small), &yes[i], err) < 0)
            return -1;
        *any = *any || yes[i];
    }
    if (!*any)
        return 0;
    if (segment_load_rows(data, search->arena, err) < 0 ||
        segment_load_codes(data, search->arena, err) < 0)
        return -1;
    for (uint32_t i = 0; i < data->count; i++)
        if (yes[data->codes[i]])
            bits_set(rows, data->rows[i]);
    return 0;
}

static int value_rows(struct search *search, struct segment_column *data, uint64_t *rows, bool *any,
                      struct err *err)
{
    char small[VALUE_TEXT_SIZE];
    uint8_t encoding = data->chunk->encoding;
    bool number = encoding == CHUNK_INT || encoding == CHUNK_DECIMAL || encoding == CHUNK_IP4;
    if (number && !only(search->needle, "0123456789abcdef.:+-tz"))
        return 0;
    if (segment_load_values(data, NULL, search->arena, err) < 0)
        return -1;
    for (uint32_t i = 0; i < data->count; i++) {
        bool yes = false;
        if (has_text(search, value_text_small(data->values[i], small), &yes, err) < 0)
            return -1;
        if (yes)
            bits_set(rows, data->rows[i]);
        *any = *any || yes;
    }
    return 0;
}

/* Rows in which the column may say the search's needle; NULL for none. */
static int column_rows(struct search *search, const struct chunk *chunk, const uint64_t **out,
                       struct err *err)
{
    for (uint32_t i = 0; i < *search->known_count; i++)
        if (search->known[i].chunk == chunk &&
            slice_equal(search->known[i].text, search->needle->text)) {
            *out = search->known[i].rows;
            return 0;
        }
    struct segment_column *data;
    if (skeleton_reader_column(search->column, chunk->column, search->arena, &data, err) < 0)
        return -1;
    uint64_t *rows = arena_calloc(search->arena, bits_words(data->block_rows) * 8);
    bool any = false;
    int result;
    if (!rows)
        return err_nomem(err);
    if (chunk->encoding == CHUNK_SKELETON) {
        struct search inner = *search;
        struct segment_column deeper = *data;
        deeper.depth = search->column->depth + 1;
        inner.column = &deeper;
        result = find_in(&inner, rows, err);
        any = result == 0 && bits_any(rows, data->block_rows);
    } else if (chunk->encoding == CHUNK_DICT || chunk->encoding == CHUNK_CONST) {
        result = dict_rows(search, data, rows, &any, err);
    } else {
        result = value_rows(search, data, rows, &any, err);
    }
    *out = any ? rows : NULL;
    if (result == 0 && *search->known_count < KNOWN_MAX)
        search->known[(*search->known_count)++] = (struct known){chunk, search->needle->text, *out};
    return result;
}

static int judge_column(struct search *search, const struct skeleton_reader *reader,
                        const struct skeleton_slot *slot, struct verdict *verdict, struct err *err)
{
    const struct chunk *chunk = chunk_of(search, reader->sources[slot->source].column);
    const uint64_t *rows = NULL;
    struct needle rest = *search->needle;
    struct fold_needle rest_folded;
    struct search asked = *search;
    if (!chunk || search->column->depth >= SKELETON_DEPTH_MAX) {
        verdict->all = true; /* reading it will say what is wrong */
        return 0;
    }
    if (slot->form.kind != FORM_TEXT && slot->form.kind < FORM_JSON) {
        verdict->all = only(search->needle, any_time);
        return 0;
    }
    if (slot->form.kind >= FORM_JSON) {
        rest.text = slice_from(rest.text, escape_tail(search->needle));
        if (rest.text.len < NEEDLE_FROM || is_escaped(rest.text)) {
            verdict->all = true;
            return 0;
        }
        asked.needle = &rest;
        fold_needle_init(&rest_folded, rest.text);
        asked.folded = &rest_folded;
    }
    if (column_rows(&asked, chunk, &rows, err) < 0)
        return -1;
    if (rows)
        verdict->sources[verdict->source_count++] = rows;
    return 0;
}

/* ---- what slots keep ---- */

static int mark_nth(struct search *search, struct verdict *verdict, uint32_t row_count, uint32_t n,
                    struct err *err)
{
    if (!verdict->nth)
        verdict->nth = arena_calloc(search->arena, bits_words(row_count) * 8);
    if (!verdict->nth)
        return err_nomem(err);
    bits_set(verdict->nth, n);
    return 0;
}

static int judge_printed(struct search *search, const struct skeleton_slot *slot,
                         uint32_t row_count, struct verdict *verdict, struct err *err)
{
    char text[SLOT_TEXT_MAX];
    for (uint32_t n = 0; n < row_count; n++) {
        bool yes = false;
        if (has_text(search, slot_print(&slot->tokens, n, text), &yes, err) < 0 ||
            (yes && mark_nth(search, verdict, row_count, n, err) < 0))
            return -1;
    }
    return 0;
}

/* The texts from first to first + count are searched as one; false when that does not tell. */
static bool find_texts(const struct search *search, const struct skeleton_reader *reader,
                       uint64_t first, uint32_t count, bool *yes)
{
    const uint64_t *at = reader->rest_at + first;
    struct slice all = slice_sub(reader->rest, (size_t)at[0], (size_t)(at[count] - at[0]));
    enum fold_answer answer;
    uint32_t n = 0;
    size_t place = 0;
    if (search->needle->cased || search->needle->text.len == 0)
        return false;
    while ((answer = fold_find_from(search->folded, all, &place)) == FOLD_YES) {
        while (at[n + 1] - at[0] <= place)
            n++;
        yes[n] = yes[n] || place + search->needle->text.len <= at[n + 1] - at[0];
        place++;
    }
    return answer == FOLD_NO;
}

static int judge_texts(struct search *search, const struct skeleton_reader *reader,
                       const struct skeleton_slot *slot, uint32_t row_count,
                       struct verdict *verdict, struct err *err)
{
    bool dict = slot->coding.kind == SLOT_DICT;
    uint32_t count = dict ? slot->coding.dict_count : row_count;
    bool *yes = arena_calloc(search->arena, count + 1U);
    if (!yes)
        return err_nomem(err);
    bool told = find_texts(search, reader, slot->first_token, count, yes);
    for (uint32_t n = 0; n < count && !told; n++) {
        const uint64_t *at = &reader->rest_at[slot->first_token + n];
        if (has_text(search, slice_of(reader->rest.ptr + at[0], (size_t)(at[1] - at[0])), &yes[n],
                     err) < 0)
            return -1;
    }
    for (uint32_t n = 0; n < row_count; n++)
        if (yes[dict ? slot->tokens.codes[n] : n] &&
            mark_nth(search, verdict, row_count, n, err) < 0)
            return -1;
    return 0;
}

/* Whether any text that the slots keep has the needle: mostly none has, and that is all. */
static int texts_may(struct search *search, struct skeleton_reader *reader, bool *out,
                     struct err *err)
{
    if (skeleton_reader_page(reader, err) < 0)
        return -1;
    return has_text(search, reader->rest, out, err);
}

struct need {
    bool texts, printed;
    struct skeleton_span span;
};

static int look_at_slots(struct search *search, struct skeleton_reader *reader, struct need *need,
                         struct err *err)
{
    if (texts_may(search, reader, &need->texts, err) < 0)
        return -1;
    if (skeleton_span_init(&need->span, search->needle, reader->rest, reader->source_count,
                           search->arena) < 0)
        return err_nomem(err);
    for (uint32_t k = 0; k < reader->count; k++)
        for (uint32_t s = 0; reader->skeletons[k].wanted && s < reader->skeletons[k].token_count;
             s++) {
            uint8_t kind = reader->skeletons[k].slots[s].coding.kind;
            need->printed = need->printed || (kind > SLOT_COLUMN && kind != SLOT_DICT &&
                                              could_print(search->needle, kind));
        }
    if ((need->texts || need->printed) && skeleton_reader_slots(reader, err) < 0)
        return -1;
    return need->texts ? skeleton_reader_rest(reader, err) : 0;
}

static int judge_slot(struct search *search, struct skeleton_reader *reader,
                      const struct skeleton_shape *shape, const struct skeleton_slot *slot,
                      const struct need *need, struct verdict *verdict, struct err *err)
{
    uint8_t kind = slot->coding.kind;
    if (kind == SLOT_COLUMN)
        return judge_column(search, reader, slot, verdict, err);
    if (kind == SLOT_REST || kind == SLOT_DICT)
        return need->texts ? judge_texts(search, reader, slot, shape->row_count, verdict, err) : 0;
    return could_print(search->needle, kind)
               ? judge_printed(search, slot, shape->row_count, verdict, err)
               : 0;
}

static int judge(struct search *search, struct skeleton_reader *reader,
                 const struct skeleton_shape *shape, struct need *need, struct verdict *verdict,
                 struct err *err)
{
    verdict->sources = arena_array(search->arena, shape->token_count + 1U, sizeof(uint64_t *));
    if (!verdict->sources)
        return err_nomem(err);
    if (judge_fixed(search, reader, shape, &need->span, false, verdict, err) < 0 ||
        (verdict->all && judge_fixed(search, reader, shape, &need->span, true, verdict, err) < 0))
        return -1;
    for (uint32_t s = 0; s < shape->token_count && !verdict->all; s++)
        if (judge_slot(search, reader, shape, &shape->slots[s], need, verdict, err) < 0)
            return -1;
    return 0;
}

/* ---- rows ---- */

static bool may(const struct verdict *verdict, uint32_t row, uint32_t nth)
{
    if (verdict->all || (verdict->nth && bits_get(verdict->nth, nth)))
        return true;
    for (uint32_t i = 0; i < verdict->source_count; i++)
        if (bits_get(verdict->sources[i], row))
            return true;
    return false;
}

static bool is_any(const struct skeleton_reader *reader, const struct verdict *verdicts)
{
    for (uint32_t k = 0; k < reader->count; k++)
        if (verdicts[k].all || verdicts[k].nth || verdicts[k].source_count)
            return true;
    return false;
}

static void mark_rows(struct skeleton_reader *reader, const struct verdict *verdicts,
                      uint64_t *rows)
{
    for (uint32_t i = 0; i < reader->column->count; i++) {
        uint32_t k = reader->codes[i], nth = reader->skeletons[k].rows_seen++;
        if (may(&verdicts[k], reader->column->rows[i], nth))
            bits_set(rows, reader->column->rows[i]);
    }
}

static int load_rows(struct search *search, struct skeleton_reader *reader, struct err *err)
{
    return segment_load_rows(search->column, search->arena, err) < 0
               ? -1
               : skeleton_reader_codes(reader, err);
}

static int judge_all(struct search *search, struct skeleton_reader *reader,
                     struct verdict *verdicts, struct err *err)
{
    struct need need = {0};
    if (look_at_slots(search, reader, &need, err) < 0)
        return -1;
    for (uint32_t k = 0; k < reader->count; k++)
        if (reader->skeletons[k].wanted &&
            judge(search, reader, &reader->skeletons[k], &need, &verdicts[k], err) < 0)
            return -1;
    return 0;
}

/* Which row has which skeleton is only read where it matters: to leave out skeletons that no selected
 * row has, and when some may have the needle. */
static int find_in(struct search *search, uint64_t *rows, struct err *err)
{
    struct skeleton_reader reader = {
        .column = search->column, .arena = search->arena, .wanted = search->selected};
    uint32_t block_rows = search->column->block_rows;
    bool some = search->selected && bits_count(search->selected, block_rows) < block_rows;
    if (skeleton_reader_open(&reader, err) < 0)
        return -1;
    struct verdict *verdicts = arena_array(search->arena, reader.count, sizeof(*verdicts));
    if (!verdicts)
        return err_nomem(err);
    for (uint32_t k = 0; k < reader.count; k++)
        reader.skeletons[k].wanted = !some;
    if ((some && load_rows(search, &reader, err) < 0) ||
        judge_all(search, &reader, verdicts, err) < 0)
        return -1;
    if (!is_any(&reader, verdicts))
        return 0;
    if (!some && load_rows(search, &reader, err) < 0)
        return -1;
    mark_rows(&reader, verdicts, rows);
    return 0;
}

int skeleton_find(struct segment_column *column, const struct needle *needle,
                  const uint64_t *selected, uint64_t *rows, struct arena *arena, struct err *err)
{
    uint32_t known_count = 0;
    struct buffer room;
    buffer_init(&room, 3 * CHUNK_STREAM_RAW_MAX + 8);
    struct fold_needle folded;
    fold_needle_init(&folded, needle->text);
    struct search search = {.column = column,
                            .needle = needle,
                            .folded = &folded,
                            .selected = selected,
                            .arena = arena,
                            .room = &room,
                            .known = arena_array(arena, KNOWN_MAX, sizeof(struct known)),
                            .known_count = &known_count};
    int result = search.known ? find_in(&search, rows, err) : err_nomem(err);
    buffer_close(&room);
    return result;
}

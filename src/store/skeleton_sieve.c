#include "store/skeleton_sieve.h"

#include "base/bits.h"

enum {
    STARTS_MAX = 64, /* bytes that a match may begin with, for texts to be walked rather than their bytes */
    KNOWN_MAX = 4,   /* answers that are kept of a column */
};

/* What a column's texts made of a walk. */
struct known {
    bool back, hit;
    uint8_t form;
    uint64_t from[REGEX_POSITION_WORDS], to[REGEX_POSITION_WORDS];
};

/* What texts may do that nothing stands before. */
struct alone {
    bool asked;
    uint8_t form;
    bool inside; /* a match may lie in one of them */
    uint64_t begun[REGEX_POSITION_WORDS]; /* positions that may be live behind one */
};

struct sieve_source {
    struct alone alone;
    struct known known[KNOWN_MAX];
    uint32_t known_count; /* in all; the oldest give way */
};

struct sieve {
    struct skeleton_reader *reader;
    const struct skeleton_match *match;
    struct alone page; /* what slots keep */
    struct alone printed[SLOT_KIND_COUNT];
    bool exact[2]; /* forward, backward: texts are walked */
    struct sieve_source *sources;
    struct regex_walk walk;
};

static struct byte_set bytes_of(const char *text)
{
    struct byte_set set = {{0}};
    byte_set_add_text(&set, slice_text(text));
    return set;
}

static bool is_kept(const struct skeleton_slot *slot)
{
    return slot->coding.kind == SLOT_REST || slot->coding.kind == SLOT_DICT;
}

/* Text n of those that the slot keeps. */
static struct slice kept_text(const struct skeleton_reader *reader,
                              const struct skeleton_slot *slot, uint32_t n)
{
    const uint64_t *at = &reader->rest_at[slot->first_token + n];
    return slice_of(reader->rest.ptr + at[0], (size_t)(at[1] - at[0]));
}

static void walk_kept(struct sieve *sieve, const struct skeleton_slot *slot, uint32_t row_count)
{
    const struct skeleton_reader *reader = sieve->reader;
    bool dict = slot->coding.kind == SLOT_DICT;
    uint32_t count = dict ? slot->coding.dict_count : row_count;
    if (!sieve->exact[sieve->walk.back]) {
        const uint64_t *at = &reader->rest_at[slot->first_token];
        struct byte_set bytes = {{0}};
        byte_set_add_text(&bytes, slice_of(reader->rest.ptr + at[0], (size_t)(at[count] - at[0])));
        regex_walk_bytes(&sieve->walk, &bytes);
        return;
    }
    regex_walk_branch(&sieve->walk);
    for (uint32_t n = 0; n < count; n++)
        regex_walk_choice(&sieve->walk, kept_text(reader, slot, n));
    regex_walk_join(&sieve->walk);
}

/* ---- what columns say ---- */

static bool is_time(struct form form)
{
    return form.kind != FORM_TEXT && form.kind < FORM_JSON;
}

/* Every entry as the slot prints it; one that cannot be printed is damage, which reading will find. */
static void walk_entries(struct sieve *sieve, const struct skeleton_slot *slot,
                         const struct segment_column *data)
{
    struct byte_set bytes = {{0}};
    bool exact = sieve->exact[sieve->walk.back];
    if (exact)
        regex_walk_branch(&sieve->walk);
    for (uint32_t i = 0; i < data->dict_count; i++) {
        struct slice text = form_print(data->dict[i], slot->form, sieve->reader->room);
        if (exact)
            regex_walk_choice(&sieve->walk, text);
        else
            byte_set_add_text(&bytes, text);
    }
    if (exact)
        regex_walk_join(&sieve->walk);
    else
        regex_walk_bytes(&sieve->walk, &bytes);
}

/* The same question is asked for each skeleton that names the column. */
static void walk_entries_once(struct sieve *sieve, const struct skeleton_slot *slot,
                              const struct segment_column *data)
{
    struct sieve_source *source = &sieve->sources[slot->source];
    struct regex_walk *walk = &sieve->walk;
    for (uint32_t i = 0; i < source->known_count && i < KNOWN_MAX; i++) {
        const struct known *known = &source->known[i];
        if (known->back != walk->back || known->form != slot->form.kind ||
            memcmp(known->from, walk->live, sizeof(known->from)) != 0)
            continue;
        memcpy(walk->live, known->to, sizeof(walk->live));
        walk->hit = known->hit;
        return;
    }
    struct known *known = &source->known[source->known_count++ % KNOWN_MAX];
    *known = (struct known){.back = walk->back, .form = slot->form.kind};
    memcpy(known->from, walk->live, sizeof(known->from));
    walk_entries(sieve, slot, data);
    memcpy(known->to, walk->live, sizeof(known->to));
    known->hit = walk->hit;
}

static const char any_number[] = "0123456789abcdefABCDEF.:-";
static const char any_time[] = "0123456789:.+-/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static void walk_printed(struct sieve *sieve, const char *bytes)
{
    struct byte_set set = bytes_of(bytes);
    regex_walk_bytes(&sieve->walk, &set);
}

/* NULL when there is none: reading will say what is wrong. */
static int find_column(struct sieve *sieve, const struct skeleton_slot *slot,
                       struct segment_column **out, struct err *err)
{
    struct skeleton_reader *reader = sieve->reader;
    return skeleton_reader_column(reader->column, reader->sources[slot->source].column, reader->arena,
                                  out, err);
}

static bool is_number(const struct segment_column *data)
{
    uint16_t types = data->chunk->types_seen;
    return types == 1U << VALUE_IP || types == 1U << VALUE_I64;
}

static bool has_entries(const struct segment_column *data)
{
    return data->chunk->encoding == CHUNK_DICT || data->chunk->encoding == CHUNK_CONST;
}

static int walk_column(struct sieve *sieve, const struct skeleton_slot *slot, struct err *err)
{
    const struct sieve_source *source = &sieve->sources[slot->source];
    bool known = source->alone.asked && source->alone.form == slot->form.kind;
    struct segment_column *data;
    if (find_column(sieve, slot, &data, err) < 0)
        return -1;
    if (is_time(slot->form)) {
        walk_printed(sieve, any_time);
    } else if (data && is_number(data)) {
        walk_printed(sieve, any_number);
    } else if (data && has_entries(data)) {
        if (segment_load_dict(data, sieve->reader->arena, err) < 0)
            return -1;
        walk_entries_once(sieve, slot, data);
    } else if (!sieve->walk.back && known && !source->alone.inside) {
        regex_walk_across(&sieve->walk, source->alone.begun);
    } else {
        struct byte_set all;
        byte_set_fill(&all);
        regex_walk_bytes(&sieve->walk, &all);
    }
    return 0;
}

static int walk_slot(struct sieve *sieve, const struct skeleton_slot *slot, uint32_t row_count,
                     struct err *err)
{
    if (slot->coding.kind == SLOT_COLUMN)
        return walk_column(sieve, slot, err);
    if (is_kept(slot))
        walk_kept(sieve, slot, row_count);
    else
        walk_printed(sieve, slot_printed_bytes(slot->coding.kind));
    return 0;
}

/* ---- texts by themselves ---- */

static void set_all(const struct sieve *sieve, struct alone *out)
{
    regex_machine_all(sieve->match->machine, out->begun);
    out->inside = true;
}

/* Text of such bytes. */
static void ask_bytes(const struct sieve *sieve, const char *bytes, struct alone *out)
{
    struct regex_walk walk;
    struct byte_set set = bytes_of(bytes);
    regex_walk_begin(&walk, sieve->match->machine, false);
    regex_walk_bytes(&walk, &set);
    memcpy(out->begun, walk.live, sizeof(out->begun));
    out->inside = walk.hit;
}

/* Many texts behind one another. */
static void ask_texts(const struct sieve *sieve, struct slice texts, struct alone *out)
{
    struct regex_walk walk;
    if (!sieve->exact[0]) {
        set_all(sieve, out);
        return;
    }
    regex_walk_begin(&walk, sieve->match->machine, false);
    regex_walk_through(&walk, texts);
    memcpy(out->begun, walk.live, sizeof(out->begun));
    out->inside = walk.hit;
}

/* All texts that slots of the column keep are asked at once. */
static int ask_page(struct sieve *sieve, struct err *err)
{
    if (skeleton_reader_page(sieve->reader, err) < 0)
        return -1;
    ask_texts(sieve, sieve->reader->rest, &sieve->page);
    return 0;
}

/* Texts that are skeletons themselves. */
static int ask_skeletons(struct sieve *sieve, struct segment_column *data, struct alone *out,
                         struct err *err)
{
    struct segment_column deeper = *data;
    struct skeleton_reader inner = {
        .column = &deeper, .arena = sieve->reader->arena, .room = sieve->reader->room};
    deeper.depth = sieve->reader->column->depth + 1;
    if (deeper.depth > SKELETON_DEPTH_MAX)
        return 0; /* reading it will say what is wrong */
    if (skeleton_reader_open(&inner, err) < 0 || skeleton_sieve(&inner, sieve->match, err) < 0)
        return -1;
    out->inside = skeleton_is_any_left(&inner);
    return 0;
}

/* Entries of a dictionary: at once where they stand as they are shown. */
static int ask_entries(struct sieve *sieve, const struct skeleton_slot *slot,
                       struct segment_column *data, struct alone *out, struct err *err)
{
    struct skeleton_reader *reader = sieve->reader;
    if (slot->form.kind == FORM_TEXT && data->chunk->types_seen == 1U << VALUE_STRING) {
        if (segment_load_raw_dict(data, reader->arena, err) < 0)
            return -1;
        ask_texts(sieve, data->raw_dict, out);
        return 0;
    }
    if (segment_load_dict(data, reader->arena, err) < 0)
        return -1;
    regex_walk_begin(&sieve->walk, sieve->match->machine, false);
    walk_entries_once(sieve, slot, data);
    memcpy(out->begun, sieve->walk.live, sizeof(out->begun));
    out->inside = sieve->walk.hit;
    return 0;
}

/* Texts kept as they are. */
static int ask_pages(struct sieve *sieve, const struct segment_column *data, struct alone *out,
                     struct err *err)
{
    const struct chunk *chunk = data->chunk;
    struct alone sum = {.asked = true, .form = out->form};
    for (uint32_t i = 0; i < chunk->stream_count; i++) {
        struct slice page;
        struct alone one;
        if (chunk->streams[i].kind != STREAM_PAGE)
            continue;
        if (segment_read_stream(data->segment, &chunk->streams[i], sieve->reader->arena, &page,
                                err) < 0)
            return -1;
        ask_texts(sieve, page, &one);
        sum.inside = sum.inside || one.inside;
        bits_or(sum.begun, one.begun, REGEX_POSITIONS_MAX);
    }
    *out = sum;
    return 0;
}

static int ask_column(struct sieve *sieve, const struct skeleton_slot *slot, struct alone *out,
                      struct err *err)
{
    struct segment_column *data;
    if (find_column(sieve, slot, &data, err) < 0)
        return -1;
    set_all(sieve, out);
    if (is_time(slot->form))
        ask_bytes(sieve, any_time, out);
    else if (data && is_number(data))
        ask_bytes(sieve, any_number, out);
    else if (data && has_entries(data))
        return ask_entries(sieve, slot, data, out, err);
    else if (data && data->chunk->encoding == CHUNK_SKELETON && slot->form.kind == FORM_TEXT)
        return ask_skeletons(sieve, data, out, err);
    else if (data && data->chunk->encoding == CHUNK_TEXT && slot->form.kind == FORM_TEXT &&
             sieve->exact[0])
        return ask_pages(sieve, data, out, err);
    return 0;
}

static int ask_slot(struct sieve *sieve, const struct skeleton_slot *slot, const struct alone **out,
                    struct err *err)
{
    uint8_t form = 0, kind = slot->coding.kind;
    struct alone *alone = is_kept(slot) ? &sieve->page : &sieve->printed[kind];
    if (kind == SLOT_COLUMN) {
        alone = &sieve->sources[slot->source].alone;
        form = slot->form.kind;
    }
    *out = alone;
    if (alone->asked && alone->form == form)
        return 0;
    alone->asked = true;
    alone->form = form;
    if (is_kept(slot))
        return ask_page(sieve, err);
    if (kind == SLOT_COLUMN)
        return ask_column(sieve, slot, alone, err);
    ask_bytes(sieve, slot_printed_bytes(kind), alone);
    return 0;
}

/* ---- skeletons ---- */

/* The skeleton's stretches and slots in turn; the last one in which the walk ends a match, or -1. */
static int walk_shape(struct sieve *sieve, const struct skeleton_shape *shape, bool back, int *last,
                      struct err *err)
{
    int parts = (int)(2 * shape->token_count + 1);
    *last = -1;
    regex_walk_begin(&sieve->walk, sieve->match->machine, back);
    for (int i = 0; i < parts; i++) {
        int part = back ? parts - 1 - i : i;
        if (part % 2 == 0)
            regex_walk_text(&sieve->walk, shape->literals[part / 2]);
        else if (walk_slot(sieve, &shape->slots[part / 2], shape->row_count, err) < 0)
            return -1;
        if (sieve->walk.hit)
            *last = part;
    }
    return 0;
}

/* Whether some match may lie in its rows, as far as slots by themselves tell. */
static int may_match(struct sieve *sieve, const struct skeleton_shape *shape, bool *out, struct err *err)
{
    struct regex_walk walk; /* asking has one of its own */
    regex_walk_begin(&walk, sieve->match->machine, false);
    regex_walk_text(&walk, shape->literals[0]);
    *out = walk.hit;
    for (uint32_t s = 0; s < shape->token_count && !*out; s++) {
        const struct alone *alone;
        if (ask_slot(sieve, &shape->slots[s], &alone, err) < 0)
            return -1;
        regex_walk_across(&walk, alone->begun);
        *out = walk.hit || alone->inside;
        regex_walk_text(&walk, shape->literals[s + 1]);
        *out = *out || walk.hit;
    }
    return 0;
}

/* The parts that a match may touch. */
static int judge(struct sieve *sieve, struct skeleton_shape *shape, struct err *err)
{
    int first, last;
    if (walk_shape(sieve, shape, false, &last, err) < 0)
        return -1;
    shape->never = last < 0;
    if (shape->never || sieve->match->whole || !regex_machine_is_closed(sieve->match->machine))
        return 0;
    if (walk_shape(sieve, shape, true, &first, err) < 0)
        return -1;
    shape->first_part = (uint32_t)first;
    shape->last_part = (uint32_t)last;
    return 0;
}

static bool keeps_texts(const struct skeleton_shape *shape)
{
    for (uint32_t s = 0; s < shape->token_count; s++)
        if (is_kept(&shape->slots[s]))
            return true;
    return false;
}

static int sieve_all(struct sieve *sieve, struct err *err)
{
    struct skeleton_reader *reader = sieve->reader;
    bool texts = false;
    for (uint32_t k = 0; k < reader->count; k++) {
        struct skeleton_shape *shape = &reader->skeletons[k];
        bool may = false;
        if (!shape->never && may_match(sieve, shape, &may, err) < 0)
            return -1;
        shape->never = !may;
        texts = texts || (!shape->never && keeps_texts(shape));
    }
    if (texts && skeleton_reader_rest(reader, err) < 0)
        return -1;
    for (uint32_t k = 0; k < reader->count; k++)
        if (!reader->skeletons[k].never && judge(sieve, &reader->skeletons[k], err) < 0)
            return -1;
    return 0;
}

bool skeleton_is_any_left(const struct skeleton_reader *reader)
{
    for (uint32_t k = 0; k < reader->count; k++)
        if (!reader->skeletons[k].never)
            return true;
    return false;
}

int skeleton_sieve(struct skeleton_reader *reader, const struct skeleton_match *match, struct err *err)
{
    struct sieve sieve = {.reader = reader, .match = match};
    for (int back = 0; back < 2; back++)
        sieve.exact[back] = regex_machine_starts(match->machine, back) <= STARTS_MAX;
    sieve.sources = arena_array(reader->arena, reader->source_count + 1U, sizeof(*sieve.sources));
    return sieve.sources ? sieve_all(&sieve, err) : err_nomem(err);
}

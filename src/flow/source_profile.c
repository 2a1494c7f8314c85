#include "flow/source_profile.h"

#include "base/hash.h"
#include "base/mem.h"
#include "event/schema.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_FIRST = 64 };

/* By these log sources are told apart (content/logsources). */
static const char *const told_names[SOURCE_TOLD] = {
    "event.dataset", "event.category", "event.type",    "event.module",          "winlog.channel",
    "host.os.type",  "host.os.family", "observer.type", "service.language.name", "event.kind",
    "process.name",  "log.syslog.appname",
};

/* ---- words ---- */

int source_words_init(struct source_words *words, struct err *err)
{
    *words = (struct source_words){.arena = arena_new(SOURCE_WORDS_BYTES_MAX)};
    map_init(&words->numbers, words->arena);
    return words->arena ? 0 : err_nomem(err);
}

void source_words_close(struct source_words *words)
{
    arena_free(words->arena);
    mem_free(words->list);
    mem_free(words->of_column);
}

static uint16_t word_number(struct source_words *words, struct slice word)
{
    uintptr_t number = (uintptr_t)map_find(&words->numbers, word);
    if (number || words->count == SOURCE_WORDS_MAX)
        return (uint16_t)number;
    if (words->count == words->size) {
        uint32_t size = words->size ? words->size * 2 : 256;
        struct slice *list = mem_realloc(words->list, size * sizeof(*list));
        if (!list)
            return 0;
        words->list = list;
        words->size = size;
    }
    struct slice copy = arena_copy(words->arena, word);
    if (!copy.ptr || map_put(&words->numbers, copy, (void *)(uintptr_t)(words->count + 1)) < 0)
        return 0;
    words->list[words->count++] = copy;
    return (uint16_t)words->count;
}

/* Whether numbers of the batch's columns can be kept in of_column. */
static bool begin_batch(struct source_words *words, const struct batch *batch)
{
    if (words->life == batch->life && batch->column_count <= words->of_column_size)
        return true;
    if (batch->column_count > words->of_column_size) {
        uint16_t *more = mem_realloc(words->of_column, batch->column_count * sizeof(*more));
        if (!more)
            return false;
        words->of_column = more;
        words->of_column_size = batch->column_count;
    }
    memset(words->of_column, 0, words->of_column_size * sizeof(*words->of_column));
    words->life = batch->life;
    return true;
}

/* ---- looking ---- */

struct source_kinds source_kinds_of(const struct batch *batch)
{
    return (struct source_kinds){{batch_find(batch, FIELD_DATASET), batch_find(batch, SLICE("event.code")),
                                  batch_find(batch, SLICE("event.category")), batch_find(batch, SLICE("process.name"))},
                                 {0}};
}

uint64_t source_kind_of(struct source_kinds *kinds, uint32_t row)
{
    uint64_t kind = 0;
    for (size_t i = 0; i < SOURCE_KIND_COLUMNS; i++) {
        struct value v = kinds->columns[i] ? column_next(kinds->columns[i], row, &kinds->at[i]) : value_null();
        kind = hash_bytes_seeded(v.type == VALUE_STRING ? value_slice(v) : SLICE(""), kind + i + 1);
    }
    return kind;
}

static void add_column(struct source_profile *profile, uint16_t number)
{
    uint32_t low = 0, high = profile->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (profile->columns[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < profile->count && profile->columns[low] == number)
        return;
    if (profile->count == profile->size) {
        uint32_t size = profile->size ? profile->size * 2 : 32;
        size = size < SOURCE_COLUMNS_MAX ? size : SOURCE_COLUMNS_MAX;
        uint16_t *more = profile->count < SOURCE_COLUMNS_MAX ? mem_realloc(profile->columns, size * sizeof(*more)) : NULL;
        if (!more) {
            profile->open = true;
            return;
        }
        profile->columns = more;
        profile->size = size;
    }
    memmove(&profile->columns[low + 1], &profile->columns[low], (profile->count - low) * sizeof(*profile->columns));
    profile->columns[low] = number;
    profile->count++;
}

static void add_value(struct source_told *told, struct source_words *words, struct value v)
{
    uint16_t number = v.type == VALUE_STRING && value_slice(v).len <= SOURCE_VALUE_BYTES ? word_number(words, value_slice(v)) : 0;
    for (size_t i = 0; i < told->count; i++)
        if (told->values[i] == number)
            return;
    if (!number || told->count == SOURCE_VALUES_MAX)
        told->open = true;
    else
        told->values[told->count++] = number;
}

static void look_at_told(struct source_profile *profile, struct source_words *words, const struct batch *batch, uint32_t row)
{
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        struct source_told *told = &profile->told[i];
        const struct column *column = batch_find(batch, slice_text(told_names[i]));
        uint32_t first = 0, count = column ? column_range(column, row, &first) : 0;
        told->lacked |= !count;
        for (uint32_t k = first; k < first + count; k++)
            if (column_value(column, k).type != VALUE_NULL)
                add_value(told, words, column_value(column, k));
    }
}

static void look_at(struct source_profile *profile, struct source_words *words, const struct batch *batch, uint32_t row)
{
    uint32_t first;
    profile->looked += profile->looked < UINT32_MAX;
    if (!begin_batch(words, batch)) {
        profile->open = true;
        return;
    }
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (!column_range(batch->columns[i], row, &first))
            continue;
        uint16_t *number = &words->of_column[i];
        if (!*number && !(*number = word_number(words, batch->columns[i]->name)))
            profile->open = true;
        else
            add_column(profile, *number);
    }
    look_at_told(profile, words, batch, row);
}

void source_profile_take(struct source_profile *profile, struct source_words *words, const struct batch *batch, uint32_t row,
                         uint64_t kind)
{
    uint64_t *kinds = &profile->kinds[kind / 64 % 4], bit = UINT64_C(1) << kind % 64;
    int64_t now_ns = batch->rows[row].received_ns;
    if (profile->looked >= LOOKED_FIRST && *kinds & bit && now_ns < profile->next_ns)
        return;
    *kinds |= bit;
    profile->next_ns = now_ns + NS_PER_SECOND;
    look_at(profile, words, batch, row);
}

void source_profile_close(struct source_profile *profile)
{
    mem_free(profile->columns);
}

/* ---- asking ---- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int source_profile_copy(const struct source_profile *profile, const struct source_words *words, struct arena *arena,
                        struct source_facts *out)
{
    uint64_t *hashes = arena_array(arena, profile->count + 1, sizeof(*hashes));
    if (!hashes)
        return -1;
    for (uint32_t i = 0; i < profile->count; i++)
        hashes[i] = hash_bytes(words->list[profile->columns[i] - 1]);
    qsort(hashes, profile->count, sizeof(*hashes), by_number);
    *out = (struct source_facts){.looked = profile->looked, .columns = hashes, .count = profile->count, .open = profile->open};
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        const struct source_told *told = &profile->told[i];
        out->told[i].count = told->count;
        out->told[i].open = told->open;
        out->told[i].lacked = told->lacked;
        for (size_t k = 0; k < told->count; k++)
            out->told[i].texts[k] = words->list[told->values[k] - 1];
    }
    return 0;
}

struct chance_column source_facts_column(const struct source_facts *facts, struct slice column)
{
    for (size_t i = 0; i < SOURCE_TOLD; i++)
        if (slice_is(column, told_names[i]))
            return (struct chance_column){!facts->told[i].open, !facts->told[i].lacked, facts->told[i].texts,
                                          facts->told[i].count};
    uint64_t hash = hash_bytes(column);
    bool seen = facts->open || bsearch(&hash, facts->columns, facts->count, sizeof(hash), by_number);
    return (struct chance_column){.told = !seen};
}

/* ---- keeping ---- */

void source_words_save(const struct source_words *words, struct buffer *to)
{
    buffer_put_varint(to, words->count);
    for (uint32_t i = 0; i < words->count; i++)
        buffer_put_block(to, words->list[i]);
}

bool source_words_load(struct source_words *words, struct slice *from)
{
    uint64_t count;
    struct slice word;
    if (!slice_take_varint(from, &count) || count > SOURCE_WORDS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!slice_take_block(from, &word) || word_number(words, word) != i + 1)
            return false;
    return true;
}

void source_profile_save(const struct source_profile *profile, struct buffer *to)
{
    buffer_put_varint(to, profile->looked);
    buffer_put_char(to, profile->open);
    for (size_t i = 0; i < ARRAY_COUNT(profile->kinds); i++)
        buffer_put_le64(to, profile->kinds[i]);
    buffer_put_varint(to, profile->count);
    for (uint32_t i = 0; i < profile->count; i++)
        buffer_put_varint(to, profile->columns[i]);
    for (size_t i = 0; i < SOURCE_TOLD; i++) {
        const struct source_told *told = &profile->told[i];
        buffer_put_char(to, (char)(told->open + 2 * told->lacked));
        buffer_put_varint(to, told->count);
        for (size_t k = 0; k < told->count; k++)
            buffer_put_varint(to, told->values[k]);
    }
}

static bool take_number(const struct source_words *words, struct slice *from, uint16_t *out)
{
    uint64_t number;
    if (!slice_take_varint(from, &number) || number == 0 || number > words->count)
        return false;
    *out = (uint16_t)number;
    return true;
}

static bool load_told(struct source_told *told, const struct source_words *words, struct slice *from)
{
    struct slice flags;
    uint64_t count;
    if (!slice_take(from, 1, &flags) || !slice_take_varint(from, &count) || count > SOURCE_VALUES_MAX)
        return false;
    told->open = flags.ptr[0] & 1;
    told->lacked = flags.ptr[0] & 2;
    for (told->count = 0; told->count < count; told->count++)
        if (!take_number(words, from, &told->values[told->count]))
            return false;
    return true;
}

bool source_profile_load(struct source_profile *profile, const struct source_words *words, struct slice *from)
{
    uint64_t looked, count;
    uint16_t number;
    struct slice open;
    if (!slice_take_varint(from, &looked) || looked > UINT32_MAX || !slice_take(from, 1, &open))
        return false;
    profile->looked = (uint32_t)looked;
    profile->open = open.ptr[0];
    for (size_t i = 0; i < ARRAY_COUNT(profile->kinds); i++)
        if (!slice_take_le64(from, &profile->kinds[i]))
            return false;
    if (!slice_take_varint(from, &count) || count > SOURCE_COLUMNS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_number(words, from, &number))
            return false;
        add_column(profile, number);
    }
    for (size_t i = 0; i < SOURCE_TOLD; i++)
        if (!load_told(&profile->told[i], words, from))
            return false;
    return true;
}

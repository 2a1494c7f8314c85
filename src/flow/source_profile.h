#pragma once
/*
 * flow/source_profile: what the events of a source are like: which columns they have ever had, and all values of the few
 * columns by which rules and searches choose their log sources. From it can be said who reads a source, for rules and
 * searches that are made later, too (expr/chance.h).
 *
 * Looked at are the first rows, every row that is of another kind (dataset, code, category, process) than those before, and
 * one of every second.
 *
 * Ownership  Words are kept once for all profiles, and as long as they are. Threads  One at a time.
 * Limits     SOURCE_WORDS_MAX, SOURCE_COLUMNS_MAX, SOURCE_VALUES_MAX: what goes beyond may be anything from then on.
 */
#include "base/buffer.h"
#include "event/batch.h"
#include "expr/chance.h"

enum { SOURCE_TOLD = 12 };

/* Names and values, by numbers from 1 up; 0: there is no room. */
struct source_words {
    struct arena *arena;
    struct map numbers;
    struct slice *list; /* by number less 1 */
    uint32_t count, size;
    uint16_t *of_column; /* of the batch that is looked at; 0: not asked for yet */
    uint32_t of_column_size;
    uint64_t life;       /* of that batch */
};
MUST_USE int source_words_init(struct source_words *words, struct err *err);
void source_words_close(struct source_words *words);

struct source_told {
    uint16_t values[SOURCE_VALUES_MAX];
    uint8_t count;
    bool open;   /* it has others, too */
    bool lacked; /* by some rows */
};

struct source_profile {
    uint16_t *columns; /* ascending */
    uint32_t count, size;
    struct source_told told[SOURCE_TOLD];
    uint32_t looked; /* rows */
    bool open;       /* it may have any other column */
    uint64_t kinds[4]; /* a bit for each that was seen, by hash */
    int64_t next_ns;   /* when a row is looked at anyhow */
};
void source_profile_close(struct source_profile *profile);

/* Columns that say of what kind a row is; of one batch. */
enum { SOURCE_KIND_COLUMNS = 4 };
struct source_kinds {
    const struct column *columns[SOURCE_KIND_COLUMNS];
    uint32_t at[SOURCE_KIND_COLUMNS]; /* rows are asked about in their order */
};
struct source_kinds source_kinds_of(const struct batch *batch);
/* For want of memory it may have any column. */
void source_profile_take(struct source_profile *profile, struct source_words *words, const struct batch *batch, uint32_t row,
                         uint64_t kind);
uint64_t source_kind_of(struct source_kinds *kinds, uint32_t row);

/* A copy to be asked by any thread; texts are the words'. */
struct source_facts {
    uint32_t looked;
    const uint64_t *columns; /* hashes of the names, ascending */
    size_t count;
    bool open;
    struct {
        struct slice texts[SOURCE_VALUES_MAX];
        size_t count;
        bool open, lacked;
    } told[SOURCE_TOLD];
};
MUST_USE int source_profile_copy(const struct source_profile *profile, const struct source_words *words,
                                 struct arena *arena, struct source_facts *out);
/* For chance_look: what is known of a column of these events. */
struct chance_column source_facts_column(const struct source_facts *facts, struct slice column);

void source_words_save(const struct source_words *words, struct buffer *to);
MUST_USE bool source_words_load(struct source_words *words, struct slice *from);
void source_profile_save(const struct source_profile *profile, struct buffer *to);
/* False when it says what cannot be. */
MUST_USE bool source_profile_load(struct source_profile *profile, const struct source_words *words, struct slice *from);

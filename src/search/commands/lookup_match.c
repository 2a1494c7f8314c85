#include "search/commands/lookup_match.h"

#include "base/limits.h"
#include "base/time.h"
#include "base/time_pattern.h"
#include "base/utf8.h"
#include "event/ip.h"
#include "event/schema.h"
#include "know/know.h"

#include <stdlib.h>

/* A cell of the table that is no plain text. */
struct pattern {
    bool network;
    struct cidr cidr;
    struct wildcard wildcard;
};

struct match_key {
    struct slice theirs, ours;
    enum know_match kind;
    struct pattern *patterns; /* by row of the table; not of exact ones */
};

struct lookup_match {
    struct run *run;
    const struct spl_command *command;
    struct slice name;
    const struct know_lookup *spec;
    const struct batch *rows;
    bool folds; /* texts are compared without case */
    struct match_key *keys;
    size_t count, exact; /* exact ones first */
    struct slice *names; /* of ours, in this order */
    struct slice time;
    int64_t *times;          /* by row of the table; INT64_MIN: it has none */
    struct grouper theirs;   /* by the exact keys */
    uint32_t *first, *next;  /* the index: rows of one group */
    struct grouper ours;
    struct lookup_list *lists; /* by group of ours */
    uint32_t listed, room;
    uint32_t most;
};

/* ---- preparing the table ---- */

static struct slice folded(struct arena *arena, struct slice text)
{
    char *to = arena_alloc(arena, 3 * text.len + 1);
    return to ? slice_of(to, utf8_fold_text(text, to)) : SLICE_NONE;
}

static struct slice key_text(const struct lookup_match *match, struct value v, struct arena *arena)
{
    struct slice text = value_text(v, arena);
    return text.ptr && match->folds ? folded(arena, text) : text;
}

static int read_pattern(const struct lookup_match *match, const struct match_key *key, struct value v,
                        struct pattern *out)
{
    struct arena *arena = match->run->arena;
    struct slice text = key_text(match, v, arena);
    if (!text.ptr)
        return -1;
    out->network = key->kind == KNOW_CIDR && cidr_parse(slice_trim(text), &out->cidr);
    return wildcard_from_stars(arena, text, &out->wildcard) ? 0 : -1;
}

static int read_patterns(struct lookup_match *match, struct match_key *key)
{
    const struct column *column = batch_find(match->rows, key->theirs);
    key->patterns = arena_array(match->run->arena, match->rows->row_count + 1U, sizeof(*key->patterns));
    if (!key->patterns)
        return -1;
    for (uint32_t row = 0; column && row < match->rows->row_count; row++) {
        struct value v = column_first(column, row);
        if (v.type != VALUE_NULL && read_pattern(match, key, v, &key->patterns[row]) < 0)
            return -1;
    }
    return 0;
}

static int read_times(struct lookup_match *match)
{
    const struct column *column = batch_find(match->rows, match->spec->time_field);
    struct arena *arena = match->run->arena;
    struct time_pattern_in in = {.zone = match->run->scope.zone, .near_ns = match->run->scope.now_ns};
    match->times = arena_array(arena, match->rows->row_count + 1U, sizeof(*match->times));
    for (uint32_t row = 0; match->times && row < match->rows->row_count; row++) {
        struct value v = column ? column_first(column, row) : value_null();
        struct slice text = value_text(v, arena);
        size_t used;
        match->times[row] = INT64_MIN;
        if (v.type == VALUE_TIME)
            match->times[row] = v.i64;
        else if (match->spec->time_format.len)
            (void)time_pattern_parse(match->spec->time_format, text, &in, &match->times[row], &used);
        else if (!time_parse_epoch(text, &match->times[row]))
            match->times[row] = INT64_MIN;
    }
    return match->times ? 0 : -1;
}

/* The exact keys' columns as they are compared. */
static int share_exact(const struct lookup_match *match, struct frame *frame)
{
    if (frame_share(frame, match->rows, NULL, match->run->arena) < 0)
        return -1;
    for (size_t i = 0; match->folds && i < match->exact; i++) {
        const struct column *from = batch_find(frame->batch, match->keys[i].theirs);
        struct column *to = frame_column(frame, match->keys[i].theirs);
        for (uint32_t k = 0; to && from && k < from->count; k++) {
            struct value v = column_value(from, k);
            struct slice text = key_text(match, v, match->run->arena);
            if (v.type != VALUE_NULL &&
                (!text.ptr || column_add(frame->batch, to, from->rows[k], value_string(text)) < 0))
                return -1;
        }
        if (!to || frame_put(frame, to) < 0)
            return -1;
    }
    return 0;
}

static int index_exact(struct lookup_match *match)
{
    struct arena *arena = match->run->arena;
    struct slice *names = arena_array(arena, match->exact + 1, sizeof(*names));
    struct frame frame;
    struct group_rows rows;
    if (!names || share_exact(match, &frame) < 0)
        return -1;
    for (size_t i = 0; i < match->exact; i++)
        names[i] = match->keys[i].theirs;
    if (grouper_init(&match->theirs, arena, names, match->exact, 0) < 0 ||
        grouper_rows(&match->theirs, &frame, &rows) < 0)
        return -1;
    size_t groups = (match->theirs.count + 1U) * sizeof(uint32_t);
    size_t all = (match->rows->row_count + 1U) * sizeof(uint32_t);
    match->first = arena_alloc(arena, groups);
    match->next = arena_alloc(arena, all);
    if (!match->first || !match->next)
        return -1;
    memset(match->first, 0xff, groups);
    memset(match->next, 0xff, all);
    for (uint32_t i = rows.count; i-- > 0;) {
        match->next[rows.rows[i]] = match->first[rows.groups[i]];
        match->first[rows.groups[i]] = rows.rows[i];
    }
    return 0;
}

static enum know_match kind_of(const struct know_lookup *spec, struct slice field)
{
    for (size_t i = 0; spec && i < spec->match_count; i++)
        if (slice_equal(spec->match[i].field, field))
            return spec->match[i].match;
    return KNOW_EXACT;
}

static int take_keys(struct lookup_match *match, const struct field_pair *keys, size_t count)
{
    struct arena *arena = match->run->arena;
    match->keys = arena_array(arena, count + 1, sizeof(*match->keys));
    match->names = arena_array(arena, count + 1, sizeof(*match->names));
    if (!match->keys || !match->names)
        return -1;
    for (int exact = 1; exact >= 0; exact--)
        for (size_t i = 0; i < count; i++) {
            enum know_match kind = kind_of(match->spec, keys[i].theirs);
            if ((kind == KNOW_EXACT) != exact)
                continue;
            match->names[match->count] = keys[i].ours;
            match->keys[match->count++] = (struct match_key){keys[i].theirs, keys[i].ours, kind, NULL};
            match->exact += (size_t)exact;
        }
    for (size_t i = match->exact; i < count; i++)
        if (read_patterns(match, &match->keys[i]) < 0)
            return -1;
    return 0;
}

int lookup_match_new(struct run *run, const struct spl_command *command, struct slice name,
                     const struct know_lookup *spec, const struct batch *rows,
                     const struct field_pair *keys, size_t count, struct slice time,
                     struct lookup_match **out, struct err *err)
{
    struct lookup_match *match = *out = arena_calloc(run->arena, sizeof(*match));
    if (!match)
        return run_nomem(run, err);
    *match = (struct lookup_match){.run = run,
                                   .command = command,
                                   .name = name,
                                   .spec = spec,
                                   .rows = rows,
                                   .folds = spec && !spec->case_sensitive,
                                   .time = time,
                                   .most = spec ? (uint32_t)spec->max_matches : LOOKUP_MATCHES_MAX};
    if (take_keys(match, keys, count) < 0 || index_exact(match) < 0 ||
        (spec && spec->time_field.len && read_times(match) < 0) ||
        grouper_init(&match->ours, run->arena, match->names, count, 0) < 0)
        return run_nomem(run, err);
    return 0;
}

/* ---- matching ---- */

static bool passes(const struct lookup_match *match, const struct match_key *key, uint32_t row,
                   struct slice text)
{
    const struct pattern *pattern = &key->patterns[row];
    struct ip ip;
    (void)match;
    if (pattern->wildcard.count == 0)
        return false; /* the cell is empty */
    if (pattern->network)
        return ip_parse(text, &ip) && cidr_contains(&pattern->cidr, ip.bytes, ip.family);
    return wildcard_match(&pattern->wildcard, text);
}

/* The first row of the table with the exact keys of our group, GROUP_NONE. */
static uint32_t first_candidate(struct lookup_match *match, uint32_t group)
{
    struct value tuple[64];
    for (size_t i = 0; i < match->exact && i < 64; i++) {
        struct slice text = key_text(match, grouper_key(&match->ours, group, i), match->run->scratch);
        tuple[i] = match->folds ? value_string(text) : grouper_key(&match->ours, group, i);
    }
    uint32_t theirs = grouper_look(&match->theirs, tuple);
    return theirs != GROUP_NONE ? match->first[theirs] : GROUP_NONE;
}

static int tell_cut(struct lookup_match *match, uint32_t seen)
{
    run_message(match->run, "lookup-matches", match->command, match->most == LOOKUP_MATCHES_MAX,
                "in the lookup %.*s up to %u rows meet one row, the first %u of them are taken",
                SLICE_ARG(match->name), seen, match->most);
    return 0;
}

/* All rows of the table that the group meets. By time they are cut later. */
static int find_list(struct lookup_match *match, uint32_t group, struct lookup_list *out)
{
    struct arena *arena = match->run->arena;
    uint32_t *rows = NULL, count = 0, seen = 0;
    struct slice texts[64];
    arena_reset(match->run->scratch);
    for (size_t i = match->exact; i < match->count; i++)
        texts[i] = key_text(match, grouper_key(&match->ours, group, i), match->run->scratch);
    uint32_t row = match->exact ? first_candidate(match, group) : 0;
    while (row < match->rows->row_count) {
        bool meets = true;
        for (size_t i = match->exact; meets && i < match->count; i++)
            meets = texts[i].ptr && passes(match, &match->keys[i], row, texts[i]);
        seen += meets;
        if (meets && (match->times || count < match->most)) {
            rows = spl_grow(arena, rows, count, sizeof(*rows));
            if (!rows)
                return -1;
            rows[count++] = row;
        }
        row = match->exact ? match->next[row] : row + 1;
    }
    *out = (struct lookup_list){rows, count};
    return seen > count ? tell_cut(match, seen) : 0;
}

static int list_groups(struct lookup_match *match)
{
    while (match->listed < match->ours.count) {
        if (match->listed == match->room) {
            uint32_t room = match->room ? 2 * match->room : 64;
            match->lists = arena_grow(match->run->arena, match->lists, match->room * sizeof(*match->lists),
                                      room * sizeof(*match->lists));
            if (!match->lists)
                return -1;
            match->room = room;
        }
        if (find_list(match, match->listed, &match->lists[match->listed]) < 0)
            return -1;
        match->listed++;
    }
    return 0;
}

/* Several values in a key: what any of them meets, once each. */
static int unite(struct lookup_match *match, const struct frame *frame, struct lookup_list *to,
                 const struct lookup_list *more)
{
    uint32_t most = to->count + more->count, count = to->count;
    uint32_t *rows = arena_alloc(frame->batch->arena, (most + 1U) * sizeof(*rows));
    if (!rows)
        return -1;
    if (to->count)
        memcpy(rows, to->rows, to->count * sizeof(*rows));
    for (uint32_t i = 0; i < more->count; i++) {
        bool has = false;
        for (uint32_t k = 0; k < to->count && !has; k++)
            has = rows[k] == more->rows[i];
        if (!has)
            rows[count++] = more->rows[i];
    }
    uint32_t kept = match->times || count < match->most ? count : match->most;
    *to = (struct lookup_list){rows, kept};
    return kept < count ? tell_cut(match, count) : 0;
}

/* ---- by time ---- */

/* Rows of the table that were so at that time, the latest first. */
static int keep_time(struct lookup_match *match, const struct frame *frame, struct lookup_list *list,
                     int64_t at_ns)
{
    uint32_t *rows = arena_alloc(frame->batch->arena, (list->count + 1U) * sizeof(*rows)), count = 0;
    if (!rows)
        return -1;
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t time = match->times[list->rows[i]];
        if (time == INT64_MIN || time > at_ns || at_ns - time < match->spec->min_offset_ns ||
            at_ns - time > match->spec->max_offset_ns)
            continue;
        uint32_t k = count++;
        for (; k > 0 && match->times[rows[k - 1]] < time; k--)
            rows[k] = rows[k - 1];
        rows[k] = list->rows[i];
    }
    *list = (struct lookup_list){rows, count < match->most ? count : match->most};
    return 0;
}

static int keep_times(struct lookup_match *match, const struct frame *frame, struct lookup_list *lists)
{
    const struct column *column =
        batch_find(frame->batch, match->time.ptr ? match->time : FIELD_TIMESTAMP);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value v = column ? column_first(column, row) : value_null();
        char small[VALUE_TEXT_SIZE];
        int64_t at_ns = v.i64;
        if (v.type == VALUE_TIME || (v.type != VALUE_NULL && time_parse_epoch(value_text_small(v, small), &at_ns))) {
            if (keep_time(match, frame, &lists[row], at_ns) < 0)
                return -1;
        } else {
            lists[row].count = 0;
        }
    }
    return 0;
}

int lookup_match_rows(struct lookup_match *match, const struct frame *frame, struct lookup_list **out,
                      struct err *err)
{
    struct group_rows rows;
    struct lookup_list *lists =
        arena_calloc(frame->batch->arena, (frame->batch->row_count + 1U) * sizeof(*lists));
    *out = lists;
    if (!lists || grouper_rows(&match->ours, frame, &rows) < 0 || list_groups(match) < 0)
        return run_nomem(match->run, err);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct lookup_list *to = &lists[rows.rows[i]];
        const struct lookup_list *one = &match->lists[rows.groups[i]];
        if (!to->count)
            *to = *one;
        else if (unite(match, frame, to, one) < 0)
            return run_nomem(match->run, err);
    }
    return match->times && keep_times(match, frame, lists) < 0 ? run_nomem(match->run, err) : 0;
}

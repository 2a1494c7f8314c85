/* What is known of the sources, as a file: a head, the words of their profiles, then each source with its names, groups
 * before their members.
 *
 *   "hinomi sources 2\n"  seen_seq le64  count varint  words  source...  hash le64 of all before it
 *
 * Version 1 had no words, and of each source neither clock, numbers nor profile. */
#include "base/hash.h"
#include "flow/source_entry.h"

#include <string.h>

#define HEAD SLICE("hinomi sources 2\n")
#define HEAD_BEFORE SLICE("hinomi sources 1\n")

static void put_numbers(const struct source_entry *entry, struct buffer *to)
{
    const uint64_t numbers[] = {entry->counts.gap_count, entry->counts.restarts, entry->gap_from, entry->gap_to,
                                (uint64_t)entry->last_gap_ns, entry->sequence_count};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        buffer_put_varint(to, numbers[i]);
    for (uint32_t i = 0; i < entry->sequence_count; i++) {
        buffer_put_char(to, (char)entry->sequences[i].kind);
        buffer_put_block(to, entry->sequences[i].name);
        sequence_save(&entry->sequences[i].sequence, to);
    }
}

static void put_entry(const struct source_entry *entry, struct buffer *to)
{
    const struct slice texts[] = {entry->source, entry->sender, entry->path, entry->host, entry->stream, entry->dataset,
                                  entry->only_host, slice_text(entry->finding)};
    const uint64_t numbers[] = {entry->counts.events, entry->counts.bytes, entry->counts.not_understood,
                                entry->counts.quarantined, entry->counts.decode_errors, entry->counts.gaps,
                                (uint64_t)entry->silent_since_ns};
    buffer_put_char(to, (char)entry->kind);
    buffer_put_char(to, entry->relays);
    buffer_put_char(to, entry->silent_with ? (char)(1 + entry->silent_with->kind) : 0);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        buffer_put_block(to, texts[i]);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        buffer_put_varint(to, numbers[i]);
    rhythm_save(&entry->rhythm, to);
    clock_skew_save(&entry->clock, to);
    put_numbers(entry, to);
    source_profile_save(&entry->profile, to);
}

void source_file_write(const struct sources *sources, struct buffer *to)
{
    buffer_put(to, HEAD);
    buffer_put_le64(to, sources->seen_seq);
    buffer_put_varint(to, sources->count);
    source_words_save(&sources->words, to);
    for (int kind = SOURCE_EVERYTHING; kind <= SOURCE_HOST; kind++)
        for (size_t i = 0; i < sources->count; i++)
            if ((int)sources->list[i]->kind == kind)
                put_entry(sources->list[i], to);
    if (!buffer_failed(to))
        buffer_put_le64(to, hash_bytes(buffer_slice(to)));
}

static struct source_entry *group_of_kind(struct source_entry *entry, int kind)
{
    while (entry && (int)entry->kind != kind)
        entry = entry->group;
    return entry;
}

static bool take_texts(struct source_entry *fresh, struct slice *from)
{
    struct slice finding, *const texts[] = {&fresh->source, &fresh->sender, &fresh->path, &fresh->host, &fresh->stream,
                                            &fresh->dataset, &fresh->only_host, &finding};
    uint64_t since, *const numbers[] = {&fresh->counts.events, &fresh->counts.bytes, &fresh->counts.not_understood,
                                        &fresh->counts.quarantined, &fresh->counts.decode_errors, &fresh->counts.gaps,
                                        &since};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (!slice_take_block(from, texts[i]))
            return false;
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        if (!slice_take_varint(from, numbers[i]))
            return false;
    if (finding.len >= sizeof(fresh->finding) || since > INT64_MAX)
        return false;
    if (finding.len)
        memcpy(fresh->finding, finding.ptr, finding.len);
    fresh->silent_since_ns = (int64_t)since;
    return true;
}

static bool take_sequence(struct source_entry *entry, struct slice *from)
{
    struct slice kind, name;
    if (!slice_take(from, 1, &kind) || (uint8_t)kind.ptr[0] >= NUMBERS_KINDS || !slice_take_block(from, &name))
        return false;
    struct source_sequence *numbers = source_numbers_add(entry, (enum number_kind)kind.ptr[0], name);
    return numbers && sequence_load(&numbers->sequence, from);
}

static bool take_numbers(struct source_entry *entry, struct slice *from)
{
    uint64_t seen, count, *const numbers[] = {&entry->counts.gap_count, &entry->counts.restarts, &entry->gap_from,
                                              &entry->gap_to, &seen, &count};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        if (!slice_take_varint(from, numbers[i]))
            return false;
    if (seen > INT64_MAX || count > SOURCE_SEQUENCES_MAX)
        return false;
    entry->last_gap_ns = (int64_t)seen;
    for (uint64_t i = 0; i < count; i++)
        if (!take_sequence(entry, from))
            return false;
    return true;
}

/* What version 2 has of it. */
static int read_more(const struct sources *sources, struct source_entry *entry, struct slice *from, struct err *err)
{
    if (clock_skew_load(&entry->clock, from) && take_numbers(entry, from) &&
        source_profile_load(&entry->profile, &sources->words, from))
        return 0;
    return err_set(err, ERR_CORRUPT, "what it says of a source's clock, numbers or events is damaged");
}

static int read_entry(struct sources *sources, bool before, struct slice *from, struct err *err)
{
    struct source_entry fresh = {0}, *entry;
    struct slice head;
    if (!slice_take(from, 3, &head) || (uint8_t)head.ptr[0] > SOURCE_HOST || (uint8_t)head.ptr[2] > 1 + SOURCE_HOST ||
        !take_texts(&fresh, from))
        return err_set(err, ERR_CORRUPT, "a source in it is damaged");
    fresh.kind = (enum source_kind)head.ptr[0];
    struct rhythm rhythm;
    if (!rhythm_load(&rhythm, from))
        return err_set(err, ERR_CORRUPT, "the rhythm of a source in it is damaged");
    entry = source_entry_get(sources, &fresh, rhythm.first_ns);
    if (!entry)
        return err_nomem(err);
    entry->rhythm = rhythm;
    entry->counts = fresh.counts;
    entry->relays = head.ptr[1];
    entry->silent_since_ns = fresh.silent_since_ns;
    memcpy(entry->finding, fresh.finding, sizeof(entry->finding));
    entry->silent_with = head.ptr[2] ? group_of_kind(entry, head.ptr[2] - 1) : NULL;
    source_entry_keep(&entry->stream, fresh.stream);
    source_entry_keep(&entry->dataset, fresh.dataset);
    source_entry_keep(&entry->only_host, fresh.only_host);
    return before ? 0 : read_more(sources, entry, from, err);
}

int source_file_read(struct sources *sources, struct slice bytes, struct err *err)
{
    struct slice from = bytes, head, hash = slice_from(bytes, bytes.len < 8 ? 0 : bytes.len - 8);
    uint64_t count, wanted, seq;
    bool before = slice_starts(bytes, HEAD_BEFORE);
    if (bytes.len < HEAD.len + 16 || !slice_take(&from, HEAD.len, &head) || (!before && !slice_equal(head, HEAD)))
        return err_set(err, ERR_CORRUPT, "it is no file of sources of this version");
    if (!slice_take_le64(&hash, &wanted) || hash_bytes(slice_sub(bytes, 0, bytes.len - 8)) != wanted)
        return err_set(err, ERR_CORRUPT, "its bytes have changed");
    from = slice_sub(from, 0, from.len - 8);
    if (!slice_take_le64(&from, &seq) || !slice_take_varint(&from, &count))
        return err_set(err, ERR_CORRUPT, "it ends too soon");
    if (!before && !source_words_load(&sources->words, &from))
        return err_set(err, ERR_CORRUPT, "the words in it are damaged");
    for (uint64_t i = 0; i < count; i++)
        if (read_entry(sources, before, &from, err) < 0)
            return -1;
    sources->seen_seq = seq;
    return 0;
}

#include "respond/incidents/incident_chain.h"

#include "base/limits.h"
#include "cut/json_tree.h"

#include <sodium.h>
#include <stdio.h>

#define RESULT_BYTES_MAX (4 * MIB)

struct link_texts { /* what the row of audit_chain.h borrows */
    char name[INCIDENT_NAME_SIZE];
    struct buffer result;
};

/* An entry as a row that audit_chain_hash() takes; texts->result is to be closed. */
static void row_of(int64_t incident, int64_t number, const struct timeline_entry *entry, struct link_texts *texts,
                   struct audit_row *row)
{
    incident_name(incident, texts->name);
    buffer_init(&texts->result, RESULT_BYTES_MAX);
    buffer_put_block(&texts->result, entry->rule);
    buffer_put_varint(&texts->result, entry->rule.ptr ? (uint64_t)entry->severity + 1 : 0);
    buffer_put_block(&texts->result, entry->line);
    buffer_put_block(&texts->result, entry->detail);
    *row = (struct audit_row){.id = number, .time_ns = entry->time_ns, .actor = entry->user,
                              .via = slice_text(entry->kind), .peer = slice_text(texts->name), .action = entry->en,
                              .object = entry->ja, .detail = entry->evidence, .result = buffer_slice(&texts->result)};
}

int incident_chain_head(struct database *database, int64_t id, struct incident_head *out, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(64 * KIB);
    *out = (struct incident_head){.entries = 0};
    if (!arena)
        return err_nomem(err);
    int result = query_begin(database, "SELECT entries,hash FROM incident_chain WHERE incident=?1", &query, err);
    if (result == 0) {
        query_i64(query, 1, id);
        result = query_step(query, err);
        if (result == 1) {
            struct slice hash = slice_sub(query_get_text(query, 1, arena), 0, AUDIT_HASH_SIZE - 1);
            out->entries = query_get_i64(query, 0);
            snprintf(out->hash, sizeof(out->hash), "%.*s", SLICE_ARG(hash));
        }
        query_end(query);
    }
    arena_free(arena);
    return result < 0 ? -1 : 0;
}

static int insert(struct database *database, int64_t id, const struct timeline_entry *entry, const struct incident_head *head,
                  struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO timeline(incident,time_ns,kind,text_en,text_ja,rule,evidence,user,severity,line,"
                    "detail,number,hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, entry->time_ns);
    query_text(query, 3, slice_text(entry->kind));
    query_text(query, 4, entry->en);
    query_text(query, 5, entry->ja);
    query_text(query, 6, entry->rule);
    query_text(query, 7, entry->evidence);
    query_text(query, 8, entry->user);
    if (entry->rule.ptr)
        query_i64(query, 9, entry->severity);
    query_text(query, 10, entry->line);
    query_text(query, 11, entry->detail);
    query_i64(query, 12, head->entries);
    query_text(query, 13, slice_text(head->hash));
    return query_run(query, err);
}

static int keep_head(struct database *database, int64_t id, const struct incident_head *head, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO incident_chain(incident,entries,hash) VALUES(?1,?2,?3) ON CONFLICT DO UPDATE SET"
                    " entries=excluded.entries,hash=excluded.hash", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, head->entries);
    query_text(query, 3, slice_text(head->hash));
    return query_run(query, err);
}

int incident_add_entry(struct database *database, int64_t id, const struct timeline_entry *entry, struct err *err)
{
    struct incident_head head, next;
    struct link_texts texts;
    struct audit_row row;
    if (incident_chain_head(database, id, &head, err) < 0)
        return -1;
    next.entries = head.entries + 1;
    row_of(id, next.entries, entry, &texts, &row);
    audit_chain_hash(head.entries ? head.hash : NULL, &row, next.hash);
    bool failed = buffer_failed(&texts.result);
    buffer_close(&texts.result);
    if (failed)
        return err_nomem(err);
    return insert(database, id, entry, &next, err) < 0 ? -1 : keep_head(database, id, &next, err);
}

/* ---- a digest over findings ---- */

int incident_findings_digest(struct database *database, int64_t id, int64_t *count, char to[AUDIT_HASH_SIZE], struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(16 * MIB);
    char hash[AUDIT_HASH_SIZE] = "";
    int result = -1;
    *count = 0;
    if (!arena)
        return err_nomem(err);
    if (query_begin(database, "SELECT number,id,bytes FROM findings WHERE incident=?1 ORDER BY number", &query, err) == 0) {
        query_i64(query, 1, id);
        while ((result = query_step(query, err)) == 1) {
            arena_reset(arena);
            const struct audit_row row = {.id = query_get_i64(query, 0), .actor = query_get_text(query, 1, arena),
                                          .detail = query_get_text(query, 2, arena)};
            audit_chain_hash(*count ? hash : NULL, &row, to);
            memcpy(hash, to, AUDIT_HASH_SIZE);
            ++*count;
        }
        query_end(query);
    }
    memcpy(to, hash, AUDIT_HASH_SIZE);
    arena_free(arena);
    return result;
}

/* ---- checking ---- */

struct walking {
    struct database *database;
    struct incident_chain_sum *sum;
    struct arena *arena;
    struct audit_walk walk;
    int64_t incident;
};

static void read_entry(struct query *query, struct arena *arena, struct timeline_entry *entry)
{
    *entry = (struct timeline_entry){
        .time_ns = query_get_i64(query, 2), .kind = arena_string(arena, query_get_text(query, 3, arena)),
        .en = query_get_text(query, 4, arena), .ja = query_get_text(query, 5, arena),
        .rule = query_get_text(query, 6, arena), .evidence = query_get_text(query, 7, arena),
        .user = query_get_text(query, 8, arena), .severity = (enum severity)query_get_i64(query, 9),
        .line = query_get_text(query, 10, arena), .detail = query_get_text(query, 11, arena)};
}

/* What closing said of the findings. */
static int check_findings(struct walking *walking, struct slice detail, struct err *err)
{
    const struct json_node *body;
    char digest[AUDIT_HASH_SIZE];
    int64_t count;
    if (json_tree_parse(detail, walking->arena, &body, err) < 0)
        return -1;
    struct slice wanted = json_text_of(json_get(body, "digest"), SLICE_NONE);
    if (!wanted.ptr)
        return 0;
    if (incident_findings_digest(walking->database, walking->incident, &count, digest, err) < 0)
        return -1;
    if (count == json_i64_of(json_get(body, "findings"), -1) && slice_is(wanted, digest))
        return 0;
    return err_set(err, ERR_CORRUPT, "the findings of INC-%lld are not those that it was closed with",
                   (long long)walking->incident);
}

static int check_entry(struct walking *walking, struct query *query, struct err *err)
{
    struct timeline_entry entry;
    struct link_texts texts;
    struct audit_row row;
    read_entry(query, walking->arena, &entry);
    if (!entry.kind)
        return err_nomem(err);
    row_of(walking->incident, query_get_i64(query, 0), &entry, &texts, &row);
    struct slice hash = slice_sub(query_get_text(query, 1, walking->arena), 0, AUDIT_HASH_SIZE - 1);
    snprintf(row.hash, sizeof(row.hash), "%.*s", SLICE_ARG(hash));
    int result = audit_walk_next(&walking->walk, &row, err);
    buffer_close(&texts.result);
    walking->sum->entries++;
    if (result < 0)
        return -1;
    return slice_is(row.via, "state") && entry.detail.len ? check_findings(walking, entry.detail, err) : 0;
}

static int check_incident(struct walking *walking, struct err *err)
{
    struct query *query;
    struct incident_head head;
    char what[64];
    int result;
    snprintf(what, sizeof(what), "the record of INC-%lld", (long long)walking->incident);
    walking->walk = (struct audit_walk){.what = what};
    if (query_begin(walking->database, "SELECT number,hash,time_ns,kind,text_en,text_ja,rule,evidence,user,severity,line,detail"
                    " FROM timeline WHERE incident=?1 AND number IS NOT NULL ORDER BY number", &query, err) < 0)
        return -1;
    query_i64(query, 1, walking->incident);
    while ((result = query_step(query, err)) == 1) {
        arena_reset(walking->arena);
        result = check_entry(walking, query, err);
        if (result < 0)
            break;
    }
    query_end(query);
    if (result < 0 || incident_chain_head(walking->database, walking->incident, &head, err) < 0)
        return -1;
    walking->walk.what = NULL;
    if (head.entries == walking->walk.rows && strcmp(head.hash, walking->walk.hash) == 0)
        return 0;
    return err_set(err, ERR_CORRUPT, "the record of INC-%lld ends at entry %lld, but had %lld: entries were cut off or written anew",
                   (long long)walking->incident, (long long)walking->walk.rows, (long long)head.entries);
}

static int check_attachments(struct walking *walking, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(walking->database, "SELECT id,incident,sha256,bytes FROM attachments ORDER BY id", &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        unsigned char hash[crypto_hash_sha256_BYTES];
        char hex[2 * sizeof(hash) + 1];
        arena_reset(walking->arena);
        struct slice wanted = query_get_text(query, 2, walking->arena), bytes = query_get_text(query, 3, walking->arena);
        crypto_hash_sha256(hash, (const unsigned char *)(bytes.ptr ? bytes.ptr : ""), bytes.len);
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        walking->sum->attachments++;
        if (!slice_is(wanted, hex)) {
            result = err_set(err, ERR_CORRUPT, "attachment %lld of INC-%lld is not what was attached",
                             (long long)query_get_i64(query, 0), (long long)query_get_i64(query, 1));
            break;
        }
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* Entries without a number are from before there were chains, none is newer. */
static int check_unchained(struct walking *walking, struct err *err)
{
    int64_t later;
    if (incident_number(walking->database, "SELECT count(*) FROM timeline WHERE number IS NULL", 0, &walking->sum->unchained,
                        err) < 0 ||
        incident_number(walking->database, "SELECT count(*) FROM timeline WHERE number IS NULL AND id>(SELECT CAST(value AS"
                        " INTEGER) FROM settings WHERE name='timeline_unchained')", 0, &later, err) < 0)
        return -1;
    return later ? err_set(err, ERR_CORRUPT, "%lld entries of timelines are in no chain: somebody else wrote them", (long long)later)
                 : 0;
}

int incident_chain_check(struct database *database, struct incident_chain_sum *sum, struct err *err)
{
    struct walking walking = {.database = database, .sum = sum, .arena = arena_new(64 * MIB)};
    *sum = (struct incident_chain_sum){0};
    if (!walking.arena)
        return err_nomem(err);
    int result = check_unchained(&walking, err);
    while (result == 0) {
        result = incident_number(database, "SELECT min(id) FROM incidents WHERE id>?1", walking.incident, &walking.incident, err);
        if (result < 0 || walking.incident == 0)
            break;
        sum->incidents++;
        result = check_incident(&walking, err);
    }
    if (result == 0)
        result = check_attachments(&walking, err);
    arena_free(walking.arena);
    return result;
}

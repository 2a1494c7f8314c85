#include "flow/finding_sender.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* Handed to the journal; its answer frees it, or puts it among the refused. */
struct letter {
    struct letter *next;
    struct finding_sender *sender;
    struct buffer body;
    char id[33];
    struct slice source; /* of the delivery; a constant */
    struct buffer stream;
    int64_t received_ns;
};

struct finding_sender {
    struct journal *journal;
    const struct hin_clock *clock;
    uint64_t sent, findings;
    _Atomic uint64_t durable;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t answered;
    struct letter *refused;
    uint64_t under_way;
};

/* ---- the event ---- */

static void put(struct json *json, const char *key, struct slice text)
{
    if (text.ptr)
        json_put_text(json, key, text);
}

static bool type_came_before(const struct finding *finding, size_t entity)
{
    for (size_t i = 0; i < entity; i++)
        if (slice_equal(finding->entities[i].type, finding->entities[entity].type))
            return true;
    return false;
}

static void put_entities(const struct finding *finding, struct json *json)
{
    char key[256];
    for (size_t i = 0; i < finding->entity_count; i++) {
        struct slice type = finding->entities[i].type;
        if (type_came_before(finding, i))
            continue;
        snprintf(key, sizeof(key), "hinomi.entity.%.*s", SLICE_ARG(type));
        json_key(json, key);
        json_open(json, '[');
        for (size_t k = i; k < finding->entity_count; k++)
            if (slice_equal(finding->entities[k].type, type))
                json_text(json, finding->entities[k].value);
        json_close(json, ']');
    }
}

static void put_evidence(const struct finding *finding, struct json *json)
{
    json_key(json, "hinomi.evidence");
    json_open(json, '[');
    for (size_t i = 0; i < finding->evidence_count; i++)
        json_text(json, finding->evidence[i].event_id);
    json_close(json, ']');
}

/* hinomi.group.NAME: what a correlation grouped by. */
static void put_groups(const struct finding *finding, struct json *json)
{
    for (size_t i = 0; i < finding->group_count; i++) {
        char name[FIELD_NAME_MAX];
        (void)snprintf(name, sizeof(name), "hinomi.group.%.*s", SLICE_ARG(finding->groups[i].type));
        json_put_text(json, name, finding->groups[i].value);
    }
}

/* hinomi.hold: "asset:XEM", or "all". */
static void put_holds(const struct finding *finding, struct json *json)
{
    struct buffer text;
    if (!finding->hold_count)
        return;
    buffer_init(&text, MIB);
    json_key(json, "hinomi.hold");
    json_open(json, '[');
    for (size_t i = 0; i < finding->hold_count; i++) {
        struct slice target = finding->holds[i].value;
        buffer_clear(&text);
        buffer_printf(&text, "%.*s%s%.*s", SLICE_ARG(finding->holds[i].type), target.len ? ":" : "", SLICE_ARG(target));
        json_text(json, buffer_slice(&text));
    }
    buffer_close(&text);
    json_close(json, ']');
}

static void write_body(const struct finding *finding, struct buffer *body)
{
    struct json json;
    json_init(&json, body);
    json_open(&json, '{');
    json_put_time(&json, "@timestamp", finding->raised_ns);
    json_put_text(&json, "event.dataset", FINDING_SOURCE);
    json_put_text(&json, "event.kind", SLICE("alert"));
    json_put_text(&json, "event.action",
                  finding->retracts.ptr  ? SLICE("finding-retracted")
                  : finding->follows.ptr ? SLICE("finding-continued")
                                         : SLICE("finding-raised"));
    json_put_text(&json, "event.id", slice_of(finding->id, 32));
    put(&json, "rule.id", finding->rule_id);
    put(&json, "rule.name", finding->title);
    put(&json, "rule.version", finding->rule_version);
    put(&json, "message", finding->explanation_en);
    put(&json, "hinomi.message.ja", finding->explanation_ja);
    put(&json, "hinomi.catalogue", finding->catalogue);
    put(&json, "hinomi.retracts", finding->retracts);
    put(&json, "hinomi.follows", finding->follows);
    json_put_text(&json, "hinomi.severity", slice_text(severity_name(finding->severity)));
    put_entities(finding, &json);
    put_evidence(finding, &json);
    if (finding->evidence_seen)
        json_put_i64(&json, "hinomi.events", (int64_t)finding->evidence_seen);
    put_groups(finding, &json);
    put_holds(finding, &json);
    json_close(&json, '}');
}

static struct delivery delivery_of(const struct letter *letter)
{
    return (struct delivery){
        .origin = {.source = letter->source, .stream = buffer_slice(&letter->stream)},
        .received_ns = letter->received_ns,
        .key = slice_of(letter->id, 32),
        .framing = FRAMING_LINES,
        .event_count = 1,
        .body = buffer_slice(&letter->body),
    };
}

/* ---- on its way ---- */

static void letter_free(struct letter *letter)
{
    buffer_close(&letter->body);
    buffer_close(&letter->stream);
    mem_free(letter);
}

/* The same id with other bytes was there before: a restart may word it anew (the live clock). */
static void on_answer(void *context, const struct journal_ack *ack)
{
    struct letter *letter = context;
    struct finding_sender *sender = letter->sender;
    bool refused = ack->result == JOURNAL_FAILED;
    if (!refused) {
        atomic_fetch_add(&sender->durable, 1);
        letter_free(letter);
    }
    pthread_mutex_lock(&sender->lock);
    if (refused) {
        letter->next = sender->refused;
        sender->refused = letter;
    }
    sender->under_way--;
    pthread_cond_signal(&sender->answered);
    pthread_mutex_unlock(&sender->lock);
}

static void count_under_way(struct finding_sender *sender, int change)
{
    pthread_mutex_lock(&sender->lock);
    sender->under_way = (uint64_t)((int64_t)sender->under_way + change);
    pthread_mutex_unlock(&sender->lock);
}

/* The journal's bound on what waits is not an error here: its thread empties it. */
static int post(struct finding_sender *sender, struct letter *letter, struct err *err)
{
    struct delivery delivery = delivery_of(letter);
    struct err why;
    count_under_way(sender, 1);
    while (journal_append(sender->journal, &delivery, on_answer, letter, &why) < 0) {
        struct timespec pause = {.tv_nsec = NS_PER_MS};
        if (why.code != ERR_LIMIT) {
            count_under_way(sender, -1);
            if (err)
                *err = why;
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

static struct letter *letter_new(struct finding_sender *sender, struct slice source, struct slice stream, const char id[33])
{
    struct letter *letter = mem_calloc(1, sizeof(*letter));
    if (!letter)
        return NULL;
    letter->sender = sender;
    letter->received_ns = clock_wall_ns(sender->clock);
    letter->source = source;
    memcpy(letter->id, id, sizeof(letter->id));
    buffer_init(&letter->body, JOURNAL_RECORD_BYTES_MAX - MIB);
    buffer_init(&letter->stream, KIB);
    buffer_put(&letter->stream, stream);
    return letter;
}

/* Takes it, also when it fails. */
static int send_letter(struct finding_sender *sender, struct letter *letter, struct err *err)
{
    bool failed = buffer_failed(&letter->body) || buffer_failed(&letter->stream);
    int result = failed ? err_nomem(err) : post(sender, letter, err);
    if (result < 0)
        letter_free(letter);
    else
        sender->sent++;
    return result;
}

int finding_sender_send(struct finding_sender *sender, const struct finding *finding,
                        struct err *err)
{
    struct letter *letter = letter_new(sender, FINDING_SOURCE, SLICE("findings"), finding->id);
    if (!letter)
        return err_nomem(err);
    write_body(finding, &letter->body);
    int result = send_letter(sender, letter, err);
    sender->findings += result == 0;
    return result;
}

int finding_sender_tell(struct finding_sender *sender, const struct finding_sender_event *event, struct err *err)
{
    struct letter *letter = letter_new(sender, event->source, event->stream, event->id);
    if (!letter)
        return err_nomem(err);
    buffer_put(&letter->body, event->line);
    return send_letter(sender, letter, err);
}

int finding_sender_retry(struct finding_sender *sender, struct err *err)
{
    pthread_mutex_lock(&sender->lock);
    struct letter *refused = sender->refused;
    sender->refused = NULL;
    pthread_mutex_unlock(&sender->lock);
    int result = 0;
    for (struct letter *next; refused; refused = next) {
        next = refused->next;
        if (result == 0 && (result = post(sender, refused, err)) == 0)
            continue;
        pthread_mutex_lock(&sender->lock);
        refused->next = sender->refused;
        sender->refused = refused;
        pthread_mutex_unlock(&sender->lock);
    }
    return result;
}

struct finding_sender_counts finding_sender_counts(const struct finding_sender *sender)
{
    return (struct finding_sender_counts){sender->sent, atomic_load(&sender->durable), sender->findings};
}

/* ---- life ---- */

struct finding_sender *finding_sender_new(struct journal *journal, const struct hin_clock *clock)
{
    struct finding_sender *sender = mem_calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->journal = journal;
    sender->clock = clock;
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->answered, NULL);
    return sender;
}

void finding_sender_free(struct finding_sender *sender)
{
    if (!sender)
        return;
    pthread_mutex_lock(&sender->lock);
    while (sender->under_way)
        pthread_cond_wait(&sender->answered, &sender->lock);
    pthread_mutex_unlock(&sender->lock);
    for (struct letter *letter = sender->refused, *next; letter; letter = next) {
        next = letter->next;
        letter_free(letter);
    }
    pthread_cond_destroy(&sender->answered);
    pthread_mutex_destroy(&sender->lock);
    mem_free(sender);
}

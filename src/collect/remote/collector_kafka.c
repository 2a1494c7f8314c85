/* Kafka topics: a member of a consumer group whose offsets are ours, stored with the events (collect/remote/kafka_place.h).
 * They are committed to the group after that, for the eyes of other tools, and so that another member that takes a
 * partition over begins there. */
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/remote/kafka_place.h"
#include "collect/remote/late_kafka.h"
#include "collect/remote/reader_thread.h"
#include "cut/yaml.h"

#include <stdatomic.h>
#include <stdio.h>

enum { KINDS_SAID_MAX = 4 };
enum { POLL_MS = 250, MESSAGES_MAX = 5000, COMMITTED_WAIT_MS = 10000 };
#define GATHER_BYTES (4 * MIB)

struct collector_kafka {
    struct reader_thread reader;
    unsigned failures; /* in a row */
    const struct late_kafka *api;
    rd_kafka_t *client;
    struct kafka_place place;
    uint32_t record_count;
    bool failed;
    struct kafka_said {
        int code, weight;
    } said[KINDS_SAID_MAX]; /* errors that were told since it worked */
    size_t said_count;
    atomic_ulong open;
};

/* ---- connecting ---- */

static int set_one(struct collector_kafka *collector, rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char why[256];
    if (!value || collector->api->rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(err, ERR_CONFIG, "librdkafka: %s", why);
}

/* Options of librdkafka's own, by its names. */
static int set_given(struct collector_kafka *collector, rd_kafka_conf_t *conf, struct err *err)
{
    const struct yaml_node *node = settings_node(collector->reader.settings, "properties");
    for (size_t i = 0; node && i < node->count; i++) {
        struct slice name = node->entries[i].key->text, value = yaml_text(node->entries[i].value, SLICE(""));
        char *texts[] = {mem_strdup(name.ptr, name.len), mem_strdup(value.ptr, value.len)};
        int result = texts[0] && texts[1] ? set_one(collector, conf, texts[0], texts[1], err) : err_nomem(err);
        mem_free(texts[0]);
        mem_free(texts[1]);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int set_all(struct collector_kafka *collector, rd_kafka_conf_t *conf, struct err *err)
{
    static const char *const names[][2] = {{"brokers", "bootstrap.servers"}, {"group", "group.id"}, {"user", "sasl.username"},
                                           {"password", "sasl.password"}, {"ca_file", "ssl.ca.location"},
                                           {"certificate", "ssl.certificate.location"}, {"key", "ssl.key.location"},
                                           {"sasl", "sasl.mechanism"}};
    const struct collector_settings *settings = collector->reader.settings;
    bool tls = settings_bool(settings, "tls"), sasl = settings_string(settings, "sasl");
    if (set_given(collector, conf, err) < 0 || set_one(collector, conf, "enable.auto.commit", "false", err) < 0 ||
        set_one(collector, conf, "auto.offset.reset", "earliest", err) < 0 ||
        set_one(collector, conf, "queued.max.messages.kbytes", "65536", err) < 0 ||
        set_one(collector, conf, "client.id", "hinomi", err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (set_one(collector, conf, names[i][1], settings_string(settings, names[i][0]), err) < 0)
            return -1;
    if (!tls && !sasl)
        return 0; /* or as the properties say */
    return set_one(collector, conf, "security.protocol", tls ? (sasl ? "sasl_ssl" : "ssl") : "sasl_plaintext", err);
}

static void it_works(struct collector_kafka *collector)
{
    collector->said_count = 0;
    reader_say(&collector->reader, NULL);
}

/* Where it begins: behind the events that we have, or further on where another member of the group was meanwhile. */
static void begin_at(struct collector_kafka *collector, rd_kafka_topic_partition_t *one)
{
    struct kafka_partition *known = kafka_place_at(&collector->place, slice_text(one->topic), one->partition);
    collector->failed = collector->failed || !known;
    if (!known)
        return;
    if (one->offset > known->next)
        known->next = one->offset;
    if (known->next >= 0)
        one->offset = known->next;
    else if (slice_is(settings_text(collector->reader.settings, "start"), "new"))
        one->offset = RD_KAFKA_OFFSET_END;
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *context)
{
    struct collector_kafka *collector = context;
    const struct late_kafka *api = collector->api;
    bool assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_topic_partition_list_t *begin = assigned ? api->rd_kafka_topic_partition_list_copy(list) : NULL;
    if (begin && api->rd_kafka_committed(client, begin, COMMITTED_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        for (int i = 0; i < begin->cnt; i++)
            begin->elems[i].offset = RD_KAFKA_OFFSET_INVALID; /* the group says nothing: what we know counts */
    for (int i = 0; begin && i < begin->cnt; i++)
        begin_at(collector, &begin->elems[i]);
    atomic_store(&collector->open, begin ? (unsigned long)begin->cnt : 0);
    if (begin)
        it_works(collector);
    api->rd_kafka_assign(client, begin);
    if (begin)
        api->rd_kafka_topic_partition_list_destroy(begin);
}

/* How much an error tells of what to do: that connections are down follows from what took them down, and that one broke
 * off tells less than the TLS alert that came before. */
static int weight(int code, const char *reason)
{
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT)
        return strstr(reason, " alert ") ? 2 : 1;
    return code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? 0 : 2;
}

/* With TLS 1.3 a broker asks for a certificate when the handshake is over for us, and the alert that says so may be lost with
 * the connection. */
static bool may_want_certificate(const struct collector_kafka *collector, int code, const char *reason)
{
    const struct collector_settings *settings = collector->reader.settings;
    return code == RD_KAFKA_RESP_ERR__TRANSPORT && strstr(reason, "APIVERSION_QUERY") && settings_bool(settings, "tls") &&
           !settings_string(settings, "certificate");
}

/* librdkafka tells each try of each broker; each kind is told once until it works again. */
static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    struct collector_kafka *collector = context;
    const struct kafka_said now = {code, weight(code, reason)};
    char text[240];
    (void)client;
    for (size_t i = 0; i < collector->said_count; i++)
        if (now.weight < collector->said[i].weight || (now.weight == collector->said[i].weight && code == collector->said[i].code))
            return;
    if (collector->said_count == KINDS_SAID_MAX)
        return;
    collector->said[collector->said_count++] = now;
    const char *hint = may_want_certificate(collector, code, reason) ? "; does the broker ask for a client's certificate?" : "";
    snprintf(text, sizeof(text), "Kafka: %s: %.*s%s", collector->api->rd_kafka_err2str((rd_kafka_resp_err_t)code), hint[0] ? 130 : 180,
             reason, hint);
    reader_say(&collector->reader, text);
}

static int subscribe(struct collector_kafka *collector, struct err *err)
{
    const struct late_kafka *api = collector->api;
    size_t count;
    const struct slice *topics = settings_list(collector->reader.settings, "topics", &count);
    rd_kafka_topic_partition_list_t *list = api->rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) /* texts of the configuration have a zero behind them */
        api->rd_kafka_topic_partition_list_add(list, topics[i].ptr, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = api->rd_kafka_subscribe(collector->client, list);
    api->rd_kafka_topic_partition_list_destroy(list);
    return code ? err_set(err, ERR_IO, "the topics cannot be subscribed to: %s", api->rd_kafka_err2str(code)) : 0;
}

static int connect_client(struct collector_kafka *collector, struct err *err)
{
    const struct late_kafka *api = collector->api;
    rd_kafka_conf_t *conf = api->rd_kafka_conf_new();
    char why[256];
    if (set_all(collector, conf, err) < 0) {
        api->rd_kafka_conf_destroy(conf);
        return -1;
    }
    api->rd_kafka_conf_set_opaque(conf, collector);
    api->rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    api->rd_kafka_conf_set_error_cb(conf, on_error);
    api->rd_kafka_conf_set_log_cb(conf, NULL);
    collector->client = api->rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!collector->client) {
        api->rd_kafka_conf_destroy(conf);
        return err_set(err, ERR_CONFIG, "librdkafka: %s", why);
    }
    api->rd_kafka_poll_set_consumer(collector->client);
    return 0;
}

/* ---- messages ---- */

static void put_hints(struct collector_kafka *collector, const char *topic, const rd_kafka_message_t *message)
{
    struct buffer fields;
    struct json json;
    buffer_init(&fields, 8 * MIB);
    json_init(&json, &fields);
    json_open(&json, '{');
    json_put_text(&json, "kafka.topic", slice_text(topic));
    json_put_i64(&json, "kafka.partition", message->partition);
    json_put_i64(&json, "kafka.offset", message->offset);
    if (message->key && message->key_len <= KAFKA_KEY_BYTES_MAX)
        json_put_text(&json, "kafka.key", slice_of(message->key, message->key_len));
    json_close(&json, '}');
    buffer_clear(&collector->reader.hints);
    delivery_put_hint(&collector->reader.hints, "fields", buffer_slice(&fields));
    buffer_close(&fields);
}

static void take_message(struct collector_kafka *collector, const rd_kafka_message_t *message)
{
    const char *topic = collector->api->rd_kafka_topic_name(message->rkt);
    struct kafka_partition *partition = kafka_place_at(&collector->place, slice_text(topic), message->partition);
    if (!partition) {
        collector->failed = true;
        return;
    }
    if (message->payload && message->len) {
        put_hints(collector, topic, message);
        collector->record_count += delivery_put_event(&collector->reader.records, slice_of(message->payload, message->len),
                                                    buffer_slice(&collector->reader.hints));
    }
    partition->next = message->offset + 1;
    partition->is_changed = true;
}

static void commit(struct collector_kafka *collector)
{
    const struct late_kafka *api = collector->api;
    rd_kafka_topic_partition_list_t *list = api->rd_kafka_topic_partition_list_new((int)collector->place.count);
    for (size_t i = 0; i < collector->place.count; i++) {
        struct kafka_partition *partition = &collector->place.list[i];
        if (partition->is_changed)
            api->rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)->offset = partition->next;
        partition->is_changed = false;
    }
    if (list->cnt) /* whether it works is of no matter for us */
        api->rd_kafka_commit(collector->client, list, 1);
    api->rd_kafka_topic_partition_list_destroy(list);
}

static bool give(struct collector_kafka *collector)
{
    struct delivery delivery = collector_delivery(collector->reader.host, collector->reader.settings);
    struct buffer cursor;
    buffer_init(&cursor, 8 * MIB);
    kafka_place_save(&collector->place, &cursor);
    delivery.event_count = collector->record_count;
    delivery.body = buffer_slice(&collector->reader.records);
    delivery.cursor = buffer_slice(&cursor);
    bool given = !buffer_failed(&cursor) && !buffer_failed(&collector->reader.records) && !buffer_failed(&collector->reader.hints) &&
                 reader_give(&collector->reader, &delivery);
    buffer_close(&cursor);
    return given;
}

/* Until there is a delivery full, or nothing comes for now. */
static void gather(struct collector_kafka *collector)
{
    const struct late_kafka *api = collector->api;
    int wait_ms = POLL_MS;
    buffer_clear(&collector->reader.records);
    collector->record_count = 0;
    while (!collector->failed && collector->record_count < MESSAGES_MAX && collector->reader.records.len < GATHER_BYTES) {
        rd_kafka_message_t *message = api->rd_kafka_consumer_poll(collector->client, wait_ms);
        if (!message)
            return;
        if (!message->err)
            take_message(collector, message);
        else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            on_error(collector->client, message->err, "", collector);
        api->rd_kafka_message_destroy(message);
        wait_ms = 10;
    }
}

/* ---- the reader ---- */

static void resume(struct collector_kafka *collector)
{
    const struct collector_host *host = collector->reader.host;
    struct arena *arena = arena_new(16 * MIB);
    struct err err;
    struct slice cursor = arena && host->cursor ? host->cursor(host->context, collector->reader.settings->name, SLICE_NONE, arena) : SLICE_NONE;
    kafka_place_close(&collector->place);
    if (cursor.len && kafka_place_load(&collector->place, cursor, &err) < 0)
        reader_say(&collector->reader, err.text);
    arena_free(arena);
    collector->failed = !arena;
}

static void read_on(struct collector_kafka *collector)
{
    while (!collector->failed && !reader_is_stopping(&collector->reader)) {
        gather(collector);
        if (!collector->record_count)
            continue;
        collector->failed = collector->failed || !give(collector);
        if (!collector->failed) {
            it_works(collector);
            commit(collector);
            collector->failures = 0;
        }
    }
}

static void *run(void *context)
{
    struct collector_kafka *collector = context;
    const struct late_kafka *api = collector->api;
    struct err err;
    do {
        resume(collector);
        if (collector->failed || connect_client(collector, &err) < 0 || subscribe(collector, &err) < 0)
            reader_say(&collector->reader, collector->failed ? "memory is out" : err.text);
        else
            read_on(collector);
        if (collector->client) {
            api->rd_kafka_consumer_close(collector->client);
            api->rd_kafka_destroy(collector->client);
        }
        collector->client = NULL;
        atomic_store(&collector->open, 0);
    } while (reader_sleep(&collector->reader, reader_backoff_ns(++collector->failures, rand_real())));
    return NULL;
}

/* ---- the kind ---- */

static const char *const starts[] = {"all", "new", NULL};
static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};

static const struct collector_option options[] = {
    {"brokers", SETTING_TEXT, .required = true, .summary = "HOST:9092, several with commas between"},
    {"topics", SETTING_LIST, .required = true, .summary = "their names; one that begins with ^ is a regular expression"},
    {"group", SETTING_TEXT, "hinomi", .summary = "the consumer group"},
    {"start", SETTING_CHOICE, "all", .choices = starts, .summary = "where a partition begins that neither we nor the group know"},
    {"tls", SETTING_BOOL, "false", .summary = "true: TLS"},
    {"ca_file", SETTING_PATH, .summary = "PEM file of the authorities that are believed; without it the system's"},
    {"certificate", SETTING_PATH, .summary = "PEM file: who we are, for brokers that ask"},
    {"key", SETTING_PATH, .summary = "PEM file of its key"},
    {"sasl", SETTING_CHOICE, .choices = mechanisms, .summary = "how user and password are shown"},
    {"user", SETTING_TEXT, .summary = "of sasl"},
    {"password", SETTING_SECRET, .summary = "of sasl"},
    {"properties", SETTING_NODE, .summary = "further options of librdkafka, by its names; ours count more"},
};

static int kafka_check(const struct collector_settings *settings, struct err *err)
{
    const struct yaml_node *node = settings_node(settings, "properties");
    if (node && node->kind != YAML_MAPPING)
        return err_set(err, ERR_CONFIG, "properties: names with their values are needed, such as {fetch.min.bytes: 1000}");
    if (settings_string(settings, "sasl") && (!settings_string(settings, "user") || !settings_string(settings, "password")))
        return err_set(err, ERR_CONFIG, "sasl needs user and password");
    return 0;
}

static int kafka_open(const struct collector_host *host, const struct collector_settings *settings, void **out, struct err *err)
{
    struct collector_kafka *collector = *out = reader_new(sizeof(*collector), host, settings, 8 * MIB, err);
    if (!collector)
        return -1;
    collector->api = late_kafka(err);
    return collector->api ? reader_thread_start(&collector->reader, run, collector, err) : -1;
}

static void kafka_free(void *self)
{
    struct collector_kafka *collector = self;
    kafka_place_close(&collector->place);
    reader_free(collector);
}

static void kafka_count(void *self, struct collector_counts *out)
{
    struct collector_kafka *collector = self;
    out->open = atomic_load(&collector->open);
    reader_problem_of(&collector->reader, out->problem);
}

const struct collector_kind collector_kafka = {
    .name = "kafka",
    .summary = "topics of Kafka, as a member of a consumer group",
    .details = "The next offset of each partition is stored with the events, and committed to the group after that: a kill neither loses nor "
               "doubles any. A message without a value is no event. Needs librdkafka1 (Debian), which is loaded when it is needed.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = kafka_check,
    .open = kafka_open,
    .stop = reader_stop,
    .free = kafka_free,
    .counts = kafka_count,
};

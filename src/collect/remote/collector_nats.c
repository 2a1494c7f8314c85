/* NATS JetStream: a pull consumer whose messages are acknowledged when they are durable. Which ones are, is stored with
 * them (collect/remote/nats_place.h), so that what the server sends again is not stored twice.
 *
 * libnats' own reconnecting is off: after any failure everything is made anew, so there is one way to begin. */
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/remote/late_nats.h"
#include "collect/remote/nats_place.h"
#include "collect/remote/reader_thread.h"

#include <stdatomic.h>
#include <stdio.h>

enum { FETCH_WAIT_MS = 500, PING_MS = 20000, CONNECT_MS = 5000, SERVERS_MAX = 32, FLOOR_EVERY = 64 };

struct collector_nats {
    struct reader_thread reader;
    const struct late_nats *api;
    natsConnection *connection;
    jsCtx *js;
    natsSubscription *subscription;
    struct nats_place place;
    uint32_t record_count;
    uint64_t redelivered; /* messages since the last new one that came again */
    atomic_ulong gaps, gap_from, gap_to; /* from and to: where the last were */
    atomic_bool connected;
};

static const char *text_option(const struct collector_nats *collector, const char *name)
{
    return settings_string(collector->reader.settings, name);
}

/* ---- connecting ---- */

static natsStatus set_identity(struct collector_nats *collector, natsOptions *options)
{
    const struct late_nats *api = collector->api;
    natsStatus status = NATS_OK;
    if (text_option(collector, "user"))
        status = api->natsOptions_SetUserInfo(options, text_option(collector, "user"), text_option(collector, "password"));
    if (status == NATS_OK && text_option(collector, "token"))
        status = api->natsOptions_SetToken(options, text_option(collector, "token"));
    if (status == NATS_OK && text_option(collector, "credentials"))
        status = api->natsOptions_SetUserCredentialsFromFiles(options, text_option(collector, "credentials"), NULL);
    if (status == NATS_OK && text_option(collector, "nkey"))
        status = api->natsOptions_SetNKeyFromSeed(options, text_option(collector, "nkey"), text_option(collector, "nkey_seed"));
    if (status == NATS_OK && settings_bool(collector->reader.settings, "tls"))
        status = api->natsOptions_SetSecure(options, true);
    if (status == NATS_OK && text_option(collector, "ca_file"))
        status = api->natsOptions_LoadCATrustedCertificates(options, text_option(collector, "ca_file"));
    if (status == NATS_OK && text_option(collector, "certificate"))
        status = api->natsOptions_LoadCertificatesChain(options, text_option(collector, "certificate"), text_option(collector, "key"));
    return status;
}

static natsStatus set_options(struct collector_nats *collector, natsOptions *options)
{
    const struct late_nats *api = collector->api;
    const char *servers[SERVERS_MAX];
    size_t count;
    const struct slice *list = settings_list(collector->reader.settings, "servers", &count);
    for (size_t i = 0; i < count; i++)
        servers[i] = list[i].ptr; /* texts of the configuration have a zero behind them */
    natsStatus status = api->natsOptions_SetServers(options, servers, (int)count);
    if (status == NATS_OK)
        status = api->natsOptions_SetName(options, "hinomi");
    if (status == NATS_OK)
        status = api->natsOptions_SetTimeout(options, CONNECT_MS);
    if (status == NATS_OK)
        status = api->natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = api->natsOptions_SetPingInterval(options, PING_MS);
    return status == NATS_OK ? set_identity(collector, options) : status;
}

static void disconnect(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    atomic_store(&collector->connected, false);
    api->natsSubscription_Destroy(collector->subscription);
    api->jsCtx_Destroy(collector->js);
    api->natsConnection_Destroy(collector->connection);
    collector->subscription = NULL;
    collector->js = NULL;
    collector->connection = NULL;
}

/* A stream that was made anew has new numbers. */
static natsStatus look_at_stream(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    jsStreamInfo *info = NULL;
    natsStatus status = api->js_GetStreamInfo(&info, collector->js, text_option(collector, "stream_name"), NULL, NULL);
    if (status != NATS_OK)
        return status;
    if (collector->place.created_ns && collector->place.created_ns != info->Created)
        nats_place_close(&collector->place);
    collector->place.created_ns = info->Created;
    api->jsStreamInfo_Destroy(info);
    return NATS_OK;
}

/* What was acknowledged is stored. */
static natsStatus raise_floor(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    jsConsumerInfo *info = NULL;
    natsStatus status = api->js_GetConsumerInfo(&info, collector->js, text_option(collector, "stream_name"),
                                                text_option(collector, "consumer"), NULL, NULL);
    if (status == NATS_OK)
        nats_place_raise(&collector->place, info->AckFloor.Stream);
    api->jsConsumerInfo_Destroy(info);
    return status;
}

static natsStatus make_consumer(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    const struct collector_settings *settings = collector->reader.settings;
    jsConsumerConfig config;
    uint64_t floor = collector->place.floor;
    bool fresh = slice_is(settings_text(settings, "start"), "new");
    api->jsConsumerConfig_Init(&config);
    config.Durable = text_option(collector, "consumer");
    config.AckPolicy = js_AckExplicit;
    config.AckWait = settings_number(settings, "ack_wait");
    config.MaxAckPending = NATS_PENDING_MAX;
    config.FilterSubject = text_option(collector, "subject");
    config.DeliverPolicy = floor ? js_DeliverByStartSequence : fresh ? js_DeliverNew : js_DeliverAll;
    config.OptStartSeq = floor ? floor + 1 : 0;
    return api->js_AddConsumer(NULL, collector->js, text_option(collector, "stream_name"), &config, NULL, NULL);
}

static natsStatus subscribe(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    jsSubOptions options;
    natsStatus status = look_at_stream(collector);
    if (status == NATS_OK)
        status = raise_floor(collector);
    if (status == NATS_NOT_FOUND)
        status = make_consumer(collector);
    if (status != NATS_OK)
        return status;
    api->jsSubOptions_Init(&options);
    options.Stream = text_option(collector, "stream_name");
    options.Consumer = text_option(collector, "consumer");
    options.ManualAck = true;
    return api->js_PullSubscribe(&collector->subscription, collector->js, text_option(collector, "subject"),
                                 text_option(collector, "consumer"), NULL, &options, NULL);
}

static natsStatus connect_all(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    natsOptions *options = NULL;
    natsStatus status = api->natsOptions_Create(&options);
    if (status == NATS_OK)
        status = set_options(collector, options);
    if (status == NATS_OK)
        status = api->natsConnection_Connect(&collector->connection, options);
    if (status == NATS_OK)
        status = api->natsConnection_JetStream(&collector->js, collector->connection, NULL);
    if (status == NATS_OK)
        status = subscribe(collector);
    api->natsOptions_Destroy(options);
    atomic_store(&collector->connected, status == NATS_OK);
    return status;
}

/* ---- messages ---- */

/* Numbers of the stream that the server has not given us: what was deleted, or expired before it was read. With a
 * filter other subjects' messages are among them, and nothing can be said. */
static void count_gap(struct collector_nats *collector, const jsMsgMetaData *meta)
{
    const struct nats_place *place = &collector->place;
    if (text_option(collector, "subject") || !place->stream || meta->Sequence.Consumer <= place->consumer ||
        meta->Sequence.Stream <= place->stream)
        return;
    uint64_t given = meta->Sequence.Consumer - place->consumer - collector->redelivered;
    uint64_t passed = meta->Sequence.Stream - place->stream;
    if (passed <= given)
        return;
    atomic_store(&collector->gap_from, place->stream + 1);
    atomic_store(&collector->gap_to, meta->Sequence.Stream - 1);
    atomic_fetch_add(&collector->gaps, passed - given);
}

static bool note_place(struct collector_nats *collector, const jsMsgMetaData *meta)
{
    struct nats_place *place = &collector->place;
    bool again = meta->NumDelivered > 1, follows = meta->Sequence.Consumer == place->consumer + 1 && place->stream < meta->Sequence.Stream;
    uint64_t first = !again && follows && place->stream ? place->stream + 1 : meta->Sequence.Stream;
    if (!nats_place_add(place, first, meta->Sequence.Stream))
        return false;
    if (again) {
        collector->redelivered++;
        return true;
    }
    count_gap(collector, meta);
    collector->redelivered = 0;
    place->stream = meta->Sequence.Stream;
    place->consumer = meta->Sequence.Consumer;
    return true;
}

static void put_hints(struct collector_nats *collector, natsMsg *message, const jsMsgMetaData *meta)
{
    struct buffer fields;
    struct json json;
    buffer_init(&fields, 64 * KIB);
    json_init(&json, &fields);
    json_open(&json, '{');
    json_put_text(&json, "nats.subject", slice_text(collector->api->natsMsg_GetSubject(message)));
    json_put_text(&json, "nats.stream", slice_text(meta->Stream));
    json_key(&json, "nats.sequence");
    json_u64(&json, meta->Sequence.Stream);
    json_close(&json, '}');
    buffer_clear(&collector->reader.hints);
    delivery_put_hint(&collector->reader.hints, "fields", buffer_slice(&fields));
    buffer_close(&fields);
}

static bool give(struct collector_nats *collector)
{
    struct delivery delivery = collector_delivery(collector->reader.host, collector->reader.settings);
    struct buffer cursor;
    buffer_init(&cursor, 4 * MIB);
    nats_place_save(&collector->place, &cursor);
    delivery.event_count = collector->record_count;
    delivery.body = buffer_slice(&collector->reader.records);
    delivery.cursor = buffer_slice(&cursor);
    bool given = !buffer_failed(&cursor) && !buffer_failed(&collector->reader.records) && !buffer_failed(&collector->reader.hints) &&
                 reader_give(&collector->reader, &delivery);
    buffer_close(&cursor);
    return given;
}

static bool take_message(struct collector_nats *collector, natsMsg *message)
{
    const struct late_nats *api = collector->api;
    jsMsgMetaData *meta = NULL;
    if (api->natsMsg_GetMetaData(&meta, message) != NATS_OK)
        return false;
    bool fine = true, known = nats_place_has(&collector->place, meta->Sequence.Stream);
    if (!known) {
        struct slice data = slice_of(api->natsMsg_GetData(message), (size_t)api->natsMsg_GetDataLength(message));
        put_hints(collector, message, meta);
        fine = note_place(collector, meta);
        if (fine && data.len)
            collector->record_count += delivery_put_event(&collector->reader.records, data, buffer_slice(&collector->reader.hints));
    } else if (meta->NumDelivered > 1) {
        collector->redelivered++;
    }
    api->jsMsgMetaData_Destroy(meta);
    return fine;
}

/* What was fetched: stored, then acknowledged. False: all is to be begun anew, from what is durable. */
static bool take_list(struct collector_nats *collector, const natsMsgList *list)
{
    const struct late_nats *api = collector->api;
    buffer_clear(&collector->reader.records);
    collector->record_count = 0;
    for (int i = 0; i < list->Count; i++)
        if (!take_message(collector, list->Msgs[i]))
            return false;
    if (collector->record_count && !give(collector))
        return false;
    for (int i = 0; i < list->Count; i++)
        if (api->natsMsg_Ack(list->Msgs[i], NULL) != NATS_OK)
            return false;
    return true;
}

/* ---- the reader ---- */

static bool resume(struct collector_nats *collector)
{
    const struct collector_host *host = collector->reader.host;
    struct arena *arena = arena_new(8 * MIB);
    struct err err;
    if (!arena)
        return false;
    struct slice cursor = host->cursor ? host->cursor(host->context, collector->reader.settings->name, SLICE_NONE, arena) : SLICE_NONE;
    nats_place_close(&collector->place);
    collector->redelivered = 0;
    if (cursor.len && nats_place_load(&collector->place, cursor, &err) < 0)
        reader_say(&collector->reader, err.text);
    arena_free(arena);
    return true;
}

/* Until it fails or is to stop. */
static natsStatus read_on(struct collector_nats *collector)
{
    const struct late_nats *api = collector->api;
    jsFetchRequest request;
    natsStatus status = NATS_OK;
    api->jsFetchRequest_Init(&request);
    request.Batch = (int)settings_number(collector->reader.settings, "batch");
    request.MaxBytes = NATS_FETCH_BYTES;
    request.Expires = FETCH_WAIT_MS * NS_PER_MS;
    for (unsigned round = 1; !reader_is_stopping(&collector->reader); round++) {
        natsMsgList list = {0};
        status = api->natsSubscription_FetchRequest(&list, collector->subscription, &request);
        bool fine = take_list(collector, &list);
        api->natsMsgList_Destroy(&list);
        if (status == NATS_TIMEOUT)
            status = NATS_OK;
        if (status == NATS_OK && fine && round % FLOOR_EVERY == 0)
            status = raise_floor(collector);
        if (status != NATS_OK || !fine)
            return status == NATS_OK ? NATS_ERR : status;
    }
    return status;
}

static void say_why(struct collector_nats *collector, natsStatus status)
{
    char text[240];
    const char *last = collector->api->nats_GetLastError(NULL);
    /* With TLS 1.3 a server that misses our certificate says so only by going away. */
    bool may_ask = status == NATS_PROTOCOL_ERROR && !text_option(collector, "certificate");
    snprintf(text, sizeof(text), "NATS: %s%s%.120s%s", collector->api->natsStatus_GetText(status), last && last[0] ? ": " : "",
             last ? last : "", may_ask ? "; where the server asks for a certificate, give certificate and key" : "");
    reader_say(&collector->reader, text);
}

static void *run(void *context)
{
    struct collector_nats *collector = context;
    unsigned failures = 0;
    while (!reader_is_stopping(&collector->reader)) {
        natsStatus status = resume(collector) ? connect_all(collector) : NATS_NO_MEMORY;
        if (status == NATS_OK) {
            reader_say(&collector->reader, NULL);
            failures = 0;
            status = read_on(collector);
        }
        if (status != NATS_OK && !reader_is_stopping(&collector->reader))
            say_why(collector, status);
        disconnect(collector);
        if (status != NATS_OK && !reader_sleep(&collector->reader, reader_backoff_ns(++failures, rand_real())))
            break;
    }
    return NULL;
}

/* ---- the kind ---- */

static const char *const starts[] = {"all", "new", NULL};

static const struct collector_option options[] = {
    {"servers", SETTING_LIST, "nats://127.0.0.1:4222", .summary = "URLs of the servers: nats://HOST:4222, tls://HOST:4222"},
    {"stream_name", SETTING_TEXT, .required = true, .summary = "the JetStream stream"},
    {"subject", SETTING_TEXT, .summary = "only messages of this subject, such as logs.>; without it all of the stream, and gaps in its numbers are counted"},
    {"consumer", SETTING_TEXT, "hinomi", .summary = "the durable consumer; made when it is not there, and for this collector alone"},
    {"start", SETTING_CHOICE, "all", .choices = starts, .summary = "where a new consumer begins: with all the stream has, or with what comes"},
    {"ack_wait", SETTING_DURATION, "30s", .least = NS_PER_SECOND, .summary = "of a new consumer: when the server sends again what was not acknowledged"},
    {"batch", SETTING_NUMBER, "1000", .least = 1, .most = NATS_PENDING_MAX, .summary = "messages that are asked for at a time"},
    {"user", SETTING_TEXT, .summary = "with password"},
    {"password", SETTING_SECRET, .summary = "of user"},
    {"token", SETTING_SECRET, .summary = "instead of a user"},
    {"credentials", SETTING_PATH, .summary = "a .creds file with a JWT and its nkey"},
    {"nkey", SETTING_TEXT, .summary = "the public key of a user, U...; with nkey_seed"},
    {"nkey_seed", SETTING_PATH, .summary = "file with its seed, SU..."},
    {"tls", SETTING_BOOL, "false", .summary = "true: TLS is needed, also where the URL begins with nats://"},
    {"ca_file", SETTING_PATH, .summary = "PEM file of the authorities that are believed; without it the system's"},
    {"certificate", SETTING_PATH, .summary = "PEM file: who we are, for servers that ask"},
    {"key", SETTING_PATH, .summary = "PEM file of its key"},
};

static int nats_check(const struct collector_settings *settings, struct err *err)
{
    size_t count;
    settings_list(settings, "servers", &count);
    if (count == 0 || count > SERVERS_MAX)
        return err_set(err, ERR_CONFIG, "servers: 1 to %d URLs are needed", SERVERS_MAX);
    if (settings_string(settings, "user") && !settings_string(settings, "password"))
        return err_set(err, ERR_CONFIG, "user needs password");
    if (!settings_string(settings, "nkey") != !settings_string(settings, "nkey_seed"))
        return err_set(err, ERR_CONFIG, "nkey and nkey_seed come together");
    if (!settings_string(settings, "certificate") != !settings_string(settings, "key"))
        return err_set(err, ERR_CONFIG, "certificate and key come together");
    return 0;
}

static int nats_open(const struct collector_host *host, const struct collector_settings *settings, void **out, struct err *err)
{
    struct collector_nats *collector = *out = reader_new(sizeof(*collector), host, settings, 128 * KIB, err);
    if (!collector)
        return -1;
    collector->api = late_nats(err);
    return collector->api ? reader_thread_start(&collector->reader, run, collector, err) : -1;
}

static void nats_free(void *self)
{
    struct collector_nats *collector = self;
    nats_place_close(&collector->place);
    reader_free(collector);
}

static void nats_count(void *self, struct collector_counts *out)
{
    struct collector_nats *collector = self;
    out->gaps = atomic_load(&collector->gaps);
    out->gap_from = atomic_load(&collector->gap_from);
    out->gap_to = atomic_load(&collector->gap_to);
    out->open = atomic_load(&collector->connected);
    reader_problem_of(&collector->reader, out->problem);
}

const struct collector_kind collector_nats = {
    .name = "nats",
    .summary = "NATS JetStream: a durable pull consumer",
    .details = "A message is acknowledged when it is durable. Which messages are, by their numbers in the stream, is stored with them, "
               "so that those which the server sends again are not stored twice. An empty message is acknowledged and is no event. "
               "Needs libnats3.4 (Debian), which is loaded when it is needed.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = nats_check,
    .open = nats_open,
    .stop = reader_stop,
    .free = nats_free,
    .counts = nats_count,
};

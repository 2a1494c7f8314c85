#include "test.h"

#include "base/json.h"
#include "base/limits.h"
#include "net/http_client.h"
#include "respond/incidents/cases.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOON (INT64_C(1516924800) * NS_PER_SECOND)

/* ---- a respond over a database of its own ---- */

struct told { /* what the gate heard last of an incident */
    bool open;
    enum severity severity;
    size_t entities;
    int calls;
};

struct fixture {
    char path[64];
    struct database *database;
    struct respond *respond;
    struct clock_manual clock;
    struct told told[16];
};

static atomic_int noted; /* sentences for people */

static void note(void *context, const char *what)
{
    (void)context, (void)what;
    noted++;
}

static void changed(void *context, struct slice id, enum severity severity, bool open,
                    const struct entity *entities, size_t count)
{
    struct fixture *fixture = context;
    int64_t n;
    (void)entities;
    assert_true(slice_to_i64(slice_from(id, 4), &n) && n < 16);
    fixture->told[n] = (struct told){open, severity, count, fixture->told[n].calls + 1};
}

static void open_with(struct fixture *fixture, const struct respond_notifier *rows, size_t count,
                      const struct hin_clock *clock)
{
    struct err err;
    memset(fixture->told, 0, sizeof(fixture->told));
    if (database_open(fixture->path, &fixture->database, &err) < 0)
        fail_msg("%s", err.text);
    const struct respond_config config = {
        .database = fixture->database, .clock = clock ? clock : &fixture->clock.clock,
        .notifiers = rows, .notifier_count = count, .changed = changed, .note = note,
        .context = fixture,
        .link = SLICE("https://siem.example")};
    if (respond_start(&config, &fixture->respond, &err) < 0)
        fail_msg("%s", err.text);
}

static void shut(struct fixture *fixture)
{
    respond_stop(fixture->respond);
    database_close(fixture->database);
}

/* What the gate did with a request about u7 and XEM. */
static void put_gate(struct fixture *fixture, const char *event, const char *follows,
                     const char *incident, const char *en)
{
    static const struct entity about[] = {{{"account", 7}, {"u7", 2}}, {{"asset", 5}, {"XEM", 3}}};
    const struct respond_gate_entry entry = {
        .time_ns = NOON + NS_PER_SECOND, .event = slice_text(event), .follows = slice_text(follows),
        .incident = slice_text(incident), .en = slice_text(en), .ja = SLICE("保留"),
        .user = SLICE("sato"), .entities = about, .entity_count = 2};
    respond_gate(fixture->respond, &entry);
    respond_flush(fixture->respond);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.path = "/tmp/hinomi_respond_XXXXXX"};
    int fd = mkstemp(fixture.path);
    assert_true(fd >= 0);
    close(fd);
    clock_manual_init(&fixture.clock, NOON);
    open_with(&fixture, NULL, 0, NULL);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char path[80];
    shut(fixture);
    unlink(fixture->path);
    snprintf(path, sizeof(path), "%s-wal", fixture->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s-shm", fixture->path);
    unlink(path);
    return 0;
}

/* "wallet:w1 account:u7": a finding of rule n about them, at noon plus the seconds. */
static void put(struct fixture *fixture, uint64_t n, enum severity severity, int64_t at_s,
                const char *about)
{
    const struct respond_texts texts = {SLICE("why"), SLICE("理由"), SLICE("check"),
                                               SLICE("確認"), SLICE("do"), SLICE("対応")};
    struct entity entities[8];
    struct evidence evidence = {SLICE("e-1"), n, NOON};
    struct finding finding = {
        .rule_id = SLICE("r"), .rule_name = SLICE("WDR-01"), .title = SLICE("A title"),
        .severity = severity, .explanation_en = SLICE("5 XEM left."),
        .explanation_ja = SLICE("5 XEM が出ました。確認してください。"), .entities = entities,
        .evidence = &evidence, .evidence_count = 1, .event_ns = NOON + at_s * NS_PER_SECOND};
    struct slice rest = slice_text(about), part;
    while (rest.len && slice_next_part(&rest, ' ', &part)) {
        struct entity *entity = &entities[finding.entity_count++];
        assert_true(slice_cut(part, ':', &entity->type, &entity->value));
    }
    finding_set_id(&finding);
    respond_finding(fixture->respond, &finding, &texts);
    respond_flush(fixture->respond);
}

static struct buffer text; /* the last answer */

static const char *show(struct fixture *fixture, const char *id)
{
    struct err err;
    struct json json;
    buffer_close(&text);
    buffer_init(&text, 16 * MIB);
    json_init(&json, &text);
    int result = id ? respond_incident_json(fixture->respond, slice_text(id), NULL, 0, &json, &err)
                    : respond_list_json(fixture->respond, SLICE(""), 100, &json, &err);
    if (result < 0)
        fail_msg("%s", err.text);
    buffer_put_char(&text, '\0');
    return text.ptr;
}

static void has(const char *where, const char *what)
{
    if (!where || !strstr(where, what))
        fail_msg("no %s in %s", what, where ? where : "(nothing)");
}

static void lacks(const char *where, const char *what)
{
    if (strstr(where, what))
        fail_msg("%s in %s", what, where);
}

static int64_t number(struct fixture *fixture, const char *sql)
{
    struct query *query;
    struct err err;
    if (query_begin(fixture->database, sql, &query, &err) < 0)
        fail_msg("%s", err.text);
    int64_t n = query_step(query, &err) == 1 ? query_get_i64(query, 0) : -1;
    query_end(query);
    return n;
}

/* ---- findings to incidents ---- */

static void findings_on_one_entity_are_one_incident(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_MEDIUM, 0, "wallet:w1 asset:XEM");
    put(fixture, 2, SEVERITY_CRITICAL, 60, "wallet:w1 account:u7");
    put(fixture, 3, SEVERITY_HIGH, 90, "wallet:w2");
    put(fixture, 4, SEVERITY_MEDIUM, 95, "account:w2"); /* same value, other type */
    assert_int_equal(fixture->told[1].severity, SEVERITY_CRITICAL);
    assert_int_equal(fixture->told[1].entities, 3);
    assert_int_equal(fixture->told[3].calls, 1);
    has(show(fixture, NULL), "\"total\":3");
    const char *one = show(fixture, "INC-1");
    has(one, "\"id\":\"INC-1\",\"title\":{\"en\":\"A title\",\"ja\":\"5 XEM が出ました\"},"
             "\"severity\":\"critical\",\"state\":\"open\",\"owner\":null,"
             "\"opened\":\"2018-01-26T00:00:00Z\"");
    has(one, "\"first_event\":\"2018-01-26T00:00:00Z\",\"last_event\":\"2018-01-26T00:01:00Z\","
             "\"finding_count\":2,\"entities\":[{\"type\":\"account\",\"value\":\"u7\"},");
    has(one, "\"explanation\":{\"en\":\"5 XEM left.\"");
    has(one, "\"why\":{\"en\":\"why\",\"ja\":\"理由\"},\"check\":{\"en\":\"check\"");
    has(one, "\"held\":[],\"timeline\":[{\"time\":");
    has(one, "\"rule\":\"WDR-01\",\"severity\":\"critical\",\"evidence\":[\"e-1\"],\"user\":null,\"count\":1,");
}

static void small_findings_only_join(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_LOW, 0, "host:h1");
    put(fixture, 2, SEVERITY_NONE, 0, "host:h1");
    has(show(fixture, NULL), "\"total\":0");
    put(fixture, 3, SEVERITY_MEDIUM, 10, "host:h1");
    put(fixture, 4, SEVERITY_NONE, 20, "host:h1 user:u1");
    has(show(fixture, "INC-1"), "\"severity\":\"informational\"");
    has(show(fixture, NULL), "\"severity\":\"medium\"");
    assert_int_equal(fixture->told[1].entities, 2);
}

static void the_window_ends(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    put(fixture, 2, SEVERITY_HIGH, 86400, "host:h1"); /* 24 h after the last event: still */
    put(fixture, 3, SEVERITY_HIGH, 2 * 86400 + 1, "host:h1");
    has(show(fixture, NULL), "\"total\":2");
    put(fixture, 4, SEVERITY_HIGH, -86400, "host:h1"); /* late, and before it */
    has(show(fixture, "INC-1"), "\"finding_count\":3");
}

static void a_finding_joins_two_incidents(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_MEDIUM, 0, "wallet:w1");
    put(fixture, 2, SEVERITY_CRITICAL, 10, "account:u1");
    put(fixture, 3, SEVERITY_LOW, 20, "wallet:w1 account:u1");
    assert_true(fixture->told[1].open);
    assert_int_equal(fixture->told[1].severity, SEVERITY_CRITICAL);
    assert_int_equal(fixture->told[1].entities, 2);
    assert_false(fixture->told[2].open);
    has(show(fixture, "INC-1"), "\"finding_count\":3");
    has(text.ptr, "INC-2 was joined into this");
    has(show(fixture, "INC-2"), "\"state\":\"closed\"");
    has(text.ptr, "joined into INC-1");
    assert_int_equal(number(fixture, "SELECT count(*) FROM findings WHERE incident=1"), 3);
    assert_int_equal(number(fixture, "SELECT count(*) FROM timeline WHERE incident=1 AND"
                                     " kind='finding'"), 3);
}

static void known_findings_are_left_out_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    shut(fixture);
    open_with(fixture, NULL, 0, NULL);
    assert_int_equal(fixture->told[1].calls, 1); /* said once at the start */
    assert_true(fixture->told[1].open);
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    put(fixture, 2, SEVERITY_HIGH, 0, "host:h1");
    has(show(fixture, "INC-1"), "\"finding_count\":2");
    struct err err;
    assert_int_equal(respond_close(fixture->respond, SLICE("INC-1"), SLICE("sato"), SLICE("x"), SLICE_NONE, &err), 0);
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1"); /* nor does it open a new one */
    has(show(fixture, NULL), "\"total\":1");
}

static void taking_back_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct finding finding = {.rule_id = SLICE("r"), .title = SLICE("It came late"),
                              .severity = SEVERITY_LOW, .event_ns = NOON};
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    struct arena *arena = arena_new(1 * MIB);
    struct query *query;
    struct err err;
    assert_int_equal(query_begin(fixture->database, "SELECT id FROM findings", &query, &err), 0);
    assert_int_equal(query_step(query, &err), 1);
    finding.retracts = query_get_text(query, 0, arena);
    query_end(query);
    finding_set_id(&finding);
    respond_finding(fixture->respond, &finding, NULL);
    respond_flush(fixture->respond);
    arena_free(arena);
    has(show(fixture, "INC-1"), "Taken back: It came late");
    has(text.ptr, "\"finding_count\":1");
    has(text.ptr, "\"state\":\"open\"");
}

static void repeats_are_one_line_and_all_kept(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t n = 0; n < 300; n++)
        put(fixture, n, n == 7 ? SEVERITY_CRITICAL : SEVERITY_HIGH, (int64_t)n, "host:h1");
    assert_int_equal(number(fixture, "SELECT count(*) FROM timeline WHERE kind='finding'"), 1);
    assert_int_equal(number(fixture, "SELECT count(*) FROM findings WHERE incident=1"), 300);
    has(show(fixture, "INC-1"), "\"finding_count\":300");
    has(text.ptr, "\"count\":300,\"first\":\"2018-01-26T00:00:00Z\",\"last\":\"2018-01-26T00:04:59Z\"");
}

static void a_storm_is_counted(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t n = 0; n < INCIDENT_TIMELINE_MAX + 25; n++) {
        char about[64];
        snprintf(about, sizeof(about), "host:h1 port:%d", (int)n);
        put(fixture, n, SEVERITY_HIGH, (int64_t)n, about);
    }
    assert_int_equal(number(fixture, "SELECT count(*) FROM timeline WHERE kind='finding'"),
                     INCIDENT_TIMELINE_MAX);
    assert_int_equal(number(fixture, "SELECT count(*) FROM findings"), INCIDENT_TIMELINE_MAX + 25);
    has(show(fixture, "INC-1"), "\"finding_count\":1025");
    has(text.ptr, "25 more findings of this rule");
    has(text.ptr, "\"entities_complete\":false"); /* 1,026 of them */
}

/* ---- people ---- */

struct racer {
    struct fixture *fixture;
    const char *name;
    int result;
    struct err err;
};

static void *race(void *context)
{
    struct racer *racer = context;
    racer->result = respond_acknowledge(racer->fixture->respond, SLICE("INC-1"),
                                        slice_text(racer->name), &racer->err);
    return NULL;
}

static void of_two_people_one_is_first(void **state)
{
    struct fixture *fixture = *state;
    struct racer racers[2] = {{.fixture = fixture, .name = "sato"}, {.fixture = fixture, .name = "mori"}};
    pthread_t threads[2];
    char sentence[80];
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, race, &racers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    struct racer *first = &racers[racers[0].result == 0 ? 0 : 1], *second = &racers[first == racers];
    assert_int_equal(first->result, 0);
    assert_int_equal(second->result, -1);
    assert_int_equal(second->err.code, ERR_CONFLICT);
    snprintf(sentence, sizeof(sentence), "INC-1 was acknowledged by %s already", first->name);
    assert_string_equal(second->err.text, sentence);
    assert_int_equal(number(fixture, "SELECT count(*) FROM timeline WHERE user IS NOT NULL"), 1);
    assert_true(fixture->told[1].open);
    assert_int_equal(respond_stats(fixture->respond).acknowledged, 1);
}

static void what_is_closed_stays(void **state)
{
    struct fixture *fixture = *state;
    struct respond *respond = fixture->respond;
    struct slice id = SLICE("INC-1"), sato = SLICE("sato"), word = SLICE("a word");
    struct err err;
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    assert_int_equal(respond_comment(respond, id, sato, word, NULL, 0, &err), 0);
    assert_int_equal(respond_close(respond, id, sato, SLICE(" \n"), SLICE_NONE, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(respond_close(respond, id, sato, SLICE("A drill"), SLICE_NONE, &err), 0);
    assert_false(fixture->told[1].open);
    assert_int_equal(respond_close(respond, id, sato, word, SLICE_NONE, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(respond_comment(respond, id, sato, word, NULL, 0, &err), -1);
    assert_int_equal(respond_acknowledge(respond, id, sato, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(database_run(fixture->database, "UPDATE incidents SET severity=1", NULL, 0, &err), -1);
    assert_int_equal(database_run(fixture->database, "UPDATE timeline SET text_en=''", NULL, 0, &err), -1);
    assert_int_equal(database_run(fixture->database, "DELETE FROM timeline", NULL, 0, &err), -1);
    has(show(fixture, "INC-1"), "\"text\":{\"en\":\"A drill\",\"ja\":\"A drill\"},\"rule\":null,"
                                "\"severity\":null,\"evidence\":[],\"user\":\"sato\"");
    put(fixture, 2, SEVERITY_HIGH, 0, "host:h1"); /* opens another */
    has(show(fixture, NULL), "\"total\":2");
}

static void names_and_states_are_checked(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    static const char *const names[] = {"INC-1", "INC-", "INC--1", "1", "", "INC-9999999999999999999"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        assert_int_equal(respond_comment(fixture->respond, slice_text(names[i]), SLICE("a"), SLICE("b"),
                                         NULL, 0, &err), -1);
        assert_int_equal(err.code, ERR_NOT_FOUND);
    }
    struct buffer buffer;
    struct json json;
    buffer_init(&buffer, 4096);
    json_init(&json, &buffer);
    assert_int_equal(respond_list_json(fixture->respond, SLICE("open,new"), 1, &json, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    buffer_close(&buffer);
}

/* ---- notifications: an endpoint that plays a script ---- */

enum { CALLS_MAX = 8 };

struct endpoint {
    int listener;
    uint16_t port;
    const int *script; /* statuses; 0: accepts, then dies before the reply; the last one stays */
    pthread_mutex_t lock;
    int calls;
    char requests[CALLS_MAX][4096];
    pthread_t thread;
};

static size_t read_request(int fd, char to[4096])
{
    size_t len = 0, want = 0;
    ssize_t n;
    while (len < 4095 && (want == 0 || len < want) && (n = recv(fd, to + len, 4095 - len, 0)) > 0) {
        len += (size_t)n;
        to[len] = '\0';
        const char *end = strstr(to, "\r\n\r\n"), *size = strstr(to, "Content-Length: ");
        if (end && size)
            want = (size_t)(end - to) + 4 + strtoul(size + 16, NULL, 10);
    }
    return len;
}

static void *play(void *context)
{
    struct endpoint *endpoint = context;
    char request[4096] = "", answer[128];
    int fd, step = 0;
    while ((fd = accept(endpoint->listener, NULL, NULL)) >= 0) {
        read_request(fd, request);
        pthread_mutex_lock(&endpoint->lock);
        if (endpoint->calls < CALLS_MAX)
            memcpy(endpoint->requests[endpoint->calls++], request, sizeof(request));
        pthread_mutex_unlock(&endpoint->lock);
        int status = endpoint->script[step];
        snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
        if (status)
            send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        close(fd);
        step += endpoint->script[step + 1] >= 0;
    }
    return NULL;
}

/* A port that refuses until endpoint_listen. */
static void endpoint_bind(struct endpoint *endpoint, const int *script)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->script = script;
    pthread_mutex_init(&endpoint->lock, NULL);
    endpoint->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(endpoint->listener, (struct sockaddr *)&at, len), 0);
    getsockname(endpoint->listener, (struct sockaddr *)&at, &len);
    endpoint->port = ntohs(at.sin_port);
}

static void endpoint_listen(struct endpoint *endpoint)
{
    assert_int_equal(listen(endpoint->listener, 8), 0);
    pthread_create(&endpoint->thread, NULL, play, endpoint);
}

static void endpoint_stop(struct endpoint *endpoint)
{
    shutdown(endpoint->listener, SHUT_RDWR);
    pthread_join(endpoint->thread, NULL);
    close(endpoint->listener);
}

static struct respond_notifier webhook(struct endpoint *endpoint, char url[64])
{
    snprintf(url, 64, "http://127.0.0.1:%u/hook", endpoint->port);
    return (struct respond_notifier){.kind = SLICE("webhook"), .name = SLICE("soc"),
                                     .url = slice_text(url), .secret = SLICE("a secret of some length"),
                                     .least = SEVERITY_HIGH, .allow_private = true};
}

static void await(struct fixture *fixture, const char *sql, int64_t want)
{
    for (int i = 0; i < 1500 && number(fixture, sql) != want; i++)
        usleep(10000);
    assert_int_equal(number(fixture, sql), want);
}

static void header(const char *request, const char *name, char to[256])
{
    const char *at = strstr(request, name);
    assert_non_null(at);
    at += strlen(name) + 2;
    size_t len = strcspn(at, "\r");
    assert_true(len < 256);
    memcpy(to, at, len);
    to[len] = '\0';
}

/* As a receiver does it. */
static void check_signature(const char *request)
{
    char value[256], signed_text[8192], hex[65];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    struct slice rest, version, t, nonce;
    const char *secret = "a secret of some length";
    header(request, "X-Hinomi-Signature", value);
    rest = slice_text(value);
    assert_true(slice_next_part(&rest, ',', &version) && slice_next_part(&rest, ',', &t) &&
                slice_next_part(&rest, ',', &nonce));
    assert_true(slice_is(version, "v1"));
    int len = snprintf(signed_text, sizeof(signed_text), "%.*s.%.*s.%s", SLICE_ARG(t),
                       SLICE_ARG(nonce), strstr(request, "\r\n\r\n") + 4);
    crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)signed_text, (unsigned long long)len);
    crypto_auth_hmacsha256_final(&hmac, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    assert_true(slice_is(rest, hex));
}

static void tries_until_it_is_taken_and_over_a_restart(void **state)
{
    static const int script[] = {500, 0, 200, -1};
    struct fixture *fixture = *state;
    struct endpoint endpoint;
    char url[64], keys[3][256];
    endpoint_bind(&endpoint, script);
    struct respond_notifier row = webhook(&endpoint, url);
    shut(fixture);
    open_with(fixture, &row, 1, clock_real());
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    await(fixture, "SELECT attempts FROM outbox", 1); /* refused */
    assert_int_equal(respond_stats(fixture->respond).pending_notifications, 1);
    shut(fixture);
    endpoint_listen(&endpoint);
    open_with(fixture, &row, 1, clock_real());
    await(fixture, "SELECT count(*) FROM outbox WHERE done_ns IS NOT NULL", 1);
    endpoint_stop(&endpoint);
    assert_int_equal(endpoint.calls, 3);
    for (int i = 0; i < 3; i++) {
        header(endpoint.requests[i], "Idempotency-Key", keys[i]);
        assert_string_equal(keys[i], keys[0]);
        check_signature(endpoint.requests[i]);
    }
    assert_int_equal(strlen(keys[0]), 32);
    has(endpoint.requests[0], "{\"incident\":\"INC-1\",\"event\":\"opened\",\"title\":{\"en\":\"A title\"");
    has(endpoint.requests[0], "\"severity\":\"high\",\"entities\":[{\"type\":\"host\",\"value\":\"h1\"}]");
    has(endpoint.requests[0], "\"link\":\"https://siem.example/#/incidents?id=INC-1\",\"sent\":\"");
    has(show(fixture, "INC-1"), "soc was told (opened), attempt 4");
}

static void a_mistake_is_given_up_and_shown(void **state)
{
    static const int script[] = {404, -1};
    struct fixture *fixture = *state;
    struct endpoint endpoint;
    char url[64];
    endpoint_bind(&endpoint, script);
    endpoint_listen(&endpoint);
    struct respond_notifier row = webhook(&endpoint, url);
    shut(fixture);
    open_with(fixture, &row, 1, clock_real());
    put(fixture, 1, SEVERITY_HIGH, 0, "host:h1");
    await(fixture, "SELECT count(*) FROM outbox WHERE failed=1", 1);
    endpoint_stop(&endpoint);
    assert_int_equal(endpoint.calls, 3);
    assert_int_equal(respond_stats(fixture->respond).failed_notifications, 1);
    has(show(fixture, "INC-1"), "given up after 3 attempts: the answer was HTTP 404");
}

static void of_one_incident_the_order_is_kept(void **state)
{
    static const int script[] = {503, 200, -1};
    struct fixture *fixture = *state;
    struct endpoint endpoint;
    struct err err;
    char url[64];
    endpoint_bind(&endpoint, script);
    struct respond_notifier row = webhook(&endpoint, url);
    shut(fixture);
    open_with(fixture, &row, 1, clock_real());
    endpoint_listen(&endpoint);
    put(fixture, 1, SEVERITY_MEDIUM, 0, "host:h1"); /* below what is asked for */
    put(fixture, 2, SEVERITY_HIGH, 1, "host:h1");
    put(fixture, 3, SEVERITY_CRITICAL, 2, "host:h1");
    assert_int_equal(respond_close(fixture->respond, SLICE("INC-1"), SLICE("sato"), SLICE("done"), SLICE_NONE, &err), 0);
    await(fixture, "SELECT count(*) FROM outbox WHERE done_ns IS NOT NULL", 3);
    endpoint_stop(&endpoint);
    assert_int_equal(endpoint.calls, 4);
    has(endpoint.requests[1], "\"event\":\"severity\"");
    has(endpoint.requests[1], "\"severity\":\"high\"");
    has(endpoint.requests[2], "\"severity\":\"critical\"");
    has(endpoint.requests[3], "\"event\":\"closed\"");
    lacks(show(fixture, "INC-1"), "given up");
}

static void a_notifier_that_cannot_work_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct respond *respond;
    struct err err;
    struct respond_notifier row = {.kind = SLICE("webhook"), .name = SLICE("soc"),
                                   .url = SLICE("http://hooks.example/"), .secret = SLICE("short")};
    const struct respond_config config = {.database = fixture->database, .clock = clock_real(),
                                          .notifiers = &row, .notifier_count = 1};
    assert_int_equal(respond_start(&config, &respond, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    row.secret = SLICE("a secret of some length");
    assert_int_equal(respond_start(&config, &respond, &err), -1);
    assert_string_equal(err.text, "notifier soc: only https URLs are asked; http needs allow_private");
    row.kind = SLICE("pigeon");
    assert_int_equal(respond_start(&config, &respond, &err), -1);
    assert_string_equal(err.text, "there is no notifier of the kind \"pigeon\"");
}

/* ---- what the gate did ---- */

static size_t count_of(const char *shown, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(shown, what); at; at = strstr(at + 1, what))
        count++;
    return count;
}

static void shows_what_the_gate_did(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    put(fixture, 1, SEVERITY_HIGH, 0, "asset:XEM");
    put(fixture, 2, SEVERITY_HIGH, 0, "asset:BTC");
    put_gate(fixture, "d1.hold", "", "INC-1", "Held: 5 XEM"); /* by its name and by its entity: once */
    assert_int_equal(count_of(show(fixture, "INC-1"), "Held: 5 XEM"), 1);
    assert_int_equal(count_of(show(fixture, "INC-1"), "\"kind\":\"gate\""), 1);
    assert_non_null(strstr(show(fixture, "INC-1"), "\"evidence\":[\"d1.hold\"],\"user\":\"sato\""));
    put_gate(fixture, "d2.hold", "", "INC-2", "Held: by name"); /* BTC's, and XEM's by the entity */
    assert_int_equal(count_of(show(fixture, "INC-2"), "Held: by name"), 1);
    assert_int_equal(count_of(show(fixture, "INC-1"), "Held: by name"), 1);
    assert_int_equal(count_of(show(fixture, "INC-2"), "Held: 5 XEM"), 0);
    put_gate(fixture, "d3.hold", "", "INC-77", "Held: none of that name");
    assert_int_equal(count_of(show(fixture, "INC-1"), "none of that name"), 1);
    /* What follows a hold is shown where the hold is, even when that is closed by then. */
    assert_int_equal(respond_close(fixture->respond, SLICE("INC-2"), SLICE("ito"), SLICE("done"), SLICE_NONE, &err), 0);
    put_gate(fixture, "d2.approval.1", "d2.hold", "", "approved it");
    assert_int_equal(count_of(show(fixture, "INC-2"), "approved it"), 1);
    put_gate(fixture, "d4.hold", "", "", "Held: later");
    assert_int_equal(count_of(show(fixture, "INC-2"), "Held: later"), 0);
    assert_int_equal(count_of(show(fixture, "INC-1"), "Held: later"), 1);
}

static void ends_a_long_list_of_deeds(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 1, SEVERITY_HIGH, 0, "asset:XEM");
    for (int i = 0; i < INCIDENT_GATE_MAX + 5; i++) {
        char event[24];
        snprintf(event, sizeof(event), "d%d.hold", i);
        put_gate(fixture, event, "", "INC-1", "Held: one");
    }
    const char *shown = show(fixture, "INC-1");
    assert_int_equal(count_of(shown, "Held: one"), INCIDENT_GATE_MAX);
    assert_int_equal(count_of(shown, "not shown here one by one"), 1);
}

/* The gate's thread must not stand still because the database does. */
static void never_makes_the_gate_wait(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    const struct respond_gate_entry entry = {.event = SLICE("d.hold"), .en = SLICE("Held")};
    int before = noted;
    assert_int_equal(database_begin(fixture->database, &err), 0); /* nobody else gets in */
    for (int i = 0; i < 2 * RESPOND_QUEUE_SLOTS; i++)
        respond_gate(fixture->respond, &entry);
    assert_true(noted - before > RESPOND_QUEUE_SLOTS / 2); /* left out, and said */
    database_rollback(fixture->database);
    respond_flush(fixture->respond);
}

static void shows_what_is_held(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    struct json json;
    const struct respond_held held[] = {{SLICE("d1"), SLICE("W1"), SLICE("XEM"), SLICE("5.0")},
                                        {SLICE("d2"), SLICE("W2"), SLICE(""), SLICE("")}};
    put(fixture, 1, SEVERITY_HIGH, 0, "asset:XEM");
    buffer_clear(&text);
    json_init(&json, &text);
    assert_int_equal(respond_incident_json(fixture->respond, SLICE("INC-1"), held, 2, &json, &err), 0);
    assert_true(slice_find(buffer_slice(&text),
                           SLICE("\"held\":[{\"id\":\"d1\",\"request_id\":\"W1\",\"asset\":\"XEM\",\"amount\":"
                                 "\"5.0\"},{\"id\":\"d2\",\"request_id\":\"W2\",\"asset\":null,\"amount\":null}]")) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(findings_on_one_entity_are_one_incident),
        TEST(small_findings_only_join),
        TEST(the_window_ends),
        TEST(a_finding_joins_two_incidents),
        TEST(known_findings_are_left_out_after_a_restart),
        TEST(taking_back_is_told),
        TEST(repeats_are_one_line_and_all_kept),
        TEST(a_storm_is_counted),
        TEST(of_two_people_one_is_first),
        TEST(what_is_closed_stays),
        TEST(names_and_states_are_checked),
        TEST(shows_what_the_gate_did),
        TEST(ends_a_long_list_of_deeds),
        TEST(never_makes_the_gate_wait),
        TEST(shows_what_is_held),
        TEST(tries_until_it_is_taken_and_over_a_restart),
        TEST(a_mistake_is_given_up_and_shown),
        TEST(of_one_incident_the_order_is_kept),
        TEST(a_notifier_that_cannot_work_is_refused),
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_close(&text);
    return result;
}

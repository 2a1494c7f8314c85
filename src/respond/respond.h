#pragma once
/*
 * respond/respond: findings become incidents, and incidents reach people.
 *
 * Findings on the same entity within a window join one open incident. Each
 * incident has a timeline (findings, states, comments, notifications, gate
 * decisions), states open, acknowledged, closed; nothing is edited after close.
 * Notifications go through an outbox in SQLite with retries that survive a
 * restart; each carries an idempotency key that stays the same over retries.
 * docs/incidents.md tells it for people.
 * Threads    One thread takes findings from a queue and one a notifier sends, so that a dead
 *            endpoint delays nothing else; the functions here from any thread.
 * What people do to incidents is in incidents/cases.h.
 * Limits     RESPOND_QUEUE_SLOTS, RESPOND_NOTIFIERS_MAX, RESPOND_TEXT_MAX bytes of a comment; of
 *            one incident INCIDENT_ENTITIES_MAX entities and INCIDENT_TIMELINE_MAX findings shown
 *            one by one (the others are kept and counted).
 */
#include "base/clock.h"
#include "base/rand.h"
#include "event/finding.h"
#include "state/database.h"

struct respond;
struct hin_net;

enum { RESPOND_QUEUE_SLOTS = 4096, RESPOND_NOTIFIERS_MAX = 16, RESPOND_TEXT_MAX = 16 * 1024 };
/* of one incident: entities, lines that the timeline shows one by one, entries of the gate */
enum { INCIDENT_ENTITIES_MAX = 1000, INCIDENT_TIMELINE_MAX = 1000, INCIDENT_GATE_MAX = 1000 };

struct respond_notifier { /* a row of the configuration: a channel to people; each kind says what it needs */
    struct slice kind;    /* "webhook", "mail" ...; respond/notify/notifiers.def */
    struct slice name;
    struct slice url;
    struct slice secret;  /* for the signature; a key or token of the other side */
    struct slice user, password;
    struct slice from;    /* the sender's address or number */
    struct slice to;      /* whom news go to when no person is meant; none: those of a kind that needs it get none */
    struct slice ca_file; /* PEM, beside the system's; none */
    enum severity least;  /* of news; pages to persons go by the plan */
    bool allow_private;   /* an address that is loopback or private, by explicit word only */
};

struct respond_config {
    struct database *database;
    const struct hin_clock *clock;
    int64_t join_window_ns; /* 0: 24 h */
    const struct respond_notifier *notifiers;
    size_t notifier_count;
    struct slice assets; /* path of the list of assets (incidents/assets.h); none: no list */
    struct slice link; /* where people open the console, "https://siem.example"; may be none */
    const struct hin_rand *rand; /* NULL: the real ones */
    const struct hin_net *net;
    /* An incident opened, grew, changed state, and each that is not closed once at the start: for
     * the gate. From the respond thread or the caller of a start or a state change, one at a time
     * and what is newest last; it must not call back in here. May be NULL. */
    void (*changed)(void *context, struct slice incident_id, enum severity severity, bool open,
                    const struct entity *entities, size_t entity_count);
    /* Something went wrong that people should see; from several threads; may be NULL. */
    void (*note)(void *context, const char *text);
    void *context;
};

/* Texts of a rule that go with its findings. */
struct respond_texts {
    struct slice why_en, why_ja, check_en, check_ja, do_en, do_ja;
};

MUST_USE int respond_start(const struct respond_config *config, struct respond **out,
                           struct err *err);
/* Findings in the queue are still filed; notifications not sent yet wait for the next start. */
void respond_stop(struct respond *respond); /* NULL is fine */
/* Reads the list of assets again; a broken one is noted, and the one before stays. Also done at the start. */
void respond_reload_assets(struct respond *respond);

/* Copies; findings whose id is known are left out (a restart reads some again). Waits when the queue
 * is full. LOW and NONE make no incident of their own but join an open one. */
void respond_finding(struct respond *respond, const struct finding *finding,
                     const struct respond_texts *texts);

/* Something the gate did (it held, people approved, it let go), for the timelines of the incidents it
 * concerns: the one it names, those not closed that share an entity with the request, and those whose
 * timeline shows what it follows. At most INCIDENT_GATE_MAX such entries each. */
struct respond_gate_entry {
    int64_t time_ns;
    struct slice event;    /* event.id of the gate's own event: the evidence */
    struct slice follows;  /* event.id of the hold it belongs to; none: it is the hold */
    struct slice incident; /* that the decision names, or none */
    struct slice en, ja, user;
    const struct entity *entities;
    size_t entity_count;
};
/* Copies and never waits: when the queue is full the entry is left out of the timelines, which is noted. */
void respond_gate(struct respond *respond, const struct respond_gate_entry *entry);

/* Returns when everything put in before has been filed: for tests and for imports. */
void respond_flush(struct respond *respond);

/* For who must know that findings are filed, but may not wait for ever (a full disk): the place of what was
 * put in before, and whether all up to there has been filed, or left out for good, within wait_ms. */
uint64_t respond_mark(struct respond *respond);
bool respond_reached(struct respond *respond, uint64_t mark, int64_t wait_ms);

/* ---- for the API; JSON as in docs/api.md ---- */
struct json;
/* states: "open,acknowledged"; empty: all. */
MUST_USE int respond_list_json(struct respond *respond, struct slice states, int64_t limit,
                               struct json *json, struct err *err);
/* What the gate holds under the name of the incident; the gate knows, so the caller brings it. */
struct respond_held {
    struct slice id, request_id, asset, amount;
};
MUST_USE int respond_incident_json(struct respond *respond, struct slice id,
                                   const struct respond_held *held, size_t held_count,
                                   struct json *json, struct err *err);
/* ERR_NOT_FOUND, ERR_CONFIG (a text is missing or too long), ERR_CONFLICT (closed; or somebody was first: the sentence says who). */
MUST_USE int respond_acknowledge(struct respond *respond, struct slice id, struct slice user,
                                 struct err *err);

struct respond_stats {
    uint64_t open, acknowledged, pending_notifications, failed_notifications;
};
struct respond_stats respond_stats(struct respond *respond);

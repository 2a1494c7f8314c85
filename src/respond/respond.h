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
#include "base/limits.h"
#include "base/rand.h"
#include "event/finding.h"
#include "state/database.h"

struct respond;
struct hin_net;
struct calendars;

enum { RESPOND_QUEUE_SLOTS = 4096, RESPOND_TEXT_MAX = 16 * 1024 };
enum { INCIDENT_ENTITIES_MAX = 1000, INCIDENT_TIMELINE_MAX = 1000, INCIDENT_GATE_MAX = 1000 };

struct respond_notifier { /* a row of the configuration: a channel to people; each kind says what it needs */
    struct slice kind;    /* "webhook", "mail" ...; respond/notify/notifiers.def */
    struct slice name;
    struct slice url;
    struct slice secret;  /* for the signature; a key or token of the other side */
    struct slice secret_next; /* signs as well while a secret is changed; none */
    struct slice user, password;
    struct slice from;    /* the sender's address or number */
    struct slice to;      /* whom news go to when no person is meant; none: those of a kind that needs it get none */
    struct slice ca_file; /* PEM, beside the system's; none */
    struct slice gate;    /* of a webhook: "holds" or "all" of what the gate does, and no news of incidents; none: those */
    enum severity least;  /* of news; pages to persons go by the plan */
    bool allow_private;   /* an address that is loopback or private, by explicit word only */
};

struct respond_config {
    struct database *database;
    const struct hin_clock *clock;
    int64_t join_window_ns; /* 0: 24 h */
    const struct respond_notifier *notifiers;
    size_t notifier_count;
    const struct calendars *calendars; /* of the waking plan; NULL: none */
    bool plan_from_file; /* the waking plan is a file of the configuration: it cannot be changed over the API */
    struct slice assets; /* path of the list of assets (incidents/assets.h); none: no list */
    struct slice link; /* where people open the console, "https://siem.example"; may be none */
    const struct hin_rand *rand; /* NULL: the real ones */
    const struct hin_net *net;
    /* An incident opened, grew, changed state, and each that is not closed once at the start: for
     * the gate. From the respond thread or the caller of a start or a state change, one at a time
     * and what is newest last; it must not call back in here. May be NULL. */
    void (*changed)(void *context, struct slice incident_id, enum severity severity, bool open,
                    const struct entity *entities, size_t entity_count);
    /* Nobody answered in time: the gate is to let pass only what its policy allows then. Doing it again for the same
     * incident changes nothing. From the waking thread; may be NULL. */
    int (*tighten)(void *context, struct slice incident_id, struct err *err);
    /* And a playbook is begun, if the plan names one. ERR_NOT_FOUND and ERR_CONFLICT are noted and not tried again. */
    int (*begin_playbook)(void *context, struct slice playbook, struct slice incident_id, struct err *err);
    /* An event of what was done to wake people: a JSON object, for the stream `waking`. From several threads, some of
     * which hold the database: it must not block nor call back in here. May be NULL. */
    void (*event)(void *context, struct slice json);
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

/* Something the gate did, for notifiers that are told of it (`gate:`): each once for a key, in the order in which they were put,
 * until it was taken. */
struct respond_gate_call {
    struct slice key;     /* the same whenever the same is told again */
    struct slice event;   /* "hold", "stop" ... */
    struct slice payload; /* JSON */
    bool plain;           /* an allow that nobody waited for: not for those who want holds only */
};
bool respond_gate_is_called(const struct respond *respond);
/* As respond_gate(). */
void respond_gate_call(struct respond *respond, const struct respond_gate_call *call);

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
/* The same, said in another way than by the console: "link", "mail", "voice". */
MUST_USE int respond_acknowledge_by(struct respond *respond, struct slice id, struct slice user, const char *how,
                                    struct err *err);

/* ---- waking people (docs/waking.md); JSON as in docs/api.md ---- */

/* The plan in force, its text, and by whom it was saved. */
MUST_USE int respond_plan_json(struct respond *respond, struct json *json, struct err *err);
/* ERR_CONFIG with the line; what was in force stays. */
MUST_USE int respond_plan_save(struct respond *respond, struct slice text, struct slice by, struct err *err);
/* The same by a person: ERR_CONFLICT when the configuration names a file. */
MUST_USE int respond_plan_edit(struct respond *respond, struct slice text, struct slice by, struct err *err);
MUST_USE int respond_plan_check(struct respond *respond, struct slice text, struct err *err);
/* Who has each schedule, from one moment to another. */
MUST_USE int respond_shifts_json(struct respond *respond, int64_t from_ns, int64_t to_ns, struct json *json,
                                 struct err *err);

struct respond_contact {
    struct slice notifier, address;
};
MUST_USE int respond_contacts_json(struct respond *respond, struct slice person, struct json *json, struct err *err);
/* All of one person's, in the order in which they are tried. */
MUST_USE int respond_contacts_set(struct respond *respond, struct slice person, const struct respond_contact *contacts,
                                  size_t count, struct err *err);
void respond_notifiers_json(struct respond *respond, struct json *json);

struct respond_stand_in { /* wake/rota.h */
    struct slice schedule, away, instead, reason, by;
    int64_t from_ns, to_ns;
};
MUST_USE int respond_stand_in_add(struct respond *respond, const struct respond_stand_in *wish, int64_t *id,
                                  struct err *err);
MUST_USE int respond_stand_in_end(struct respond *respond, int64_t id, struct slice by, struct err *err);
MUST_USE int respond_stand_ins_json(struct respond *respond, struct json *json, struct err *err);

/* The latest pages, newest first. */
MUST_USE int respond_pages_json(struct respond *respond, int64_t limit, struct json *json, struct err *err);

/* The latest drills, and what each person needed to answer. */
MUST_USE int respond_drills_json(struct respond *respond, int64_t limit, struct json *json, struct err *err);
/* Who was woken how often in the last days, by which rules, and how often for nothing. */
MUST_USE int respond_interruptions_json(struct respond *respond, int64_t days, struct json *json, struct err *err);

/* Whoever has the token acknowledges as the person it was sent to. ERR_NOT_FOUND, ERR_CONFLICT (somebody was first). */
struct respond_answered {
    struct slice incident, person; /* also when somebody was first */
};
MUST_USE int respond_answer(struct respond *respond, struct slice token, const char *how, struct arena *arena,
                            struct respond_answered *out, struct err *err);
/* What the token is about; texts in the arena. */
struct respond_answer_about {
    struct slice incident, person, state, owner, title_en, title_ja;
    enum severity severity;
    bool open; /* somebody is still to answer */
};
MUST_USE int respond_answer_about(struct respond *respond, struct slice token, struct arena *arena,
                                  struct respond_answer_about *out, struct err *err);
/* "Wake me now": all contacts of a person, through the same path as any page. */
MUST_USE int respond_test(struct respond *respond, struct slice person, struct json *json, struct err *err);

struct respond_stats {
    uint64_t open, acknowledged, pending_notifications, failed_notifications, running_pages;
};
struct respond_stats respond_stats(struct respond *respond);
/* How long the oldest notification that is still owed has waited; 0: none is. */
int64_t respond_notice_waits_ns(struct respond *respond);
/* Somebody is to wake up, and for a minute no contact of anybody has taken a message; or nothing brings pages on any more. */
bool respond_wakes_nobody(struct respond *respond);
/* How many people took a page on one of their contacts and have not failed to take the last one there; who may not sign in does not
 * count. -1: nobody has a contact, or it is not known. */
int64_t respond_people_reachable(struct respond *respond);

#pragma once
/*
 * gate/gate_parts: what the files of the gate share.
 *
 *   caller ── message ──►┌───────┐
 *                        │ inbox │──► gate thread: messages first, then observations in slices
 *   pipeline ─ observed ►└───────┘    book, journal, policy, state, incidents are its own
 */
#include "gate/gate_allowed.h"
#include "gate/gate_book.h"
#include "gate/gate_duty.h"
#include "gate/gate_identity.h"
#include "gate/gate_incidents.h"
#include "gate/gate_inputs.h"
#include "gate/gate_journal.h"
#include "gate/gate_payload.h"
#include "gate/gate_stops.h"
#include "gate/gate_support.h"
#include "gate/gate_tighten.h"
#include "gate/policy.h"
#include "gate/token.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MESSAGES_MAX = 16384, BATCH_MESSAGES = 512, GATE_OBSERVE_MAX = 256, REASON_SIZE = 160 };
#define OBSERVE_SLICE_NS (100 * NS_PER_US)
#define OBSERVE_LAG_NS (2 * NS_PER_SECOND)  /* older events waiting: the gate is behind */
#define CLOCK_STEP_NS (2 * NS_PER_SECOND)
#define CLOCK_DOUBT_NS GATE_TOKEN_LIFE_NS   /* until no token from before a step can live */

struct gate;
struct message;
typedef int (*gate_call)(struct gate *gate, struct message *message, struct err *err);

/* One of the requests of a message. */
struct asked {
    struct gate_request request;
    struct gate_answer answer;
    struct record *record; /* until its commit */
    const struct err *err; /* why there is no answer; NULL: there is one */
    bool fresh;            /* the answer was made now, not found */
    bool at_filled;        /* the question said no time: request.at_ns is when it came */
};

/* Made by a caller, answered by the gate's thread; whoever leaves last frees it. */
struct message {
    struct message *next;
    gate_call call; /* NULL: requests to decide */
    struct arena *arena; /* texts of the questions and of the answers */
    pthread_mutex_t lock;
    pthread_cond_t ready;
    int holders; /* under lock */
    bool done, abandoned;
    int result;
    struct err err;
    struct asked *asked;
    size_t asked_count;
    void *detail; /* of a call: question and answer, in the arena */
};

/* Rows that the state wants, on their way from the pipeline. */
struct observed {
    struct observed *next;
    struct batch *batch;
    struct state_feed_rows feeds; /* in the batch's arena */
    uint32_t row;                 /* the next to take over */
    int64_t pushed_ns;            /* monotonic */
};

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    struct message *first, *last;
    size_t message_count;
    struct observed *observed_first, *observed_last;
    size_t observed_count;
    bool stopping, behind, lost; /* lost: memory was out for something that had to be kept */
    bool healthy, unreachable;
    int64_t people; /* below 0: not known */
    char reason[REASON_SIZE];
};

struct gate {
    struct gate_config config;
    const struct hin_io *io;
    struct inbox inbox;
    _Atomic uint64_t committed; /* the number of the journal's next commit */
    pthread_t thread;
    bool thread_runs;
    bool rehearses; /* no files, no thread: gate_rehearse */

    pthread_mutex_t copying; /* over columns and copy_scratch: gate_observe's own */
    struct arena *copy_scratch;
    pthread_mutex_t reloading; /* one reading of the policy at a time */

    /* the thread's own from here on */
    struct arena *arena;    /* policy, columns; as long as the gate */
    struct map columns;     /* names that the state's definitions read */
    bool all_columns;
    const struct policy *policy;  /* NULL: none is in force */
    struct arena *policy_arena;   /* of the policy alone */
    _Atomic bool shadow;          /* by the configuration, else by the policy in force */
    int64_t policy_loaded_ns, policy_refused_ns;
    char policy_refused[ERR_TEXT_SIZE]; /* why the file was not taken when last read, or "" */
    struct token_key key;
    bool has_key;
    struct state *state;
    bool state_failed;
    struct book *book;
    struct gate_journal *journal; /* NULL: it cannot be used */
    struct incidents *incidents;
    struct allowed *allowed;
    struct tightening tightening;
    struct waited waited;
    struct stops *stops;
    struct gate_identity identity;
    struct duties duties; /* who changed the policy lately */
    struct observed *observing;
    struct arena *scratch;  /* of one decision */
    struct batch *batch;    /* one row: the request */
    struct payload_sight payload_sight; /* of it; in the batch's arena */
    struct buffer payload;  /* of the commit being made */
    struct gate_inputs inputs; /* of the decision being made */
    int64_t clock_offset_ns, clock_doubt_until_ns;
    int64_t steady_offset_ns; /* of the monotonic clock, as the wall clock was at the start: gate_steady_ns() */
    bool clock_known;
    /* as of the last look into the inbox */
    bool healthy, behind, lost, unreachable;
    int64_t people; /* who can be reached; below 0: not known */
    char reason[REASON_SIZE];
    struct gate_stats stats;
};

/* gate.c */
MUST_USE struct message *message_new(gate_call call);
/* False when there is no room: the message is still the caller's, who leaves it. */
MUST_USE bool message_send(struct gate *gate, struct message *message);
/* -1: as long as it takes. False when the time is over. */
MUST_USE bool message_wait(struct message *message, int64_t wait_ms);
void message_leave(struct message *message);

/* gate_intake.c */
MUST_USE int intake_columns(struct gate *gate, struct err *err);
/* Takes over observations until the slice is used up; false when there are none. */
bool intake_slice(struct gate *gate);
void observed_free(struct observed *observed);

/* gate_policy.c */
void policy_start(struct gate *gate); /* without a policy the gate holds, and says why */

/* gate_views.c */
/* Sends and waits: the gate's thread never blocks for long. NULL: nothing was done, and the message
 * is gone. A NULL message is fine. */
MUST_USE struct message *message_ask(struct gate *gate, struct message *message);
/* A message with room for its detail. */
MUST_USE struct message *message_with(gate_call call, size_t detail_size);

/* Both, with a detail of the caller's that is copied in and out; the caller waits, so its texts may be borrowed. */
MUST_USE int message_call(struct gate *gate, gate_call call, void *detail, size_t size, struct err *err);

/* gate.c */
/* Without files and thread; gate_stop() ends it. */
MUST_USE int gate_new(const struct gate_config *config, struct gate **out, struct err *err);
MUST_USE int check_request(const struct gate_request *request, struct err *err);

/* gate_decide.c */
/* What the answer would be: without id and token, and as if it counted (no shadow). Texts live until the next one. */
struct gate_answer judge(struct gate *gate, const struct gate_request *request, int64_t now_ns, uint32_t *approvals);
/* What of the incidents and stops concerns a request. */
struct touched {
    struct incident_touch incident;
    const struct gate_stop *stop; /* NULL: none */
};
struct touched what_touches(const struct gate *gate, const struct gate_request *request);
/* What the policy's rows read of the request, in gate->batch and the scope. False: memory. */
bool describe_all(struct gate *gate, const struct gate_request *request, const struct touched *touched, int64_t now_ns,
                      struct expr_scope *scope);
void decide(struct gate *gate, struct arena *arena, struct asked *asked);
/* What passed counts at once. */
void count_allowed(struct gate *gate, const struct gate_request *request, int64_t time_ns);
/* A hold of the gate's own, with fixed texts; row names it. */
struct gate_answer own_hold(const char *row, int64_t now_ns);
/* Of what needs no policy: expired, released, or what would be signed differs. */
struct gate_answer own_answer(enum gate_how how, int64_t now_ns);
bool gate_request_expired(const struct gate_request *request, int64_t now_ns);
/* A policy that never looks at what closes the gate lets nothing pass meanwhile. flags: INPUT_*. */
struct gate_answer closed_further(const struct policy *policy, const struct gate_request *request, struct gate_answer answer,
                                  unsigned flags, struct arena *scratch);
/* What the policy's verdict says; no row: a hold of the gate's own. */
struct gate_answer answer_of(const struct policy_verdict *verdict, int64_t now_ns);
/* The request's own columns of the policy's row 0; false when memory is out. */
MUST_USE bool describe_request(const struct gate_request *request, int64_t now_ns, struct batch *batch);
/* Lets pass and says what it would have been. */
void only_say(struct gate_answer *answer);
/* The first reason to trust nothing right now, or NULL. */
const char *gate_doubt(struct gate *gate);
/* What is known about a doubt beside its own sentence, or "". */
const char *doubt_detail(const struct gate *gate, const char *doubt);
/* Time as told by the wall clock of the gate's start and the monotonic one: windows of what the gate allowed itself neither open
 * nor close when somebody moves the wall clock. */
int64_t gate_steady_ns(const struct gate *gate);
/* Looks at the clock once a round. */
void gate_look_at_clock(struct gate *gate);
/* At the start: a clock that is behind what it said before was set back meanwhile. */
void gate_doubt_clock_since(struct gate *gate, int64_t before_ns);

/* gate_thread.c */
void *gate_run(void *context);
/* Commits the payload and clears it; -1: the journal is of no use any more. */
int gate_commit(struct gate *gate);

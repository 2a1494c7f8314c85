/*
 * The release of holds, as a model that spin goes through in all its ways: docs/gate-proofs.md says what stands for what.
 *
 * A request that the policy holds, three approvers, two approvals needed. Approver 0 has the account of request 0. Signatures under
 * another hold and of another gate can always be had. -DLAST_REQUEST=1 asks for two requests at once. One step of the
 * loop at the end is one thing that can happen; the process may die between any two. What people truly said is kept apart (said, told, ...),
 * is read by no guard of the gate, and is what the assertions compare with.
 *
 * Each LEAVE_OUT_... takes one guard away; tests/e2e/test_release_model.py asserts that spin then finds the assertion that is named there.
 *   RESTORES  an older journal may be put back while the gate is down: it comes without the gate's key (gate/gate_identity)
 */
#define REQUESTS 2
#ifndef LAST_REQUEST
#define LAST_REQUEST 0 /* 1: both are asked for; more states than a test has time for */
#endif
#define APPROVERS 3
#define NEEDED 2
#define BIT(a) (1 << (a))
#define OWNER(r, a) ((r) == 0 && (a) == 0)
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))
#define OTHERS(r) (said[r] & ((r) == 0 -> 6 : 7)) /* whose word may count */
#define REQUEST_EXPIRES 2 /* request 0; request 1 never does */
#define LAST_TIME 2

/* what the journal says of a request, and what the memory does */
#define UNKNOWN 0
#define HELD 1
#define ALLOWED 2
#define DENIED 3
typedef known {
    byte state, words, who; /* words counted; who they are of, as a set */
    byte token;             /* of an allow: which */
};
known durable[REQUESTS], memory[REQUESTS];
#ifdef RESTORES
known saved[REQUESTS];
bool is_saved, was_restored;
#endif

/* the process */
bool up = true, writable = true; /* writable: no commit has failed since the start */
mtype = {idle, decided, approved, committed};
mtype step = idle; /* of the message at hand */
byte at_request, at_approver;
bool renewed; /* decided: the answer was made now */

/* a signature that was checked, on its way back to the gate's thread */
bool checked;
byte checked_request, checked_approver;

/* the world */
byte now;              /* in truth; a signature counts in the time it was made in */
bool stepped_back;     /* the wall clock says one less */
bool withdrawn;        /* approver 2 has left the policy */
byte was_signed[REQUESTS * APPROVERS]; /* 1 + when it was signed at this gate as it is now; 0: never */
byte said[REQUESTS];   /* who truly said yes to this, by a click or a signature */
byte told[REQUESTS];   /* the token that went out; 0: none */
byte firm[REQUESTS];   /* the first token that was durable */
/* Tokens are told apart as far as it matters: 1 until one is durable, then others. */
#define NEW_TOKEN(r) (firm[r] == 0 -> 1 : 2)

#define WALL (stepped_back && now > 0 -> now - 1 : now)
#ifdef LEAVE_OUT_CLOCK
#define DOUBT (!writable)
#else
#define DOUBT (!writable || stepped_back)
#endif
#define KNOWN(a) (!(withdrawn && (a) == 2))
#ifdef LEAVE_OUT_DISTINCT
#define TWICE(r, a) false
#else
#define TWICE(r, a) ((memory[r].who & BIT(a)) != 0)
#endif
#ifdef LEAVE_OUT_OWN
#define OWN(r, a) false
#else
#define OWN(r, a) OWNER(r, a)
#endif
#ifdef LEAVE_OUT_K
#define RELEASED(r) (memory[r].words >= 1)
#else
#define RELEASED(r) (memory[r].words >= NEEDED)
#endif
#ifdef LEAVE_OUT_REQUEST_EXPIRY
#define EXPIRED(r) false
#else
#define EXPIRED(r) ((r) == 0 && WALL >= REQUEST_EXPIRES)
#endif

/* ---- the properties: each a name that spin prints ---- */

hidden byte ok_k_distinct, ok_durable, ok_same, ok_once, ok_request_in_time, ok_own, ok_not_twice, ok_their_word, ok_in_time, ok_known;

inline copy(to, from) {
    to.state = from.state; to.words = from.words; to.who = from.who; to.token = from.token
}

/* An answer goes out. */
inline answer(q) {
    if
    :: memory[q].state == ALLOWED ->
        ok_k_distinct = COUNT(OTHERS(q)) >= NEEDED;
        assert(ok_k_distinct);
        ok_durable = durable[q].state == ALLOWED && durable[q].token == memory[q].token;
        assert(ok_durable);
        ok_once = told[q] == 0 || told[q] == memory[q].token;
        assert(ok_once);
        ok_same = firm[q] == memory[q].token;
        assert(ok_same);
        told[q] = memory[q].token
    :: else ->
        ok_same = told[q] == 0;
        assert(ok_same)
    fi
}

/* A word is written down: the guards of the gate have let it. */
inline take_word(r, a) {
    ok_own = !OWNER(r, a);
    assert(ok_own);
    ok_their_word = (said[r] & BIT(a)) != 0;
    assert(ok_their_word);
    step = approved; at_request = r; at_approver = a
}

inline may_count(r, a) {
    if
    :: memory[r].state == HELD && memory[r].words < NEEDED && !TWICE(r, a) && !OWN(r, a) -> take_word(r, a)
    :: else
    fi
}

/* ---- what can happen ---- */

/* decide(): seen before, released, or up to the policy, which holds. */
inline ask(r) {
    if
    :: memory[r].state == UNKNOWN && !DOUBT -> memory[r].state = HELD; step = decided; renewed = true
    :: memory[r].state == UNKNOWN && DOUBT -> skip /* a hold, of which nothing may follow */
    :: memory[r].state == HELD && RELEASED(r) && !DOUBT && !EXPIRED(r) ->
        ok_request_in_time = !(r == 0 && now >= REQUEST_EXPIRES);
        assert(ok_request_in_time);
        memory[r].token = NEW_TOKEN(r); memory[r].state = ALLOWED; step = decided; renewed = true
    :: memory[r].state == HELD && RELEASED(r) && !DOUBT && EXPIRED(r) -> memory[r].state = DENIED; step = decided; renewed = true
#ifdef LEAVE_OUT_CONSUMED
    :: memory[r].state == ALLOWED && writable -> memory[r].token = NEW_TOKEN(r); step = decided; renewed = true
#endif
    :: else -> step = decided; renewed = false
    fi;
    if
    :: step == decided -> at_request = r
    :: else
    fi
#ifdef LEAVE_OUT_COMMIT_FIRST
    ;
    if
    :: step == decided -> answer(r)
    :: else
    fi
#endif
}

/* The same question once more in the round whose commit is not made yet. */
inline ask_in_round(r) {
#ifdef LEAVE_OUT_ROUND
    answer(r)
#else
    skip /* it is answered with the others, by finish_round() */
#endif
}

/* gate_commit(): durable, or not, or nobody knows. */
inline commit(kept) {
    if
    :: step == decided && renewed && kept ->
        copy(durable[at_request], memory[at_request]);
        if
        :: durable[at_request].state == ALLOWED && firm[at_request] == 0 -> firm[at_request] = durable[at_request].token
        :: else
        fi
    :: step == approved && kept ->
        ok_not_twice = (durable[at_request].who & BIT(at_approver)) == 0;
        assert(ok_not_twice);
        durable[at_request].words++; durable[at_request].who = durable[at_request].who | BIT(at_approver)
    :: else
    fi
}

inline succeed() {
    commit(true);
    if
    :: step == approved -> copy(memory[at_request], durable[at_request])
    :: else
    fi;
    step = committed
}

/* No allow without its record: fill_answer(); a word that may not be kept does not count: approve(). */
inline fail(kept) {
    commit(kept);
    writable = false;
    if
    :: step == decided && renewed && memory[at_request].state == ALLOWED ->
#ifdef LEAVE_OUT_FAILED_COMMIT
        answer(at_request);
#endif
        memory[at_request].state = HELD; memory[at_request].token = 0
    :: else
    fi;
    step = idle
}

inline reply() {
    answer(at_request);
    step = idle
}

inline die() {
    up = false; step = idle; checked = false; renewed = false; at_request = 0; at_approver = 0; checked_request = 0; checked_approver = 0;
    memory[0].state = 0; memory[0].words = 0; memory[0].who = 0; memory[0].token = 0;
    memory[1].state = 0; memory[1].words = 0; memory[1].who = 0; memory[1].token = 0
}

inline start() {
    up = true; writable = true;
    copy(memory[0], durable[0]); copy(memory[1], durable[1])
#ifdef LEAVE_OUT_REPLAY
    ;
    if
    :: memory[0].state == ALLOWED -> memory[0].state = HELD
    :: else
    fi
#endif
}

/* gate_approve_signed(): looked up and checked in the caller's thread; counted later, by the gate's. */
#ifdef LEAVE_OUT_SIGNATURE
#define IS_SIGNED(made) true
#else
#define IS_SIGNED(made) ((made) != 0)
#endif
#ifdef LEAVE_OUT_HOLD
#define IS_OF_HOLD(same) true
#else
#define IS_OF_HOLD(same) (same)
#endif
#ifdef LEAVE_OUT_GATE_ID
#define IS_OF_GATE(here) true
#else
#define IS_OF_GATE(here) (here)
#endif
#ifdef LEAVE_OUT_EXPIRY
#define IN_TIME(made) true
#else
#define IN_TIME(made) ((made) == 0 || WALL < (made))
#endif

/* same: of this hold; here: at this gate; made: 1 + when, 0 for one that nobody made */
inline check(h, p, same, here, made) {
    if
    :: KNOWN(p) && !DOUBT && memory[h].state == HELD && IS_SIGNED(made) && IS_OF_HOLD(same) && IS_OF_GATE(here) && IN_TIME(made) ->
        ok_in_time = made == 0 || now < made;
        assert(ok_in_time);
        checked = true; checked_request = h; checked_approver = p
    :: else
    fi
}

#ifdef LEAVE_OUT_KEY_AGAIN
#define STILL_KNOWN true
#else
#define STILL_KNOWN KNOWN(checked_approver)
#endif

inline count_checked() {
    if
    :: STILL_KNOWN ->
        ok_known = KNOWN(checked_approver) || memory[checked_request].state != HELD;
        assert(ok_known);
        may_count(checked_request, checked_approver)
    :: else
    fi;
    checked = false; checked_request = 0; checked_approver = 0
}

#ifdef RESTORES
#ifndef LEAVE_OUT_IDENTITY
#define forget(r) durable[r].words = 0; durable[r].who = 0
#else
#define forget(r) skip
#endif
inline restore() {
    copy(durable[0], saved[0]); copy(durable[1], saved[1]);
    was_restored = true;
    told[0] = 0; told[1] = 0; firm[0] = 0; firm[1] = 0;
    if
    :: durable[0].state == ALLOWED -> firm[0] = durable[0].token /* the answer that it got, once more */
    :: else -> said[0] = 0; forget(0) /* what was said before is no word for what is asked now */
    fi;
    if
    :: durable[1].state == ALLOWED -> firm[1] = durable[1].token /* the answer that it got, once more */
    :: else -> said[1] = 0; forget(1) /* what was said before is no word for what is asked now */
    fi;
#ifndef LEAVE_OUT_IDENTITY
    was_signed[0] = 0; was_signed[1] = 0; was_signed[2] = 0; was_signed[3] = 0; was_signed[4] = 0; was_signed[5] = 0 /* they name another gate */
#endif
}
#endif

#define READY (up && step == idle)

active proctype happens() {
    byte r, a;
    do
    :: atomic { READY -> select(r : 0 .. LAST_REQUEST); ask(r); r = 0 }
    :: atomic { up && step == decided -> ask_in_round(at_request) }
    :: atomic { up && (step == decided || step == approved) && writable -> succeed() }
    :: atomic { up && step == decided && !writable -> if :: renewed -> fail(false) :: else -> reply() fi }
    :: atomic { up && step == approved && !writable -> fail(false) }
    :: atomic { up && (step == decided || step == approved) && writable -> fail(false) }
    :: atomic { up && (step == decided || step == approved) && writable -> fail(true) }
    :: atomic { up && step == committed -> reply() }
    /* by session */
    :: atomic { READY -> select(r : 0 .. LAST_REQUEST); select(a : 0 .. 2); said[r] = said[r] | BIT(a); may_count(r, a); r = 0; a = 0 }
    /* by signature: made, at this gate or another; carried by anybody, as often as they like, to this hold or another; or invented */
    :: atomic { true -> select(r : 0 .. LAST_REQUEST); select(a : 0 .. 2);
        if
        :: was_signed[r * APPROVERS + a] == 0 -> was_signed[r * APPROVERS + a] = now + 1; said[r] = said[r] | BIT(a)
        :: else
        fi; r = 0; a = 0 }
    :: atomic { READY && !checked -> select(r : 0 .. LAST_REQUEST); select(a : 0 .. 2);
        if
        :: was_signed[r * APPROVERS + a] != 0 -> check(r, a, true, true, was_signed[r * APPROVERS + a])
        :: true -> check(r, a, false, true, now + 1)
        :: true -> check(r, a, true, false, now + 1)
        :: true -> check(r, a, true, true, 0)
        fi; r = 0; a = 0 }
    :: atomic { READY && checked -> count_checked() }
    /* the world */
    :: atomic { now < LAST_TIME -> now++ }
    :: atomic { !stepped_back && now > 0 -> stepped_back = true }
    :: atomic { stepped_back -> stepped_back = false }
    :: atomic { !withdrawn -> withdrawn = true }
    :: atomic { up -> die() }
    :: atomic { !up -> start() }
#ifdef RESTORES
    :: atomic { !is_saved -> copy(saved[0], durable[0]); copy(saved[1], durable[1]); is_saved = true }
    :: atomic { !up && is_saved && !was_restored -> restore() }
#endif
    od
}

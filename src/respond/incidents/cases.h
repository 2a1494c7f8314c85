#pragma once
/*
 * respond/incidents/cases: what people do to an incident, each in one transaction that also writes the entry of the
 * timeline. A closed incident takes none of it (ERR_CONFLICT), except that it can be opened again as a new one.
 *
 * Threads  Any.
 * Errors   ERR_NOT_FOUND, ERR_CONFIG (a text is missing or too long), ERR_LIMIT, ERR_CONFLICT.
 */
#include "respond/respond.h"
#include "state/users.h"

/* verdict: true_positive, false_positive, benign, duplicate, drill, or none. */
MUST_USE int respond_close(struct respond *respond, struct slice id, struct slice user,
                           struct slice comment, struct slice verdict, struct err *err);

/* An event that a comment is about: found again by its id and time wherever it is stored by then. */
struct event_link {
    struct slice id;
    int64_t seq, time_ns; /* 0: not said */
};
MUST_USE int respond_comment(struct respond *respond, struct slice id, struct slice user, struct slice text,
                             const struct event_link *events, size_t event_count, struct err *err);
/* To an event, without an incident. */
MUST_USE int respond_comment_event(struct respond *respond, const struct event_link *event, struct slice user,
                                   struct slice text, struct err *err);

/* Hands it over; note may be none. */
MUST_USE int respond_set_owner(struct respond *respond, struct slice id, struct slice user, struct slice owner,
                               struct slice note, struct err *err);
/* What the attack could do is stopped, a person says. Once. */
MUST_USE int respond_contain(struct respond *respond, struct slice id, struct slice user, struct slice note,
                             struct err *err);
/* A new incident with the entities of the closed one, linked to it. */
MUST_USE int respond_reopen(struct respond *respond, struct slice id, struct slice user, struct slice reason,
                            int64_t *out, struct err *err);

/* owner may be none; due_ns 0: none. */
MUST_USE int respond_add_task(struct respond *respond, struct slice id, struct slice user, struct slice text,
                              struct slice owner, int64_t due_ns, int64_t *task, struct err *err);
/* By the task's number; the incident's name comes back. A second time changes nothing. */
MUST_USE int respond_finish_task(struct respond *respond, int64_t task, struct slice user, int64_t *incident,
                                 struct err *err);

struct attachment {
    struct slice name, type; /* as its bringer says; never trusted */
    struct slice bytes;
};
MUST_USE int respond_attach(struct respond *respond, struct slice id, struct slice user,
                            const struct attachment *attachment, int64_t *number, struct err *err);
MUST_USE int respond_attachment(struct respond *respond, int64_t number, struct arena *arena, struct attachment *out,
                                struct err *err);

/* regroup.c: other incidents (INC-3 ...) become part of this one and are closed. */
MUST_USE int respond_merge(struct respond *respond, struct slice id, struct slice user, const struct slice *from,
                           size_t count, struct slice reason, struct err *err);
/* Findings, by their ids, become an incident of their own. What both are about no longer joins them. */
MUST_USE int respond_split(struct respond *respond, struct slice id, struct slice user, const struct slice *findings,
                           size_t count, struct slice reason, int64_t *out, struct err *err);

/* quieting.c: exceptions and mutes. */
struct exception;
struct exception_preview;
/* Sets id; entities of the finding it is made from are named when no terms are. */
MUST_USE int respond_exception_fill(struct respond *respond, struct exception *exception, struct arena *arena, struct err *err);
MUST_USE int respond_exception_add(struct respond *respond, struct exception *exception, struct err *err);
MUST_USE int respond_exception_end(struct respond *respond, int64_t id, struct slice user, struct err *err);
MUST_USE int respond_exception_preview_json(struct respond *respond, const struct exception *exception, int64_t days,
                                            struct json *json, struct err *err);
MUST_USE int respond_exception_json(struct respond *respond, int64_t id, struct json *json, struct err *err);
/* all: also those that have ended. */
MUST_USE int respond_exceptions_json(struct respond *respond, bool all, struct json *json, struct err *err);

/* Findings one by one: of an incident (a name, or none), of an exception (0: any), or those without an incident. */
MUST_USE int respond_findings_json(struct respond *respond, struct slice incident, int64_t exception, bool loose,
                                   int64_t after, int64_t limit, struct json *json, struct err *err);
/* What people wrote about an event. */
MUST_USE int respond_event_comments_json(struct respond *respond, struct slice event, struct json *json, struct err *err);
/* For who takes over: what changed since then and what is to do. */
MUST_USE int respond_handover_json(struct respond *respond, int64_t since_ns, struct json *json, struct err *err);

/* shares.c: one incident for somebody outside, by a secret that is told once (SECRET_TEXT_SIZE bytes). The answer has no value of
 * an entity (a name of its own for each instead), no person and nothing that anybody wrote. */
MUST_USE int respond_share(struct respond *respond, struct slice id, struct slice user, struct slice note,
                           int64_t expires_ns, char secret[SECRET_TEXT_SIZE], int64_t *share, struct err *err);
MUST_USE int respond_share_end(struct respond *respond, int64_t share, struct slice user, struct err *err);
MUST_USE int respond_shares_json(struct respond *respond, struct slice id, struct json *json, struct err *err);
/* By the secret; which one it was comes back. Each look is counted. */
MUST_USE int respond_shared_json(struct respond *respond, struct slice secret, int64_t *share, struct json *json,
                                 struct err *err);

#pragma once
/*
 * respond/act/action: what can be done to an entity, and undone. One descriptor each, listed in actions.def.
 * To add one: action_X.c with a const struct action_kind action_X, and ACTION(X) in the list.
 *
 * The same deed may be asked for again, under the same key: after a crash, or when the answer was lost. Both ways
 * must come to the same as once; a receiver that keeps no keys is asked for what is so by nature (block, unblock).
 */
#include "base/json.h"
#include "base/rand.h"
#include "event/finding.h"
#include "net/http_client.h"
#include "respond/act/act_settings.h"
#include "state/database.h"

enum { ACTION_RECEIPT_SIZE = 200 };

/* One thing to do to one entity, or to undo. */
struct act_work {
    const struct act_settings *settings;
    bool undo;
    struct slice id;  /* "ACT-7.3" */
    struct slice key; /* idempotency key: the same over all attempts, another one for the undo */
    struct entity entity;
    struct slice incident, by, reason; /* incident: "INC-7", or none */
    enum severity severity; /* of the incident */
    int64_t until_ns; /* 0: for ever */
    int64_t now_ns;
    struct database *database;
    const struct hin_net *net;
    const struct hin_rand *rand;
    struct arena *arena; /* of this attempt */
};

enum action_result {
    ACTION_DONE,
    ACTION_AGAIN,   /* the other side may work later; whether it was done is not known */
    ACTION_REFUSED, /* the other side says that it was not done, and why */
};

struct action_answer {
    int64_t wait_s; /* how long the other side asks to be left alone; 0: nothing said */
    char receipt[ACTION_RECEIPT_SIZE];
};

struct action_kind {
    const char *name;
    const char *summary;
    /* Whether a row of the configuration can work; ERR_CONFIG. */
    int (*check)(const struct act_settings *row, struct err *err);
    /* Whether it can be done to an entity of a type that it takes; ERR_CONFIG. NULL: to any. */
    int (*check_entity)(const struct entity *entity, struct err *err);
    /* Exactly what run() would do, as members of an object. */
    int (*tell)(const struct act_work *work, struct json *json, struct err *err);
    /* May block for a few times HTTP_FETCH_TIMEOUT_MS. Unless DONE, err says why. */
    enum action_result (*run)(const struct act_work *work, struct action_answer *answer, struct err *err);
};

/* NULL when there is none of that name. */
const struct action_kind *action_find(struct slice name);

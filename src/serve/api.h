#pragma once
/*
 * serve/api: what the handlers of routes.def are given and may use. A handler runs on a worker,
 * may block, and must end the request with exactly one reply.
 */
#include "base/json.h"
#include "cut/json_tree.h"
#include "serve/server.h"

#include <stdatomic.h>

struct jobs;
struct tails;
struct whatif_jobs;

/* Who asks: a person with a session, or a program with a token. */
struct caller {
    bool known;
    bool is_token;
    struct user user;      /* of a session; for a token: id 0 and the token's name */
    enum role role;
    struct slice token_kind;
    struct slice session;  /* the secret, to end it */
    char csrf[SECRET_TEXT_SIZE];
};

struct api {
    const struct server_parts *parts;
    struct jobs *jobs;
    struct tails *tails;
    struct whatif_jobs *whatifs;
    atomic_int *looks; /* at what is not understood, that are going on */
    struct http_request *request;
    struct arena *arena; /* of the request */
    struct caller caller;
    struct slice param;  /* what {} in the path stands for */
    struct buffer body;  /* of the answer */
    struct json json;    /* writes into body */
};

typedef void (*api_handler)(struct api *api);

#define ROUTE(method, path, role, handler) void handler(struct api *api);
#include "serve/routes.def"
#undef ROUTE

/* The request's body as a JSON object; NULL after it has answered 400. */
const struct json_node *api_body(struct api *api);
/* A text member; SLICE_NONE when it is missing or no text. */
struct slice api_text(const struct json_node *object, const char *key);
/* Sends what was written to api->json. */
void api_reply(struct api *api, int status);
/* An error from below: the status follows from its code. */
void api_reply_err(struct api *api, const struct err *err);
void api_error(struct api *api, int status, const char *code, const char *message);
void api_no_content(struct api *api);
/* The time zone that a request names, the server's where it names none. ERR_CONFIG: there is no such zone. */
MUST_USE int api_zone(struct api *api, struct slice name, const struct zone **out, struct err *err);
/* A whole-number query parameter within bounds, or the fallback. */
int64_t api_number(struct api *api, const char *name, int64_t fallback, int64_t most);

/* api_audit.c: who did what. Each writes one row, durable when it returns. False: it has answered
 * already (500: the trail cannot be written), and the handler is done.
 * failure: why it was refused, or NULL. */
bool api_record(struct api *api, const char *action, struct slice object, struct slice detail,
                const struct err *failure);
/* By somebody who says to be actor and has no session yet. */
bool api_record_claim(struct api *api, struct slice actor, const char *action, struct slice detail,
                      const struct err *failure);
/* After an action: records how it went, and answers when it failed. True: go on and reply. */
bool api_did(struct api *api, const char *action, struct slice object, struct slice detail,
             int result, const struct err *err);
/* As api_did for what only looks: when the trail cannot be written (a full disk), that is said on
 * standard error and people can still see. */
bool api_looked(struct api *api, const char *action, struct slice object, struct slice detail,
                int result, const struct err *err);

/* files.c: the console. */
void files_reply(struct http_request *request);

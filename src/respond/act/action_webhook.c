/* A signed request to a firewall, an exchange or whatever can do something and undo it. */
#include "respond/act/act_http.h"

extern const struct action_kind action_webhook;

const struct action_kind action_webhook = {
    .name = "webhook",
    .summary = "a signed POST of JSON to a URL, and to another one to undo it",
    .check = act_http_check,
    .tell = act_http_tell,
    .run = act_http_run,
};

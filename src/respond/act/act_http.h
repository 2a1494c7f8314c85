#pragma once
/* respond/act/act_http: the signed requests of the actions that ask somebody over HTTP. */
#include "respond/act/action.h"

/* That the row has its URLs and a secret, and bodies that can be filled in. */
MUST_USE int act_http_check(const struct act_settings *row, struct err *err);
/* method, url, headers (without the signature, which is another one each time) and body. */
MUST_USE int act_http_tell(const struct act_work *work, struct json *json, struct err *err);
enum action_result act_http_ask(const struct act_work *work, struct slice url, struct slice body, struct buffer *answer_body,
                                struct action_answer *answer, struct err *err);
/* Does it, or undoes it. */
enum action_result act_http_run(const struct act_work *work, struct action_answer *answer, struct err *err);

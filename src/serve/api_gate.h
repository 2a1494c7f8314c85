#pragma once
/* serve/api_gate: the gate's answers as JSON, for all who ask it over HTTP. */
#include "gate/gate.h"
#include "serve/api.h"

/* The members of an answer; inside an object. */
void api_gate_put_judged(struct json *json, const struct gate_answer *answer);
/* Likewise, with the token. */
void api_gate_put_answer(struct json *json, const struct gate_answer *answer);
/* Every row with what it read. */
void api_put_explained(struct json *json, const struct gate_explained *explained);

#pragma once
/* serve/api_signature: an approval that was signed elsewhere, as hinomi approve writes it. */
#include "gate/gate.h"
#include "serve/api.h"

/* about is the key ("hold", "stop") under which it says what it is for; it must be what the route names. False: ERR_CONFIG. */
bool api_signature_read(const struct api *api, const struct json_node *body, const char *about, struct gate_signature *out,
                        struct err *err);

#pragma once
/*
 * gate/gate_request: a request as JSON (docs/gate.md), for the API and for those who sign elsewhere.
 *
 * Errors  ERR_CONFIG names the member and what it should be.
 */
#include "cut/json_tree.h"
#include "gate/gate.h"

/* Texts are borrowed from the tree, the payload is in the arena. Members that are no part of a request are not looked at. */
MUST_USE int gate_request_read(const struct json_node *body, struct arena *arena, struct gate_request *out,
                               struct err *err);

#pragma once
/*
 * gate/gate_allowed: sums of what this gate has let pass. Events tell it too, but later; many requests at
 * once must not all be judged by the same old figure.
 *
 * Sums are kept for each action, so that a withdrawal and its signature do not count twice.
 * Threads  One at a time.
 * Limits   GATE_ALLOWED_ACCOUNTS_MAX accounts and assets; beyond, those that were quiet longest of a sample go.
 */
#include "gate/gate.h"

struct allowed;

MUST_USE int allowed_new(struct allowed **out, struct err *err);
void allowed_free(struct allowed *allowed); /* NULL is fine */

MUST_USE int allowed_add(struct allowed *allowed, const struct gate_request *request,
                         int64_t time_ns, struct err *err);
/* DECIMALs in scratch: of the account and asset in 24 hours, of the asset in one; 0 when nothing
 * passed. NULL when memory is out. */
void allowed_read(const struct allowed *allowed, const struct gate_request *request,
                  int64_t now_ns, struct arena *scratch, struct value *account_24h,
                  struct value *asset_1h);

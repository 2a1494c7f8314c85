#pragma once
/*
 * collect/quota: how many events a second a token may send: a bucket of QUOTA_BURST_S seconds' worth that fills
 * steadily. A batch that begins while something is left passes whole, so that one larger than the bucket is not refused
 * for ever; what it took too much is waited for afterwards.
 *
 * Threads  One at a time (a collector's loop).
 * Limits   QUOTA_TOKENS_MAX tokens with a quota are known at a time; the one that was used longest ago is forgotten.
 */
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { QUOTA_BURST_S = 10 };

struct quotas;

struct quotas *quotas_new(void);
void quotas_free(struct quotas *quotas); /* NULL is fine */
/* 0: they may come now, and are counted; else seconds to wait. now_ns is monotonic. */
int quotas_spend(struct quotas *quotas, struct slice token_id, uint64_t events_per_second, uint64_t events, int64_t now_ns);

#pragma once
/*
 * net/resolver: the machine's own resolver, which may take a minute when its servers do not answer, within NET_LOOKUP_MS: a thread
 * of its own asks, and is left behind when it takes longer.
 *
 * Threads  Any.
 * Limits   NET_LOOKUPS_MAX threads that were left behind; they end by themselves.
 */
#include "net/http_client.h"

/* As hin_net.resolve. */
int resolver_real(const struct hin_net *net, const char *host, struct net_address *out, size_t max, struct err *err);

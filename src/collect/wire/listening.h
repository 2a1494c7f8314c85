#pragma once
/*
 * collect/listening: what listeners have in common: where they listen, and that nothing is sent in plain text over
 * a network by accident (a listener that is not on a loopback address speaks TLS, or was told insecure_plaintext).
 *
 * Threads  Those of collector.h's open and check.
 */
#include "collect/collector.h"

#define LISTENING_OPTIONS(standard_port)                                                                                   \
    {"address", SETTING_ADDRESS, "127.0.0.1", .summary = "where it listens; 0.0.0.0 for all IPv4, :: for all addresses"},   \
    {"port", SETTING_PORT, standard_port, .summary = "0: any free one"},                                                    \
    {"insecure_plaintext", SETTING_BOOL, "false", .summary = "true: plain text is wanted although the address is not a loopback one"}

#define LISTENING_TLS_OPTIONS                                                                                              \
    {"certificate", SETTING_PATH, .summary = "PEM file; without it the server's (`certificate` at the top)"},               \
    {"key", SETTING_PATH, .summary = "PEM file of its key"},                                                                \
    {"client_ca", SETTING_PATH, .summary = "PEM file: only senders with a certificate signed by it may connect"}

bool listening_is_loopback(const struct collector_settings *settings);
/* -1 when it would speak plain text over a network without having been told to. */
MUST_USE int listening_check_plain(const struct collector_settings *settings, struct err *err);
/* -1 when certificate and key do not come together, or cannot be read. */
MUST_USE int listening_check_tls(const struct collector_settings *settings, struct err *err);
/* The caller frees it after the loop has ended. */
MUST_USE int listening_tls(const struct collector_host *host, const struct collector_settings *settings,
                           struct tls_context **out, struct err *err);

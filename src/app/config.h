#pragma once
/*
 * app/config: what `hinomi serve` is told, by a YAML file (docs/configuration.md) and the command line.
 * Every key is optional; an unknown one is an error with its line.
 */
#include "base/arena.h"
#include "base/err.h"
#include "respond/respond.h"

enum { NOTIFIERS_MAX = 32, HOSTS_MAX = 16 };

struct listen_config {
    const char *address;
    uint16_t port;
    bool plaintext; /* not loopback and no TLS all the same: insecure_plaintext */
};

struct config {
    const char *dir;
    struct listen_config api, hec, syslog, syslog_tls;
    const char *cert, *key;  /* PEM; NULL: self-signed, made at the first start */
    const char *hosts[HOSTS_MAX + 1];
    const char *policy;      /* the gate's; NULL: the one that comes with the program */
    int64_t retention_days;  /* 0: for ever */
    struct respond_notifier notifiers[NOTIFIERS_MAX];
    size_t notifier_count;
};

void config_defaults(struct config *config);
/* Texts live in the arena. Errors name the file and the line. */
MUST_USE int config_read(const char *path, struct arena *arena, struct config *config,
                         struct err *err);
bool config_is_loopback(const char *address);
/* A listener that speaks plain text on the network must have been asked to: else ERR_CONFIG. */
MUST_USE int config_check_plaintext(const struct listen_config *listen, const char *name,
                                    struct err *err);

#pragma once
/*
 * app/config: what `hinomi serve` is told, by a YAML file (docs/configuration.md) and the command line.
 * Every key is optional; an unknown one is an error with its line.
 */
#include "base/arena.h"
#include "base/err.h"
#include "collect/collector.h"
#include "gate/gate.h"
#include "respond/notify/mailbox.h"
#include "respond/act/act_settings.h"
#include "respond/respond.h"
#include "serve/cosigner.h"
#include "serve/gate_webhook.h"

#include "flow/sources.h"
#include "store/store.h"

enum { HOSTS_MAX = 16 };

/* A bound as bytes, or as a part of the file system. */
struct disk_free {
    uint64_t bytes;
    uint32_t percent;
};

struct listen_config {
    const char *address;
    uint16_t port;
    bool enabled;
    bool plaintext; /* not loopback and no TLS all the same: insecure_plaintext */
};

struct config {
    const char *dir;
    struct listen_config api;
    struct listen_config http, syslog, syslog_tls; /* collectors that everybody has, unless collect names them */
    struct collector_settings *collect; /* all collectors, these among them; COLLECTORS_MAX at most */
    size_t collect_count;
    const char *cert, *key;  /* PEM; NULL: self-signed, made at the first start */
    const char *hosts[HOSTS_MAX + 1];
    const char *policy;      /* the gate's; NULL: the one that comes with the program */
    enum gate_mode gate_mode;
    unsigned char policy_owner[32]; /* whose signature the policy needs */
    bool has_policy_owner;
    const char *gate_socket; /* where programs of this machine ask the gate; NULL: DIR/gate/socket; "off": nowhere */
    int64_t retention_days;  /* of streams that retention does not name; 0: for ever */
    struct retention retention[RETENTION_RULES_MAX];
    size_t retention_count;
    uint64_t disk_max;       /* 0: no bound */
    struct disk_free disk_free_min;
    const char *holidays;    /* a calendar of the content; NULL: japan where time_zone is Asia/Tokyo, else none */
    struct heartbeat *heartbeats;
    size_t heartbeat_count;  /* HEARTBEATS_MAX at most; those of collectors among them */
    const char *time_zone;   /* of searches that name none; NULL: UTC */
    const char *geoip;       /* of iplocation; NULL: the first .mmdb of the data folder */
    const char *cold_dir;    /* NULL: old segments stay */
    int64_t cold_days;
    const char *waking;      /* a file: the waking plan; NULL: the one that was saved over the API */
    const char *link;        /* where people open the console, "https://siem.example"; NULL: made of hosts and the port */
    const struct act_settings *actions;
    size_t action_count;
    struct respond_notifier notifiers[RESPOND_NOTIFIERS_MAX];
    size_t notifier_count;
    struct mailbox_config mailbox; /* without a url: none */
    struct cosigner_settings cosigner; /* without a key: none */
    struct gate_webhooks webhooks;
};

void config_defaults(struct config *config);
/* What everybody has, as collectors; the last step of config_read, and of who has no file. */
MUST_USE int config_settle(struct arena *arena, struct config *config, struct err *err);
/* Texts live in the arena. Errors name the file and the line. */
MUST_USE int config_read(const char *path, struct arena *arena, struct config *config,
                         struct err *err);
/* What the store is told; texts stay the configuration's. */
void config_fill_store(const struct config *config, struct store_config *to);
bool config_is_loopback(const char *address);

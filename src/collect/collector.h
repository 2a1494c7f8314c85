#pragma once
/*
 * collect/collector: something that takes events in: a listener or a reader. What can be added is
 * `const struct collector_kind collector_NAME` in collector_NAME.c and a line in collectors.def; its options are a
 * table, from which come the checking of the configuration, its error messages and docs/reference/collectors/.
 *
 *   collect:
 *     - {kind: syslog, name: firewalls, address: 0.0.0.0, port: 514, stream: fw, time_zone: Asia/Tokyo}
 *
 * Ownership  Settings outlive their collector. A collector ends with stop(), then its loop ends and all that it gave the
 *            sink is answered, then finish(), then free().
 * Threads    open, stop and free from one thread, which is not the loop's; counts from any.
 */
#include "base/arena.h"
#include "collect/http/dialect.h"

struct line_join;
struct yaml_node;
struct hin_net;
struct net_loop;
struct tls_context;

enum setting_type {
    SETTING_TEXT,
    SETTING_SECRET,   /* a text, never shown again; "file:PATH" reads it from a file, "env:NAME" from the environment */
    SETTING_PATH,
    SETTING_LIST,     /* texts; one text stands for a list of one */
    SETTING_CHOICE,   /* one of choices */
    SETTING_CHOICES,  /* a list of some of them */
    SETTING_ADDRESS,  /* to listen on */
    SETTING_PORT,     /* 0: any free one */
    SETTING_BOOL,
    SETTING_NUMBER,
    SETTING_DURATION, /* "30s", "5m"; ns */
    SETTING_SIZE,     /* "8MiB"; bytes */
    SETTING_URL,
    SETTING_NODE,     /* YAML of its own, read by check() and open() */
};

struct collector_option {
    const char *name;
    enum setting_type type;
    const char *standard;        /* when left out, as it would be written; NULL: nothing */
    bool required;
    int64_t least, most;         /* of SETTING_NUMBER, DURATION and SIZE; both 0: from 0 up */
    const char *const *choices;  /* ends with NULL */
    const char *summary;         /* one line for people: what it does, with its unit */
};

/* One entry of `collect:`, checked against its kind. Lives in the arena it was read into. */
struct collector_settings {
    const struct collector_kind *kind;
    struct slice name;    /* unique; hinomi.source of its events */
    struct slice stream;  /* hinomi.stream */
    struct slice dataset; /* decoder, or none */
    struct slice zone;    /* IANA zone of stamps without one, or none */
    struct slice clock_skew; /* off, show or correct */
    int64_t heartbeat_ns; /* it must be heard so often; 0: not said */
    bool enabled;
    int line;             /* of the configuration */
    const struct yaml_node *node; /* as it was written */
    const struct option_value *values; /* one for each option of the kind, in order */
};

const char *settings_name(const struct collector_settings *settings); /* name with a zero behind it */
/* By the option's name, which must be one of the kind's and of a fitting type. */
struct slice settings_text(const struct collector_settings *settings, const char *name); /* or SLICE_NONE */
const char *settings_string(const struct collector_settings *settings, const char *name); /* or NULL */
int64_t settings_number(const struct collector_settings *settings, const char *name); /* also ns, bytes, port */
bool settings_bool(const struct collector_settings *settings, const char *name);
const struct slice *settings_list(const struct collector_settings *settings, const char *name, size_t *count);
bool settings_has(const struct collector_settings *settings, const char *name, const char *choice);
const struct yaml_node *settings_node(const struct collector_settings *settings, const char *name); /* or NULL */

/* What the program gives to collectors; outlives them. */
struct collector_host {
    struct net_loop *loop; /* this collector's own, when its kind listens; else NULL */
    const struct sink *sink;
    const struct hin_net *net;
    const char *data_dir;
    const char *cert, *key; /* the server's, PEM files */
    /* The cursor of the last durable delivery of this source and path; SLICE_NONE: none yet. */
    struct slice (*cursor)(void *context, struct slice source, struct slice path, struct arena *arena);
    /* Must not block for long; called on the loop's thread. */
    enum authorise_result (*authorise)(void *context, struct slice token, struct slice peer,
                                       struct arena *arena, struct ingest_grant *out);
    /* How lines of a text make records, as decoders know it (decode/line_rule.h); *out borrows from them. May be NULL. */
    bool (*line_rule)(void *context, struct slice dataset, struct slice head, struct line_join *out);
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

/* Since it was opened; what the sink took is counted there. */
struct collector_counts {
    uint64_t dropped_kernel;   /* datagrams the kernel had no room for */
    uint64_t dropped_queue;    /* events the sink had no room for and no sender holds */
    uint64_t dropped_parse;    /* messages that were none: nothing to keep (an empty datagram is not counted) */
    uint64_t refused;          /* requests or messages the sender was told to send again */
    uint64_t gaps;             /* messages missing by the protocol's own numbers */
    uint64_t gap_from, gap_to; /* the last of them; 0: it has no numbers to tell */
    uint64_t open;             /* connections, files, subscriptions */
    uint16_t port;             /* of listeners */
    char problem[240];         /* what it suffers from now; "" when nothing */
};

struct collector_kind {
    const char *name;
    const char *summary; /* one line */
    const char *details; /* paragraphs for the reference, or NULL */
    const struct collector_option *options; /* its own; the common ones (name, stream, ...) are added */
    size_t option_count;
    /* What the table cannot say; may be NULL. */
    int (*check)(const struct collector_settings *settings, struct err *err);
    /* Also after a failure *out is given to free(), unless it is NULL. */
    int (*open)(const struct collector_host *host, const struct collector_settings *settings, void **out, struct err *err);
    /* Of readers: takes nothing new, its thread has ended when it returns. May be NULL: a listener ends with its loop. */
    void (*stop)(void *collector);
    /* After its loop has ended: gives the sink what it still holds. May be NULL. */
    void (*finish)(void *collector);
    void (*free)(void *collector);
    void (*counts)(void *collector, struct collector_counts *out);
    bool listens;
};

/* What every collector has beside its kind's own; ends with a name of NULL. */
extern const struct collector_option collector_common[];

/* All kinds, by name; NULL at the end. */
extern const struct collector_kind *const collector_kinds[];
const struct collector_kind *collector_find(struct slice name);

/* hinomi.source of what comes by a dialect of an HTTP port: the port that everybody has is called by what is spoken (hec),
 * another one by its own name as well (second.hec). SLICE_NONE when memory is out. */
struct slice collector_http_source(const struct collector_settings *settings, const struct dialect *dialect, struct arena *arena);

/* Reads one entry of `collect:`; -1 with the line when something of it is wrong. */
MUST_USE int collector_settings_read(const struct yaml_node *node, struct arena *arena,
                                     struct collector_settings *out, struct err *err);
/* A delivery that says whose it is; the caller fills in framing, count, body, cursor. Borrows from the settings. */
struct delivery collector_delivery(const struct collector_host *host, const struct collector_settings *settings);

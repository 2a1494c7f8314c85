/* Syslog over RELP: a message is answered when it is durable, so a sender that loses its connection, or us, sends what
 * was not answered again and nothing is lost (at least once).
 * Source: "RELP - The Reliable Event Logging Protocol (Specification)"; commands open, syslog, close. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/gathering.h"
#include "collect/wire/listening.h"
#include "collect/wire/relp_frame.h"
#include "net/conn.h"
#include "net/tls.h"

#include <stdatomic.h>
#include <stdio.h>

enum { IDLE_MS = 15 * 60 * 1000 };
/* rsyslog corks its socket and sends 128 messages before it waits for answers. Where a segment may be longer than those are
 * together (the loopback's 64 KiB, jumbo frames), nothing of them would leave it before the cork gives way after 200 ms: 650
 * messages a second. */
enum { SEGMENT_BYTES = 1400 };

struct collector_relp {
    struct gatherings *pool;
    struct net_listener *listener;
    struct tls_context *tls;
    uint16_t port;
    atomic_ulong open, refused;
};

/* A message that is to be answered when everything up to mark is durable. */
struct owed {
    uint64_t mark;
    uint32_t number;
};

struct sender {
    struct collector_relp *collector;
    struct net_conn *conn;
    struct gathering *gathering;
    struct relp_frames frames;
    struct owed *owed; /* a ring */
    size_t owed_first, owed_count, owed_size;
    bool opened, broken;
    bool closing;           /* its close waits for the answers before it */
    uint32_t close_number;
};

/* ---- answers ---- */

static void answer(struct sender *sender, uint32_t number, const char *text)
{
    char head[64];
    int len = snprintf(head, sizeof(head), "%u rsp %zu%s", number, strlen(text), text[0] ? " " : "");
    struct buffer line;
    buffer_init(&line, 4 * KIB);
    buffer_put(&line, slice_of(head, (size_t)len));
    buffer_put_text(&line, text);
    buffer_put_char(&line, '\n');
    net_conn_write(sender->conn, buffer_slice(&line));
    buffer_close(&line);
}

static void end_session(struct sender *sender)
{
    answer(sender, sender->close_number, "");
    net_conn_write(sender->conn, SLICE("0 serverclose 0\n"));
    net_conn_close(sender->conn);
}

static bool owe(struct sender *sender, uint32_t number)
{
    if (sender->owed_count == sender->owed_size) {
        size_t size = sender->owed_size ? sender->owed_size * 2 : 64;
        struct owed *fresh = mem_calloc(size, sizeof(*fresh));
        if (!fresh)
            return false;
        for (size_t i = 0; i < sender->owed_count; i++)
            fresh[i] = sender->owed[(sender->owed_first + i) % sender->owed_size];
        mem_free(sender->owed);
        sender->owed = fresh;
        sender->owed_size = size;
        sender->owed_first = 0;
    }
    sender->owed[(sender->owed_first + sender->owed_count++) % sender->owed_size] =
        (struct owed){gathering_mark(sender->gathering), number};
    return true;
}

static void on_stored(void *context, uint64_t mark)
{
    struct sender *sender = context;
    struct buffer answers;
    buffer_init(&answers, 64 * MIB);
    while (sender->owed_count && sender->owed[sender->owed_first].mark <= mark) {
        buffer_printf(&answers, "%u rsp 6 200 OK\n", sender->owed[sender->owed_first].number);
        sender->owed_first = (sender->owed_first + 1) % sender->owed_size;
        sender->owed_count--;
    }
    net_conn_write(sender->conn, buffer_slice(&answers));
    buffer_close(&answers);
    if (sender->closing && sender->owed_count == 0)
        end_session(sender);
}

static void on_room(void *context)
{
    struct sender *sender = context;
    net_conn_resume(sender->conn);
}

static const struct gathering_events events = {.room = on_room, .stored = on_stored};

/* ---- frames ---- */

static void take_message(struct sender *sender, const struct relp_frame *frame)
{
    struct slice data = frame->data;
    while (frame->last && data.len && (data.ptr[data.len - 1] == '\n' || data.ptr[data.len - 1] == '\0'))
        data.len--;
    bool taken = data.len == 0 || gathering_put(sender->gathering, data, frame->part ? SLICE("part=1") : SLICE(""));
    if (!taken || (frame->last && !owe(sender, frame->number)))
        sender->broken = true;
}

static void on_frame(void *context, const struct relp_frame *frame)
{
    struct sender *sender = context;
    if (sender->broken || sender->closing)
        return;
    if (strcmp(frame->command, "syslog") == 0 && sender->opened) {
        take_message(sender, frame);
    } else if (!frame->last) {
        return; /* nothing else is long: only its end is answered */
    } else if (strcmp(frame->command, "open") == 0) {
        sender->opened = true;
        answer(sender, frame->number, "200 OK\nrelp_version=0\nrelp_software=hinomi\ncommands=syslog");
    } else if (strcmp(frame->command, "close") == 0) {
        sender->closing = true;
        sender->close_number = frame->number;
    } else {
        answer(sender, frame->number, sender->opened ? "500 this server knows open, syslog and close"
                                                     : "500 a session begins with open");
    }
}

static void *on_open(void *context, struct net_conn *conn)
{
    struct collector_relp *collector = context;
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    struct gathering *gathering = sender ? gathering_new(collector->pool, net_conn_peer(conn), &events, sender) : NULL;
    if (!gathering) {
        mem_free(sender);
        return NULL;
    }
    *sender = (struct sender){.collector = collector, .conn = conn, .gathering = gathering};
    relp_frames_init(&sender->frames);
    atomic_fetch_add(&collector->open, 1);
    return sender;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct sender *sender = state;
    bool fine = gathering_identify(sender->gathering, net_conn_identity(conn)) &&
                relp_frames_feed(&sender->frames, bytes, on_frame, sender) == 0 && !sender->broken;
    gathering_flush(sender->gathering);
    if (sender->closing && sender->owed_count == 0) {
        end_session(sender);
    } else if (!fine) {
        atomic_fetch_add(&sender->collector->refused, 1);
        net_conn_close(conn); /* the sender holds what was not answered */
    } else if (gathering_is_full(sender->gathering)) {
        net_conn_pause(conn);
    }
}

static void on_close(void *state, struct net_conn *conn)
{
    (void)conn;
    struct sender *sender = state;
    gathering_close(sender->gathering);
    relp_frames_close(&sender->frames);
    atomic_fetch_sub(&sender->collector->open, 1);
    mem_free(sender->owed);
    mem_free(sender);
}

/* ---- the kind ---- */

static const char *const transports[] = {"tcp", "tls", NULL};

static const struct collector_option options[] = {
    LISTENING_OPTIONS("2514"),
    {"transport", SETTING_CHOICE, "tcp", .choices = transports, .summary = "plain TCP, or TLS"},
    LISTENING_TLS_OPTIONS,
};

static bool is_tls(const struct collector_settings *settings)
{
    return slice_is(settings_text(settings, "transport"), "tls");
}

static int relp_check(const struct collector_settings *settings, struct err *err)
{
    return is_tls(settings) ? listening_check_tls(settings, err) : listening_check_plain(settings, err);
}

static int relp_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                     struct err *err)
{
    struct collector_relp *collector = mem_calloc(1, sizeof(*collector));
    *out = collector;
    if (!collector)
        return err_nomem(err);
    if (is_tls(settings) && listening_tls(host, settings, &collector->tls, err) < 0)
        return -1;
    struct net_listen_options listen = {
        .address = settings_string(settings, "address"),
        .port = (uint16_t)settings_number(settings, "port"),
        .tls = collector->tls,
        .idle_ms = IDLE_MS,
        .segment_bytes = SEGMENT_BYTES,
        .handler = {on_open, on_data, on_close, NULL, NULL},
        .context = collector,
    };
    if (!(collector->pool = gatherings_new(host, settings, false, err)))
        return -1;
    if (net_listen(host->loop, &listen, &collector->listener, err) < 0)
        return -1;
    collector->port = net_listener_port(collector->listener);
    return 0;
}

static void relp_finish(void *self)
{
    struct collector_relp *collector = self;
    gatherings_finish(collector->pool);
}

static void relp_free(void *self)
{
    struct collector_relp *collector = self;
    gatherings_free(collector->pool);
    tls_context_free(collector->tls);
    mem_free(collector);
}

static void relp_count(void *self, struct collector_counts *out)
{
    const struct collector_relp *collector = self;
    out->refused = atomic_load(&collector->refused);
    out->open = atomic_load(&collector->open);
    out->port = collector->port;
    /* What the pool dropped was never answered: its sender has it. */
}

const struct collector_kind collector_relp = {
    .name = "relp",
    .summary = "syslog over RELP: each message is answered when it is durable",
    .details = "rsyslog's omrelp sends what was not answered again, over new connections and restarts of either side: nothing is lost, "
               "and what was on its way may come twice.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = relp_check,
    .open = relp_open,
    .finish = relp_finish,
    .free = relp_free,
    .counts = relp_count,
    .listens = true,
};

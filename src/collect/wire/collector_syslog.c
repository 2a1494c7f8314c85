/* Syslog over UDP (RFC 5426), TCP (RFC 6587, both framings) and TLS (RFC 5425).
 *
 * Syslog has no acknowledgement: a message counts as received when it is durable; what a connection had sent before a
 * crash and was not durable is the sender's to send again. RELP (collector_relp.c) has one. */
#include "collect/wire/receiver.h"
#include "collect/wire/syslog_frame.h"

RECEIVER_CUTTER(syslog);

static bool on_datagram(void *context, struct gathering *gathering, struct slice bytes)
{
    (void)context;
    while (bytes.len && strchr("\n\r", bytes.ptr[bytes.len - 1]))
        bytes.len--;
    return bytes.len == 0 || gathering_put(gathering, bytes, SLICE(""));
}

static const struct collector_option options[] = {RECEIVER_OPTIONS("5514", "[udp, tcp]")};

static int syslog_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                       struct err *err)
{
    struct receiver_config config = {host, settings, &cutter, SLICE(""), on_datagram, NULL};
    struct receiver *receiver;
    int result = receiver_open(&config, &receiver, err);
    *out = receiver;
    return result;
}

static void syslog_finish(void *self)
{
    receiver_finish(self);
}

static void syslog_free(void *self)
{
    receiver_free(self);
}

static void syslog_count(void *self, struct collector_counts *out)
{
    receiver_count(self, out);
}

const struct collector_kind collector_syslog = {
    .name = "syslog",
    .summary = "syslog over UDP, TCP and TLS, RFC 3164 and RFC 5424",
    .details = "TCP takes both framings of RFC 6587, line by line and counted octets, also mixed. A message of more than 1 MiB comes "
               "in linked parts. While the disk has no room, TCP and TLS senders wait; datagrams that find no room are counted by "
               "place (`hinomi ledger`).",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = receiver_check,
    .open = syslog_open,
    .finish = syslog_finish,
    .free = syslog_free,
    .counts = syslog_count,
    .listens = true,
};

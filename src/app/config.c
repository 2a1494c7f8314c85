#include "app/config.h"

#include "app/cli.h"
#include "base/attr.h"
#include "base/byte_size.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/zone.h"
#include "collect/remote/preset.h"
#include "cut/yaml.h"
#include "event/ip.h"
#include "gate/policy_owner.h"
#include "respond/notify/notifier_row.h"

struct reading {
    struct config *config;
    struct arena *arena;
    struct err *err;
};

typedef int (*key_reader)(struct reading *reading, const struct yaml_node *node, void *to);

struct key {
    const char *name;
    key_reader read;
    size_t offset;
};

void config_defaults(struct config *config)
{
    *config = (struct config){
        .dir = "hinomi-data",
        .api = {"127.0.0.1", 7171, true, false},
        .http = {"127.0.0.1", 7180, true, false},
        .syslog = {"127.0.0.1", 5514, true, false},
        .syslog_tls = {"127.0.0.1", 6514, true, false},
    };
}

bool config_is_loopback(const char *address)
{
    struct ip ip;
    return ip_parse(slice_text(address), &ip) && ip_is_loopback(&ip);
}

static int read_mapping(struct reading *reading, const struct yaml_node *node,
                        const struct key *keys, size_t count, void *to)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(reading->err, node, "a mapping is needed here");
    for (size_t i = 0; i < node->count; i++) {
        struct slice name = node->entries[i].key->text;
        const struct key *found = NULL;
        for (size_t k = 0; k < count && !found; k++)
            if (slice_is(name, keys[k].name))
                found = &keys[k];
        if (!found)
            return yaml_err(reading->err, node->entries[i].key, "there is no key '%.*s' here",
                            SLICE_ARG(name));
        if (found->read(reading, node->entries[i].value, (char *)to + found->offset) < 0)
            return -1;
    }
    return 0;
}

static int read_string(struct reading *reading, const struct yaml_node *node, void *to)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return yaml_err(reading->err, node, "a text is needed here");
    *(const char **)to = arena_string(reading->arena, text);
    return *(const char **)to ? 0 : err_nomem(reading->err);
}

static int read_zone(struct reading *reading, const struct yaml_node *node, void *to)
{
    if (read_string(reading, node, to) < 0)
        return -1;
    const char *name = *(const char **)to;
    if (zone_find(slice_text(name)))
        return 0;
    return yaml_err(reading->err, node, "there is no time zone %s; it is a name such as Asia/Tokyo", name);
}

static int read_slice(struct reading *reading, const struct yaml_node *node, void *to)
{
    *(struct slice *)to = yaml_text(node, SLICE_NONE);
    if (((struct slice *)to)->ptr)
        return 0;
    return yaml_err(reading->err, node, "a text is needed here");
}

static int read_bool(struct reading *reading, const struct yaml_node *node, void *to)
{
    if (yaml_to_bool(node, to))
        return 0;
    return yaml_err(reading->err, node, "true or false is needed here");
}

static int read_port(struct reading *reading, const struct yaml_node *node, void *to)
{
    int64_t port;
    if (!yaml_to_i64(node, &port) || port < 0 || port > 65535)
        return yaml_err(reading->err, node, "a port is a number from 0 (any) to 65535");
    *(uint16_t *)to = (uint16_t)port;
    return 0;
}

static int read_days(struct reading *reading, const struct yaml_node *node, void *to)
{
    if (yaml_to_i64(node, to) && *(int64_t *)to >= 0 && *(int64_t *)to <= 36500)
        return 0;
    return yaml_err(reading->err, node, "a number of days from 0 (for ever) to 36500 is needed");
}

static int read_policy_owner(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    reading->config->has_policy_owner = true;
    if (policy_owner_key(yaml_text(node, SLICE("")), reading->config->policy_owner))
        return 0;
    return yaml_err(reading->err, node, "policy_owner is an Ed25519 public key in base64; `hinomi approve --new-key FILE` makes one");
}

static int read_gate_mode(struct reading *reading, const struct yaml_node *node, void *to)
{
    enum gate_mode *mode = to;
    struct slice text = yaml_text(node, SLICE(""));
    for (*mode = GATE_MODE_POLICY; *mode <= GATE_MODE_SHADOW; ++*mode)
        if (slice_is(text, gate_mode_name(*mode)))
            return 0;
    return yaml_err(reading->err, node, "gate_mode is policy (what its file says), enforce or shadow");
}

static int read_version(struct reading *reading, const struct yaml_node *node, void *to)
{
    int64_t version;
    (void)to;
    if (yaml_to_i64(node, &version) && version == 1)
        return 0;
    return yaml_err(reading->err, node, "this program reads configuration of version 1");
}

static int read_listen(struct reading *reading, const struct yaml_node *node, void *to)
{
    static const struct key keys[] = {
        {"address", read_string, offsetof(struct listen_config, address)},
        {"port", read_port, offsetof(struct listen_config, port)},
        {"insecure_plaintext", read_bool, offsetof(struct listen_config, plaintext)},
        {"enabled", read_bool, offsetof(struct listen_config, enabled)},
    };
    return read_mapping(reading, node, keys, ARRAY_COUNT(keys), to);
}

static int read_hosts(struct reading *reading, const struct yaml_node *node, void *to)
{
    const char **hosts = to;
    if (node->kind != YAML_SEQUENCE || node->count > HOSTS_MAX)
        return yaml_err(reading->err, node, "hosts is a list of at most %d names", HOSTS_MAX);
    for (size_t i = 0; i < node->count; i++)
        if (read_string(reading, node->entries[i].value, &hosts[i]) < 0)
            return -1;
    return 0;
}

static int read_notifier(struct reading *reading, const struct yaml_node *node)
{
    struct config *config = reading->config;
    struct respond_notifier *row = &config->notifiers[config->notifier_count];
    if (notifier_row_read(node, reading->arena, row, reading->err) < 0)
        return -1;
    for (size_t i = 0; i < config->notifier_count; i++)
        if (slice_equal(config->notifiers[i].name, row->name))
            return yaml_err(reading->err, node, "two notifiers are named %.*s", SLICE_ARG(row->name));
    config->notifier_count++;
    return 0;
}

static int read_notifiers(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    if (node->kind != YAML_SEQUENCE || node->count > RESPOND_NOTIFIERS_MAX)
        return yaml_err(reading->err, node, "notifiers is a list of at most %d", RESPOND_NOTIFIERS_MAX);
    for (size_t i = 0; i < node->count; i++)
        if (read_notifier(reading, node->entries[i].value) < 0)
            return -1;
    return 0;
}

static int read_secret(struct reading *reading, const struct yaml_node *node, void *to)
{
    struct slice *secret = to;
    if (read_slice(reading, node, to) < 0)
        return -1;
    return secret_read(*secret, reading->arena, secret, reading->err) < 0 ? err_within(reading->err, "line %d", node->line) : 0;
}

static int read_round(struct reading *reading, const struct yaml_node *node, void *to)
{
    if (duration_parse(yaml_text(node, SLICE("")), to) && *(int64_t *)to >= NS_PER_SECOND && *(int64_t *)to <= NS_PER_HOUR)
        return 0;
    return yaml_err(reading->err, node, "every: a duration from 1s to 1h is needed, such as 15s");
}

static int read_mailbox(struct reading *reading, const struct yaml_node *node, void *to)
{
    static const struct key keys[] = {
        {"url", read_slice, offsetof(struct mailbox_config, url)},
        {"user", read_slice, offsetof(struct mailbox_config, user)},
        {"password", read_secret, offsetof(struct mailbox_config, password)},
        {"ca_file", read_slice, offsetof(struct mailbox_config, ca_file)},
        {"every", read_round, offsetof(struct mailbox_config, every_ns)},
        {"allow_private", read_bool, offsetof(struct mailbox_config, allow_private)},
    };
    if (read_mapping(reading, node, keys, ARRAY_COUNT(keys), to) < 0)
        return -1;
    return mailbox_check(to, reading->err) < 0 ? err_within(reading->err, "line %d", node->line) : 0;
}

static int read_actions(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    return act_settings_read(node, reading->arena, &reading->config->actions, &reading->config->action_count, reading->err);
}

static int read_cosigner(struct reading *reading, const struct yaml_node *node, void *to)
{
    return cosigner_settings_read(node, reading->arena, to, reading->err);
}

static int read_webhooks(struct reading *reading, const struct yaml_node *node, void *to)
{
    return gate_webhooks_read(node, reading->arena, to, reading->err);
}

/* ---- what is kept, and where ---- */

static int read_size(struct reading *reading, const struct yaml_node *node, void *to)
{
    if (byte_size_parse(yaml_text(node, SLICE("")), to))
        return 0;
    return yaml_err(reading->err, node, "a size such as 200GiB, 500MB or 0 (no bound) is needed");
}

static int read_disk_free(struct reading *reading, const struct yaml_node *node, void *to)
{
    struct slice text = yaml_text(node, SLICE(""));
    struct disk_free *out = to;
    uint64_t percent;
    if (slice_ends(text, SLICE("%")) && slice_to_u64(slice_sub(text, 0, text.len - 1), &percent) &&
        percent <= 90) {
        out->percent = (uint32_t)percent;
        return 0;
    }
    if (byte_size_parse(text, &out->bytes))
        return 0;
    return yaml_err(reading->err, node, "a size such as 5GiB or a part of the disk such as 5%% (at most "
                    "90%%) is needed");
}

struct retention_keys {
    struct slice stream;
    int64_t days, cold_days;
};

static int read_retention_rule(struct reading *reading, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"stream", read_slice, offsetof(struct retention_keys, stream)},
        {"days", read_days, offsetof(struct retention_keys, days)},
        {"cold_days", read_days, offsetof(struct retention_keys, cold_days)},
    };
    struct config *config = reading->config;
    struct retention_keys rule = {.days = -1, .cold_days = -1};
    if (read_mapping(reading, node, keys, ARRAY_COUNT(keys), &rule) < 0)
        return -1;
    if (!rule.stream.len || rule.days < 0)
        return yaml_err(reading->err, node, "retention needs a stream (such as fw-*) and its days");
    config->retention[config->retention_count++] = (struct retention){
        rule.stream, (uint32_t)rule.days,
        rule.cold_days < 0 ? RETENTION_AS_OTHERS : (uint32_t)rule.cold_days};
    return 0;
}

static int read_retention(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    if (node->kind != YAML_SEQUENCE || node->count > RETENTION_RULES_MAX)
        return yaml_err(reading->err, node, "retention is a list of at most %d entries {stream, days}",
                        RETENTION_RULES_MAX);
    for (size_t i = 0; i < node->count; i++)
        if (read_retention_rule(reading, node->entries[i].value) < 0)
            return -1;
    return 0;
}

void config_fill_store(const struct config *config, struct store_config *to)
{
    to->retention = config->retention;
    to->retention_count = config->retention_count;
    to->retention_days = (uint32_t)config->retention_days;
    to->disk_max = config->disk_max;
    to->disk_free_min = config->disk_free_min.bytes;
    to->disk_free_percent = config->disk_free_min.percent;
    to->cold_dir = config->cold_dir;
    to->cold_days = (uint32_t)config->cold_days;
}

/* ---- what is taken in ---- */

static const struct collector_settings *find_collector(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->collect_count; i++)
        if (slice_equal(config->collect[i].name, name))
            return &config->collect[i];
    return NULL;
}

static int add_collector(struct reading *reading, const struct yaml_node *node, struct collector_settings *settings)
{
    struct config *config = reading->config;
    const struct collector_settings *same = find_collector(config, settings->name);
    if (same)
        return yaml_err(reading->err, node, "line %d has a collector of the name %.*s as well; give one of them another name",
                        same->line, SLICE_ARG(settings->name));
    if (!config->collect)
        config->collect = arena_array(reading->arena, COLLECTORS_MAX + 3, sizeof(*config->collect));
    if (!config->collect)
        return err_nomem(reading->err);
    config->collect[config->collect_count++] = *settings;
    return 0;
}

static int read_collect(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    if (node->kind != YAML_SEQUENCE || node->count > COLLECTORS_MAX)
        return yaml_err(reading->err, node, "collect is a list of at most %d collectors such as {kind: syslog, port: 514}",
                        COLLECTORS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        struct collector_settings settings;
        const struct yaml_node *entry;
        if (preset_apply(cli_content("collect"), node->entries[i].value, reading->arena, &entry, reading->err) < 0 ||
            collector_settings_read(entry, reading->arena, &settings, reading->err) < 0 ||
            add_collector(reading, entry, &settings) < 0)
            return -1;
    }
    return 0;
}

/* ---- who must be heard ---- */

static int read_every(struct reading *reading, const struct yaml_node *node, void *to)
{
    struct slice text = yaml_text(node, SLICE(""));
    *(int64_t *)to = 0;
    if (slice_is(text, "never") || (duration_parse(text, to) && *(int64_t *)to >= HEARTBEAT_LEAST_S * NS_PER_SECOND))
        return 0;
    return yaml_err(reading->err, node, "every: a duration from %ds, such as 5m, or never, is needed", HEARTBEAT_LEAST_S);
}

static int add_heartbeat(struct reading *reading, const struct yaml_node *node, const struct heartbeat *beat)
{
    struct config *config = reading->config;
    if (config->heartbeat_count == HEARTBEATS_MAX)
        return yaml_err(reading->err, node, "there are more than %d heartbeats", HEARTBEATS_MAX);
    if (!config->heartbeats)
        config->heartbeats = arena_array(reading->arena, HEARTBEATS_MAX, sizeof(*config->heartbeats));
    if (!config->heartbeats)
        return err_nomem(reading->err);
    config->heartbeats[config->heartbeat_count++] = *beat;
    return 0;
}

static int read_heartbeat(struct reading *reading, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"source", read_slice, offsetof(struct heartbeat, source)},
        {"sender", read_slice, offsetof(struct heartbeat, sender)},
        {"host", read_slice, offsetof(struct heartbeat, host)},
        {"every", read_every, offsetof(struct heartbeat, every_ns)},
    };
    struct heartbeat beat = {.sender = SLICE(""), .host = SLICE(""), .every_ns = -1};
    if (read_mapping(reading, node, keys, ARRAY_COUNT(keys), &beat) < 0)
        return -1;
    if (!beat.source.len || beat.every_ns < 0)
        return yaml_err(reading->err, node, "a heartbeat is such as {source: syslog, sender: 192.0.2.7, every: 5m}");
    return add_heartbeat(reading, node, &beat);
}

static int read_heartbeats(struct reading *reading, const struct yaml_node *node, void *to)
{
    (void)to;
    if (node->kind != YAML_SEQUENCE)
        return yaml_err(reading->err, node, "heartbeats is a list such as [{source: syslog, sender: 192.0.2.7, every: 5m}]");
    for (size_t i = 0; i < node->count; i++)
        if (read_heartbeat(reading, node->entries[i].value) < 0)
            return -1;
    return 0;
}

/* The events of an HTTP port are named by what was spoken: a heartbeat of its name waits for any of them. */
static int settle_port(struct reading *reading, struct heartbeat *beat)
{
    const struct collector_settings *port = find_collector(reading->config, beat->source);
    if (!port || strcmp(port->kind->name, "http") != 0)
        return 0;
    size_t count = 0;
    while (dialects[count])
        count++;
    struct slice *any = arena_array(reading->arena, count, sizeof(*any));
    if (!any)
        return err_nomem(reading->err);
    for (size_t i = 0; i < count; i++) {
        any[i] = collector_http_source(port, dialects[i], reading->arena);
        if (!any[i].ptr)
            return err_nomem(reading->err);
    }
    beat->any = any;
    beat->any_count = count;
    return 0;
}

/* The option of a collector, as an entry of the list. */
static int settle_heartbeats(struct reading *reading)
{
    struct config *config = reading->config;
    for (size_t i = 0; i < config->collect_count; i++) {
        const struct collector_settings *one = &config->collect[i];
        struct heartbeat beat = {.source = one->name, .sender = SLICE(""), .host = SLICE(""), .every_ns = one->heartbeat_ns};
        if (one->enabled && one->heartbeat_ns && add_heartbeat(reading, one->node, &beat) < 0)
            return -1;
    }
    for (size_t i = 0; i < config->heartbeat_count; i++)
        if (settle_port(reading, &config->heartbeats[i]) < 0)
            return -1;
    return 0;
}

/* A listener that everybody has, as its entry of collect would be written. */
static int settle_one(struct reading *reading, const char *head, const char *name, const struct listen_config *listen)
{
    const struct yaml_node *const *documents;
    struct collector_settings settings;
    size_t count;
    if (find_collector(reading->config, slice_text(name)))
        return 0;
    struct slice text = arena_printf(reading->arena, "{%s, name: %s, address: \"%s\", port: %u, insecure_plaintext: %s, enabled: %s}",
                                     head, name, listen->address, listen->port, listen->plaintext ? "true" : "false",
                                     listen->enabled ? "true" : "false");
    if (!text.ptr)
        return err_nomem(reading->err);
    if (yaml_parse(text, reading->arena, &documents, &count, reading->err) < 0 ||
        collector_settings_read(documents[0], reading->arena, &settings, reading->err) < 0)
        return err_within(reading->err, "%s", name);
    return add_collector(reading, documents[0], &settings);
}

int config_settle(struct arena *arena, struct config *config, struct err *err)
{
    struct reading reading = {config, arena, err};
    if (settle_one(&reading, "kind: http", "http", &config->http) < 0 ||
        settle_one(&reading, "kind: syslog", "syslog", &config->syslog) < 0)
        return -1;
    if (settle_one(&reading, "kind: syslog, transport: tls", "syslog-tls", &config->syslog_tls) < 0)
        return -1;
    return settle_heartbeats(&reading);
}

int config_read(const char *path, struct arena *arena, struct config *config, struct err *err)
{
    static const struct key keys[] = {
        {"version", read_version, 0},
        {"dir", read_string, offsetof(struct config, dir)},
        {"api", read_listen, offsetof(struct config, api)},
        {"http", read_listen, offsetof(struct config, http)},
        {"syslog", read_listen, offsetof(struct config, syslog)},
        {"syslog_tls", read_listen, offsetof(struct config, syslog_tls)},
        {"collect", read_collect, 0},
        {"certificate", read_string, offsetof(struct config, cert)},
        {"key", read_string, offsetof(struct config, key)},
        {"hosts", read_hosts, offsetof(struct config, hosts)},
        {"gate_policy", read_string, offsetof(struct config, policy)},
        {"gate_mode", read_gate_mode, offsetof(struct config, gate_mode)},
        {"policy_owner", read_policy_owner, 0},
        {"gate_socket", read_string, offsetof(struct config, gate_socket)},
        {"retention_days", read_days, offsetof(struct config, retention_days)},
        {"retention", read_retention, 0},
        {"disk_max", read_size, offsetof(struct config, disk_max)},
        {"disk_free_min", read_disk_free, offsetof(struct config, disk_free_min)},
        {"time_zone", read_zone, offsetof(struct config, time_zone)},
        {"geoip", read_string, offsetof(struct config, geoip)},
        {"cold_dir", read_string, offsetof(struct config, cold_dir)},
        {"cold_days", read_days, offsetof(struct config, cold_days)},
        {"notifiers", read_notifiers, 0},
        {"waking", read_string, offsetof(struct config, waking)},
        {"link", read_string, offsetof(struct config, link)},
        {"mailbox", read_mailbox, offsetof(struct config, mailbox)},
        {"actions", read_actions, 0},
        {"gate_webhooks", read_webhooks, offsetof(struct config, webhooks)},
        {"fireblocks", read_cosigner, offsetof(struct config, cosigner)},
        {"heartbeats", read_heartbeats, 0},
        {"holidays", read_string, offsetof(struct config, holidays)},
    };
    struct reading reading = {config, arena, err};
    const struct yaml_node *const *documents;
    struct slice text;
    size_t count;
    if (file_read(path, YAML_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    if (yaml_parse(text, arena, &documents, &count, err) < 0)
        return err_within(err, "%s", path);
    if (count != 1)
        return err_set(err, ERR_CONFIG, "%s: one YAML document is needed", path);
    if (read_mapping(&reading, documents[0], keys, ARRAY_COUNT(keys), config) < 0)
        return err_within(err, "%s", path);
    if (config->cold_dir && config->cold_dir[0] != '/')
        return err_set(err, ERR_CONFIG, "%s: cold_dir must begin with /: the store remembers it", path);
    if (config->has_policy_owner && config->gate_mode == GATE_MODE_SHADOW)
        return err_set(err, ERR_CONFIG, "%s: with policy_owner the mode is what the owner signed; remove gate_mode: shadow", path);
    if (!config->api.enabled)
        return err_set(err, ERR_CONFIG, "%s: the API cannot be switched off", path);
    return config_settle(arena, config, err) < 0 ? err_within(err, "%s", path) : 0;
}

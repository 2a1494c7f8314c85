/* The steps that know addresses, names and URLs. */
#include "decode/verb.h"

#include "base/limits.h"
#include "cut/community_id.h"
#include "cut/domain.h"
#include "cut/url.h"
#include "cut/user_agent.h"
#include "decode/decode_run.h"

static void put_part(struct run *run, uint32_t field, struct slice text)
{
    if (text.len)
        run_put(run, field, value_string(text), true);
}

/* A text that does not live as long as the batch. */
static void put_copy(struct run *run, uint32_t field, struct slice text)
{
    struct slice copy = text.len ? arena_copy(run->batch->arena, text) : SLICE("");
    run->out_of_memory |= !copy.ptr;
    put_part(run, field, copy);
}

static void put_number(struct run *run, uint32_t field, struct slice text)
{
    int64_t n;
    if (text.len)
        run_put(run, field, slice_to_i64(text, &n) ? value_i64(n) : value_string(text), true);
}

static bool get_ip(struct run *run, uint32_t field, struct ip *out)
{
    struct slice text = run_text(run, field);
    return text.ptr && ip_parse(text, out);
}

/* --- addresses --- */

struct peer {
    uint32_t ip, domain, port;
};

static int compile_address(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice prefix = yaml_text(node, SLICE_NONE);
    struct peer *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (!prefix.len)
        return yaml_err(compiler->err, node, "a prefix such as 'source' is wanted");
    if (verb_field_under(compiler, node, prefix, ".ip", &data->ip) < 0 ||
        verb_field_under(compiler, node, prefix, ".domain", &data->domain) < 0)
        return -1;
    return verb_field_under(compiler, node, prefix, ".port", &data->port);
}

/* Letters, digits, '-', '_' and '.', with a letter in it. */
static bool is_host_name(struct slice text)
{
    bool letter = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i], small = (char)(c | 0x20);
        letter |= (small >= 'a' && small <= 'z') || (unsigned char)c >= 0x80;
        if (!((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
              (unsigned char)c >= 0x80))
            return false;
    }
    return letter && text.ptr[0] != '-' && !slice_is_nocase(text, "unknown") && !slice_is_nocase(text, "none") &&
           !slice_is_nocase(text, "null");
}

static enum run_result run_address(struct run *run, const struct step *step)
{
    const struct peer *peer = step->data;
    struct slice text = slice_trim(run_text(run, step->from)), host, port;
    struct ip ip;
    if (!text.len)
        return RUN_OK;
    url_cut_host(text, &host, &port);
    if (ip_parse(host, &ip))
        put_part(run, peer->ip, host);
    else if (is_host_name(host))
        put_part(run, peer->domain, host);
    else
        return RUN_OK;
    put_number(run, peer->port, port);
    return RUN_OK;
}

/* --- URLs, names, user agents --- */

enum { URL_FIELDS = 9 };

static int compile_fields(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step,
                          const char *under, const char *const names[], int count, uint32_t *fields)
{
    struct slice prefix;
    if (verb_under(compiler, node, under, &prefix) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (verb_field_under(compiler, node, prefix, names[i], &fields[i]) < 0)
            return -1;
    return verb_option_field(compiler, node, "from", NULL, &step->from);
}

static int compile_url(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    static const char *const names[URL_FIELDS] = {"scheme", "username", "password", "domain",   "port",
                                                  "path",   "query",    "fragment", "extension"};
    uint32_t *fields = verb_data(compiler, step, URL_FIELDS * sizeof(*fields));
    return fields ? compile_fields(compiler, node, step, "url", names, URL_FIELDS, fields) : -1;
}

static enum run_result run_url(struct run *run, const struct step *step)
{
    const uint32_t *fields = step->data;
    struct slice text = slice_trim(run_text(run, step->from));
    struct url url;
    if (!text.len)
        return RUN_OK;
    url_cut(text, &url);
    const struct slice parts[URL_FIELDS] = {url.scheme, url.username, url.password, url.domain,   SLICE(""),
                                            url.path,   url.query,    url.fragment, url.extension};
    for (int i = 0; i < URL_FIELDS; i++)
        put_part(run, fields[i], parts[i]);
    put_number(run, fields[4], url.port);
    return RUN_OK;
}

enum { AGENT_FIELDS = 6 };

static int compile_user_agent(struct decoder_compiler *compiler, const struct yaml_node *node,
                              struct step *step)
{
    static const char *const names[AGENT_FIELDS] = {"name",       "version", "os.name",
                                                    "os.version", "os.full", "device.name"};
    uint32_t *fields = verb_data(compiler, step, AGENT_FIELDS * sizeof(*fields));
    return fields ? compile_fields(compiler, node, step, "user_agent", names, AGENT_FIELDS, fields) : -1;
}

static enum run_result run_user_agent(struct run *run, const struct step *step)
{
    const uint32_t *fields = step->data;
    struct slice text = run_text(run, step->from);
    struct user_agent agent;
    if (!text.len)
        return RUN_OK;
    user_agent_cut(text, &agent);
    put_part(run, fields[0], agent.name);
    put_part(run, fields[1], agent.version);
    put_part(run, fields[2], agent.os_name);
    put_copy(run, fields[3], agent.os_version_text);
    if (agent.os_version_text.len)
        put_part(run, fields[4],
                 arena_printf(run->batch->arena, "%.*s %.*s", SLICE_ARG(agent.os_name),
                              SLICE_ARG(agent.os_version_text)));
    put_part(run, fields[5], agent.device);
    return RUN_OK;
}

enum { DOMAIN_FIELDS = 3 };

static int compile_domain(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    static const char *const names[DOMAIN_FIELDS] = {"registered_domain", "top_level_domain", "subdomain"};
    uint32_t *fields = verb_data(compiler, step, DOMAIN_FIELDS * sizeof(*fields));
    if (!fields)
        return -1;
    if (!yaml_get(node, "under"))
        return yaml_err(compiler->err, node, "'under' is missing, such as dns.question");
    return compile_fields(compiler, node, step, "", names, DOMAIN_FIELDS, fields);
}

static enum run_result run_domain(struct run *run, const struct step *step)
{
    const uint32_t *fields = step->data;
    struct domain domain;
    if (!domain_cut_known(run->runner->domains, run_text(run, step->from), &domain))
        return RUN_OK;
    put_part(run, fields[0], domain.registered);
    put_part(run, fields[1], domain.suffix);
    put_part(run, fields[2], domain.subdomain);
    return RUN_OK;
}

/* --- flows --- */

enum flow_field { FLOW_SOURCE_IP, FLOW_DESTINATION_IP, FLOW_SOURCE_PORT, FLOW_DESTINATION_PORT, FLOW_TRANSPORT,
                  FLOW_NUMBER, FLOW_TYPE, FLOW_CODE, FLOW_FIELDS };

static int compile_community_id(struct decoder_compiler *compiler, const struct yaml_node *node,
                                struct step *step)
{
    uint32_t *fields = verb_data(compiler, step, FLOW_FIELDS * sizeof(*fields));
    static const char *const names[FLOW_FIELDS][2] = {
        {"", "source.ip"},         {"", "destination.ip"},      {"", "source.port"},
        {"", "destination.port"},  {"", "network.transport"},   {"", "network.iana_number"},
        {"icmp_type", "icmp.type"}, {"icmp_code", "icmp.code"}};
    for (int i = 0; fields && i < FLOW_FIELDS; i++)
        if (verb_option_field(compiler, node, names[i][0], names[i][1], &fields[i]) < 0)
            return -1;
    return fields ? verb_field(compiler, node, SLICE("network.community_id"), &step->to) : -1;
}

static bool get_port(struct run *run, uint32_t field, uint16_t *out)
{
    struct value_list list = run_get(run, field);
    int64_t n;
    if (list.count && list.values[0].type == VALUE_I64)
        n = list.values[0].i64;
    else if (!slice_to_i64(run_text(run, field), &n))
        return false;
    if (n < 0 || n > UINT16_MAX)
        return false;
    *out = (uint16_t)n;
    return true;
}

static enum run_result run_community_id(struct run *run, const struct step *step)
{
    const uint32_t *fields = step->data;
    struct flow flow = {0};
    char text[COMMUNITY_ID_SIZE];
    if (!get_ip(run, fields[FLOW_SOURCE_IP], &flow.source) ||
        !get_ip(run, fields[FLOW_DESTINATION_IP], &flow.destination))
        return RUN_OK;
    flow.protocol = protocol_number(run_text(run, fields[FLOW_TRANSPORT]));
    if (!flow.protocol)
        flow.protocol = protocol_number(run_text(run, fields[FLOW_NUMBER]));
    bool icmp = flow.protocol == PROTOCOL_ICMP || flow.protocol == PROTOCOL_ICMP6;
    flow.has_ports = get_port(run, fields[icmp ? FLOW_TYPE : FLOW_SOURCE_PORT], &flow.source_port) &&
                     (get_port(run, fields[icmp ? FLOW_CODE : FLOW_DESTINATION_PORT], &flow.destination_port) || icmp);
    if (community_id(&flow, text))
        put_copy(run, step->to, slice_text(text));
    return RUN_OK;
}

/* --- direction --- */

enum { DIRECTION_NETS_MAX = 64 };

struct nets {
    struct cidr list[DIRECTION_NETS_MAX];
    uint32_t count;
    uint32_t source, destination;
};

static int add_net(struct decoder_compiler *compiler, const struct yaml_node *node, struct nets *nets,
                   struct slice text)
{
    if (nets->count == DIRECTION_NETS_MAX)
        return yaml_err(compiler->err, node, "more than %d networks", DIRECTION_NETS_MAX);
    if (!cidr_parse(text, &nets->list[nets->count++]))
        return yaml_err(compiler->err, node, "'%.*s' is no network such as 10.0.0.0/8, private, loopback or link_local",
                        SLICE_ARG(text));
    return 0;
}

/* Names of networks (RFC 1918, 4193, 1122, 3927, 4291), or networks. */
static int add_nets(struct decoder_compiler *compiler, const struct yaml_node *node, struct nets *nets,
                    struct slice name)
{
    static const char *const named[][2] = {
        {"private", "10.0.0.0/8"},   {"private", "172.16.0.0/12"},     {"private", "192.168.0.0/16"},
        {"private", "fc00::/7"},     {"loopback", "127.0.0.0/8"},      {"loopback", "::1/128"},
        {"link_local", "169.254.0.0/16"}, {"link_local", "fe80::/10"}};
    bool found = false;
    for (size_t i = 0; i < ARRAY_COUNT(named); i++) {
        if (!slice_is(name, named[i][0]))
            continue;
        found = true;
        if (add_net(compiler, node, nets, slice_text(named[i][1])) < 0)
            return -1;
    }
    return found ? 0 : add_net(compiler, node, nets, name);
}

static int compile_direction(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    static const struct slice usual[] = {{"private", 7}};
    const struct slice *names = usual;
    uint32_t count = 1;
    struct nets *data = verb_data(compiler, step, sizeof(*data));
    const struct yaml_node *internal = yaml_get(node, "internal");
    if (!data || (internal && verb_texts(compiler, internal, &names, &count) < 0))
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (add_nets(compiler, internal ? internal : node, data, names[i]) < 0)
            return -1;
    if (verb_field(compiler, node, SLICE("source.ip"), &data->source) < 0 ||
        verb_field(compiler, node, SLICE("destination.ip"), &data->destination) < 0)
        return -1;
    return verb_field(compiler, node, SLICE("network.direction"), &step->to);
}

static bool is_internal(const struct nets *nets, const struct ip *ip)
{
    for (uint32_t i = 0; i < nets->count; i++)
        if (cidr_contains(&nets->list[i], ip->bytes, ip->family))
            return true;
    return false;
}

static enum run_result run_direction(struct run *run, const struct step *step)
{
    const struct nets *nets = step->data;
    struct ip source, destination;
    if (!get_ip(run, nets->source, &source) || !get_ip(run, nets->destination, &destination))
        return RUN_OK;
    bool from = is_internal(nets, &source), to = is_internal(nets, &destination);
    struct slice name = from ? (to ? SLICE("internal") : SLICE("outbound")) : (to ? SLICE("inbound") : SLICE("external"));
    run_put(run, step->to, value_string(name), true);
    return RUN_OK;
}

static const struct verb list[] = {
    {"address", VERB_PAIRS, "", compile_address, run_address, NEEDS_FROM},
    {"url", VERB_OPTIONS, "from under", compile_url, run_url, NEEDS_FROM},
    {"user_agent", VERB_OPTIONS, "from under", compile_user_agent, run_user_agent, NEEDS_FROM},
    {"registered_domain", VERB_OPTIONS, "from under", compile_domain, run_domain, NEEDS_FROM},
    {"community_id", VERB_OPTIONS, "icmp_type icmp_code", compile_community_id, run_community_id, NEEDS_NOTHING},
    {"direction", VERB_OPTIONS, "internal", compile_direction, run_direction, NEEDS_NOTHING},
};
const struct verb_family verbs_net = {list, ARRAY_COUNT(list)};

/* CEF, LEEF, URLs, hosts, hardware addresses, durations, user agents, domain names, escapes, encodings, lines that are joined: pieces lie within the
 * text, walks end, and what is undone is no longer than it was. */
#include "base/arena.h"
#include "base/elapsed.h"
#include "base/limits.h"
#include "base/mac.h"
#include "base/unescape.h"
#include "cut/cef.h"
#include "cut/domain.h"
#include "cut/encoding.h"
#include "cut/line_join.h"
#include "cut/url.h"
#include "cut/user_agent.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct slice whole, struct slice part)
{
    assert(!part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_header(struct slice text, bool (*cut)(struct slice text, struct cef *out), struct arena *arena)
{
    struct cef cef;
    struct kv_pair pair;
    size_t pairs = 0;
    if (!cut(text, &cef))
        return;
    for (int i = 0; i < CEF_PARTS; i++)
        within(text, cef.part[i]);
    within(text, cef.extension);
    struct kv kv = cef_pairs(&cef);
    while (kv_next(&kv, &pair)) {
        within(text, pair.key);
        within(text, pair.value);
        assert(cef_unescape(pair.value, arena).len <= pair.value.len);
        assert(++pairs <= text.len);
    }
}

static void check_names(struct slice text)
{
    struct url url;
    struct slice host, port;
    struct domain domain;
    struct user_agent agent;
    url_cut(text, &url);
    const struct slice parts[] = {url.scheme, url.username, url.password, url.domain, url.port,
                                  url.path,   url.query,    url.fragment, url.extension};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        within(parts[i].ptr && parts[i].len ? text : parts[i], parts[i]);
    url_cut_host(text, &host, &port);
    within(text, host);
    if (domain_cut(text, &domain)) {
        within(text, domain.suffix);
        within(text, domain.registered);
        assert(domain.suffix.len <= text.len);
    }
    user_agent_cut(text, &agent);
    assert(agent.name.len && agent.os_version_text.len < UA_VERSION_SIZE);
}

static void check_values(struct slice text)
{
    struct mac mac;
    int64_t ns = 0;
    if (mac_parse(text, &mac))
        assert(mac.len == 17 || mac.len == 23);
    if (elapsed_parse(text, &ns) || elapsed_scaled(text, 60, &ns))
        assert(ns >= 0);
}

static void check_undone(struct slice text, struct arena *arena)
{
    struct slice (*const undo[])(struct slice text, struct arena *arena) = {
        unescape_url, unescape_backslash, unescape_octal, unescape_base64, unescape_hex};
    for (size_t i = 0; i < sizeof(undo) / sizeof(*undo); i++)
        assert(undo[i](text, arena).len <= text.len);
}

static void check_lines(struct slice text)
{
    struct line_join join = {.by_stamp = line_join_by_stamp(text)};
    struct slice rest = text, line;
    while (slice_next_line(&rest, &line))
        (void)line_join_begins(&join, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * MIB);
    struct slice text = slice_of((const char *)data, size);
    struct encoding encoding = {0};
    bool damaged = false;
    if (!arena)
        return 0;
    check_header(text, cef_cut, arena);
    check_header(text, leef_cut, arena);
    check_names(text);
    check_values(text);
    check_undone(text, arena);
    check_lines(text);
    struct slice name = encoding_guess(text);
    if (name.len)
        assert(encoding_to_utf8(&encoding, name, text, arena, &damaged).ptr);
    encoding_close(&encoding);
    arena_free(arena);
    return 0;
}

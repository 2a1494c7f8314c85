/* What each verb makes of a line: steps, a line, and the fields that come of it. */
#include "base/buffer.h"
#include "decode/decode.h"

#include "test.h"

struct made {
    struct batch *batch;
    char why[512];
};

static struct made make(const char *steps, const char *line, struct slice hints)
{
    struct buffer file, body;
    struct decoders *decoders;
    struct err err;
    struct made made = {.batch = batch_new(BATCH_ARENA_MAX)};
    struct decode_place place = {0};
    buffer_init(&file, MIB);
    buffer_init(&body, MIB);
    buffer_printf(&file, "name: t\nversion: 1\nrecognise: {sources: [t]}\nsteps:\n%s", steps);
    delivery_put_record(&body, slice_text(line), hints);
    err_clear(&err);
    if (decoders_load_text(buffer_slice(&file), "t.yaml", &decoders, &err) < 0)
        fail_msg("%s", err.text);
    struct decode *decode = decode_new(decoders);
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&body)};
    delivery.received_ns = 1772323200 * NS_PER_SECOND; /* 2026-03-01 */
    delivery.origin.dataset = SLICE("t");
    assert_int_equal(decode_delivery(decode, &delivery, &place, made.batch, &err), 0);
    assert_int_equal(decode_finish(made.batch, &err), 0);
    decode_free(decode);
    decoders_free(decoders);
    buffer_close(&file);
    buffer_close(&body);
    return made;
}

static void check_field(const struct batch *batch, struct slice name, struct slice want)
{
    struct slice got = SLICE("");
    struct arena *arena = arena_new(MIB);
    struct column *column = batch_find(batch, name);
    uint32_t first = 0, count = column ? column_range(column, 0, &first) : 0;
    struct buffer text;
    buffer_init(&text, MIB);
    for (uint32_t i = 0; i < count; i++) {
        struct slice one = value_text(column->values[first + i], arena);
        if (i)
            buffer_put_char(&text, '|');
        buffer_put(&text, one);
    }
    got = buffer_slice(&text);
    if (!slice_equal(got, want))
        fail_msg("%.*s is '%.*s', not '%.*s'", SLICE_ARG(name), SLICE_ARG(got), SLICE_ARG(want));
    buffer_close(&text);
    arena_free(arena);
}

/* wanted: "field=value" lines; "field=" when it must not be there; several values with '|' between. */
static void becomes_with(const char *steps, const char *line, const char *hints, const char *wanted)
{
    struct made made = make(steps, line, slice_text(hints));
    struct slice rest = slice_text(wanted), one, name, value;
    while (slice_next_line(&rest, &one)) {
        assert_true(slice_cut(one, '=', &name, &value));
        check_field(made.batch, name, value);
    }
    batch_free(made.batch);
}

static void becomes(const char *steps, const char *line, const char *wanted)
{
    becomes_with(steps, line, "", wanted);
}

static void refused(const char *steps, const char *why)
{
    struct buffer file;
    struct decoders *decoders;
    struct err err;
    buffer_init(&file, MIB);
    buffer_printf(&file, "name: t\nversion: 1\nsteps:\n%s", steps);
    assert_int_equal(decoders_load_text(buffer_slice(&file), "t.yaml", &decoders, &err), -1);
    assert_string_equal(err.text, why);
    buffer_close(&file);
}

static void pairs_of_key_and_value(void **state)
{
    (void)state;
    becomes("  - kv: {under: k, names: {src: source.ip}, skip: ['', N/A], quotes: \"\\\"'\"}\n",
            "src=192.0.2.1 a='two words' b=\"x \\\" y\" c= d=N/A e=1",
            "source.ip=192.0.2.1\nk.a=two words\nk.b=x \" y\nk.c=\nk.d=\nk.e=1");
    becomes("  - kv: {under: k, separator: '; ', equals: ':'}\n", "a:1; b:2 3; c:http://x/", "k.a=1\nk.b=2 3\nk.c=http://x/");
    becomes("  - kv: {under: k, spaces: true}\n", "msg=a b c d=1 path=/x y=z", "k.msg=a b c\nk.d=1\nk.path=/x\nk.y=z");
    becomes("  - kv: {under: k, spaces: true}\n", "a=x = y b=q\\=1 c=2", "k.a=x = y\nk.b=q\\=1\nk.c=2");
    refused("  - kv: {separator: ''}\n", "t.yaml: line 4: 'separator' must not be empty");
}

static void cells(void **state)
{
    (void)state;
    becomes("  - csv: [a, ~, c, d]\n", "1,2,\"x,\"\"y\"\"\",", "a=1\nc=x,\"y\"\nd=");
    becomes("  - tsv: [a, b]\n", "1\t2 3", "a=1\nb=2 3");
    becomes_with("  - csv: {header: true, under: asset}\n", "srv-1,192.0.2.7", "header=name,ip", "asset.name=srv-1\nasset.ip=192.0.2.7");
    becomes("  - csv: {header: true, under: asset}\n", "srv-1,192.0.2.7",
            "error.message=decoder t, line 5: the names of the cells are not known: the file's header line is missing");
    becomes_with("  - w3c: {under: iis, names: {c-ip: source.ip}}\n", "2026-03-01 192.0.2.9 - \"a b\"",
                 "header=date c-ip cs-username x-text", "iis.date=2026-03-01\nsource.ip=192.0.2.9\niis.cs-username=\niis.x-text=a b");
    becomes("  - w3c: {under: p, layouts: [[a, b], [a, b, c]]}\n", "1 2 3", "p.a=1\np.c=3");
}

static void formats_with_names_of_their_own(void **state)
{
    (void)state;
    becomes("  - cef: {names: {src: source.ip}}\n",
            "Mar 1 00:00:00 h CEF:0|Ven\\|dor|Prod|1.0|100|A name|7|src=192.0.2.1 msg=two words \\= one\\nnew cs1Label=Why cs1=because x",
            "cef.version=0\ncef.device.vendor=Ven|dor\ncef.device.event_class_id=100\ncef.name=A name\ncef.severity=7\n"
            "source.ip=192.0.2.1\ncef.extensions.cs1Label=Why\ncef.extensions.cs1=because x");
    becomes("  - leef:\n", "LEEF:1.0|V|P|2|login|src=192.0.2.1\tusrName=aoi k", "leef.event_id=login\nleef.attributes.src=192.0.2.1\nleef.attributes.usrName=aoi k");
    becomes("  - leef:\n", "LEEF:2.0|V|P|2|login|x5e|a=1^b=2 3", "leef.attributes.a=1\nleef.attributes.b=2 3");
    becomes("  - xml: {under: x}\n", "<a id=\"7\"><b>one</b><b>two</b></a>", "x.a.id=7\nx.a.b=one|two");
    becomes("  - cef:\n", "no header", "error.message=decoder t, line 5: the text has no CEF header");
}

static void addresses_and_names(void **state)
{
    (void)state;
    static const char steps[] = "  - csv: [_a]\n  - address: {_a: source}\n";
    becomes(steps, "192.0.2.1:443", "source.ip=192.0.2.1\nsource.port=443\nsource.domain=");
    becomes(steps, "[2001:db8::1%eth0]:80", "source.ip=2001:db8::1\nsource.port=80");
    becomes(steps, "2001:db8::1", "source.ip=2001:db8::1\nsource.port=");
    becomes(steps, "web-1.example.com:80", "source.domain=web-1.example.com\nsource.port=80\nsource.ip=");
    becomes(steps, "unknown", "source.domain=\nsource.ip=");
    becomes(steps, "999.1.1.1", "source.domain=\nsource.ip=");
    becomes("  - registered_domain: {from: _text, under: d}\n", "www.example.co.jp.",
            "d.registered_domain=example.co.jp\nd.top_level_domain=co.jp\nd.subdomain=www");
    becomes("  - registered_domain: {from: _text, under: d}\n", "192.0.2.1", "d.registered_domain=\nd.top_level_domain=");
    becomes("  - url: {from: _text}\n", "https://u:p@example.com:8443/a/b.png?q=1#f",
            "url.scheme=https\nurl.username=u\nurl.password=p\nurl.domain=example.com\nurl.port=8443\nurl.path=/a/b.png\n"
            "url.query=q=1\nurl.fragment=f\nurl.extension=png");
    becomes("  - url: {from: _text, under: u}\n", "/a?b=http://x/y.z", "u.path=/a\nu.query=b=http://x/y.z\nu.domain=\nu.extension=");
    becomes("  - url: {from: _text}\n", "example.com:443", "url.domain=example.com\nurl.port=443\nurl.path=");
    becomes("  - user_agent: {from: _text}\n",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
            "user_agent.name=Chrome\nuser_agent.version=120.0.0.0\nuser_agent.os.name=Windows\nuser_agent.os.version=10\nuser_agent.device.name=Other");
}

static void flows(void **state)
{
    (void)state;
    static const char tcp[] = "  - csv: [source.ip, source.port, destination.ip, destination.port, network.transport]\n"
                              "  - convert: {source.port: int, destination.port: int}\n  - community_id:\n  - direction:\n";
    /* from the specification's own baseline */
    becomes(tcp, "128.232.110.120,34855,66.35.250.204,80,tcp", "network.community_id=1:LQU9qZlK+B5F3KDmev6m5PMibrg=\nnetwork.direction=external");
    becomes(tcp, "66.35.250.204,80,128.232.110.120,34855,6", "network.community_id=1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    becomes(tcp, "10.0.0.1,1,192.0.2.1,2,udp", "network.direction=outbound");
    becomes(tcp, "10.0.0.1,,10.0.0.2,,tcp", "network.community_id=\nnetwork.direction=internal");
    refused("  - direction: {internal: [office]}\n",
            "t.yaml: line 4: 'office' is no network such as 10.0.0.0/8, private, loopback or link_local");
}

static void values(void **state)
{
    (void)state;
    becomes("  - eval: {x: \"upper(_text) . \\\"!\\\"\", n: \"len(_text) * 2\", none: \"nullif(1, 1)\"}\n", "abc", "x=ABC!\nn=6\nnone=");
    becomes("  - csv: [a, b, c, d, e]\n  - convert: {a: base64, b: urldecode, c: octal, d: unescape, e: hextext}\n",
            "aGVsbG8=,a%20b+c,Session\\040Expiration,x\\ty\\u00e9,6c73", "a=hello\nb=a b c\nc=Session Expiration\nd=x\ty\xc3\xa9\ne=ls");
    becomes("  - csv: [a]\n  - convert: {a: base64}\n    optional: true\n", "a*b", "a=a*b");
    becomes("  - csv: [_t, _z]\n  - date: {from: _t, to: when, formats: ['%Y-%m-%d %H:%M:%S'], zone_from: _z}\n",
            "2026-03-01 09:00:00,+09:00", "when=2026-03-01T00:00:00Z");
    becomes("  - csv: [_t, _z]\n  - date: {from: _t, to: when, formats: ['%Y-%m-%d %H:%M:%S'], zone_from: _z}\n",
            "2026-03-01 09:00:00,nonsense", "when=2026-03-01T09:00:00Z");
}

static void shared_tables(void **state)
{
    (void)state;
    becomes("  - lookup: {from: _text, to: x, table: ports, otherwise: other}\n---\ntable: ports\nrows: {'80, 8080': http, 443: https}\n",
            "8080", "x=http");
    refused("  - lookup: {from: _text, to: x, table: ports}\n", "t.yaml: line 4: there is no table 'ports'");
}

static void several_values(void **state)
{
    (void)state;
    becomes("  - json: {under: r}\n  - pairs: {names: r.p.name, values: r.p.value, under: r.by_name, fields: {user: user.name}}\n"
            "  - join: {r.l: '+'}\n",
            "{\"p\":[{\"name\":\"user\",\"value\":\"aoi\"},{\"name\":\"n\",\"value\":7},{\"name\":\"empty\"}],\"l\":[\"a\",\"b\"]}",
            "user.name=aoi\nr.by_name.n=7\nr.by_name.empty=\nr.l=a+b");
}

static void fields_under_a_prefix(void **state)
{
    (void)state;
    becomes("  - kv: {under: a.b}\n  - clean: {under: a, values: ['-', '']}\n", "x=- y=1 z=", "a.b.x=\na.b.y=1\na.b.z=");
    becomes("  - kv: {under: a.b}\n  - copy: {a.b.x: keep}\n  - drop: 'a.*'\n", "x=1 y=2", "keep=1\na.b.x=\na.b.y=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_key_and_value), cmocka_unit_test(cells),
        cmocka_unit_test(formats_with_names_of_their_own), cmocka_unit_test(addresses_and_names),
        cmocka_unit_test(flows), cmocka_unit_test(values), cmocka_unit_test(shared_tables),
        cmocka_unit_test(several_values), cmocka_unit_test(fields_under_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

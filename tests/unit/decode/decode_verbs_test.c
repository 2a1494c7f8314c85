/* What each verb makes of a line: steps, a line, and the fields that come of it. */
#include "base/buffer.h"
#include "decode/decode.h"

#include "test.h"

#include <stdio.h>

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

static void hardware_addresses(void **state)
{
    static const char *const fit[] = {"00:1a:2b:3c:4d:5e", "0-1A-2b-3c-4d-5e", "001a.2b3c.4d5e", "001A-2B3C-4D5E", "001a2b3c4d5e", "0x001a2b3c4d5e", " 00 1a 2b 3c 4d 5e "};
    static const char *const others[] = {"00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5g", "00:1a-2b:3c:4d:5e", "001a2b", "::", "00:1a:2b:3c:4d:5e:", "", "001a:2b3c"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(fit); i++)
        becomes("  - set: {m: '${_text}'}\n  - convert: {m: mac}\n", fit[i], "m=00-1A-2B-3C-4D-5E\nerror.message=");
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        char wanted[200];
        snprintf(wanted, sizeof(wanted), "m=%s", others[i]);
        becomes("  - set: {m: '${_text}'}\n  - convert: {m: mac}\n    optional: true\n", others[i], wanted);
    }
    becomes("  - set: {m: [a0b1c2d3e4f50617, '1:2:3:4:5:6']}\n  - convert: {m: mac}\n", "x", "m=A0-B1-C2-D3-E4-F5-06-17|01-02-03-04-05-06");
}

static void lengths_of_time(void **state)
{
    static const char *const fit[][2] = {
        {"1h2m3s", "3723000000000"}, {"2h:05m:09s", "7509000000000"}, {"250ms", "250000000"}, {"1.5 s", "1500000000"}, {"00:01:02", "62000000000"},
        {"3 days, 4:05:06", "273906000000000"}, {"1.02:03:04.5", "93784500000000"}, {"PT1H2M3.5S", "3723500000000"}, {"P1DT1S", "86401000000000"},
        {"12\xc2\xb5s", "12000"}, {"0:00:30", "30000000000"}, {"1.23456789012s", "1234567890"}, {"0.0000000015 s", "2"}, {"0s", "0"}, {"1 minute 1 sec", "61000000000"}};
    static const char *const others[] = {"12", "1:02", "1x", "h", "-1s", "1h2", "PT", "P1H", "00:1m:02", "9999999999999999999s", "300 years", "1:02:03:04"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(fit); i++) {
        char wanted[200];
        snprintf(wanted, sizeof(wanted), "d=%s", fit[i][1]);
        becomes("  - duration: {from: _text, to: d}\n", fit[i][0], wanted);
    }
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        char wanted[200];
        snprintf(wanted, sizeof(wanted), "event.duration=\nerror.message=decoder t, line 5: '%s' is no duration", others[i]);
        becomes("  - duration: {from: _text}\n", others[i], wanted);
    }
    becomes("  - kv:\n  - duration: {from: a, unit: s}\n  - duration: {from: b, to: b, unit: ms}\n", "a=1.25 b=0.5", "event.duration=1250000000\nb=500000");
    becomes("  - json:\n  - duration: {from: a, unit: s}\n", "{\"a\":1.5e-05}", "event.duration=15000");
    becomes("  - kv:\n  - duration: {from: b, unit: s}\n", "a=1", "event.duration=\nerror.message=");
    becomes("  - kv:\n  - duration: {from: a, unit: s}\n", "a=-1", "event.duration=\nerror.message=decoder t, line 6: '-1' is no duration");
    refused("  - duration: {from: a, unit: x}\n", "t.yaml: line 4: 'unit' is ns, us, ms, s, min, h, d or w");
}

static void bits_have_names(void **state)
{
    static const char steps[] = "  - kv:\n  - bits: {from: a, to: flags, table: {0x40000000: forwardable, 0x10: renewable, 3: both, 0x8000000000000000: top}}\n";
    (void)state;
    becomes(steps, "a=0x40810010", "flags=forwardable|renewable");
    becomes(steps, "a=7", "flags=both");
    becomes(steps, "a=0xFFFFFFFFFFFFFFFF", "flags=forwardable|renewable|both|top");
    becomes(steps, "a=0", "flags=\nerror.message=");
    becomes(steps, "b=1", "flags=\nerror.message=");
    becomes(steps, "a=0x", "error.message=decoder t, line 6: '0x' is no number");
    refused("  - bits: {from: a, to: b, table: {x: y}}\n", "t.yaml: line 4: 'x' is no mask: a number such as 0x40 is wanted");
    refused("  - bits: {from: a, to: b, table: {0: y}}\n", "t.yaml: line 4: '0' is no mask: a number such as 0x40 is wanted");
    refused("  - bits: {from: a, to: b}\n", "t.yaml: line 4: 'table' must be a mapping of at most 64 masks to names");
}

static void constants_beside_what_is_there(void **state)
{
    (void)state;
    becomes("  - set: {event.type: [start, denied]}\n  - add: {event.type: [denied, user], tags: x}\n", "x", "event.type=start|denied|user\ntags=x");
    refused("  - add: {a: '${b}'}\n", "t.yaml: line 4: 'add' takes constants; 'append' adds what a field has");
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
    becomes("  - leef:\n", "LEEF:1.0|V|P|2|login|usrName=CORP\\ren", "leef.attributes.usrName=CORP\\ren");
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

/* Names that begin with '_' keep all values of a step; those of an earlier step are replaced, unless 'append' or 'add' says otherwise. */
static void several_values_for_the_decoder_alone(void **state)
{
    (void)state;
    becomes("  - json: {under: r}\n  - copy: {r.l: _l}\n  - copy: {_l: a}\n  - join: {_l: '+'}\n  - copy: {_l: b}\n", "{\"l\":[\"x\",\"y\",3]}", "a=x|y|3\nb=x+y+3");
    becomes("  - kv: {names: {k: _k}}\n  - append: {related.ip: _k}\n", "k=192.0.2.1 k=192.0.2.2 k=192.0.2.1", "related.ip=192.0.2.1|192.0.2.2");
    becomes("  - split: {_l: ','}\n  - set: {_l: 'p,q'}\n  - split: {_l: ','}\n  - convert: {_l: uppercase}\n  - copy: {_l: a}\n", "x", "a=P|Q");
    becomes("  - regex: '^(?<_a>.)'\n  - regex: '(?<_a>.)$'\n  - copy: {_a: a}\n", "xyz", "a=z");
    becomes("  - set: {_a: [x, y]}\n  - set: {b: z}\n  - append: {_a: b}\n  - add: {_a: [y, w]}\n  - copy: {_a: a}\n  - drop: _a\n  - copy: {_a: c}\n", "x", "a=x|y|z|w\nc=");
    becomes("  - set: {_a: [x, y]}\n  - set: {_a: z}\n  - copy: {_a: a}\n", "x", "a=z");
    becomes("  - set: {_a: [x, y]}\n  - lookup: {from: _a, to: _b, table: {x: 1, y: 2}}\n  - copy: {_b: b}\n  - set: {c: '${_a}'}\n", "x", "b=1|2\nc=x");
}

static void texts_as_lists_of_bytes(void **state)
{
    (void)state;
    becomes("  - json: {under: j}\n  - octets: 'j.*'\n", "{\"a\":[104,105],\"b\":[\"104\"],\"c\":[1,256],\"d\":[227,129,130],\"e\":\"x\"}", "j.a=hi\nj.b=104\nj.c=1|256\nj.e=x");
    becomes("  - json: {under: j}\n  - octets: 'j.*'\n", "{\"d\":[227,129,130],\"e\":[1,-1],\"f\":[1.5]}", "j.d=\xe3\x81\x82\nj.e=1|-1\nj.f=1.5");
    refused("  - octets: j\n", "t.yaml: line 4: 'octets' wants the fields of a prefix: 'name.*'");
}

static void one_value_after_the_other(void **state)
{
    (void)state;
    becomes("  - set: {_l: '${_text}'}\n  - split: {_l: ', '}\n  - each: _l\n    steps:\n      - dissect: '%{a.name} %{a.ttl}'\n        optional: true\n"
            "  - copy: {_text: whole}\n",
            "x 1, y, z 3", "a.name=x|z\na.ttl=1|3\nwhole=x 1, y, z 3");
    becomes("  - json: {under: r}\n  - each: r.l\n    steps:\n      - regex: '^(?<_n>\\d+)$'\n      - append: {n: _n}\n", "{\"l\":[\"1\",2,null,3,\"x\",4]}",
            "n=1|2|3\nerror.message=decoder t, line 8: the text does not fit the pattern");
    becomes("  - each: missing\n    steps:\n      - fail: never\n", "x", "error.message=");
    refused("  - each: a\n", "t.yaml: line 4: 'steps' is missing");
    becomes("  - kv:\n  - convert: {a: int, b: int, c: int, d: int}\n    optional: true\n", "a=12.0 b=7.000 c=1.5 d=.0", "a=12\nb=7\nc=1.5\nd=.0");
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
        cmocka_unit_test(hardware_addresses),
        cmocka_unit_test(lengths_of_time),
        cmocka_unit_test(bits_have_names),
        cmocka_unit_test(constants_beside_what_is_there),
        cmocka_unit_test(several_values_for_the_decoder_alone),
        cmocka_unit_test(texts_as_lists_of_bytes),
        cmocka_unit_test(one_value_after_the_other),
        cmocka_unit_test(pairs_of_key_and_value), cmocka_unit_test(cells),
        cmocka_unit_test(formats_with_names_of_their_own), cmocka_unit_test(addresses_and_names),
        cmocka_unit_test(flows), cmocka_unit_test(values), cmocka_unit_test(shared_tables),
        cmocka_unit_test(several_values), cmocka_unit_test(fields_under_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

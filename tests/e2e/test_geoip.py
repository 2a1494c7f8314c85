#!/usr/bin/env python3
"""iplocation against a database that is written here, byte by byte, after the specification of the MaxMind DB
format 2.0; and what the commands on stored events say about a real store."""
import ipaddress
import json
import pathlib
import struct
import tempfile

from harness import Checks, run, search

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-geoip-"))


def control(kind, size):
    """The control byte (and what follows) of a value: type in the first three bits, or extended."""
    first = (kind << 5) if kind < 8 else 0
    tail = bytes([kind - 7]) if kind >= 8 else b""
    if size < 29:
        return bytes([first | size]) + tail
    if size < 29 + 256:
        return bytes([first | 29]) + tail + bytes([size - 29])
    return bytes([first | 30]) + tail + struct.pack(">H", size - 285)


def encode(value, kind=None):
    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, str):
        data = value.encode()
        return control(2, len(data)) + data
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return control(kind or 6, len(data)) + data
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def write_database(path, networks):
    """A binary tree of 24-bit records over IPv6, in which IPv4 lies below ::/96."""
    nodes = [[None, None]]
    data, places = b"", {}
    for network, record in networks.items():
        net = ipaddress.ip_network(network)
        bits, length = int(net.network_address), net.prefixlen + (96 if net.version == 4 else 0)
        node = 0
        for at in range(length):
            side = bits >> (127 - at) & 1
            if at == length - 1:
                places[(node, side)] = len(data)
                nodes[node][side] = ("data", len(data))
                data += encode(record)
            else:
                if nodes[node][side] is None:
                    nodes.append([None, None])
                    nodes[node][side] = len(nodes) - 1
                node = nodes[node][side]
    count, tree = len(nodes), b""
    for node in nodes:
        for side in node:
            number = count if side is None else count + 16 + side[1] if isinstance(side, tuple) else side
            tree += number.to_bytes(3, "big")
    meta = {"node_count": count, "record_size": 24, "ip_version": 6, "database_type": "Test-City", "languages": ["en", "ja"],
            "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1700000000, "description": {"en": "test"}}
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + control(7, len(meta))
                     + b"".join(encode(k) + encode(v, {"node_count": 6, "build_epoch": 9}.get(k, 5)) for k, v in meta.items()))


TOKYO = {"city": {"names": {"en": "Tokyo", "ja": "東京"}}, "continent": {"names": {"en": "Asia", "ja": "アジア"}},
         "country": {"names": {"en": "Japan", "ja": "日本"}}, "location": {"latitude": 35.5, "longitude": 139.75, "time_zone": "Asia/Tokyo"},
         "subdivisions": [{"names": {"en": "Tokyo"}}]}
AUSTIN = {"country": {"names": {"en": "United States"}}, "location": {"latitude": -30.0, "longitude": 97.0, "metro_code": 635}}


def table(rows, spl, *options):
    (tmp / "main.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, err = run("search", "--data", tmp / "main.jsonl", "--data-dir", tmp, "--format", "jsonl", *options, spl)
    return [json.loads(line) for line in out.splitlines()] if status == 0 else err


def places():
    rows = [{"ip": ip} for ip in ("203.0.113.7", "198.51.100.1", "2001:db8::1", "10.1.2.3", "127.0.0.1", "no address", "8.8.8.8")] + [{"n": 1}]
    checks.check("without a database it says how to get one", "iplocation needs a database of places" in table(rows, "* | iplocation ip"))
    write_database(tmp / "city.mmdb", {"203.0.113.0/24": TOKYO, "198.51.100.0/25": AUSTIN, "2001:db8::/32": TOKYO, "10.0.0.0/8": TOKYO})
    got = table(rows, "* | iplocation ip")
    tokyo = {"City": "Tokyo", "Country": "Japan", "Region": "Tokyo", "lat": 35.5, "lon": 139.75}
    checks.equal("an address of version 4", got[0], {"ip": "203.0.113.7", **tokyo})
    checks.equal("a record that lacks fields", got[1], {"ip": "198.51.100.1", "Country": "United States", "lat": -30, "lon": 97})
    checks.equal("an address of version 6", got[2], {"ip": "2001:db8::1", **tokyo})
    checks.equal("private ones, text, unknown ones and none get no fields", got[3:], rows[3:])
    got = table(rows[:2], '* | iplocation prefix=src_ allfields=true lang=ja ip | table src_City src_Country src_Region src_Continent src_Timezone src_MetroCode')
    checks.equal("all fields, a language, a prefix; English where the language is missing", got, [
        {"src_City": "東京", "src_Country": "日本", "src_Region": "Tokyo", "src_Continent": "アジア", "src_Timezone": "Asia/Tokyo"},
        {"src_Country": "United States", "src_MetroCode": 635}])
    checks.equal("a field that is there is replaced, and kept where nothing is known",
                 table([{"ip": "203.0.113.7", "City": "x"}, {"ip": "10.0.0.1", "City": "y"}], "* | iplocation ip | table City"), [{"City": "Tokyo"}, {"City": "y"}])
    (tmp / "city.mmdb").write_bytes(b"not a database")
    checks.check("a file that is none is named", "cannot be read as a MaxMind database" in table(rows, "* | iplocation ip"))
    (tmp / "city.mmdb").unlink()


def stored():
    lines = "".join(json.dumps({"@timestamp": f"2026-01-0{1 + i % 3}T00:00:{i % 60:02}Z", "host": {"name": f"h{i % 2}"}, "message": f"line {i}"}) + "\n" for i in range(300))
    (tmp / "in.jsonl").write_text(lines)
    folder = tmp / "store-of-it"
    status, _, err = run("import", "--dir", folder, tmp / "in.jsonl")
    checks.equal("import", status, 0)
    checks.equal("eventcount", search(folder, "| eventcount"), [{"count": 300}])
    by_index = search(folder, "| eventcount summarize=f report_size=t")
    checks.check("eventcount of each index", sum(r["count"] for r in by_index) == 300 and all(r["size_bytes"] > 0 and r["index"] for r in by_index), str(by_index))
    parts = search(folder, "| dbinspect | stats sum(eventCount) as n min(startEpoch) as first dc(bucketId) as parts")
    checks.equal("dbinspect", parts, [{"n": 300, "first": 1767225600, "parts": 3}])
    checks.equal("dbinspect of a day", search(folder, "| dbinspect | where startEpoch<1767312000 | stats sum(eventCount) as n"), [{"n": 100}])
    checks.equal("metadata", [{k: r[k] for k in ("host", "totalCount")} for r in search(folder, "| metadata type=hosts")],
                 [{"host": "h0", "totalCount": 150}, {"host": "h1", "totalCount": 150}])
    checks.equal("typeahead", search(folder, "| typeahead prefix=host count=1")[0]["content"], "host")
    search(folder, "* | head 2 | table message | outputcsv two")
    checks.equal("outputcsv lies in csv/ beside the store", (folder / "csv/two.csv").read_bytes().split(b"\r\n")[0], b"message")


places()
stored()
checks.finish()

#!/usr/bin/env python3
"""A second reader of the files of a store, written from docs/format and sharing no code with the program: what
tests compare with what the program says. Covers the manifest, the journal with its deliveries, and of segments
(versions 1 to 3) every stream's checksum and the values of every encoding; not: the ledger, batch ids, bloom filters, trigrams, time counts.

  store_dump.py DATA    prints every event as JSON: seq, where it lies, source, its bytes
"""
import ctypes
import ctypes.util
import datetime
import ipaddress
import json
import os
import pathlib
import struct
import sys

ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
ZSTD.ZSTD_decompress.restype = ZSTD.ZSTD_isError.restype = ctypes.c_size_t
ZSTD.ZSTD_isError.argtypes = [ctypes.c_size_t]
ZSTD.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
MASK64 = (1 << 64) - 1


class Damaged(Exception):
    pass


def need(true, what):
    if not true:
        raise Damaged(what)


def make_crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data):
    crc, table = 0xFFFFFFFF, CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def unzstd(data, raw_len):
    room = ctypes.create_string_buffer(raw_len + 1)
    got = ZSTD.ZSTD_decompress(room, raw_len, data, len(data))
    need(not ZSTD.ZSTD_isError(got) and got == raw_len, "a zstd frame")
    return room.raw[:raw_len]


def signed(n):
    return n - (1 << 64) if n >> 63 else n


class Bytes:
    """Takes numbers and texts off the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        need(count <= self.left(), "bytes are missing")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.take(1)[0]

    def le(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        n = shift = 0
        while True:
            byte = self.u8()
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n & MASK64

    def zigzag(self):
        n = self.varint()
        return signed((n >> 1 ^ -(n & 1)) & MASK64)

    def text(self):
        return self.take(self.varint())

    def optional(self):
        length = self.varint()
        return self.take(length - 1) if length else None


def unpack(data, count, width):
    if width == 0:
        return [0] * count
    need(len(data) == (count * width + 7) // 8, "packed numbers")
    bits, mask = int.from_bytes(data, "little"), (1 << width) - 1
    return [bits >> i * width & mask for i in range(count)] if count <= 128 else \
        [int.from_bytes(data[i * width // 8:i * width // 8 + 9], "little") >> i * width % 8 & mask for i in range(count)]


def take_ints(data, count):
    flags = data.u8()
    if not count:
        return []
    before = data.zigzag() if flags & 1 else 0
    out = []
    while len(out) < count:
        n = min(128, count - len(out))
        low, width = data.zigzag(), data.u8()
        out += [(low + v) & MASK64 for v in unpack(data.take((n * width + 7) // 8), n, width)]
    if flags & 1:
        for i, step in enumerate(out):
            before = out[i] = (before + step) & MASK64
    by = (1, 10**3, 10**6, 10**9)[flags >> 1 & 3]
    return [signed(n * by & MASK64) for n in out]


def all_ints(raw, count):
    data = Bytes(raw)
    out = take_ints(data, count)
    need(data.left() == 0, "integers are left over")
    return out


# ---- the journal ----

def take_events(payload, first_seq, count):
    data = Bytes(payload)
    names = ("source", "stream", "dataset", "peer", "identity", "path", "zone")
    origin = {name: data.optional() for name in names}
    origin["received"] = signed(data.le(8))
    origin["key"], _ = data.optional(), data.optional()
    framing = data.u8()
    need(data.varint() == count, "the number of events of a delivery")
    body = Bytes(data.take(data.left()))
    events = []
    if framing == 1:
        events = [line.removesuffix(b"\r") for line in body.data.split(b"\n")]
        events = [line for line in events if line]
    while framing == 2 and body.left():
        size, hints = body.varint(), body.varint()
        body.take(hints)
        events.append(body.take(size))
    need(len(events) == count, "the events of a delivery")
    return [(first_seq + i, origin, raw) for i, raw in enumerate(events)]


def journal_file(path):
    """(position, events) of each valid frame, and how many bytes at the end are none."""
    data = path.read_bytes()
    if len(data) < 32 or data[:8] != b"HINJRNL1" or struct.unpack_from("<I", data, 24)[0] != crc32c(data[:24]):
        need(not data.strip(b"\0") or len(data) < 32, f"{path}: the header")
        return [], 0
    base, at, frames = struct.unpack_from("<Q", data, 16)[0], 32, []
    while at + 40 <= len(data):
        magic, kind, length, payload_crc, position, first, count, crc = struct.unpack_from("<4sIIIQQII", data, at)
        payload = data[at + 40:at + 40 + length]
        if magic != b"HFRM" or crc != crc32c(data[8:16] + data[at:at + 36]) or len(payload) != length or crc32c(payload) != payload_crc:
            break
        need(position == base + at - 32, f"{path}: a frame's position")
        frames.append((position, take_events(payload, first, count) if kind == 1 else []))
        at += 40 + length
    return frames, len(data) - at


def journal(folder):
    frames = []
    paths = sorted(folder.glob("*.journal"))
    for path in paths:
        more, torn = journal_file(path)
        need(torn == 0 or path == paths[-1], f"{path}: {torn} bytes are no frame")
        frames += more
    return frames


# ---- the manifest ----

def manifest(path):
    data = path.read_bytes()
    need(data[:8] in (b"HINMANI1", b"HINMANI2") and struct.unpack_from("<I", data, 8)[0] == crc32c(data[12:]), "the manifest's checksum")
    content = Bytes(unzstd(data[16:], struct.unpack_from("<I", data, 12)[0]))
    content.le(8), content.varint()
    position, seq = content.varint(), content.varint()
    content.varint(), content.varint()
    segments = []
    for _ in range(content.varint()):
        one = {"number": content.varint(), "file_id": content.le(8), "stream": content.text(), "day": content.zigzag(), "rows": content.varint()}
        content.varint(), content.zigzag(), content.zigzag(), content.varint(), content.varint()
        one["bytes"] = content.varint()
        content.varint()
        one["place"] = 0
        segments.append(one)
    for _ in range(content.le(8)):
        content.u8(), content.zigzag(), content.text(), content.varint(), content.varint(), content.varint()
    places = tail(content, segments) if content.left() else []
    return position, seq, segments, places


def tail(content, segments):
    """Where segments lie; what retention took is not looked at."""
    for one in segments:
        one["place"] = content.varint()
        content.varint(), content.varint()
    return [(content.text(), content.le(8))[0] for _ in range(content.varint())]


# ---- values as texts ----

NULL, STRING, I64, F64, BOOL, IP, DECIMAL, TIME = range(8)


def take_value(data):
    kind = data.u8()
    if kind == STRING:
        return kind, data.text()
    if kind in (I64, TIME):
        return kind, data.zigzag()
    if kind == F64:
        return kind, struct.unpack("<d", data.take(8))[0]
    if kind == BOOL:
        return kind, bool(data.u8())
    if kind == IP:
        return kind, ipaddress.ip_address(data.take(4 if data.u8() == 4 else 16))
    if kind == DECIMAL:
        scale = data.u8()
        return kind, (int.from_bytes(data.take(16), "little", signed=True), scale)
    need(kind == NULL, "a value's type")
    return kind, None


def decimal_text(coefficient, scale):
    digits = str(abs(coefficient)).rjust(scale + 1, "0")
    return ("-" if coefficient < 0 else "") + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)


def clock_text(ns, form):
    """Forms of times: kind and minutes east of UTC."""
    kind, shift = form
    if 16 <= kind < 32:
        return str(ns // 10**(9 - (kind - 16)) if ns >= 0 else -(-ns // 10**(9 - (kind - 16))))
    whole, rest = divmod(ns + shift * 60 * 10**9, 10**9)
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=whole)
    digits = kind - (1 if kind < 16 else 48 if kind >= 48 else 36)
    clock = at.strftime("%H:%M:%S") + (f".{rest // 10**(9 - digits):0{digits}}" if kind not in (32, 33) and digits else "")
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    date = f"{at.year:04}-{at.month:02}-{at.day:02}"
    if kind == 32:
        return f"{at.day:02}/{months[at.month - 1]}/{at.year:04}:{at:%H:%M:%S}"
    if kind == 33:
        return date
    if 36 <= kind < 48:
        return clock
    east = f"{'-' if shift < 0 else '+'}{abs(shift) // 60:02}:{abs(shift) % 60:02}"
    return date + "T" + clock + ("Z" if kind < 16 else east)


ESCAPES = {**{i: f"\\u{i:04x}" for i in range(32)}, 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def value_text(value, form=(0, 0)):
    kind, v = value
    if form[0] in (64, 65):
        if form[0] == 65:
            return json.dumps(v.decode())[1:-1].encode()
        return b"".join(ESCAPES[c].encode() if c in ESCAPES else bytes([c]) for c in v)
    if kind == TIME:
        rest = v % 10**9
        digits = 0 if not rest else 3 if rest % 10**6 == 0 else 6 if rest % 1000 == 0 else 9
        return clock_text(v, form if form[0] else (1 + digits, 0)).encode()
    if kind == STRING:
        return v
    if kind == DECIMAL:
        return decimal_text(*v).encode()
    if kind == BOOL:
        return b"true" if v else b"false"
    need(kind in (I64, IP), "a value without a text")
    return str(v).encode()


# ---- segments ----

PRESENCE_BITS, PRESENCE_ROWS, COUNTS, VALUES, CODES, INTS, SCALES, LENGTHS, PAGE, FILTER, SKELETONS, SLOTS, PRESENCE_OF = range(1, 14)
CONST, DICT, INT, DECIMALS, IP4, TEXT, TAGGED, SKELETON = range(1, 9)


class Segment:
    def __init__(self, path):
        data = self.data = path.read_bytes()
        need(data[:8] == b"HINSEG01" and struct.unpack_from("<I", data, 24)[0] == crc32c(data[:24]), f"{path}: the header")
        offset, stored, raw, footer_crc, version, crc, end = struct.unpack("<QIIIII4s", data[-32:])
        self.id = data[8:16]
        need(end == b"SEGE" and crc == self.crc(0, data[-32:-8]) and version in (1, 2, 3), f"{path}: the trailer")
        packed = data[offset:offset + stored]
        need(footer_crc == self.crc(offset, packed), f"{path}: the footer")
        footer = Bytes(unzstd(packed, raw))
        footer.text(), footer.zigzag(), footer.varint()
        self.names = [footer.text().decode() for _ in range(footer.varint())]
        self.blocks = [Block(self, footer) for _ in range(footer.varint())]
        need(footer.left() == 0, f"{path}: the footer's end")

    def crc(self, offset, data):
        return crc32c(self.id + offset.to_bytes(8, "little") + data)


class Block:
    def __init__(self, segment, footer):
        self.segment, self.rows = segment, footer.varint()
        footer.take(16), footer.varint(), footer.varint(), footer.varint()
        chunks, at = footer.varint(), footer.varint()
        self.chunks = []
        for _ in range(chunks):
            chunk = Chunk(self, footer, at)
            at += sum(s["stored"] for s in chunk.streams)
            self.chunks.append(chunk)

    def column(self, name):
        """(row, value) pairs."""
        for i, chunk in enumerate(self.chunks):
            if self.segment.names[chunk.column] == name:
                return chunk.pairs(self.chunks[:i])
        return []


class Chunk:
    def __init__(self, block, footer, at):
        self.block, self.column = block, footer.varint()
        self.encoding, self.type, self.flags = footer.u8(), footer.u8(), footer.u8()
        footer.varint()
        self.count, self.row_count = footer.varint(), footer.varint()
        if self.flags & 4:
            footer.zigzag(), footer.zigzag()
        self.streams = []
        for _ in range(footer.varint()):
            kind, method, width = footer.u8(), footer.u8(), footer.u8()
            raw, stored, crc = footer.varint(), footer.varint(), footer.le(4)
            self.streams.append({"kind": kind, "method": method, "width": width, "raw": raw, "stored": stored, "crc": crc, "at": at})
            at += stored

    def read(self, stream):
        segment, at = self.block.segment, stream["at"]
        stored = segment.data[at:at + stream["stored"]]
        need(stream["crc"] == segment.crc(at, stored), "a stream's checksum")
        return unzstd(stored, stream["raw"]) if stream["method"] == 1 else stored

    def find(self, kind):
        return next((s for s in self.streams if s["kind"] == kind), None)

    def raw(self, kind):
        stream = self.find(kind)
        need(stream, "a stream is missing")
        return self.read(stream)

    def present(self, before):
        if self.flags & 1:
            return list(range(self.block.rows))
        if self.find(PRESENCE_OF):
            other = Bytes(self.raw(PRESENCE_OF)).varint()
            i = next((i for i, chunk in enumerate(before) if chunk.column == other), None)
            need(i is not None, "the column with the same rows")
            return before[i].present(before[:i])
        if self.find(PRESENCE_BITS):
            bits = int.from_bytes(self.raw(PRESENCE_BITS), "little")
            return [row for row in range(self.block.rows) if bits >> row & 1]
        return all_ints(self.raw(PRESENCE_ROWS), self.row_count)

    def pairs(self, before):
        rows = self.present(before)
        need(len(rows) == self.row_count, "rows that have values")
        if self.flags & 2:
            counts = all_ints(self.raw(COUNTS), self.row_count)
            rows = [row for row, n in zip(rows, counts) for _ in range(n)]
        values = self.values(rows, before)
        need(len(values) == len(rows) == self.count, "the number of values")
        return list(zip(rows, values))

    def codes(self):
        stream = self.find(CODES)
        raw = self.read(stream)
        if stream["method"] == 2:
            return unpack(raw, self.count, stream["width"])
        return [raw[i] | (raw[self.count + i] << 8 if stream["width"] == 2 else 0) for i in range(self.count)]

    def values(self, rows, before):
        if self.encoding == SKELETON:
            return Skeletons(self, before).texts(rows)
        if self.encoding == TEXT:
            lengths = all_ints(self.raw(LENGTHS), self.count)
            text = Bytes(b"".join(self.read(s) for s in self.streams if s["kind"] == PAGE))
            return [(STRING, text.take(n)) for n in lengths]
        if self.encoding in (INT, IP4, DECIMALS):
            ints = all_ints(self.raw(INTS), self.count)
            if self.encoding == INT:
                return [(self.type, n) for n in ints]
            if self.encoding == IP4:
                return [(IP, ipaddress.IPv4Address(n)) for n in ints]
            scales = self.raw(SCALES) if self.find(SCALES) else [self.type] * self.count
            return [(DECIMAL, pair) for pair in zip(ints, scales)]
        data = Bytes(self.raw(VALUES))
        if self.encoding == CONST:
            return [take_value(data)] * self.count
        if self.encoding == DICT:
            entries = [take_value(data) for _ in range(data.varint())]
            return [entries[code] for code in self.codes()]
        need(self.encoding == TAGGED, "an encoding")
        return [take_value(data) for _ in range(self.count)]


class Skeletons:
    """Texts put together out of literals, tokens and the block's columns before this one."""

    def __init__(self, chunk, before):
        self.chunk = chunk
        self.before = {c.column: (c, before[:i]) for i, c in enumerate(before)}
        self.columns = {}
        data = Bytes(chunk.raw(SKELETONS))
        self.skeletons = [self.take_skeleton(data) for _ in range(data.varint())]
        need(data.left() == 0, "skeletons are left over")
        slots = Bytes(chunk.raw(SLOTS) if chunk.find(SLOTS) else b"")
        lengths, page = Bytes(chunk.raw(LENGTHS)), Bytes(chunk.raw(PAGE))
        for rows, _, these in self.skeletons:
            for slot in these:
                self.fill(slot, rows, slots)
        for rows, _, these in self.skeletons:
            for slot in these:
                if slot["kind"] == 0:
                    slot["texts"] = [page.take(lengths.varint()) for _ in range(rows)]
                elif slot["kind"] == 9:
                    words = [page.take(lengths.varint()) for _ in range(slot["count"])]
                    slot["texts"] = [words[code] for code in slot["codes"]]
        need(slots.left() == lengths.left() == page.left() == 0, "tokens are left over")

    @staticmethod
    def take_skeleton(data):
        rows, tokens = data.varint(), data.varint()
        literals, slots = [], []
        for i in range(tokens + 1):
            literals.append(data.text())
            if i == tokens:
                break
            slot = {"kind": data.u8()}
            if slot["kind"] == 1:
                slot["constant"] = data.text()
            elif slot["kind"] == 2:
                slot["column"], form = data.varint(), data.u8()
                slot["form"] = (form, data.zigzag() if 32 <= form < 64 else 0)
            elif slot["kind"] == 9:
                slot["count"] = data.varint()
            elif slot["kind"]:
                slot["width"], slot["flags"] = data.u8(), data.u8()
            slots.append(slot)
        return rows, literals, slots

    @staticmethod
    def fill(slot, rows, data):
        kind, width, flags = slot["kind"], slot.get("width"), slot.get("flags", 0)
        prefix = b"0x" if flags & 2 else b""
        case = (lambda b: b.upper()) if flags & 1 else (lambda b: b)
        if kind == 9:
            bits = max(0, slot["count"] - 1).bit_length()
            slot["codes"] = unpack(data.take((rows * bits + 7) // 8), rows, bits)
        elif kind in (6, 7):
            size = 16 if kind == 7 else (width + 1) // 2
            texts = [data.take(size).hex() for _ in range(rows)]
            if kind == 7:
                texts = [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts]
            slot["texts"] = [prefix + case(t[:width if kind == 6 else 36].encode()) for t in texts]
        elif kind in (3, 4, 5, 8):
            ints = [n & MASK64 for n in take_ints(data, rows)]
            if kind == 3:
                slot["texts"] = [decimal_text(n, width).encode() for n in ints]
            elif kind == 4:
                slot["texts"] = [str(n).rjust(width, "0").encode() if width else b"" for n in ints]
            elif kind == 5:
                slot["texts"] = [prefix + case(b"%x" % n) for n in ints]
            else:
                slot["texts"] = [str(ipaddress.IPv4Address(n)).encode() for n in ints]

    def column_value(self, number, row):
        if number not in self.columns:
            need(number in self.before, "a skeleton's column")
            chunk, before = self.before[number]
            self.columns[number] = dict(chunk.pairs(before))
        return self.columns[number][row]

    def texts(self, rows):
        nth, out = [0] * len(self.skeletons), []
        for row, code in zip(rows, self.chunk.codes()):
            _, literals, slots = self.skeletons[code]
            n, parts = nth[code], [literals[0]]
            nth[code] += 1
            for slot, literal in zip(slots, literals[1:]):
                if slot["kind"] == 1:
                    parts.append(slot["constant"])
                elif slot["kind"] == 2:
                    parts.append(value_text(self.column_value(slot["column"], row), slot["form"]))
                else:
                    parts.append(slot["texts"][n])
                parts.append(literal)
            out.append((STRING, b"".join(parts)))
        return out


def segments_of(data):
    """The segments that the manifest names, and the journal position and hinomi.seq that they cover."""
    path = pathlib.Path(data) / "store/manifest"
    if not path.exists():
        return [], 0, 0
    position, seq, named, places = manifest(path)
    segments = []
    for one in named:
        folder = pathlib.Path(os.fsdecode(places[one["place"] - 1])) if one["place"] else path.parent / "segments"
        segment = Segment(folder / f"{one['number']:016x}.segment")
        need(sum(b.rows for b in segment.blocks) == one["rows"] and len(segment.data) == one["bytes"],
             f"segment {one['number']}: it is not what the manifest says")
        segments.append(segment)
    return segments, position, seq


def dump(data):
    """Every event of a data folder: seq -> list of (file, source, bytes). One entry each when all is well.
    Journal records that are in segments already must have the same bytes there."""
    found = {}
    segments, covered_position, covered_seq = segments_of(data)
    for segment in segments:
        for block in segment.blocks:
            source = {row: v for row, (_, v) in block.column("hinomi.source")}
            original = {row: v for row, (_, v) in block.column("event.original")}
            for row, (_, seq) in block.column("hinomi.seq"):
                found.setdefault(seq, []).append(("segment", source.get(row), original.get(row)))
    for position, events in journal(pathlib.Path(data) / "journal"):
        for seq, origin, raw in events:
            if seq > covered_seq:
                found.setdefault(seq, []).append(("journal", origin["source"], raw))
            elif seq in found:
                need(found[seq][0][2] == raw, f"event {seq} is not in its segment as it came")
            else:
                need(position < covered_position, f"event {seq} is covered and in no segment")
    return found


if __name__ == "__main__":
    for number, places in sorted(dump(sys.argv[1]).items()):
        for where, source, raw in places:
            print(json.dumps({"seq": number, "in": where, "source": source and source.decode(), "raw": raw and raw.decode(errors="replace")}))

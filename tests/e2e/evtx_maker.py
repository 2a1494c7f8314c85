"""Small Windows event logs (.evtx), written from the format's description: what the tests read and damage."""
import struct
import zlib

CHUNK, HEADER = 65536, 512
NULL, STRING, ANSI, I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, BOOL, BINARY, GUID, SIZE, FILETIME, SYSTEMTIME, SID, HEX32, HEX64 = range(22)
XML, ARRAY = 0x21, 0x80
EPOCH = 116444736000000000  # 1970 as FILETIME


def u16(text):
    return text.encode("utf-16-le", "surrogatepass")


def name_hash(text):
    value = 0
    for unit in struct.unpack(f"<{len(u16(text)) // 2}H", u16(text)):
        value = value * 65599 + unit & 0xffffffff
    return value & 0xffff


class Chunk:
    def __init__(self):
        self.data = bytearray(HEADER)
        self.names, self.templates = {}, {}
        self.ids = []

    # A piece of BinXML is a list of bytes and of callables, which are told their own offset.
    def put(self, pieces):
        for piece in pieces:
            if callable(piece):
                piece()
            else:
                self.data += piece

    def name(self, text):
        """A name's offset, and the name itself where it is used for the first time."""
        def write():
            at = self.names.get(text)
            if at is None:
                at = self.names[text] = len(self.data) + 4
                self.data += struct.pack("<IIHH", at, 0, name_hash(text), len(u16(text)) // 2) + u16(text) + b"\0\0"
            else:
                self.data += struct.pack("<I", at)
        return write

    def element(self, name, attributes=(), content=None, dependency=True):
        """<name attribute="...">content</name>; attribute values and contents are pieces; content None: <name/>."""
        def write():
            self.data += (b"\x41" if attributes else b"\x01") + (b"\xff\xff" if dependency else b"")
            size_at = len(self.data)
            self.data += bytes(4)
            self.name(name)()
            if attributes:
                list_at = len(self.data)
                self.data += bytes(4)
                for i, (key, pieces) in enumerate(attributes):
                    self.data += b"\x46" if i + 1 < len(attributes) else b"\x06"
                    self.name(key)()
                    self.put(pieces)
                struct.pack_into("<I", self.data, list_at, len(self.data) - list_at - 4)
            if content is None:
                self.data += b"\x03"
            else:
                self.data += b"\x02"
                self.put(content)
                self.data += b"\x04"
            struct.pack_into("<I", self.data, size_at, len(self.data) - size_at - 4)
        return write

    def instance(self, key, body, values):
        """A template instance: the definition, where key was not used before, and the values [(type, bytes)]."""
        def write():
            ident = zlib.crc32(repr(key).encode())
            at = self.templates.get(key)
            self.data += struct.pack("<BBII", 0x0c, 1, ident, at or len(self.data) + 10)
            if at is None:
                at = self.templates[key] = len(self.data)
                self.data += struct.pack("<II", 0, ident) + bytes(12) + bytes(4)
                self.put([b"\x0f\x01\x01\0", *body, b"\0"])
                struct.pack_into("<I", self.data, at + 20, len(self.data) - at - 24)
            self.data += struct.pack("<I", len(values))
            sizes_at = len(self.data)
            for kind, _ in values:
                self.data += struct.pack("<HBB", 0, kind, 0)
            for i, (_, value) in enumerate(values):
                start = len(self.data)
                self.put(value if isinstance(value, list) else [value])
                struct.pack_into("<H", self.data, sizes_at + 4 * i, len(self.data) - start)
        return write

    def record(self, ident, pieces, time=EPOCH + 17724096000000000):
        start = len(self.data)
        self.data += struct.pack("<4sIQQ", b"**\0\0", 0, ident, time + ident * 10000000)
        self.put([b"\x0f\x01\x01\0", *pieces, b"\0"])
        self.data += bytes(-(len(self.data) + 4 - start) % 8)
        size = len(self.data) + 4 - start
        self.data += struct.pack("<I", size)
        struct.pack_into("<I", self.data, start + 4, size)
        assert len(self.data) <= CHUNK
        self.last = start
        self.ids.append(ident)

    def bytes(self):
        data = self.data + bytes(CHUNK - len(self.data))
        struct.pack_into("<8sQQQQIIII", data, 0, b"ElfChnk\0", self.ids[0], self.ids[-1], self.ids[0], self.ids[-1], 128, self.last,
                         len(self.data), zlib.crc32(self.data[HEADER:]))
        struct.pack_into("<I", data, 124, zlib.crc32(bytes(data[:120]) + bytes(data[128:HEADER])))
        return bytes(data)


def text(words):
    return b"\x05\x01" + struct.pack("<H", len(u16(words)) // 2) + u16(words)


def value(number, optional=False):
    return struct.pack("<BHB", 0x0e if optional else 0x0d, number, 0)


def event(chunk, ident, values, key="event", names=None):
    """A record as Windows writes them: System, and EventData with a value for each name."""
    names = names or [f"v{i}" for i in range(len(values))]
    system = chunk.element("System", content=[
        chunk.element("Provider", [("Name", [text("Own-Maker")])]), chunk.element("EventID", content=[value(0)]),
        chunk.element("EventRecordID", content=[value(1)]), chunk.element("Channel", content=[text("Own")]), chunk.element("Computer", content=[text("own")])])
    data = chunk.element("EventData", content=[chunk.element("Data", [("Name", [text(name)])], [value(i + 2)]) for i, name in enumerate(names)])
    chunk.record(ident, [chunk.instance(key, [chunk.element("Event", content=[system, data])],
                                        [(U16, struct.pack("<H", 4000)), (U64, struct.pack("<Q", ident)), *values])])


def log(chunks, flags=0, count=None):
    head = bytearray(4096)
    last = chunks[-1].ids[-1] if chunks else 0
    struct.pack_into("<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, max(len(chunks) - 1, 0), last + 1, 128, 1, 3, 4096, len(chunks) if count is None else count)
    struct.pack_into("<I", head, 120, flags)
    struct.pack_into("<I", head, 124, zlib.crc32(bytes(head[:120])))
    return bytes(head) + b"".join(c.bytes() for c in chunks)


def plain_log(chunks=3, records=40):
    """Like any log: some templates, texts of different lengths, numbers."""
    made, ident = [], 0
    for _ in range(chunks):
        chunk = Chunk()
        for i in range(records):
            ident += 1
            event(chunk, ident, [(STRING, u16(f"text {ident} " + "x" * (ident * 37 % 300))), (U32, struct.pack("<I", ident * 7)), (NULL, b"")], key=i % 3)
        made.append(chunk)
    return made

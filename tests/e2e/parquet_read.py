"""A second reader of Parquet files, as far as `hinomi export` writes them, made from the format's specification
(apache/parquet-format: README.md, Encodings.md, parquet.thrift; Thrift compact protocol). Standard library and
libzstd. Everything that is read is checked: magic, lengths, CRC of pages, levels, counts, statistics."""
import ctypes
import ctypes.util
import decimal
import struct
import zlib

zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


def need(fine, what):
    if not fine:
        raise ValueError(what)


def unzstd(data, size):
    out = ctypes.create_string_buffer(max(size, 1))
    need(zstd.ZSTD_decompress(out, size, data, len(data)) == size, "a page's length")
    return out.raw[:size]


class Thrift:
    """Structs as {id: value}; strings are bytes."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def u8(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        n = shift = 0
        while True:
            b = self.u8()
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    def zigzag(self):
        n = self.varint()
        return n >> 1 ^ -(n & 1)

    def value(self, kind):
        if kind in (5, 6):
            return self.zigzag()
        if kind == 8:
            size = self.varint()
            self.at += size
            return bytes(self.data[self.at - size:self.at])
        if kind == 9:
            head = self.u8()
            count = head >> 4 if head >> 4 != 15 else self.varint()
            return [self.value(head & 15) for _ in range(count)]
        need(kind == 12, f"a thrift type: {kind}")
        return self.struct()

    def struct(self):
        fields, last = {}, 0
        while True:
            head = self.u8()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            need(last not in fields, "a thrift field that comes twice")
            fields[last] = head & 15 == 1 if head & 15 in (1, 2) else self.value(head & 15)


def hybrid(data, at, end, width, count):
    """RLE and bit packing; the values and where they end."""
    out, reader = [], Thrift(data, at)
    while len(out) < count:
        head = reader.varint()
        if head & 1:
            size = (head >> 1) * width
            bits = int.from_bytes(data[reader.at:reader.at + size], "little")
            reader.at += size
            out += [bits >> i * width & (1 << width) - 1 for i in range((head >> 1) * 8)]
        else:
            size = (width + 7) // 8
            out += [int.from_bytes(data[reader.at:reader.at + size], "little")] * (head >> 1)
            reader.at += size
    need(reader.at <= end and len(out) - count < 8, "values that are packed")
    return out[:count], reader.at


class Column:
    def __init__(self, name, leaf, multi):
        self.name, self.multi = name.decode(), multi
        self.type, self.width, self.logical = leaf[1], leaf.get(2), leaf.get(10, {})
        self.scale = leaf.get(7, 0)

    def plain(self, data, count):
        if self.type == 0:
            return [bool(data[i >> 3] >> (i & 7) & 1) for i in range(count)]
        if self.type in (2, 5):
            need(len(data) == 8 * count, "plain numbers")
            return list(struct.unpack(f"<{count}{'q' if self.type == 2 else 'd'}", data))
        if self.type == 7:
            need(len(data) == self.width * count, "plain decimals")
            return [data[i:i + self.width] for i in range(0, len(data), self.width)]
        out, at = [], 0
        for _ in range(count):
            size = int.from_bytes(data[at:at + 4], "little")
            out.append(data[at + 4:at + 4 + size])
            at += 4 + size
        need(at == len(data), "plain texts")
        return out

    def shown(self, value):
        """int, float, bool, Decimal, str or bytes."""
        if self.type == 7:
            sign, digits, _ = decimal.Decimal(int.from_bytes(value, "big", signed=True)).as_tuple()
            return decimal.Decimal((sign, digits, -self.scale))
        return value.decode() if 1 in self.logical else value

    def is_time(self):
        return self.logical.get(8) == {1: True, 2: {3: {}}}


def pages(data, meta, column):
    """(definition levels, repetition levels, values) of a column chunk."""
    at = meta.get(11, meta[9])
    end = at + meta[7]
    defs, reps, values, dictionary, plain_bytes = [], [], [], None, 0
    full = 3 if column.multi else 1
    while at < end:
        reader = Thrift(data, at)
        head = reader.struct()
        packed = data[reader.at:reader.at + head[3]]
        need(zlib.crc32(packed) == head[4] & 0xffffffff, "a page's CRC")
        page = unzstd(packed, head[2])
        plain_bytes += reader.at - at + head[2]
        at = reader.at + head[3]
        if head[1] == 2:
            dictionary = column.plain(page, head[7][1])
            continue
        need(head[1] == 0 and head[5][3] == head[5][4] == 3, "a page's type")
        here, cut = head[5][1], 0
        for levels, width in ((reps, 1), (defs, 2))[0 if column.multi else 1:]:
            size = int.from_bytes(page[cut:cut + 4], "little")
            found, stop = hybrid(page, cut + 4, cut + 4 + size, width if column.multi else 1, here)
            need(stop == cut + 4 + size, "levels that are too long")
            levels += found
            cut += 4 + size
        if not column.multi:
            reps += [0] * here
        need(reps[-here] == 0, "a page begins within a row")
        count = sum(d == full for d in defs[-here:])
        if head[5][2] == 8:
            codes, stop = hybrid(page, cut + 1, len(page), page[cut], count)
            values += [dictionary[code] for code in codes]
        else:
            values += column.plain(page[cut:], count)
    need(at == end and len(defs) == meta[5] and plain_bytes == meta[6], "a column's sizes")
    return defs, reps, values


def check_statistics(column, meta, defs, values):
    statistics, full = meta[12], 3 if column.multi else 1
    need(statistics[3] == sum(d != full for d in defs), "the count of nulls")
    if 5 not in statistics or not values:
        return
    key = {2: lambda v: v, 5: lambda v: v, 7: lambda v: int.from_bytes(v, "big", signed=True)}.get(column.type, lambda v: v)
    bound = [column.plain(statistics[i], 1)[0] if column.type != 6 else statistics[i] for i in (6, 5)]
    need(bound == [min(values, key=key), max(values, key=key)], f"the range of {column.name}")


def rows_of(column, defs, reps, values):
    """None, a value, or a list for each row."""
    out, at = [], 0
    for level, rep in zip(defs, reps):
        value = None
        if level == (3 if column.multi else 1):
            value, at = column.shown(values[at]), at + 1
        if not column.multi:
            out.append(value)
        elif level == 0:
            out.append(None)
        elif rep == 0:
            out.append([value])
        else:
            out[-1].append(value)
    return out


def read(path):
    """([Column], [row as {name: value}]); times are nanoseconds."""
    data = open(path, "rb").read()
    need(data[:4] == data[-4:] == b"PAR1", "the magic")
    size = int.from_bytes(data[-8:-4], "little")
    reader = Thrift(data, len(data) - 8 - size)
    footer = reader.struct()
    need(reader.at == len(data) - 8, "the footer's length")
    elements, columns, at = footer[2], [], 1
    while at < len(elements):
        multi = 5 in elements[at]
        need(elements[at][3] == 1 and (not multi or elements[at + 1][3] == 2), "repetition")
        columns.append(Column(elements[at][4], elements[at + 2 if multi else at], multi))
        at += 3 if multi else 1
    need(elements[0][5] == len(columns) == len(footer[7]), "the number of columns")
    rows = []
    for group in footer[4]:
        here = [{} for _ in range(group[3])]
        for column, chunk in zip(columns, group[1]):
            meta = chunk[3]
            need(meta[1] == column.type and meta[4] == 6 and meta[3][0].decode() == column.name, "a column chunk")
            defs, reps, values = pages(data, meta, column)
            check_statistics(column, meta, defs, values)
            found = rows_of(column, defs, reps, values)
            need(len(found) == len(here), "the rows of a column")
            for row, value in zip(here, found):
                if value is not None:
                    row[column.name] = value
        rows += here
    need(len(rows) == footer[3], "the number of rows")
    return columns, rows

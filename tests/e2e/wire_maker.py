"""Protobuf messages and snappy blocks for tests, made without a library: what the senders of OTLP, Prometheus and Loki send."""
import socket
import struct


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def zigzag(field, n):
    return number(field, (n << 1) ^ (n >> 63))


def octets(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def fixed(field, n):
    return varint(field << 3 | 1) + struct.pack("<q" if n < 0 else "<Q", n)


def double(field, x):
    """x: a number, or the eight bytes of one."""
    return varint(field << 3 | 1) + (x if isinstance(x, bytes) else struct.pack("<d", x))


def snappy(data):
    """A block of literals only."""
    out = varint(len(data))
    for at in range(0, len(data), 60):
        piece = data[at:at + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return out


def any_value(value):
    """OpenTelemetry's AnyValue."""
    if isinstance(value, bool):
        return number(2, value)
    if isinstance(value, int):
        return number(3, value)
    if isinstance(value, float):
        return double(4, value)
    if isinstance(value, list):
        return octets(5, b"".join(octets(1, any_value(v)) for v in value))
    if isinstance(value, dict):
        return octets(6, attributes(1, value))
    if isinstance(value, bytes):
        return octets(7, value)
    return octets(1, value)


def attributes(field, values):
    return b"".join(octets(field, octets(1, k) + octets(2, any_value(v))) for k, v in values.items())


def free_port():
    """Of UDP and TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]

"""Bytes to be signed, made here by other code than reads them: Ethereum calls and transactions, Bitcoin PSBTs; and Keccak-256,
from which the selectors of calls come."""
import hashlib
import struct

MASK = (1 << 64) - 1


def keccak(data):
    """Keccak-256 as Ethereum has it (padding 0x01, not SHA-3's 0x06)."""
    lanes = [[0] * 5 for _ in range(5)]
    data = data + b"\x01" + b"\0" * (-(len(data) + 1) % 136)
    data = data[:-1] + bytes([data[-1] | 0x80])
    rotate = lambda n, by: ((n << by) | (n >> (64 - by))) & MASK if by else n
    for block in range(0, len(data), 136):
        for i in range(17):
            lanes[i % 5][i // 5] ^= struct.unpack_from("<Q", data, block + 8 * i)[0]
        register = 1
        for _ in range(24):
            column = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
            for x in range(5):
                spread = column[(x - 1) % 5] ^ rotate(column[(x + 1) % 5], 1)
                for y in range(5):
                    lanes[x][y] ^= spread
            x, y, current = 1, 0, lanes[1][0]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, lanes[x][y] = lanes[x][y], rotate(current, (t + 1) * (t + 2) // 2 % 64)
            for y in range(5):
                row = [lanes[x][y] for x in range(5)]
                for x in range(5):
                    lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & MASK & row[(x + 2) % 5])
            for j in range(7):
                if register & 1:
                    lanes[0][0] ^= 1 << ((1 << j) - 1)
                register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return b"".join(struct.pack("<Q", lanes[i % 5][i // 5]) for i in range(4))


# ---- Ethereum ----

def word(n):
    return n.to_bytes(32, "big")


def call(signature, *values):
    """Selector and arguments of a function; addresses are "0x…", bytes are bytes, lists of numbers are lists."""
    types = [t for t in signature[signature.index("(") + 1:-1].split(",") if t]
    head, tail = b"", b""
    for kind, value in zip(types, values, strict=True):
        if kind == "bytes" or kind.endswith("[]"):
            head += word(32 * len(types) + len(tail))
            content = value + b"\0" * (-len(value) % 32) if kind == "bytes" else b"".join(map(word, value))
            tail += word(len(value)) + content
        else:
            head += word(int(value, 16) if isinstance(value, str) else int(value))
    return keccak(signature.encode())[:4] + head + tail


def rlp(value):
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
    if isinstance(value, (list, tuple)):
        body, base = b"".join(map(rlp, value)), 0xc0
    else:
        body, base = value, 0x80
        if len(body) == 1 and body[0] < 0x80:
            return body
    if len(body) <= 55:
        return bytes([base + len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size + body


def address(text):
    return bytes.fromhex(text[2:])


def legacy(to, value=0, data=b"", chain_id=1):
    return rlp([7, 10 ** 10, 21000, address(to) if to else b"", value, data] + ([chain_id, 0, 0] if chain_id else []))


def eip2930(to, value=0, data=b"", chain_id=1):
    return b"\x01" + rlp([chain_id, 7, 10 ** 10, 21000, address(to), value, data, []])


def eip1559(to, value=0, data=b"", chain_id=1, access=()):
    return b"\x02" + rlp([chain_id, 7, 10 ** 9, 10 ** 10, 21000, address(to) if to else b"", value, data, list(access)])


def safe(to, value=0, data=b"", operation=0, gas_price=0):
    nobody = "0x" + "0" * 40
    return call("execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
                to, value, data, operation, 0, 0, gas_price, nobody, nobody, b"\1" * 65)


def multisend(*calls):
    packed = b"".join(bytes([operation]) + address(to) + word(value) + word(len(data)) + data for operation, to, value, data in calls)
    return call("multiSend(bytes)", packed)


# ---- Bitcoin ----

def size(n):
    return bytes([n]) if n < 0xfd else b"\xfd" + struct.pack("<H", n)


def sized(data):
    return size(len(data)) + data


def coin(amount, script):
    return struct.pack("<Q", amount) + sized(script)


def transaction(inputs, outputs, script=b"", witness=b""):
    body = size(len(inputs)) + b"".join(txid + struct.pack("<I", index) + sized(script) + b"\xfd\xff\xff\xff" for txid, index in inputs)
    body += size(len(outputs)) + b"".join(coin(*o) for o in outputs)
    return struct.pack("<I", 2) + (b"\0\1" if witness else b"") + body + witness + struct.pack("<I", 0)


def txid(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def psbt(unsigned, inputs, outputs):
    """inputs, outputs: a list of (key, value) each."""
    maps = [[(b"\x00", unsigned)], *inputs, *outputs]
    return b"psbt\xff" + b"".join(b"".join(sized(k) + sized(v) for k, v in entries) + b"\0" for entries in maps)


def p2pkh(fill):
    return b"\x76\xa9\x14" + bytes([fill]) * 20 + b"\x88\xac"


def p2wpkh(fill):
    return b"\x00\x14" + bytes([fill]) * 20


def p2tr(fill):
    return b"\x51\x20" + bytes([fill]) * 32

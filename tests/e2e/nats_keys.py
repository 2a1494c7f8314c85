"""Keys and signed claims of NATS ("nkeys", JWT version 2), made with libsodium, which Hinomi needs as well."""
import base64
import ctypes
import ctypes.util
import json
import os

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium"))
PREFIX = {"O": 14 << 3, "A": 0, "U": 20 << 3}
SEED = 18 << 3


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def spell(data):
    return base64.b32encode(data + crc16(data).to_bytes(2, "little")).decode().rstrip("=")


def unpadded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """Of an operator (O), an account (A) or a user (U)."""

    def __init__(self, kind):
        seed, public, self.secret = os.urandom(32), ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        assert SODIUM.crypto_sign_seed_keypair(public, self.secret, seed) == 0
        self.public = spell(bytes([PREFIX[kind]]) + public.raw)
        self.seed = spell(bytes([SEED | PREFIX[kind] >> 5, PREFIX[kind] << 3 & 0xFF]) + seed)

    def sign(self, text):
        signature = ctypes.create_string_buffer(64)
        data = text.encode()
        assert SODIUM.crypto_sign_detached(signature, None, data, ctypes.c_ulonglong(len(data)), self.secret) == 0
        return unpadded(signature.raw)

    def credentials(self, user_token):
        return (f"-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n"
                f"-----BEGIN USER NKEY SEED-----\n{self.seed}\n------END USER NKEY SEED------\n")


def token(claims, issuer):
    signed = ".".join(unpadded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
    return f"{signed}.{issuer.sign(signed)}"

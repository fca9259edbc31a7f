# SPDX-License-Identifier: MIT
"""NTLM (MS-NLMP) as a server speaks it: makes CHALLENGE messages, and verifies AUTHENTICATE
messages by their NTLMv2 response and their MIC."""

import base64
import hashlib
import hmac
import os
import struct

SIGNATURE = b"NTLMSSP\0"
UNICODE, TARGET_INFO, ESS = 0x1, 0x00800000, 0x00080000
# What a server of today says: Unicode, a target, NTLM, always sign, ESS, target info, version.
FLAGS = 0xA2898205
AV_EOL, AV_DOMAIN, AV_SERVER, AV_FLAGS, AV_TIME, AV_TARGET, AV_BINDINGS = 0, 2, 1, 6, 7, 9, 10
FILETIME = 133_000_000_000_000_000


def md4(data):
    """RFC 1320; hashlib's may be switched off."""
    def rotate(value, bits):
        value &= 0xFFFFFFFF
        return (value << bits | value >> 32 - bits) & 0xFFFFFFFF

    def choose(x, y, z):
        return x & y | ~x & z

    def majority(x, y, z):
        return x & y | x & z | y & z

    def parity(x, y, z):
        return x ^ y ^ z

    rounds = [(choose, 0, range(16), (3, 7, 11, 19)),
              (majority, 0x5A827999, [i // 4 + i % 4 * 4 for i in range(16)], (3, 5, 9, 13)),
              (parity, 0x6ED9EBA1, [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
               (3, 9, 11, 15))]
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + b"\0" * (-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    for at in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[at:at + 64])
        a, b, c, d = state
        for function, constant, order, shifts in rounds:
            for step, index in enumerate(order):
                a = rotate(a + function(b, c, d) + words[index] + constant, shifts[step % 4])
                a, b, c, d = d, a, b, c
        state = [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


def hmac_md5(key, data):
    return hmac.new(key, data, hashlib.md5).digest()


def av(number, value):
    return struct.pack("<HH", number, len(value)) + value


def av_pairs(data):
    """{number: value}"""
    pairs = {}
    while data:
        number, length = struct.unpack_from("<HH", data)
        if number == AV_EOL:
            break
        pairs[number] = data[4:4 + length]
        data = data[4 + length:]
    return pairs


def encode(message):
    return base64.b64encode(message).decode()


def decode(value, scheme="NTLM"):
    """The message in a Proxy-Authorization value; b"" if it is none."""
    name, _, token = (value or "").partition(" ")
    return base64.b64decode(token) if name == scheme else b""


def kind(value, scheme="NTLM"):
    """1, 2, 3; 0 for no message."""
    message = decode(value, scheme)
    if len(message) < 12 or not message.startswith(SIGNATURE):
        return 0
    return struct.unpack_from("<I", message, 8)[0]


class Server:
    """One handshake of a server that knows one user."""

    def __init__(self, user, domain, password):
        self._user, self._domain, self._password = user, domain, password
        self._nonce = os.urandom(8)
        self._negotiate = self.message = b""

    def challenge(self, negotiate, flags=FLAGS, time=True, info=True):
        """The CHALLENGE message to a NEGOTIATE message."""
        name = "SRV".encode("utf-16-le")
        target = av(AV_DOMAIN, name) + av(AV_SERVER, name)
        if time:
            target += av(AV_TIME, struct.pack("<Q", FILETIME))
        target = target + av(AV_EOL, b"") if info else b""
        self._negotiate = negotiate
        self.message = (SIGNATURE + struct.pack("<IHHII", 2, len(name), len(name), 56, flags)
                        + self._nonce + bytes(8)
                        + struct.pack("<HHI", len(target), len(target), 56 + len(name))
                        + bytes(8) + name + target)
        return self.message

    def verify(self, message):
        """"" if it is right, else what is wrong with it."""
        def field(at):
            length, _, offset = struct.unpack_from("<HHI", message, at)
            if offset + length > len(message):
                raise ValueError("a field goes beyond the message")
            return message[offset:offset + length]

        if not message.startswith(SIGNATURE + struct.pack("<I", 3)) or len(message) < 88:
            return "no AUTHENTICATE message with a MIC"
        lm, response, domain, user = (field(at) for at in (12, 20, 28, 36))
        if user.decode("utf-16-le").lower() != self._user.lower():
            return "another user"
        key = hmac_md5(md4(self._password.encode("utf-16-le")),
                       user.decode("utf-16-le").upper().encode("utf-16-le") + domain)
        proof, rest = response[:16], response[16:]
        if len(rest) < 28 or proof != hmac_md5(key, self._nonce + rest):
            return "wrong password"
        if self._domain is not None and domain.decode("utf-16-le") != self._domain:
            return "another domain"
        pairs = av_pairs(rest[28:])
        if AV_TIME in av_pairs(self.message[62:]) and lm.strip(b"\0"):
            return "an LMv2 response beside a time"
        if not struct.unpack("<I", pairs.get(AV_FLAGS, bytes(4)))[0] & 2:
            return "no MIC is announced"
        session_key = hmac_md5(key, proof)
        blank = message[:72] + bytes(16) + message[88:]
        if message[72:88] != hmac_md5(session_key, self._negotiate + self.message + blank):
            return "wrong MIC"
        return ""

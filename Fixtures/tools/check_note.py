#!/usr/bin/env python3
"""Checks a C2SP signed note that holds a tlog-checkpoint, with nothing but Python's standard library.

Usage: check_note.py VKEY NOTE-FILE    prints origin, size and root; exits 1 with a reason when the note does not hold.

Written from C2SP signed-note, C2SP tlog-checkpoint and RFC 8032 section 5.1, and from no line of Tally: it is the
stranger who reads `tally checkpoint`.
"""
import base64
import hashlib
import sys

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    k = (a[1] - a[0]) * (b[1] - b[0]) % P
    m = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = m - k, d - c, d + c, m + k
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def decode_point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = None if y >= P else recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def verify(key, message, signature):
    a, r = decode_point(key), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def fail(why):
    sys.exit("check_note: " + why)


def main():
    name, key_id, encoded = sys.argv[1].split("+", 2)
    material = base64.b64decode(encoded, validate=True)
    if material[0] != 1 or len(material) != 33:
        fail("not an Ed25519 verifier key")
    if hashlib.sha256(name.encode() + b"\n" + material).digest()[:4].hex() != key_id:
        fail("the key's ID is not the hash of its name and bytes")
    with open(sys.argv[2], "rb") as file:
        note = file.read()
    split = note.rfind(b"\n\n")
    if split < 0 or not note.endswith(b"\n"):
        fail("no blank line between text and signatures, or no newline at the end")
    text, lines = note[: split + 1], note[split + 2 :].decode().splitlines()
    found = False
    for line in lines:
        dash, signer, blob = line.split(" ", 2)
        data = base64.b64decode(blob, validate=True)
        if dash != "\u2014" or len(data) < 5:
            fail("a signature line that is none")
        if signer == name and data[:4].hex() == key_id:
            if not verify(material[1:], text, data[4:]):
                fail("the signature does not verify")
            found = True
    if not found:
        fail("no signature by that key")
    origin, size, root = text.decode().split("\n")[:3]
    if origin != name or str(int(size)) != size or len(base64.b64decode(root, validate=True)) != 32:
        fail("the text is not a checkpoint of that log")
    print(origin, size, base64.b64decode(root).hex())


main()

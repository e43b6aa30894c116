"""Verifies every DKIM signature of a message with dkimpy: verify.py FILE NAME=RECORD...; prints one line a signature."""

import sys

import dkim

raw = open(sys.argv[1], "rb").read()
records = dict(argument.split("=", 1) for argument in sys.argv[2:])


def record(name, timeout=5):
    found = records.get(name.decode().rstrip("."))
    return found.encode() if found else None


count = raw.split(b"\r\n\r\n", 1)[0].lower().count(b"dkim-signature:")
for n in range(count):
    try:
        verdict = "pass" if dkim.DKIM(raw).verify(idx=n, dnsfunc=record) else "fail"
    except dkim.DKIMException as error:
        verdict = f"fail ({error})"
    print(f"signature {n}: {verdict}")

"""A DNS server for the network of the gates: it knows one zone, and says of everything else that it does not exist.

The zone is a list of lines `NAME TYPE VALUE` (A, MX, PTR, TXT); `;` starts a comment. It can be replaced while the server runs.
"""

import socket
import socketserver
import struct
import threading

CODES = {"A": 1, "PTR": 12, "MX": 15, "TXT": 16}
NXDOMAIN, CLASS_IN, SECONDS = 3, 1, 60


def name_bytes(name):
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def data_bytes(kind, value):
    match kind:
        case "A":
            return socket.inet_aton(value)
        case "PTR":
            return name_bytes(value)
        case "MX":
            return struct.pack("!H", 10) + name_bytes(value)
        case "TXT":
            text = value.strip('"').encode()
            strings = [text[at : at + 255] for at in range(0, len(text), 255)]
            return b"".join(bytes([len(string)]) + string for string in strings)


def read_zone(lines):
    """Records by lower-case name, as pairs of type code and data."""
    zone = {}
    for line in lines:
        if fields := line.split(" ;")[0].split(None, 2):
            name, kind, value = fields
            zone.setdefault(name.lower().rstrip("."), []).append((CODES[kind], data_bytes(kind, value.strip())))
    return zone


def reverse(address):
    """`10.2.0.192.in-addr.arpa` of `192.0.2.10`."""
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


class Server:
    """Answers on UDP and TCP port 53 of an address, in threads of its own."""

    def __init__(self, address, lines):
        self.zone = read_zone(lines)
        answer = self.answer

        class OverUdp(socketserver.BaseRequestHandler):
            def handle(self):
                query, back = self.request
                back.sendto(answer(query), self.client_address)

        class OverTcp(socketserver.StreamRequestHandler):
            def handle(self):
                while len(size := self.rfile.read(2)) == 2:
                    reply = answer(self.rfile.read(struct.unpack("!H", size)[0]))
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

        servers = [socketserver.ThreadingUDPServer((address, 53), OverUdp), socketserver.ThreadingTCPServer((address, 53), OverTcp)]
        for server in servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, query):
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        name, (kind,) = ".".join(labels).lower(), struct.unpack("!H", query[at + 1 : at + 3])
        zone = self.zone
        found = [data for code, data in zone.get(name, []) if code == kind]
        # A name with something below it exists, though it has no record of its own (RFC 8020).
        exists = name in zone or any(other.endswith("." + name) for other in zone)
        # Authoritative, recursion available; "recursion desired" as in the query.
        flags = 0x8480 | (query[2] & 1) << 8 | (0 if exists else NXDOMAIN)
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        records = [b"\xc0\x0c" + struct.pack("!HHIH", kind, CLASS_IN, SECONDS, len(data)) + data for data in found]
        return header + query[12 : at + 5] + b"".join(records)

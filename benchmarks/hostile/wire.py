"""A connection to a broker on which every byte may be wrong.

Frames are written with hyperframe and headers with hpack, the parts of which the library h2 is made: h2 itself refuses to
break the rules. Nothing here is shared with the broker's own HTTP/2. Every connection comes from 127.0.0.2, so that the
places of an address that it takes up are not those of the good clients on 127.0.0.1.
"""

import select
import socket
import ssl
import time
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import hpack
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import Frame, HeadersFrame, PingFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SOURCE = "127.0.0.2"
READ_BYTES = 1 << 16
ERRORS = [
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
]


class Client:
    """What a client file of the command line says: where the broker is, and who calls."""

    def __init__(self, file):
        folder = Path(file).parent
        known = tomllib.loads(Path(file).read_text())
        place = urlsplit(known["address"])
        self.host, self.port = place.hostname, place.port
        self.ca, self.certificate, self.key = (str(folder / known[name]) for name in ("ca", "certificate", "key"))

    def tcp(self):
        """A connection without TLS."""
        address = ("127.0.0.1", self.port)
        return socket.create_connection(address, timeout=10, source_address=(SOURCE, 0))

    def tls(self, alpn=("h2",)):
        """A connection after the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        context.load_cert_chain(self.certificate, self.key)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context.wrap_socket(self.tcp(), server_hostname=self.host)


class Wire:
    """One HTTP/2 connection, and the tally of what the broker sent on it."""

    def __init__(self, client, settings=None, polite=True):
        self.authority = client.host
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        # Whether settings and pings are acknowledged: a client that is slow, but there.
        self.polite = polite
        self.goaway, self.closed, self.began = None, None, time.monotonic()
        self.resets, self.frames = Counter(), Counter()
        # Of every stream that was answered: the status of HTTP, and of gRPC if it came.
        self.http, self.status, self.ended = {}, {}, {}
        self.bytes_read, self.buffer = 0, b""
        # Acknowledgements that wait for the end of what is being sent, so that no frame is torn by another.
        self.owed = b""
        self.socket = client.tls()
        self.socket.setblocking(False)
        self.send(PREFACE + SettingsFrame(0, settings=settings or {}).serialize())

    def seconds(self):
        return time.monotonic() - self.began

    def headers(self, path, more=()):
        """The header block of a gRPC call, as bytes."""
        block = [
            (":method", "POST"), (":scheme", "https"), (":path", path),
            (":authority", self.authority), ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        return self.encoder.encode(block + list(more))

    def call(self, stream, path, body=None, more=(), end=True):
        """The frames of a call: with `end`, a whole one."""
        frame = HeadersFrame(stream, data=self.headers(path, more), flags=["END_HEADERS"])
        if body is None:
            if end:
                frame.flags.add("END_STREAM")
            return frame.serialize()
        return frame.serialize() + frame_bytes(0, 1 if end else 0, stream, body)

    def send(self, data):
        """Sends, and reads what comes meanwhile; false once the broker has gone."""
        view = memoryview(data)
        deadline = time.monotonic() + 30
        while view and self.closed is None and time.monotonic() < deadline:
            self.read_once(0)
            try:
                view = view[self.socket.send(view):]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                select.select([self.socket], [self.socket], [], 0.05)
            except OSError as error:
                self.end(error)
        if not view and self.owed:
            owed, self.owed = self.owed, b""
            return self.send(owed)
        return self.closed is None and not view

    def send_deaf(self, data):
        """Sends without reading; answers how many bytes the broker took, none where it takes no more."""
        try:
            return self.socket.send(data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
            return 0
        except OSError as error:
            self.end(error)
            return 0

    def listen(self, seconds, until=lambda: False):
        """Reads for so long, or until the end."""
        deadline = time.monotonic() + seconds
        while self.closed is None and not until() and (left := deadline - time.monotonic()) > 0:
            self.read_once(min(left, 0.1))
            if self.owed:
                self.send(b"")

    def read_once(self, patience):
        if self.closed is not None:
            return
        try:
            if not self.socket.pending():
                ready, _, _ = select.select([self.socket], [], [], patience)
                if not ready:
                    return
            data = self.socket.recv(READ_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError as error:
            self.end(error)
            return
        if not data:
            self.end(None)
        self.bytes_read += len(data)
        self.buffer += data
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            self.take(self.buffer[: 9 + length])
            self.buffer = self.buffer[9 + length:]

    def take(self, raw):
        frame, length = Frame.parse_frame_header(memoryview(raw[:9]))
        try:
            frame.parse_body(memoryview(raw[9: 9 + length]))
        except HyperframeError:
            self.frames["UNREADABLE"] += 1
            return
        name = type(frame).__name__.removesuffix("Frame")
        self.frames[name] += 1
        if name == "GoAway":
            self.goaway = code(frame.error_code)
        elif name == "RstStream":
            self.resets[code(frame.error_code)] += 1
            self.ended[frame.stream_id] = self.seconds()
        elif name == "Headers":
            for key, value in self.decoder.decode(frame.data):
                if key == ":status":
                    self.http[frame.stream_id] = int(value)
                elif key == "grpc-status":
                    self.status[frame.stream_id] = int(value)
                    self.ended[frame.stream_id] = self.seconds()
        elif name in ("Settings", "Ping") and self.polite and "ACK" not in frame.flags:
            answer = SettingsFrame(0) if name == "Settings" else PingFrame(0, opaque_data=frame.opaque_data)
            answer.flags.add("ACK")
            self.owed += answer.serialize()

    def end(self, error):
        self.closed = "end" if error is None or isinstance(error, ssl.SSLEOFError) else type(error).__name__
        self.closed_after = self.seconds()

    def tally(self):
        """What the broker made of it, as JSON."""
        return {
            "closed": self.closed,
            "closed_after": round(self.closed_after, 2) if self.closed else None,
            "goaway": self.goaway,
            "resets": dict(self.resets),
            "http": Counter(map(str, self.http.values())),
            "status": Counter(map(str, self.status.values())),
            "frames": dict(self.frames),
            "bytes_read": self.bytes_read,
        }


def code(number):
    return ERRORS[number] if number < len(ERRORS) else str(number)


def frame_bytes(kind, flags, stream, payload=b""):
    """Any frame, right or wrong."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def message(payload, compressed=0, declared=None):
    """A message of gRPC, with the length that it says it has."""
    length = len(payload) if declared is None else declared
    return bytes([compressed]) + length.to_bytes(4, "big") + payload

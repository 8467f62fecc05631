#!/usr/bin/env python3
"""Checks an exported audit log against its public key, with nothing of renkei: hashlib and one library for Ed25519.

    python3 -m pip install -r requirements.txt
    python3 verify_log.py FOLDER log.vkey

FOLDER holds `checkpoint` and, below `tile/`, tiles of 256 hashes and bundles of 256 entries; log.vkey is the line that the
log's operator handed over. Every entry is read, every hash computed anew. Ends with 0 where the folder is exactly what was
signed, otherwise with 1 and what is wrong. Formats: C2SP signed-note, tlog-checkpoint, tlog-tiles; RFC 6962, section 2.1.
"""
import base64, hashlib, json, pathlib, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def need(condition, what):
    if not condition:
        raise ValueError(what)

def sha256(data):
    return hashlib.sha256(data).digest()

def unbase64(text, what):
    data = base64.b64decode(text)
    need(base64.b64encode(data).decode() == text, what)  # one spelling only
    return data

def root_of(hashes):
    """Neighbours become one; the last one of an odd number waits for the next round."""
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + left + right) for left, right in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0] if hashes else sha256(b"")

def read_key(file):
    name, key_id, text = pathlib.Path(file).read_text("utf-8").strip().split("+", 2)
    key = unbase64(text, "log.vkey is no key")
    need(len(key) == 33 and key[0] == 1, "log.vkey is no Ed25519 key")
    need(key_id_of(name, key).hex() == key_id, "log.vkey contradicts its key id")
    return name, key

def key_id_of(name, key):
    return sha256(name.encode() + b"\n" + key)[:4]

def open_checkpoint(note, name, key):
    """Size and root, if the key has signed them. Lines of other signers, such as witnesses, are passed over."""
    text, _, signatures = note.decode("utf-8").rpartition("\n\n")
    need(text.count("\n") == 2 and signatures.endswith("\n"), "checkpoint: not origin, size, root and signatures")
    origin, size, root = text.split("\n")
    signed = False
    for line in signatures[:-1].split("\n"):
        need(line.startswith("\u2014 ") and line.count(" ") == 2, "checkpoint: not a signature line")
        signer, data = line[2:].split(" ")
        data = unbase64(data, "checkpoint: not a signature line")
        if signer == name and data[:4] == key_id_of(name, key):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(data[4:], (text + "\n").encode())
            signed = True
    need(signed and origin == name, "checkpoint: not signed by this key under this name")
    need(size.isdecimal() and str(int(size)) == size, "checkpoint: not a size")
    root = unbase64(root, "checkpoint: not a root")
    return int(size), root

def files_of(kind, count):
    """The files of one level with the place of their first item and how many they hold; only a last one may hold few."""
    for index in range(-(-count // 256)):
        groups = f"{index:,}".split(",")  # 1,234,067 is x001/x234/067
        digits = [f"x{group:0>3}" for group in groups[:-1]] + [f"{groups[-1]:0>3}"]
        width = min(256, count - index * 256)
        yield "/".join(["tile", kind, *digits]) + (f".p/{width}" if width < 256 else ""), index * 256, width

def entries_of(data, width, name):
    at = 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        need(at + 2 <= end <= len(data), f"{name} is cut off")
        yield data[at + 2 : end]
        at = end
    need(at == len(data), f"{name} goes on after its end")

def time_of(entry, index):
    """The time of a leaf, which has one spelling and the fields that all leaves have."""
    leaf = json.loads(entry)
    need(isinstance(leaf, dict) and {"clk", "id", "op", "res", "t", "v"} <= leaf.keys(), f"entry {index} is no leaf")
    again = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    need(again == entry and leaf["v"] == 1 and type(leaf["t"]) is int, f"entry {index} is not spelt as leaves are")
    return leaf["t"]

def verify(folder, name, key):
    """Size and root of the log in a folder."""
    def read(file):
        need((folder / file).is_file(), f"{file} is missing")
        return (folder / file).read_bytes()

    size, root = open_checkpoint(read("checkpoint"), name, key)
    hashes, known, last = [], set(), 0
    for file, first, width in files_of("entries", size):
        known.add(file)
        for index, entry in enumerate(entries_of(read(file), width, file), first):
            hashes.append(sha256(b"\x00" + entry))
            time = time_of(entry, index)
            need(time >= last, f"entry {index} goes back in time")
            last = time
    need(root_of(hashes) == root, "the entries do not lead to the signed root")
    for level in range(8):
        for file, first, width in files_of(str(level), len(hashes)):
            known.add(file)
            need(read(file) == b"".join(hashes[first : first + width]), f"{file} is not what lies below it")
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
    found = {path.relative_to(folder).as_posix() for path in (folder / "tile").rglob("*") if path.is_file()}
    need(found <= known, f"{min(found - known, default='')} is not part of the signed log")
    return size, root

if __name__ == "__main__":
    try:
        log_size, log_root = verify(pathlib.Path(sys.argv[1]), *read_key(sys.argv[2]))
    except InvalidSignature:
        sys.exit("damaged / 改変あり: checkpoint: the signature is wrong")
    except ValueError as damage:  # what `need` says; also bytes that are no text, and text that is no JSON or base64
        sys.exit(f"damaged / 改変あり: {damage}")
    print(f"intact / 改変なし: {log_size} entries, root {base64.b64encode(log_root).decode()}")

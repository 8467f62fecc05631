#!/usr/bin/env python3
"""Checks what a person was told of the use of their data, with the log's public key and nothing of renkei.

    python3 -m pip install -r requirements.txt
    python3 verify_entry.py FOLDER log.vkey

FOLDER holds the files that `renkei audit subject --proofs FOLDER` has written, one for each entry; log.vkey is the line that
the log's operator handed over. An entry is proven if its leaf is in the signed log and the leaf commits to the person's line:

    person    SHA-256(0x00 || salt || handle || what was said)                leads to subj.root of the leaf
    decision  SHA-256(0x00 || salt || row || weight || line || handle || outcome || 0x00 || reason)   leads to man.root

Ends with 0 where every entry is proven, otherwise with 1 and what is wrong.
"""
import hashlib, json, pathlib, sys
from cryptography.exceptions import InvalidSignature
from verify_log import leaf_of, need, open_checkpoint, read_key, unbase64

def sha256(data):
    return hashlib.sha256(data).digest()

def root_by(leaf_hash, index, size, hashes):
    """The root to which a path leads (RFC 9162, section 2.1.3.2)."""
    need(0 <= index < size, "the path is about nothing in the tree")
    node, last, value = index, size - 1, leaf_hash
    for sibling in hashes:
        need(last > 0, "the path is too long")
        if node % 2 == 1 or node == last:
            value = sha256(b"\x01" + sibling + value)
            while node % 2 == 0 and node > 0:
                node, last = node >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "the path is too short")
    return value

def fields(value, *names):
    need(isinstance(value, dict) and value.keys() == set(names), "a field is missing or unknown")
    return [value[name] for name in names]

def hexadecimal(text, length):
    data = bytes.fromhex(text)
    need(len(data) == length and data.hex() == text, "not hexadecimal of the right length")
    return data

def follow(payload, path):
    """Number, size and root of the tree in which the path places what is hashed."""
    index, size, hashes = fields(path, "index", "size", "hashes")
    need(type(index) is int and type(size) is int, "a path without numbers")
    hashes = [unbase64(text, "a path with something else than hashes") for text in hashes]
    need(all(len(one) == 32 for one in hashes), "a path with something else than hashes")
    return index, size, "sha256:" + root_by(sha256(b"\x00" + payload), index, size, hashes).hex()

def verify(text, key):
    """The leaf and what it says of the person."""
    proof = json.loads(text)
    decision = proof.pop("decision", None)
    version, leaf_text, receipt, person = fields(proof, "v", "leaf", "receipt", "person")
    need(version == 1, "a proof of another version")
    head, _, note = receipt.partition("\n\n")
    lines = head.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index "), "no tlog-proof")
    size, root, _ = open_checkpoint(note.encode(), [key])
    hashes = [unbase64(line, "a tlog-proof with something else than hashes") for line in lines[2:]]
    entry = leaf_text.encode()
    need(root_by(sha256(b"\x00" + entry), int(lines[1][6:]), size, hashes) == root, "the leaf is not in the log")
    leaf = leaf_of(entry, int(lines[1][6:]))
    salt, handle, said, path = fields(person, "salt", "handle", "said", "path")
    salt, handle = hexadecimal(salt, 16), hexadecimal(handle, 32)
    index, count, found = follow(salt + handle + said.encode(), path)
    subject = leaf.get("subj", {})
    need((count, found) == (subject.get("n"), subject.get("root")), "the leaf does not commit to the person")
    if decision is not None:
        salt, record, path = fields(decision, "salt", "record", "path")
        row, weight, line, whom, outcome, reason = fields(record, "row", "weight", "line", "person", "outcome", "reason")
        payload = row.to_bytes(4, "big") + weight.to_bytes(4, "big", signed=True)
        payload += hexadecimal(line, 16) + hexadecimal(whom, 32) + outcome.encode() + b"\x00" + reason.encode()
        place, count, found = follow(hexadecimal(salt, 16) + payload, path)
        manifest = leaf.get("man", {})
        need((count, found) == (manifest.get("n"), manifest.get("root")), "the leaf does not commit to the decision")
        same = row == place == index and hexadecimal(whom, 32) == handle and outcome == said
        need(same, "the decision is not that of the person's line")
    return leaf, said

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wrong = []
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    for file in files:
        try:
            proven, said_of = verify(file.read_text("utf-8"), read_key(sys.argv[2]))
            print(f"proven / 証明済み: {file.name}: {proven['op']} {said_of}")
        except InvalidSignature:
            wrong.append(f"{file.name}: the signature is wrong")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as damage:
            wrong.append(f"{file.name}: {damage}")
    if wrong or not files:
        sys.exit("not proven / 証明できません: " + ("; ".join(wrong) or "no proofs"))

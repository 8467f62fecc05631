"""Checks an exported audit log against its public key, with nothing of renkei: hashlib and one library for Ed25519.

    python3 -m pip install -r requirements.txt
    python3 verify_log.py FOLDER log.vkey           where the key was replaced: FOLDER OLDEST.vkey ... NEWEST.vkey

Ends with 0 where `checkpoint` and `tile/` in FOLDER are what was signed, each entry fits leaf.schema.json under an id of its
own, each year begins with how the last ended, and later keys were announced. Formats: C2SP signed-note, tlog-tiles; RFC 6962.
"""
import base64, json, pathlib, re, sys
from hashlib import sha256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
SCHEMA = json.loads(pathlib.Path(__file__).with_name("leaf.schema.json").read_text("utf-8"))

def need(condition, what):
    if not condition:
        raise ValueError(what)

def unbase64(text, what):
    data = base64.b64decode(text)
    need(base64.b64encode(data).decode() == text, what)  # one spelling only
    return data

def root_of(hashes):
    """Neighbours become one; the last one of an odd number waits for the next round."""
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0] if hashes else sha256(b"").digest()

def read_key(file):
    name, key_id, text = pathlib.Path(file).read_text("utf-8").strip().split("+", 2)
    key = unbase64(text, f"{file} is no key")
    is_named = sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
    need(is_named and len(key) == 33 and key[0] == 1, f"{file} is no Ed25519 key, or contradicts its key id")
    return name, key_id, text

def open_checkpoint(note, keys):
    """Size, root, and which of the keys has signed. Lines of others, such as witnesses, are passed over."""
    text, _, lines = note.decode("utf-8").rpartition("\n\n") if len(note) <= 128 * 1024 else ("", "", "")
    need(text.count("\n") == 2 and lines.endswith("\n"), "checkpoint: not origin, size, root and signatures")
    origin, size, root = text.split("\n")
    signers = []
    for line in lines[:-1].split("\n"):
        parts = re.fullmatch("\u2014 ([^\\s\0-\x1f+]+) (\\S+)", line)
        data = unbase64(parts[2], "checkpoint: not base64") if parts else b""
        need(len(data) > 4, "checkpoint: not a signature line")
        for key in (key for key in keys if key[:2] == (parts[1], data[:4].hex())):
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key[2])[1:]).verify(data[4:], (text + "\n").encode())
            signers.append(keys.index(key))
    need(signers and origin == keys[min(signers)][0], "checkpoint: not signed by this key under this name")
    need(size.isdecimal() and str(int(size)) == size, "checkpoint: not a size")
    return int(size), unbase64(root, "checkpoint: not a root"), min(signers)

def fits(value, rule):
    """Whether a value is what a rule of the schema says. Objects are closed and never empty."""
    rule = SCHEMA["$defs"]["digest"] if "$ref" in rule else rule
    if "oneOf" in rule:
        return any(fits(value, one) for one in rule["oneOf"])
    if rule.get("type") == "object":
        parts = rule.get("properties") or dict.fromkeys(rule["propertyNames"]["enum"], rule["additionalProperties"])
        known = isinstance(value, dict) and set(rule.get("required", [])) <= value.keys() <= parts.keys()
        return known and value and all(fits(part, parts[name]) for name, part in value.items())
    if rule.get("type") == "string":
        return isinstance(value, str) and value in rule.get("enum", [value]) and re.fullmatch(rule.get("pattern", ".*"), value)
    return type(value) is int and value in rule.get("enum", [value]) and 0 <= value <= rule.get("maximum", value)

def leaf_of(entry, index):
    again = json.dumps(leaf := json.loads(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    need(again == entry and fits(leaf, SCHEMA), f"entry {index} is no leaf of leaf.schema.json, or not spelt as leaves are; "
         "if the log's broker is newer, take verify_log.py and leaf.schema.json of its release")
    return leaf

def files_of(kind, count):
    """The files of one level with the place of their first item and how many they hold; only a last one may hold few."""
    for index in range(-(-count // 256)):
        groups = f"{index:,}".split(",")  # 1,234,067 is x001/x234/067
        digits = [f"x{group:0>3}" for group in groups[:-1]] + [f"{groups[-1]:0>3}"]
        width = min(256, count - index * 256)
        yield "/".join(["tile", kind, *digits]) + (f".p/{width}" if width < 256 else ""), index * 256, width

def verify(folder, keys):
    inside = [folder / "checkpoint", *folder.glob("tile/**/*")]
    need(all(one.is_file() or one.is_dir() for one in inside), "there is no checkpoint, or a pipe, or no file behind a link")
    size, root, signer = open_checkpoint((folder / "checkpoint").read_bytes(), keys)
    hashes, known, ids, leaf, announced = [], {"checkpoint"}, {}, {"t": 0, "op": ""}, {}
    for file, first, width in files_of("entries", size):
        known.add(file)
        data = (folder / file).read_bytes()
        for index in range(first, first + width):
            end = 2 + int.from_bytes(data[:2], "big")  # each entry has its length before it
            need(end <= min(len(data), 16386), f"{file} is cut off, or an entry is longer than leaves are")
            entry, data = data[2:end], data[end:]
            last, leaf = leaf, leaf_of(entry, index)
            need(leaf["t"] >= last["t"], f"entry {index} goes back in time")
            need(ids.setdefault(leaf["id"], index) == index, f"entry {index} has the id of an earlier one")
            ended = last["op"] == "SHARD_CLOSE" and {"root": "sha256:" + root_of(hashes).hex(), "size": index}
            need((leaf["op"] == "SHARD_OPEN" and leaf.get("seen")) == ended, f"entry {index} does not go on from a year's end")
            announced = {leaf.get("cfg"): index, **announced} if leaf["op"] == "KEY_ROTATE" else announced
            hashes.append(sha256(b"\x00" + entry).digest())
        need(not data, f"{file} goes on after its end")
    need(root_of(hashes) == root, "the entries do not lead to the signed root")
    prints = ["sha256:" + sha256("+".join(key).encode()).hexdigest() for key in keys]
    need(signer == 0 or prints[signer] in announced, "checkpoint: signed by a later key that no entry announces")
    need(all(announced.get(one, size) >= size - 1 for one in prints[signer + 1 :]), "checkpoint: signed by a replaced key")
    for level in range(8):
        for file, first, width in files_of(str(level), len(hashes)):
            known.add(file)
            need((folder / file).read_bytes() == b"".join(hashes[first : first + width]), f"{file} is not what lies below it")
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
    found = {one.relative_to(folder).as_posix() for one in inside if one.is_symlink() or one.is_file()}
    need(found <= known, f"{min(found - known, default='')} is not part of the signed log")
    return f"intact / 改変なし: {size} entries, root {base64.b64encode(root).decode()}"

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        print(verify(pathlib.Path(sys.argv[1]), [read_key(file) for file in sys.argv[2:]]))
    except Exception as damage:  # whatever keeps this from its end; a wrong signature has no words of its own
        sys.exit(f"damaged / 改変あり: {str(damage) or 'checkpoint: the signature is wrong'}")

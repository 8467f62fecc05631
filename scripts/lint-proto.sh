#!/usr/bin/env bash
# Lints the contract in proto/ with buf, which it installs from npm beside the build, and holds it against what was
# published: nothing that others build on may go, move or change its meaning.
# Usage: scripts/lint-proto.sh [--publish]
#
# proto/published.binpb is the contract as it was last promised. It is in the repository, so the check needs no tag, no
# history and no network but for buf itself. --publish checks, and then promises the contract as it is now.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BUF_VERSION=1.75.0
PUBLISHED=proto/published.binpb
tools="${CARGO_TARGET_DIR:-target}/tools/buf-$BUF_VERSION"
buf="$tools/node_modules/.bin/buf"

if [[ $# -gt 1 || ($# -eq 1 && "$1" != --publish) ]]; then
    echo "usage: scripts/lint-proto.sh [--publish]" >&2
    exit 2
fi
if [[ ! -x "$buf" ]]; then
    command -v npm >/dev/null || { echo "error: npm is missing: install Node.js, which brings buf" >&2; exit 1; }
    mkdir -p "$tools"
    npm install --silent --no-fund --no-audit --prefix "$tools" "@bufbuild/buf@$BUF_VERSION" >&2
fi
"$buf" lint proto
"$buf" format --diff --exit-code proto
if ! "$buf" breaking proto --against "$PUBLISHED"; then
    echo "error: this takes from others what was promised: add beside it, and reserve what goes" >&2
    exit 1
fi
if [[ "${1:-}" == --publish ]]; then
    "$buf" build proto --exclude-source-info --as-file-descriptor-set --output "$PUBLISHED"
    echo "published: $(sha256sum "$PUBLISHED")"
fi

#!/usr/bin/env bash
# Lints the contract in proto/ with buf, which it installs from npm beside the build. Usage: scripts/lint-proto.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BUF_VERSION=1.75.0
tools="${CARGO_TARGET_DIR:-target}/tools/buf-$BUF_VERSION"
buf="$tools/node_modules/.bin/buf"

if [[ ! -x "$buf" ]]; then
    command -v npm >/dev/null || { echo "error: npm is missing: install Node.js, which brings buf" >&2; exit 1; }
    mkdir -p "$tools"
    npm install --silent --no-fund --no-audit --prefix "$tools" "@bufbuild/buf@$BUF_VERSION" >&2
fi
"$buf" lint proto
"$buf" format --diff --exit-code proto

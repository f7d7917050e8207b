#!/usr/bin/env bash
# Clones the committed tree into a temporary folder and runs the README's two commands there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
shared=$(cd "$root/.." && pwd)/shared/data
[[ -n "${CQ_DATA:-}" || ! -d "$shared" ]] || export CQ_DATA="$shared"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$root" "$work/crypto-quant"
cd "$work/crypto-quant"
make demo
make test

#!/usr/bin/env bash
# Makes .venv from the locked requirements; says which system packages are missing, once.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
ldconfig -p 2>/dev/null | grep -q 'libgomp\.so\.1' || missing+=(libgomp1)
if ((${#missing[@]})); then
  echo "setup: system packages are missing; run: apt-get install -y ${missing[*]}" >&2
  exit 2
fi
if ! command -v cargo >/dev/null; then
  echo "setup: no Rust toolchain found; install Rust 1.95 or later with rustup" >&2
  exit 2
fi
python3 - <<'PY' || exit 2
import sys
if sys.version_info < (3, 11):
    sys.exit(f"setup: Python 3.11 or later is needed, found {sys.version.split()[0]}")
PY

[[ -x .venv/bin/python ]] || python3 -m venv .venv
[[ -x .venv/bin/uv ]] || .venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements/dev.txt

#!/usr/bin/env bash
# Says what of the system is missing, in one line with what installs it; exits 2 then.
set -euo pipefail

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
# ldconfig is outside a plain user's PATH on Debian; read whole, for a pipe that grep leaves early
# would make it fail.
libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p) || libraries=
[[ $libraries == *libgomp.so.1* ]] || missing+=(libgomp1)
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

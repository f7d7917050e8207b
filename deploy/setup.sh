#!/usr/bin/env bash
# Makes .venv from the locked requirements.
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/needs.sh
[[ -x .venv/bin/python ]] || python3 -m venv .venv
[[ -x .venv/bin/uv ]] || .venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements/dev.txt

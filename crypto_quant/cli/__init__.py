"""``cq``: one file a command group; parsing and printing only."""

from __future__ import annotations

import sys

from crypto_quant.cli.faults import in_one_line
from crypto_quant.core.interrupts import held, ignored_at_exit, terminate_as_interrupt


def main() -> None:
    """Run ``cq``; exit 0, 1 (our fault) or 2 (the user's)."""
    ignored_at_exit()
    terminate_as_interrupt()
    try:
        with in_one_line():
            with held():
                import pyarrow as pa

                from crypto_quant.cli.root import run

                pa.array([0]).to_numpy()  # what it imports when first asked is imported now
            run()
    except KeyboardInterrupt:
        sys.stderr.write("cq: interrupted; nothing half-done was kept\n")
        sys.exit(2)


__all__ = ["main"]

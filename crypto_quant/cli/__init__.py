"""``cq``: one file a command group; parsing and printing only."""

from crypto_quant.cli.root import main

__all__ = ["main"]

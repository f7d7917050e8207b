"""Run benches by name and keep their numbers in ``benches/out/NAME.json``."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

import benches
from benches import Result

OUT = Path(__file__).parent / "out"


def names() -> list[str]:
    """Return the benches there are: modules with a ``run``, without a trailing underscore."""
    found = [module.name for module in pkgutil.iter_modules(benches.__path__)]
    has_run = (n for n in found if not n.startswith("_") and hasattr(_module(n), "run"))
    return sorted(name.removesuffix("_") for name in has_run)


def _module(name: str) -> object:
    return importlib.import_module(f"benches.{name}")


def main(wanted: str) -> int:
    """Run one bench, or ``all``; exit 2 for a name that is none."""
    there = names()
    if wanted not in (*there, "all"):
        print(f"no bench {wanted!r}; there are: {', '.join(there)}, all", file=sys.stderr)
        return 2
    for name in there if wanted == "all" else [wanted]:
        module = _module(f"{name}_" if name == "import" else name)
        run: Callable[[], list[Result]] = module.run  # type: ignore[attr-defined]  # names() saw it
        results = run()
        OUT.mkdir(exist_ok=True)
        plain = [result._asdict() for result in results]
        (OUT / f"{name}.json").write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
        for result in results:
            _show(result)
    return 0


def _show(result: Result) -> None:
    beside = ""
    if result.peer is not None and result.ratio is not None:
        beside = f"   {result.peer_name}: {result.peer:,.3g}   ratio {result.ratio:.3g}"
    print(f"{result.name} [{result.unit}] on {result.input}: {result.ours:,.4g}{beside}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))

"""Variants beside one another on one catalog: counted, trained where they trade a model, run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.folds import FoldStore, folds_table
from crypto_quant.backtesting.engine.inputs import read_inputs
from crypto_quant.backtesting.engine.research import (
    Research,
    build_research,
    first_test,
    make_labels,
)
from crypto_quant.backtesting.engine.variants import Variant, distinct
from crypto_quant.backtesting.engine.workers import Job, Outcome, Workers
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.validation.diagnostics import diagnose
from crypto_quant.backtesting.validation.evaluate import evaluate_all
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.labels import Labels
from crypto_quant.runtime.config import ModelSection, RunConfig

LOGGED: Final = ("sharpe_daily", "sharpe_lowest")
"""Names in the trial log of a trial's Sharpe ratios, per day (``TrialSharpe``).

A log of before may hold ``daily_sharpe``, which had hole days in: another quantity, not read.
"""


class Found(NamedTuple):
    """What a variant came to, and the folds that were trained for it."""

    outcome: Outcome
    folds: pa.Table

    def shown_as(self, key: str) -> Found:
        """Return it as that of another variant, which runs the same; its folds are named once."""
        return Found(self.outcome.shown_as(key), self.folds.slice(0, 0))


class SideBySide:
    """One catalog, one trial log, one store of folds, for the variants of a configuration.

    Parameters
    ----------
    config
        Decides the data that every variant shares.
    space
        Where they read and write.
    """

    def __init__(self, config: RunConfig, space: Workspace) -> None:
        self._config = config
        self.space = space
        self._tell = space.tell
        self._research: Research | None = None
        self.inputs = read_inputs(config, space.catalog, space.known)
        self.start = first_test(config, self.inputs)
        self.log = TrialLog(space.trials)
        self.data = identity.data_hash(self.inputs)
        self.code = identity.source_hash()
        # Workers may stand in another folder.
        self._store = FoldStore(space.runs.resolve() / "models", self.data, self.code)

    def evaluate(
        self, variants: Sequence[Variant], decisions: Path | None, what: str
    ) -> list[Found]:
        """Count every variant, then run them side by side.

        What two rows show is tried, counted and run once.

        Parameters
        ----------
        variants
            What is run.
        decisions
            The file for the decisions of the first one, of which then everything is kept.
        what
            Names the runs where progress is told.
        """
        first = distinct(variants)
        once = sorted(set(first))

        def go(trials: Sequence[Trial]) -> list[Found]:
            return self._run([variants[n] for n in once], trials, decisions, what)

        configs = [tried(variants[n]) for n in once]
        done = evaluate_all(self.log, configs, self.data, self.code, go, _numbers)
        found = {n: each.result for n, each in zip(once, done, strict=True)}
        return [
            found[n] if n == at else found[n].shown_as(variant.row.key)
            for at, (n, variant) in enumerate(zip(first, variants, strict=True))
        ]

    def workers(self) -> Workers:
        """Return processes that share these inputs; use as a context manager."""
        return Workers(self._config, self.inputs.catalog.root.resolve(), self.space.known)

    def folds_of(self, variant: Variant) -> Path | None:
        """Return the file of a variant's trained folds, trained if need be; ``None`` without."""
        if "model" not in variant.sleeves:
            return None
        path = self._store.path(variant.config.model)
        if not path.is_file():
            self._trained(variant)
        return path

    def _run(
        self,
        variants: Sequence[Variant],
        trials: Sequence[Trial],
        decisions: Path | None,
        what: str,
    ) -> list[Found]:
        """Run what needs no model at once, and the rest as its folds get trained."""
        total = len(variants)
        self._tell(what, 0, total)
        pending: dict[int, Future[Outcome]] = {}
        seen: dict[str, pa.Table] = {}
        with self.workers() as workers:
            for model, numbers in _by_model(variants):
                path = None
                if model is not None:
                    first = numbers[0]
                    path = self._store.path(model)
                    seen[variants[first].row.key] = self._diagnosed(variants[first], trials[first])
                for n in numbers:
                    log = decisions if n == 0 else None
                    pending[n] = workers.submit(Job(variants[n], self.start, path, log))
            for done, ended in enumerate(as_completed(pending.values()), 1):
                ended.result()  # one that failed ends the run before the others are waited for
                self._tell(what, done, total)
            none = pa.Table.from_pylist([], schema=schema.FOLDS)
            return [
                Found(pending[n].result(), seen.get(variant.row.key, none))
                for n, variant in enumerate(variants)
            ]

    def _diagnosed(self, variant: Variant, trial: Trial) -> pa.Table:
        """Train the folds of a variant, or find them, and return what they came to."""
        trained, research, labels = self._trained(variant)
        seen = diagnose(trial, trained, research.table, labels)
        return folds_table(variant.row.key, trained, seen.folds)

    def _trained(self, variant: Variant) -> tuple[Sequence[FoldModel], Research, Labels]:
        research, model = self._features(), variant.config.model
        labels = make_labels(research, self.inputs, model)
        name = f"training: {variant.row.label}"

        def told(done: int, of: int) -> None:
            self._tell(name, done, of)

        trained = self._store.folds(research, labels, self.inputs, model, told)
        return trained, research, labels

    def _features(self) -> Research:
        if self._research is None:
            self._tell("features", 0, 1)
            self._research = build_research(self._config, self.inputs)
            self._tell("features", 1, 1)
        return self._research


def tried(variant: Variant) -> dict[str, Any]:
    """Return what makes a variant a trial of its own, beside data and code."""
    return {
        "config": variant.config.model_dump(mode="json", exclude={"beside"}),
        "sleeves": list(variant.sleeves),
    }


def _by_model(variants: Sequence[Variant]) -> list[tuple[ModelSection | None, list[int]]]:
    """Return positions of the variants by the model that they trade, those without one first."""
    groups: list[tuple[ModelSection | None, list[int]]] = [(None, [])]
    for n, variant in enumerate(variants):
        model = variant.config.model if "model" in variant.sleeves else None
        same = next((numbers for known, numbers in groups if known == model), None)
        if same is None:
            groups.append((model, [n]))
        else:
            same.append(n)
    return groups


def _numbers(found: Found) -> dict[str, float]:
    """Return what the trial log keeps."""
    return dict(zip(LOGGED, found.outcome.sharpe, strict=True))

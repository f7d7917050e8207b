"""The one way to an out-of-sample number: it is logged, and only then computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from crypto_quant.backtesting.validation.trials import Trial, TrialLog

T = TypeVar("T")


class Evaluation(NamedTuple, Generic[T]):
    """A result and the receipt of the trial that paid for it."""

    trial: Trial
    result: T


def evaluate(
    log: TrialLog,
    config: BaseModel | Mapping[str, Any],
    data: str,
    code: str,
    run: Callable[[Trial], T],
    numbers: Callable[[T], Mapping[str, float]] | None = None,
) -> Evaluation[T]:
    """Append the trial to the log, then run it and return what it came to.

    A run that fails, or is interrupted, stays counted: its result may have been seen.

    Parameters
    ----------
    log
        Where the trial is counted.
    config, data, code
        What makes the trial: configuration, hash of the data, hash of the code.
    run
        Computes the result; it is handed the receipt, which everything that shows an
        out-of-sample number asks for.
    numbers
        The numbers to keep with the trial, e.g. its daily Sharpe ratio, from which the
        deflated Sharpe ratio takes the variance over trials.

    Raises
    ------
    ConfigError, DataError
        The trial cannot be logged; nothing is run.
    """
    (found,) = evaluate_all(log, (config,), data, code, lambda trials: [run(trials[0])], numbers)
    return found


def evaluate_all(
    log: TrialLog,
    configs: Sequence[BaseModel | Mapping[str, Any]],
    data: str,
    code: str,
    run: Callable[[Sequence[Trial]], Sequence[T]],
    numbers: Callable[[T], Mapping[str, float]] | None = None,
) -> list[Evaluation[T]]:
    """Append every trial, then run them together: as ``evaluate``, for runs side by side.

    Log and results are in the order of ``configs``, whatever order the runs end in; should
    one fail, all stay counted.
    """
    trials = [log.append(config, data, code) for config in configs]
    found = [Evaluation(trial, result) for trial, result in zip(trials, run(trials), strict=True)]
    if numbers is not None:
        for trial, result in found:
            log.record(trial, numbers(result))
    return found


def evaluate_each(
    log: TrialLog,
    configs: Sequence[BaseModel | Mapping[str, Any]],
    data: str,
    code: str,
    run: Callable[[Sequence[Trial]], Iterable[tuple[int, T]]],
    numbers: Callable[[T], Mapping[str, float]],
) -> Iterator[tuple[int, Evaluation[T]]]:
    """Append every trial, then yield position and result of each run as it ends.

    As ``evaluate_all``, for runs that do not wait for one another: the numbers of each are
    in the log before its result can be read, whatever comes of the others.
    """
    trials = [log.append(config, data, code) for config in configs]
    for n, result in run(trials):
        log.record(trials[n], numbers(result))
        yield n, Evaluation(trials[n], result)

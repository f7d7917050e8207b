"""The trial log: every configuration that was ever looked at out of sample, append only.

A trial is what was tried: configuration, data and code. Trying the same again is logged
as a repeat and is no new trial. The log is SQLite; rows cannot be changed or deleted
through it, and each is on the disk before the number it pays for can be read.

References
----------
Bailey and Lopez de Prado (2014), Journal of Portfolio Management 40(5): a result is worth
less the more trials it is the best of, so all must be counted.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from crypto_quant.core.clock import now_ns
from crypto_quant.core.errors import ConfigError, DataError, InvariantError

DEFAULT_PATH: Final = Path("runs/trials.sqlite")
BUSY_S: Final = 30.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ns INTEGER NOT NULL,
    identity TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    config TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS trials_by_identity ON trials (identity);
CREATE TABLE IF NOT EXISTS outcomes (
    trial INTEGER NOT NULL REFERENCES trials (id),
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (trial, name)
) STRICT;
CREATE TRIGGER IF NOT EXISTS trials_stay BEFORE UPDATE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trial log is append only'); END;
CREATE TRIGGER IF NOT EXISTS trials_remain BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'the trial log is append only'); END;
CREATE TRIGGER IF NOT EXISTS outcomes_stay BEFORE UPDATE ON outcomes
    BEGIN SELECT RAISE(ABORT, 'the trial log is append only'); END;
CREATE TRIGGER IF NOT EXISTS outcomes_remain BEFORE DELETE ON outcomes
    BEGIN SELECT RAISE(ABORT, 'the trial log is append only'); END;
"""

_DECIDES: Final = {".py", ".so", ".pyd", ".toml"}
"""Endings of files that decide a number: sources, native modules, rule tables."""

_SEAL: Final = object()


class Trial:
    """A receipt: this configuration is in the log. Only the log makes one.

    Whatever shows an out-of-sample number asks for it.
    """

    __slots__ = ("id", "identity", "is_repeat")

    def __init__(self, id: int, identity: str, is_repeat: bool, seal: object) -> None:
        if seal is not _SEAL:
            raise InvariantError("a trial was made by something else than the trial log")
        self.id = id
        self.identity = identity
        self.is_repeat = is_repeat


class TrialCount(NamedTuple):
    """Distinct trials, distinct configurations among them, and rows with repeats."""

    trials: int
    configurations: int
    rows: int


class TrialLog:
    """The log in one file, made with its folder when the first trial is appended.

    Parameters
    ----------
    path
        The SQLite file.
    clock
        Gives the time that a row is stamped with, ns UTC.
    """

    def __init__(self, path: Path = DEFAULT_PATH, clock: Callable[[], int] = now_ns) -> None:
        self._path = path
        self._clock = clock

    def append(self, config: BaseModel | Mapping[str, Any], data: str, code: str) -> Trial:
        """Log a trial and return its receipt once the row is on the disk.

        Parameters
        ----------
        config
            All that decides the result, and nothing that does not (no output folder).
        data, code
            Hashes of what the trial reads and runs.

        Raises
        ------
        ConfigError
            The configuration holds a value that has no JSON form.
        DataError
            The file cannot be written or is no trial log.
        """
        text = canonical(config)
        config_hash = hashlib.sha256(text.encode()).hexdigest()
        identity = _identity(config_hash, data, code)
        with self._transaction() as db:
            seen = db.execute(
                "SELECT COUNT(*) FROM trials WHERE identity = ?", (identity,)
            ).fetchone()[0]
            row = db.execute(
                "INSERT INTO trials (at_ns, identity, config_hash, data_hash, code_hash, repeat,"
                " config) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._clock(), identity, config_hash, data, code, seen, text),
            ).lastrowid
        if row is None:
            raise InvariantError("trial log: a row was inserted without an id")
        return Trial(row, identity, seen > 0, _SEAL)

    def record(self, trial: Trial, numbers: Mapping[str, float]) -> None:
        """Add what a trial came to; NaN is kept as missing.

        Raises
        ------
        DataError
            The trial has that number already, or is of another log.
        """
        with self._transaction() as db:
            own = db.execute("SELECT identity FROM trials WHERE id = ?", (trial.id,)).fetchone()
            if own != (trial.identity,):
                raise DataError(f"{self._path}: trial {trial.id} is of another trial log")
            db.executemany(
                "INSERT INTO outcomes (trial, name, value) VALUES (?, ?, ?)",
                [(trial.id, k, None if math.isnan(v) else v) for k, v in numbers.items()],
            )

    def count(self) -> TrialCount:
        """Return how much was tried; all 0 when there is no log yet."""
        if not self._path.exists():
            return TrialCount(0, 0, 0)
        with self._transaction() as db:
            return TrialCount._make(
                db.execute(
                    "SELECT COUNT(DISTINCT identity), COUNT(DISTINCT config_hash), COUNT(*)"
                    " FROM trials"
                ).fetchone()
            )

    def outcomes(self, name: str, data: str) -> list[float]:
        """Return one number of every distinct trial on the same data, from its last run, by age.

        Parameters
        ----------
        name
            The number, as ``record`` was given it.
        data
            Hash of the data.
        """
        if not self._path.exists():
            return []
        with self._transaction() as db:
            rows = db.execute(
                "SELECT value FROM outcomes JOIN (SELECT MAX(trial) AS last, MIN(trial) AS first"
                " FROM outcomes JOIN trials ON trials.id = trial WHERE name = ?1 AND data_hash = ?2"
                " GROUP BY identity)"
                " ON trial = last WHERE name = ?1 AND value IS NOT NULL ORDER BY first",
                (name, data),
            ).fetchall()
        return [float(value) for (value,) in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db: sqlite3.Connection | None = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            # EXTRA: the commit returns after file and folder are on the disk.
            db.execute("PRAGMA synchronous = EXTRA")
            db.execute("PRAGMA foreign_keys = ON")
            db.executescript(_SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except (sqlite3.Error, OSError) as err:
            raise DataError(f"{self._path}: cannot use the trial log: {err}") from err
        finally:
            if db is not None:
                db.close()


def require(trial: Trial) -> None:
    """Check a receipt before showing an out-of-sample number.

    Raises
    ------
    InvariantError
        It is not one that a trial log gave.
    """
    if not isinstance(trial, Trial):
        raise InvariantError(f"an out-of-sample number was asked for without a trial: {trial!r}")


def require_for(trial: Trial, config: BaseModel | Mapping[str, Any], data: str, code: str) -> None:
    """Check a receipt for one result: it may come from another process, with a job.

    Raises
    ------
    InvariantError
        It is none, or that of another configuration, other data or other code.
    """
    require(trial)
    config_hash = hashlib.sha256(canonical(config).encode()).hexdigest()
    if trial.identity != _identity(config_hash, data, code):
        raise InvariantError("an out-of-sample number was asked for with the trial of another run")


def _identity(config_hash: str, data: str, code: str) -> str:
    return hashlib.sha256(f"{config_hash}\n{data}\n{code}".encode()).hexdigest()


def canonical(config: BaseModel | Mapping[str, Any]) -> str:
    """Return a configuration as JSON that depends on its values alone.

    Raises
    ------
    ConfigError
        A value has no JSON form; NaN has none.
    """
    raw = config.model_dump(mode="json") if isinstance(config, BaseModel) else dict(config)
    try:
        return json.dumps(
            raw, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain
        )
    except (TypeError, ValueError) as err:
        raise ConfigError(f"config: cannot be written to the trial log: {err}") from None


def _plain(value: object) -> str:
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{value!r} has no JSON form")


def code_hash(package: Path) -> str:
    """Return the sha256 over sources, native modules and rule tables of an installed package.

    Parameters
    ----------
    package
        Folder of the package, e.g. ``Path(crypto_quant.__file__).parent``.
    """
    digest = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.suffix in _DECIDES):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

"""A seeded, made-up run with every part a report can show; exact to the last digit."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.metrics.description import (
    Assumption,
    Benchmark,
    Description,
    Finding,
    Row,
    RowKind,
    Sleeve,
    Trials,
)
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.core.measures.arrays import DAY_NS, Floats, Ints

HOUR = DAY_NS // 24
START = int(np.datetime64("2020-01-06", "ns").astype(np.int64))
SPOT, PERP = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
CAPITAL = 100_000
UNIT = 10**8
SHARES = {"carry": 0.6, "model": 0.25, "trend": 0.15}


def decimals(units: Ints) -> pa.Array:
    """Make money of integers of 1e-8."""
    pairs = np.empty((units.size, 2), dtype=np.int64)
    pairs[:, 0], pairs[:, 1] = units, units >> 63
    buffer = pa.py_buffer(pairs.tobytes())
    return pa.Array.from_buffers(schema.MONEY, units.size, [None, buffer])


def units(values: Floats) -> Ints:
    return np.asarray(np.rint(values * UNIT), dtype=np.int64)


def make_run(seed: int = 7, days: int = 1975, hole: bool = True) -> RunResult:
    """Make a run of ``days`` hourly marked days with three sleeves and fourteen variants."""
    rng = np.random.default_rng(seed)
    n = 24 * days + 1
    ts = START + np.arange(n, dtype=np.int64) * HOUR
    empty = np.zeros(n, dtype=np.bool_)
    if hole:
        begin = int(days * 0.53) * 24 + 10
        empty[begin + 1 : begin + 1 + 24 * 46 + 14] = True
    cycle = 0.00022 * np.sin(np.arange(n) / n * 7 + 0.4)
    steps = rng.standard_t(5, n) * 0.0052 + cycle
    price = np.round(7300 * np.exp(np.cumsum(steps) - steps[0]), 2)
    columns: dict[str, object] = {"ts": ts, "hole": empty}
    columns[f"mark/{SPOT}"] = decimals(units(price))
    columns[f"mark/{PERP}"] = decimals(units(np.round(price * 1.0003, 1)))
    parts = {name: _sleeve(name, rng, price, ts, empty) for name in SHARES}
    for book, components in [*parts.items(), ("portfolio", _sum(parts))]:
        share = SHARES.get(book, 1.0)
        flow = np.zeros(n, dtype=np.int64)
        equity = np.full(n, int(CAPITAL * share) * UNIT, dtype=np.int64)
        for name in schema.COMPONENTS:
            equity += components[name]
        columns[f"{book}/equity"] = decimals(equity)
        columns[f"{book}/flow"] = decimals(flow)
        for name in schema.COMPONENTS:
            columns[f"{book}/{name}"] = decimals(components[name])
        columns[f"{book}/notional/{SPOT}"] = decimals(components["spot"])
        columns[f"{book}/notional/{PERP}"] = decimals(components["perp"])
    variants = _variants(rng, ts, price, parts, empty)
    return RunResult(
        description=_description(ts, [key for key, _, _ in _ROWS]),
        config='mode = "backtest"\nseed = 7\n',
        manifest={"commit": "0000000", "data": {"made": "up"}, "seed": seed},
        equity=pa.table(columns),
        fills=_fills(rng, ts, price),
        orders=_orders(ts),
        trips=_trips(rng, ts, empty),
        variants=variants,
        folds=_folds(rng, days),
        market=_market(rng, price),
    )


def _sleeve(
    name: str, rng: np.random.Generator, price: Floats, ts: Ints, hole: np.ndarray
) -> dict[str, Ints]:
    n, capital = ts.size, CAPITAL * SHARES[name]
    moves = np.diff(np.log(price), prepend=np.log(price[0]))
    block = np.repeat(rng.integers(-1, 2, n // 18 + 1), 18)[:n]
    on = np.ones(n) if name == "carry" else np.abs(block)
    on = np.where(hole, 0.0, on)
    level = np.clip(1.2 + np.cumsum(rng.normal(0, 0.01, n)), -0.2, 4)
    out = {part: np.zeros(n) for part in schema.COMPONENTS}
    if name == "carry":
        settle = (np.arange(n) % 8 == 0) & (on > 0)
        out["funding"] = np.where(settle, capital * 0.75 * 1e-4 * level, 0.0)
        out["basis"] = capital * rng.normal(0, 2e-4, n) * on
        out["basis"] -= np.concatenate(([0.0], 0.9 * out["basis"][:-1]))
        spot, perp = 0.75 * capital * on, -0.75 * capital * on
    else:
        size = capital * (0.8 if name == "model" else 0.6)
        skill = 0.02 if name == "model" else 0.05
        sign = np.where(rng.random(n) < 0.5 + skill, np.sign(moves), -np.sign(moves))
        out["price"] = size * np.abs(moves) * sign * on * 0.5
        spot, perp = np.zeros(n), size * block * on
    trade = (rng.random(n) < 0.02) & (on > 0)
    out["fees"] = -np.where(trade, capital * 2.5e-4, 0.0)
    out["spread"] = -np.where(trade, capital * 0.8e-4, 0.0)
    out["impact"] = -np.where(trade, capital * 0.3e-4, 0.0)
    out["transfer"] = -np.where(trade & (rng.random(n) < 0.05), 1.0, 0.0)
    for values in out.values():
        values[0] = 0.0
        values[hole] = 0.0
    done = {part: np.cumsum(units(values)) for part, values in out.items()}
    return {**done, "spot": units(spot), "perp": units(perp)}


def _sum(parts: dict[str, dict[str, Ints]]) -> dict[str, Ints]:
    names = next(iter(parts.values()))
    return {name: sum(book[name] for book in parts.values()) for name in names}  # type: ignore[misc]  # sum of arrays


_ROWS = [
    ("carry_alone", RowKind.SLEEVE_ALONE, "Carry alone"),
    ("model_alone", RowKind.SLEEVE_ALONE, "Model alone"),
    ("without_model", RowKind.WITHOUT, "Portfolio without model"),
    ("anchored", RowKind.ANCHORED, "Model, anchored window"),
    ("control", RowKind.CONTROL, "Model, 24 h return as label"),
    ("perp_1x", RowKind.BENCHMARK, "1x long perpetual, paying funding"),
    ("momentum", RowKind.BENCHMARK, "Plain momentum, 30 days"),
    ("capacity_10k", RowKind.CAPACITY, "10 k"),
    ("capacity_1m", RowKind.CAPACITY, "1 M"),
    ("capacity_10m", RowKind.CAPACITY, "10 M"),
    ("engine_stress", RowKind.STRESS, "Portfolio, re-run with costs x 2"),
]
_CAPITAL = {"capacity_10k": 10_000, "capacity_1m": 1_000_000, "capacity_10m": 10_000_000}
_OF = {"carry_alone": "carry", "model_alone": "model", "without_model": "model"}


def _variants(
    rng: np.random.Generator,
    ts: Ints,
    price: Floats,
    parts: dict[str, dict[str, Ints]],
    hole: np.ndarray,
) -> pa.Table:
    whole = _sum(parts)
    gain = {b: sum(p[c] for c in schema.COMPONENTS) for b, p in {**parts, "all": whole}.items()}
    tables = []
    for key, kind, _ in _ROWS:
        capital = _CAPITAL.get(key, CAPITAL)
        scale = capital / CAPITAL
        pnl = np.asarray(gain["all"], dtype=np.float64) / UNIT
        if kind is RowKind.SLEEVE_ALONE:
            name = _OF[key]
            pnl = np.asarray(gain[name], dtype=np.float64) / UNIT / SHARES[name]
        elif kind is RowKind.WITHOUT:
            pnl = pnl - np.asarray(gain["model"], dtype=np.float64) / UNIT
        elif kind is RowKind.BENCHMARK:
            pnl = CAPITAL * (price / price[0] * np.exp(-np.arange(ts.size) * 4e-6) - 1)
            pnl = pnl if key == "perp_1x" else 0.3 * pnl
        elif kind in (RowKind.ANCHORED, RowKind.CONTROL):
            pnl = CAPITAL * np.cumsum(np.where(hole, 0, rng.normal(-2e-6, 9e-4, ts.size)))
        drag = {"capacity_1m": 0.9, "capacity_10m": 0.45, "engine_stress": 0.7}.get(key, 1.0)
        equity = units(capital + scale * drag * pnl)
        costs = units(np.linspace(0, capital * 0.08 * (2 - drag), ts.size))
        tables.append(
            pa.table(
                {
                    "row": pa.array([key] * ts.size),
                    "ts": ts,
                    "equity": decimals(equity),
                    "flow": decimals(np.zeros(ts.size, dtype=np.int64)),
                    "costs": decimals(costs),
                    "notional": decimals(np.where(hole, 0, units(np.full(ts.size, capital / 2)))),
                },
                schema=schema.VARIANTS,
            )
        )
    return pa.concat_tables(tables)


def _trips(rng: np.random.Generator, ts: Ints, hole: np.ndarray) -> pa.Table:
    rows: dict[str, list[object]] = {name: [] for name in schema.TRIPS.names}
    live = np.flatnonzero(~hole)
    for owner, sleeve, count in [
        ("portfolio", "carry", 24),
        ("portfolio", "model", 620),
        ("portfolio", "trend", 90),
        ("carry_alone", "carry", 24),
        ("model_alone", "model", 610),
    ]:
        at = np.sort(rng.choice(live[48:-1], count, replace=False))
        for i in at:
            pair = sleeve == "carry"
            result = rng.normal(400, 250) if pair else rng.standard_t(4) * 120 - 4
            rows["row"].append(owner)
            rows["sleeve"].append(sleeve)
            rows["instrument"].append("spot+perp" if pair else PERP)
            rows["direction"].append(0 if pair else int(rng.choice([-1, 1])))
            rows["open_ts"].append(int(ts[i] - 20 * HOUR))
            rows["close_ts"].append(int(ts[i]))
            rows["quantity"].append(Decimal("0.512"))
            rows["pnl"].append(Decimal(f"{result:.8f}"))
            rows["costs"].append(Decimal("12.50000000"))
            rows["reason"].append(str(rng.choice(["time", "stop", "signal"])))
    return pa.table(rows, schema=schema.TRIPS)


def _fills(rng: np.random.Generator, ts: Ints, price: Floats) -> pa.Table:
    at = np.sort(rng.choice(ts.size - 1, 600, replace=False))
    k = at.size
    return pa.table(
        {
            "ts_event": ts[at] + 50_000_000,
            "ts_recv": ts[at] + 60_000_000,
            "order_id": np.arange(k, dtype=np.int64),
            "sleeve": rng.choice(list(SHARES), k).tolist(),
            "instrument": [PERP] * k,
            "quantity": decimals(units(rng.choice([-0.5, 0.5], k))),
            "price": decimals(units(price[at] + 0.5)),
            "reference_price": decimals(units(price[at])),
            "fee": decimals(units(price[at] * 0.00025)),
            "spread": decimals(units(np.full(k, 0.2))),
            "impact": decimals(units(np.full(k, 0.05))),
            "liquidity": ["taker"] * k,
            "reason": ["entry"] * k,
        },
        schema=schema.FILLS,
    )


def _orders(ts: Ints) -> pa.Table:
    k = 40
    half = Decimal("0.5")
    return pa.table(
        {
            "ts": ts[:k],
            "order_id": np.arange(k, dtype=np.int64),
            "instrument": [PERP] * k,
            "side": ["buy", "sell"] * (k // 2),
            "quantity": [half] * k,
            "type": ["market"] * k,
            "price": [None] * k,
            "stop": [None] * k,
            "reduce_only": [False, True] * (k // 2),
            "state": ["refused" if i % 10 == 0 else "filled" for i in range(k)],
            "filled": [Decimal(0) if i % 10 == 0 else half for i in range(k)],
            "reason": ["signal"] * k,
        },
        schema=schema.ORDERS,
    )


def _folds(rng: np.random.Generator, days: int) -> pa.Table:
    k = max(days // 7 - 1, 0)
    test = START + np.arange(k, dtype=np.int64) * 7 * DAY_NS
    names = ["ret_24h", "rv_24h", "ofi_24h", "funding_z", "vpin_50"]
    return pa.table(
        {
            "fold": np.arange(k, dtype=np.int64),
            "train_start": test - 61 * DAY_NS,
            "train_end": test - DAY_NS,
            "test_start": test,
            "test_end": test + 7 * DAY_NS,
            "n_train": np.full(k, 1440, dtype=np.int64),
            "n_effective": rng.uniform(55, 75, k),
            "features": [names] * k,
            "dropped": [["fng: 31 % missing"] if i % 3 else [] for i in range(k)],
            "ic": rng.normal(0.01, 0.06, k),
            "auc": rng.normal(0.503, 0.03, k),
            "row": ["portfolio"] * k,
        },
        schema=schema.FOLDS,
    )


def _market(rng: np.random.Generator, price: Floats) -> pa.Table:
    before = 420
    back = np.exp(-np.cumsum(rng.normal(0, 0.035, before)))[::-1] * price[0]
    close = np.concatenate((back, price[::24]))
    ts = START + (np.arange(close.size, dtype=np.int64) - before) * DAY_NS
    return pa.table(
        {"ts": ts, "close": close, "cash_rate": np.full(close.size, 0.03)}, schema=schema.MARKET
    )


def _description(ts: Ints, keys: list[str]) -> Description:
    kinds = {key: (kind, label) for key, kind, label in _ROWS}
    risks = (
        "Venue failure: the spot wallet and the margin are with one exchange.",
        "A stuck leg: one side fills and the other is refused or halted.",
        "Auto-deleveraging closes the profitable short when it is needed most.",
        "A stablecoin that loses its peg: profit and margin are in USDT.",
    )
    return Description(
        title="BTC carry and model portfolio",
        capital=Decimal(CAPITAL),
        currency="USDT",
        benchmark=Benchmark(instrument=SPOT, taker_fee=Decimal("0.001")),
        sleeves=(
            Sleeve(name="carry", label="Carry", risks=risks, venue_balance=True),
            Sleeve(name="model", label="Model", venue_balance=True),
            Sleeve(name="trend", label="Trend", venue_balance=True),
        ),
        rows=tuple(
            Row(
                key=key,
                label=kinds[key][1],
                kind=kinds[key][0],
                capital=Decimal(_CAPITAL.get(key, CAPITAL)),
                of=_OF.get(key),
            )
            for key in keys
        ),
        trials=Trials(count=37),
        seed=7,
        synthetic=True,
        chosen_before_ns=int(np.datetime64("2024-01-01", "ns").astype(np.int64)),
        assumptions=(
            Assumption(topic="Mark price", text="The open of the perp bar that begins at t."),
            Assumption(
                topic="Fees", text="VIP0 taker, spot 0.10 %, perpetual 0.05 %.", source="rules"
            ),
            Assumption(topic="Latency", text="An order arrives 50 ms after its decision."),
        ),
        findings=(
            Finding(
                severity="warning",
                where="BTCUSDT-PERP bars",
                what="no rows for 46 days",
                action="hole: positions closed, days flat",
            ),
            Finding(severity="info", where="spot bars", what="229 minutes without volume"),
        ),
    )

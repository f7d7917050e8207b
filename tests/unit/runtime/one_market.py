"""A run on one instrument, put together by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.compose_ticks import PLAIN, Assumed, compose_markets, market_line
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.joint_ticks import JointSession, JointTape
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.markets import Markets, markets_of
from crypto_quant.runtime.state import State
from crypto_quant.runtime.ticks import TickTape


def joint(tape: TickTape) -> JointTape:
    """Return one instrument's tape as that of a run."""
    own = tape.session
    session = JointSession(own.name, own.start, own.end, (own,))
    return JointTape(session, tape.start, tape.end, (tape,))


def compose_tick_state(config: TickConfig, instrument: Instrument) -> State:
    """Build the state of a run on one instrument, as ``compose_markets``."""
    return compose_markets(config, _alone(config, instrument))


def tick_line(
    config: TickConfig,
    instrument: Instrument,
    tape: TickTape,
    capital: Sequence[Deposit],
    assumed: Assumed = PLAIN,
) -> RecordedLine:
    """Build the loaded line of a run on one instrument, as ``market_line``."""
    markets = _alone(config, instrument)
    each = dict.fromkeys(markets.venues, assumed)
    return market_line(config, markets, joint(tape), capital, each)


def tick_capital(
    config: TickConfig, instrument: Instrument, prices: Mapping[str, Decimal] | None = None
) -> list[Deposit]:
    """Return the starting money of a run on one instrument, coins at these prices."""
    return _alone(config, instrument).deposits(prices or {})


def _alone(config: TickConfig, instrument: Instrument) -> Markets:
    return markets_of(config.model_copy(update={"instrument": instrument.id}), (instrument,))

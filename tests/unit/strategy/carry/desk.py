"""A carry sleeve with an account, for tests of its decisions."""

from __future__ import annotations

from crypto_quant.core.messages import Wallet
from crypto_quant.strategy.carry import CarryConfig, CarrySleeve
from crypto_quant.strategy.carry.state import NOTHING, CarryState, Moves, Phase
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.strategy.account import CARRY, HOUR, PERP, SPOT, TERMS, Account

CONFIG = CarryConfig(warmup=1, step_share=1.0)
STEPS = CarryConfig(warmup=1)
RISK = RiskConfig()
PRICES = (50_000.0, 50_000.0)


def open_desk(rate: float = 0.0002, config: CarryConfig = CONFIG) -> tuple[CarrySleeve, Account]:
    """Return a flat sleeve with 50,000 split 75/25 that has seen one settled rate."""
    view = Account()
    view.money = {(CARRY, Wallet.SPOT): 37_500.0, (CARRY, Wallet.MARGIN): 12_500.0}
    view.margins[CARRY] = 12_500.0
    sleeve = CarrySleeve(config, RISK, CARRY, "carry", SPOT, PERP, CarryState())
    sleeve.on_funding(view.now - HOUR, rate, 8.0)
    return sleeve, view


def quantities(moves: Moves) -> tuple[int, int]:
    spot, perp = moves.targets
    assert (spot.instrument, perp.instrument) == (SPOT, PERP)
    return spot.quantity, perp.quantity


def fill(view: Account, spot: int, perp: int) -> None:
    """Bring the account to these positions at the last prices."""
    price = view.prices[SPOT] / 100
    bought = spot - view.position(CARRY, SPOT)
    view.money[CARRY, Wallet.SPOT] -= bought * 1e-5 * price * (1.001 if bought > 0 else 0.999)
    view.held = {(CARRY, SPOT): spot, (CARRY, PERP): perp}
    view.entries = {(CARRY, SPOT): price, (CARRY, PERP): view.prices[PERP] / 100}
    view.pending.clear()


def opened(rate: float = 0.0002) -> tuple[CarrySleeve, Account]:
    sleeve, view = open_desk(rate)
    spot, perp = quantities(sleeve.on_timer(view, TERMS))
    fill(view, spot, perp)
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.OPEN
    view.now += HOUR
    return sleeve, view


def build(view: Account, sleeve: CarrySleeve, hours: int) -> list[tuple[int, int]]:
    """Fill every step at once, for so many hours; return what is held after each."""
    held = []
    for _ in range(hours):
        moves = sleeve.on_timer(view, TERMS)
        if moves.targets:
            fill(view, *quantities(moves))
            assert sleeve.on_account(view).targets == ()
        held.append((view.position(CARRY, SPOT), view.position(CARRY, PERP)))
        view.now += HOUR
    return held

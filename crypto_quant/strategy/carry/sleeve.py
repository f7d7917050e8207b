"""The state machine of the pair: both legs are opened, re-sized and closed together."""

from __future__ import annotations

from decimal import Decimal

from crypto_quant.core.messages import Alarm, Target, Transfer, Wallet
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.carry.config import CarryConfig
from crypto_quant.strategy.carry.economics import basis_loss, opening_base, resized_base
from crypto_quant.strategy.carry.forecast import FundingForecast
from crypto_quant.strategy.carry.pair import Pair
from crypto_quant.strategy.carry.state import NOTHING, CarryState, Exit, Moves, Phase
from crypto_quant.strategy.carry.steps import fillable_base
from crypto_quant.strategy.risk_manager.config import RiskConfig

SECOND_NS = 10**9
HOUR_NS = 3_600 * SECOND_NS
# Looking up a member of an enum costs ten times what a module's name does.
FLAT, OPENING, OPEN, CLOSING = Phase.FLAT, Phase.OPENING, Phase.OPEN, Phase.CLOSING
SPOT, MARGIN = Wallet.SPOT, Wallet.MARGIN


class CarrySleeve:
    """Decides the pair from the forecast of funding, the basis and the margin.

    ``flat → opening → open → closing → flat``; a re-sizing is an opening from an open pair.
    Targets always name both legs with matched sizes, and each step towards a size is one that
    the slower leg can be expected to fill, so no leg is ever left on its own: a leg that stays
    unfilled, is rejected or disappears has the other one cut to it at once. Steps are taken at
    wake-ups of the clock, repairs at any.

    Parameters
    ----------
    config
        Parameters of the sleeve.
    risk
        The limits that the risk manager will hold its growth to: it asks for no more.
    sleeve, name
        Position in the run's list of sleeves, and its name.
    spot, perp
        Positions of both instruments in the run's list.
    state
        The sleeve's memory; this object is the only one that changes it.
    """

    __slots__ = (
        "_config",
        "_limits",
        "_name",
        "_pair",
        "_perp",
        "_risk",
        "_sleeve",
        "_spot",
        "_terms",
        "forecast",
        "state",
    )

    def __init__(
        self,
        config: CarryConfig,
        risk: RiskConfig,
        sleeve: int,
        name: str,
        spot: int,
        perp: int,
        state: CarryState,
    ) -> None:
        self._config = config
        # What every wake-up compares with: one read instead of one per field of a section.
        self._limits = (
            config.margin_stop,
            config.spread_loss,
            config.margin_low,
            config.margin_high,
            config.idle_share,
        )
        self._risk = risk
        self._sleeve = sleeve
        self._name = name
        self._spot = spot
        self._perp = perp
        self._terms: dict[int, Terms] | None = None
        self._pair: Pair
        self.state = state
        self.forecast = FundingForecast(config.halflife_h, config.warmup)

    def reset(self) -> None:
        """Forget everything: a new segment has begun, flat."""
        self.state.reset()
        self.forecast.reset()

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        """Learn a settled rate, when it is known."""
        self.forecast.update(ts, rate, interval_h)

    def on_timer(self, view: AccountView, terms: dict[int, Terms]) -> Moves:
        """Return what to do at a wake-up of the clock; ``NOTHING`` while nothing changes."""
        if terms is not self._terms:
            self._pair = Pair(terms[self._spot], terms[self._perp], self._config, self._risk)
            self._terms = terms
        state = self.state
        state.tries = 0
        if state.phase is FLAT:
            return self._enter(view) if self._may_grow(view) else NOTHING
        held = self._positions(view)
        if state.phase is OPEN and held == state.held:
            return self._tend(view, held)
        if state.phase is CLOSING and held[1] and self._is_settled(view, held):
            return self._tend(view, held)
        return self._settle(view)

    def on_account(self, view: AccountView) -> Moves:
        """Return what to do after an answer of the venue."""
        phase = self.state.phase
        if phase is FLAT or (phase is OPEN and self._positions(view) == self.state.held):
            return NOTHING
        return self._settle(view)

    def _positions(self, view: AccountView) -> tuple[int, int]:
        sleeve = self._sleeve
        return view.position(sleeve, self._spot), view.position(sleeve, self._perp)

    def _may_grow(self, view: AccountView) -> bool:
        """Tell whether the forecast pays four legs and the last attempt is long enough ago."""
        if not self.forecast.hourly > self._pair.entry_hourly:
            return False
        return view.now >= self.state.rest_until

    def _is_stale(self, view: AccountView) -> bool:
        """Tell whether a leg was last traded too long ago: it may not trade now either."""
        ages = view.price_age(self._spot), view.price_age(self._perp)
        limit = self._config.stale_s * SECOND_NS
        return any(age is None or age > limit for age in ages)

    def _limit(self, view: AccountView, price: float, *, is_urgent: bool) -> float:
        """Return the largest step, in the base asset; 0 while no volume is known."""
        config, pair = self._config, self._pair
        spot = view.day_volume(self._spot), pair.spot
        perp = view.day_volume(self._perp), pair.perp
        fillable = fillable_base((spot, perp), config.participation, config.leg_wait_s)
        if is_urgent:
            return fillable
        return min(fillable, config.step_share * view.sleeve_equity(self._sleeve) / price)

    def _enter(self, view: AccountView) -> Moves:
        """Split the capital over the wallets; once it is split, take the first step."""
        config, pair = self._config, self._pair
        spot_px, perp_px = view.px(self._spot), view.px(self._perp)
        if spot_px <= 0 or perp_px <= 0 or self._is_stale(view) or view.coming():
            return NOTHING
        cash = view.cash(self._sleeve, SPOT)
        margin = view.cash(self._sleeve, MARGIN)
        missing = config.margin_share * (cash + margin) - margin
        if abs(missing) > config.idle_share * (cash + margin):
            source = SPOT if missing > 0.0 else MARGIN
            return self._move(view, source, abs(missing), "split the capital before a pair")
        prices = pair.prices(spot_px, perp_px)
        goal = opening_base(cash, margin, prices, config, pair.fees)
        goal = min(goal, pair.bought(cash, prices), pair.most(view.equity, prices))
        self.state.goal = goal
        expected = self.forecast.expected(config.horizon_h)
        reason = f"expected funding {expected:.5f} pays four legs"
        return self._grow_to(view, 0.0, goal, prices, reason)

    def _tend(self, view: AccountView, held: tuple[int, int]) -> Moves:
        """Watch a pair at rest: close it, re-size it, take the next step, or leave it alone."""
        state, pair, sleeve = self.state, self._pair, self._sleeve
        _, _, low, high, idle_share = self._limits
        spot_px, perp_px = view.px(self._spot), view.px(self._perp)
        if spot_px <= 0 or perp_px <= 0:
            return NOTHING
        prices = spot_px * pair.spot_price_unit, perp_px * pair.perp_price_unit
        base = -held[1] * pair.perp_size_unit
        margin = view.margin_balance(sleeve)
        short = base * prices[1]
        out = self._exit(view, prices, margin / short)
        if out is not None:
            return self._close(view, base, prices, out)
        idle = view.cash(sleeve, SPOT)
        money = margin + idle + view.coming()
        if state.goal is not None:
            self._drop_goal(view, base, prices)
        is_rich = state.goal is None and money > high * short
        if money < low * short or (is_rich and self._may_grow(view)):
            state.goal = self._resized(view, base, money, prices)
        if state.goal is not None:
            if state.goal < base:
                return self._shrink(view, base, state.goal, prices)
            moves = self._grow(view, base, money, prices)
            if moves is not NOTHING or state.goal is not None:
                return moves
        return NOTHING if idle <= idle_share * short else self._sweep(view, short)

    def _resized(
        self, view: AccountView, base: float, money: float, prices: tuple[float, float]
    ) -> float | None:
        """Return the size to go to; ``None`` where risk leaves next to nothing to grow by."""
        config, pair = self._config, self._pair
        size = resized_base(base, money, prices, config, pair.fees)
        if size <= base:
            return size
        most = pair.most(view.equity, prices)
        if most < min(size, base * (1.0 + config.idle_share)):
            return None
        return min(size, most)

    def _drop_goal(self, view: AccountView, base: float, prices: tuple[float, float]) -> None:
        """Forget the goal of a pair that has its size, or is no longer to get a larger one."""
        goal = self.state.goal
        if goal is None:
            return
        is_reached = abs(goal - base) < self._pair.smallest(prices)
        if is_reached or (goal > base and not self._may_grow(view)):
            self.state.goal = None

    def _exit(
        self, view: AccountView, prices: tuple[float, float], margin_ratio: float
    ) -> Exit | None:
        margin_stop, spread_loss, *_ = self._limits
        if margin_ratio < margin_stop:
            reason = f"margin ratio {margin_ratio:.4f} below {margin_stop}"
            return Exit(reason, is_urgent=True)
        is_open = self.state.phase is OPEN
        loss = basis_loss(self.state.entry if is_open else self._entry(view), prices)
        if loss > spread_loss:
            reason = f"spread loss {loss:.4f} above {spread_loss}"
            return Exit(reason, is_urgent=False)
        if self.forecast.hourly < self._pair.exit_hourly:
            return Exit("negative expected funding", is_urgent=False)
        if self.state.phase is CLOSING:
            return Exit(self.state.why, is_urgent=False)
        return None

    def _entry(self, view: AccountView) -> tuple[float, float]:
        """Return the average prices at which both legs were entered."""
        sleeve = self._sleeve
        return view.entry_price(sleeve, self._spot), view.entry_price(sleeve, self._perp)

    def _entered(
        self, view: AccountView, held: tuple[int, int], prices: tuple[float, float]
    ) -> tuple[float, float]:
        """Return the entry prices of a pair at rest: both legs grow at once, at one time.

        The ledger's averages hold what a leg had too much of for a moment, or was without.
        """
        before, now = -self.state.held[1], -held[1]
        if before == 0:
            return self._entry(view)
        added = max(0, now - before) / now
        spot, perp = self.state.entry
        return spot + added * (prices[0] - spot), perp + added * (prices[1] - perp)

    def _close(
        self, view: AccountView, base: float, prices: tuple[float, float], out: Exit
    ) -> Moves:
        """Take both legs a step nearer to flat; what began is brought to its end."""
        if not out.is_urgent and self._is_stale(view):
            return NOTHING
        self._begin_to_close(out.reason)
        self.state.goal = None
        return self._step_down(view, base, 0.0, prices, out.reason, is_urgent=out.is_urgent)

    def _begin_to_close(self, reason: str) -> None:
        """Close from now on; the first reason stays the reason."""
        if self.state.phase is not CLOSING:
            self.state.phase = CLOSING
            self.state.why = reason

    def _shrink(
        self, view: AccountView, base: float, goal: float, prices: tuple[float, float]
    ) -> Moves:
        if self._is_stale(view):
            return NOTHING
        self.state.phase = OPENING
        return self._step_down(view, base, goal, prices, "margin topped up: both legs shrink")

    def _step_down(
        self,
        view: AccountView,
        base: float,
        goal: float,
        prices: tuple[float, float],
        reason: str,
        *,
        is_urgent: bool = False,
    ) -> Moves:
        pair = self._pair
        limit = self._limit(view, prices[1], is_urgent=is_urgent)
        wanted = pair.step(base, goal, max(limit, pair.smallest(prices)), prices)
        if wanted == (0, 0):
            self._begin_to_close(reason)
        return self._order(view, wanted, reason)

    def _grow(
        self, view: AccountView, base: float, money: float, prices: tuple[float, float]
    ) -> Moves:
        """Bring spot cash first, then grow both legs by what it buys, at most to the goal.

        Profit that is not realised cannot be brought: then what is there is spent.
        """
        config, pair, goal = self._config, self._pair, self.state.goal
        if goal is None or self._is_stale(view):
            return NOTHING
        most = min(goal, pair.most(view.equity, prices))
        size = min(most, resized_base(base, money, prices, config, pair.fees))
        if self._gives_up(view, size - base, prices):  # before its cash leaves the margin
            return NOTHING
        unit_cost = prices[0] * pair.paid
        cash = view.cash(self._sleeve, SPOT)
        missing = min((size - base) * unit_cost - cash, view.cash(self._sleeve, MARGIN))
        if missing > cash:
            return self._move(view, MARGIN, missing, "cash to grow a pair")
        size = min(size, base + pair.bought(cash, prices))
        return self._grow_to(view, base, size, prices, "margin in excess: both legs grow")

    def _grow_to(
        self, view: AccountView, base: float, size: float, prices: tuple[float, float], reason: str
    ) -> Moves:
        """Order the next step of both legs; a size that is not reachable is given up."""
        pair, held = self._pair, self.state.held
        if self._gives_up(view, size - base, prices):
            return NOTHING
        limit = self._limit(view, prices[1], is_urgent=False)
        wanted = pair.step(base, size, limit, prices)
        added = wanted[0] - held[0]
        if added <= 0 or pair.is_dust(added, view.px(self._spot)):
            self.state.goal = None
            return NOTHING
        self.state.phase = OPENING
        return self._order(view, wanted, reason)

    def _gives_up(self, view: AccountView, more: float, prices: tuple[float, float]) -> bool:
        """Forget a goal to which no step leads: the rest, or what a step may be, is too small."""
        limit = self._limit(view, prices[1], is_urgent=False)
        if min(limit, more) >= self._pair.smallest(prices):
            return False
        self.state.goal = None
        return True

    def _is_settled(self, view: AccountView, held: tuple[int, int]) -> bool:
        """Tell whether no leg is working and what is held matches."""
        if view.working(self._sleeve, self._spot) or view.working(self._sleeve, self._perp):
            return False
        matched = self._pair.matched(*held)
        return held[1] == matched[1] and self._pair.is_dust(
            held[0] - matched[0], view.px(self._spot)
        )

    def _settle(self, view: AccountView) -> Moves:
        """Follow working legs; once they rest, accept a matched pair or cut it to match."""
        state = self.state
        held = self._positions(view)
        if view.working(self._sleeve, self._spot) or view.working(self._sleeve, self._perp):
            if view.now < state.deadline:
                return NOTHING
            return self._cut(view, held, "a leg was not filled in time")
        if self._is_settled(view, held):
            if state.phase is CLOSING and held[1]:
                return NOTHING  # the next step comes with the clock
            return self._rest(view, held)
        return self._cut(view, held, "a leg failed")

    def _rest(self, view: AccountView, held: tuple[int, int]) -> Moves:
        """Come to rest, open or flat; what changed nothing is not tried again at once."""
        state = self.state
        if held[1] == 0 or held == state.held:
            state.rest_until = view.now + round(self._config.rest_h * HOUR_NS)
        if held[1] == 0:
            state.phase = FLAT
            state.held = (0, 0)
            return NOTHING
        state.phase = OPEN
        pair = self._pair
        prices = pair.prices(view.px(self._spot), view.px(self._perp))
        state.entry = self._entered(view, held, prices)
        state.held = held
        base = -held[1] * pair.perp.size_unit
        self._drop_goal(view, base, prices)
        if state.goal is not None and state.goal > base:
            return NOTHING  # its cash buys the next steps
        return self._sweep(view, held[0] * pair.spot.size_unit * prices[0])

    def _cut(self, view: AccountView, held: tuple[int, int], reason: str) -> Moves:
        """Cut the leg that is ahead to the other; one that cannot trade has the other restored."""
        matched = self._pair.matched(*held)
        whole = self._restored(view, held, matched)
        if whole is not None:
            self.state.phase = OPENING
            return self._retry(view, whole, f"{reason}: the other is restored")
        if matched == (0, 0):
            self._begin_to_close(reason)
        elif self.state.phase is not CLOSING:
            self.state.phase = OPENING
        return self._retry(view, matched, f"{reason}: the other is cut to it")

    def _restored(
        self, view: AccountView, held: tuple[int, int], matched: tuple[int, int]
    ) -> tuple[int, int] | None:
        """Return the pair at the size of the leg that is ahead, if that one's market stands still.

        It does where nothing was traded for as long as a leg is waited for. To cut that leg
        would wait, unhedged, for as long as the market stands.
        """
        pair, is_spot = self._pair, held[0] > matched[0]
        age = view.price_age(self._spot if is_spot else self._perp)
        if age is not None and age < self._config.leg_wait_s * SECOND_NS:
            return None
        prices = pair.prices(view.px(self._spot), view.px(self._perp))
        base = held[0] * pair.spot.size_step if is_spot else -held[1] * pair.perp.size_step
        spot, perp = pair.legs(base, prices)
        if (spot, perp) == (0, 0):
            return None
        return (held[0], perp) if is_spot else (spot, held[1])

    def _retry(self, view: AccountView, wanted: tuple[int, int], reason: str) -> Moves:
        """Order again, but not without end between two wake-ups of the clock."""
        if self.state.tries > self._config.retries:
            return NOTHING
        return self._order(view, wanted, reason)

    def _order(self, view: AccountView, wanted: tuple[int, int], reason: str) -> Moves:
        now = view.now
        self.state.tries += 1
        self.state.deadline = now + round(self._config.leg_wait_s * SECOND_NS)
        spot = Target(now, self._name, self._spot, wanted[0], None, reason)
        perp = Target(now, self._name, self._perp, wanted[1], None, reason)
        return Moves((spot, perp), (Alarm(now, self.state.deadline, "are both legs filled?"),))

    def _sweep(self, view: AccountView, pair_notional: float) -> Moves:
        """Send idle spot cash to the margin, where it makes the short safer."""
        idle = view.cash(self._sleeve, SPOT)
        if idle <= self._config.idle_share * pair_notional:
            return NOTHING
        return self._move(view, SPOT, idle, "idle cash to the margin")

    def _move(self, view: AccountView, source: Wallet, amount: float, reason: str) -> Moves:
        """Move money, which pays its fee on top; not while some is on its way already."""
        if view.coming():
            return NOTHING
        free = view.cash(self._sleeve, source) - view.transfer_fee()
        cents = int(min(amount, free) * 100.0)
        if cents <= 0:
            return NOTHING
        money = Decimal(cents).scaleb(-2)
        return Moves((), (Transfer(view.now, self._sleeve, source, money, reason),))

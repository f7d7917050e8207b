"""Client order ids: the same run and order give the same id, so a resend is no second order."""

from __future__ import annotations

import re

from crypto_quant.core.errors import ConfigError

_ALLOWED = re.compile(r"[A-Za-z0-9]{1,22}")


def client_id(session: str, order_id: int) -> str:
    """Return the client id of an order, unique within a venue account.

    Parameters
    ----------
    session
        Name of the session, 1 to 22 letters or digits.
    order_id
        Our order id, not negative.

    Raises
    ------
    ConfigError
        The session's name has other characters or is too long.

    References
    ----------
    Binance USD-M ``newClientOrderId``: at most 36 letters, digits and a few signs.
    """
    if not _ALLOWED.fullmatch(session):
        raise ConfigError(f"session: expected 1 to 22 letters or digits, was {session!r}")
    return f"cq-{session}-{order_id:010d}"

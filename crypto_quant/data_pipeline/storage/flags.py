"""Quality marks of a row that Python sets or reads: bits of ``cq_types::flags``, which has all."""

from typing import Final

SNAPSHOT: Final = 1
LAST: Final = 1 << 1
SYNTHETIC_RECV: Final = 1 << 2
REBASED_RECV: Final = 1 << 3
REPAIRED: Final = 1 << 5
NOT_MARKET: Final = 1 << 6
SYNTHETIC_EVENT: Final = 1 << 8

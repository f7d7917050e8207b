"""Quality marks of a row; the same bits as ``cq_types::flags``."""

from typing import Final

SNAPSHOT: Final = 1
LAST: Final = 1 << 1
SYNTHETIC_RECV: Final = 1 << 2
REBASED_RECV: Final = 1 << 3
RULE_UNSOURCED: Final = 1 << 4
REPAIRED: Final = 1 << 5
NOT_MARKET: Final = 1 << 6
BRIDGED: Final = 1 << 7
SYNTHETIC_EVENT: Final = 1 << 8

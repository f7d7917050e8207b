"""The exception tree; the type says what to do.

::

    CryptoQuantError
    ├── ConfigError        the user's settings are wrong: fix the named key
    ├── DataError          a file or row cannot be used: what, where, what to do
    │   └── DecodeError    bytes that are not what they claim to be
    ├── StrategyError      a strategy raised or asked for what cannot be: mend it there
    ├── VenueError         the venue said no, or nothing
    │   ├── Transient      retry later
    │   └── RateLimited    back off
    └── InvariantError     our fault: a state that must not be
        └── WorkerDiedError    a process ended under a call: give it more memory
"""


class CryptoQuantError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 2
    """What the command line exits with: 2, the user can mend it; 1, we must."""


class ConfigError(CryptoQuantError):
    """A setting is unknown, missing or out of range."""


class DataError(CryptoQuantError):
    """A file or a row cannot be used."""


class DecodeError(DataError):
    """Bytes are not what they claim to be."""


class StrategyError(CryptoQuantError):
    """A strategy raised, or asked for what cannot be; says where on the tape."""


class VenueError(CryptoQuantError):
    """The venue refused, or did not answer."""


class Transient(VenueError):  # noqa: N818 - names what to do, not what it is
    """The same request may succeed later."""


class RateLimited(VenueError):  # noqa: N818 - names what to do, not what it is
    """Too many requests: back off."""


class InvariantError(CryptoQuantError):
    """A state that must not be: a defect of this package."""

    exit_code = 1


class WorkerDiedError(InvariantError):
    """A process ended under a call of an executor."""

    def __init__(self) -> None:
        super().__init__("a process ended abruptly, most often for want of memory")

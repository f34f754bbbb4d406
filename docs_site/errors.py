"""The page of error codes, from the client's classes and the gateway's statuses."""

from event_trader import codes
from event_trader.wire.failure import ErrorCode

from gateway.errors import status_of

PATH = "reference/errors.md"
_HEAD = """\
# Error codes

Every error has a stable code. Codes are only ever added, and none changes its meaning. The Python
client raises the class beside a code; each lies below the class of its status
([the tree](python/errors.md)), and a code that a client does not know yet gets that class."""


def page() -> str:
    """Make the page: one section for each code, in the order of the list."""
    return "\n\n".join([_HEAD, *(_section(code) for code in ErrorCode)]) + "\n"


def _section(code: ErrorCode) -> str:
    kind = codes.BY_CODE[code.value]
    meaning = " ".join((kind.__doc__ or "").split()).replace("``", "`")
    todo = f"\n\nWhat to do: {kind.hint}." if kind.hint else ""
    where = f"{kind.__module__}.{kind.__qualname__}"
    return (
        f"## `{code.value}` {{ #{code.value.lower()} }}\n\n"
        f"HTTP {status_of(code)}, in Python [`{kind.__name__}`][{where}]. {meaning}{todo}"
    )

"""What aiohttp's own server says, as lines of ours that quote nothing a client sent.

aiohttp logs a request it cannot read with the bytes it stumbled over, which may hold a key or a
token. Here such a line names the kind of fault and the place in the code, and no more.
"""

import logging
import traceback
from typing import Final

import structlog

NAME: Final = "tandem.gateway.server"


class _KindOnly(logging.Handler):
    """Writes each record by its kind; its message and its exception's text are dropped."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._log = structlog.get_logger("gateway.server")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._log.warning("server", level=record.levelname, line=record.lineno)
            return
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
        self._log.warning("unreadable_request", error=type(error).__name__, where=where)


def server_logger() -> logging.Logger:
    """Make the logger that aiohttp's server is given."""
    logger = logging.getLogger(NAME)
    logger.propagate = False
    if not any(isinstance(handler, _KindOnly) for handler in logger.handlers):
        logger.addHandler(_KindOnly())
    return logger

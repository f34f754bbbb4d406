"""How every process of the exchange logs: one JSON object per line on stderr, nothing secret.

Called once per process, by whoever starts it. Fields that carry credentials are dropped by name,
as a last line of defence: callers do not pass them.
"""

import logging
import sys
from typing import Final

if "rich" not in sys.modules:
    # structlog loads rich for coloured tracebacks, which JSON lines never show: a tenth of a second
    # and 8 MB in every process. Seeing no rich it does without, and others find it as ever.
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog

    del sys.modules["rich"]
else:
    import structlog

SECRET_FIELDS: Final = frozenset(
    {"password", "token", "access_token", "refresh_token", "api_key", "authorization", "secret"}
)


def configure(process: str) -> None:
    """Set structlog up for this process, ``process`` being its name in every line."""

    def named(
        _logger: object, _name: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _drop_secrets(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for field in SECRET_FIELDS & event.keys():
        event[field] = "(dropped)"
    return event

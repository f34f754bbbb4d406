"""The server's own lines: the kind of a fault, and nothing a client sent."""

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine

from gateway.server_log import server_logger

SECRET = "evt_0123456789abcdef"
MODULE = server_logger.__module__


def _refuse(line: str) -> None:
    raise BadStatusLine(line)


def _raised(line: str) -> BadStatusLine:
    with pytest.raises(BadStatusLine) as caught:
        _refuse(line)
    return caught.value


def test_unreadable_request_is_logged_by_kind_alone():
    """Neither the message nor the exception's text, which quote the request, are written."""
    logger = server_logger()
    with structlog.testing.capture_logs() as lines:
        logger.error("Error handling request", exc_info=_raised(f"GET /?token={SECRET}"))
        logger.error("about %s", SECRET)
    assert [line["event"] for line in lines] == ["unreadable_request", "server"]
    assert lines[0]["error"] == "BadStatusLine"
    assert lines[0]["where"].startswith("_refuse:")
    assert SECRET not in repr(lines)


def test_server_logger_asked_twice_has_one_handler():
    """A process with two applications writes each line once, and to nobody else's handlers."""
    assert server_logger() is server_logger()
    own = [handler for handler in server_logger().handlers if type(handler).__module__ == MODULE]
    assert len(own) == 1
    assert not server_logger().propagate

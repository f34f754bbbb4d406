"""The tables of errors are complete."""

import msgspec
import pytest
from event_trader.wire.failure import ErrorCode, ErrorResponse

from actors.engine.market_api import BusyReply, MalformedReply, RefusedReply
from actors.engine.units import Reason
from actors.errors import PairUnavailableError, UnknownOutcomeError
from gateway import errors


@pytest.mark.parametrize("reason", errors.REFUSALS)
def test_refusal_of_every_reason_has_a_code_and_a_client_status(reason: Reason) -> None:
    """No refusal of the engine's can become a 500, and none is without words."""
    shown = errors.refused(reason, "")
    assert shown.code.value == reason.name
    assert 400 <= shown.status < 500
    assert shown.status == errors.status_of(shown.code)
    assert shown.message


@pytest.mark.parametrize("code", list(ErrorCode))
def test_error_of_every_code_has_both_forms(code: ErrorCode) -> None:
    """The body is the documented one, with both ``detail`` and ``error``."""
    error = errors.ApiError(errors.status_of(code), code, "words")
    body = ErrorResponse.model_validate(msgspec.json.decode(error.body("req_1")))
    assert (body.detail, body.error.code, body.request_id) == ("words", code, "req_1")


def test_busy_and_recovering_say_when_to_come_back() -> None:
    """Whole seconds, at least one."""
    for retry_ms, seconds in ((1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")):
        shown = errors.reply_error(BusyReply(recovering=False, retry_after_ms=retry_ms))
        assert (shown.status, shown.code) == (503, "BUSY")
        assert shown.headers["Retry-After"] == seconds
    shown = errors.reply_error(BusyReply(recovering=True, retry_after_ms=5))
    assert shown.code == "RECOVERING"


def test_operating_errors_are_503_and_bugs_are_not_hidden() -> None:
    """What other rooms raise is shown; anything else stays what it is."""
    unknown = errors.operating_error(UnknownOutcomeError("vaix"), "cmd")
    assert unknown is not None
    assert (unknown.status, unknown.details) == (503, {"command_id": "cmd"})
    away = errors.operating_error(PairUnavailableError("vaix"))
    assert away is not None
    assert away.status == 503
    assert errors.operating_error(KeyError("x")) is None
    with pytest.raises(TypeError, match="could not read"):
        errors.reply_error(MalformedReply("bad"))


def test_refused_reply_becomes_its_reason() -> None:
    """A refusal keeps its reason and its message."""
    shown = errors.reply_error(RefusedReply(Reason.WOULD_TAKE, "it would take"))
    assert (shown.status, shown.code, shown.message) == (400, "WOULD_TAKE", "it would take")

"""What is said, and with which status, when a command cannot be done."""

import pytest
from event_trader.codes import BY_CODE, KeyInvalidError, UnknownSymbolError
from event_trader.errors import (
    ConnectionFailedError,
    EventTraderError,
    NotTandemError,
    RateLimitedError,
    RequestTimeoutError,
    ServerTooOldError,
    SlowReaderError,
    StreamCorruptError,
    UnavailableError,
    UnknownOutcomeError,
)

from tandem.terminal.failures import explain


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (ConnectionFailedError("cannot reach http://x:1: no; is it?"), "http://x:1; start one", 4),
        (NotTandemError("http://x is odd; check base_url"), "is odd; name an exchange with", 4),
        (ServerTooOldError("it is 0.0: upgrade the exchange"), "upgrade the exchange", 4),
        (RequestTimeoutError("no answer"), "`tandem orders` before you repeat", 4),
        (SlowReaderError("closed"), "look without --watch", 4),
        (StreamCorruptError("checksums fail; upgrade this client"), "upgrade this client", 1),
        (UnknownSymbolError(404, "UNKNOWN_SYMBOL", "No nope."), "No nope; `tandem markets`", 1),
        (KeyInvalidError(401, "KEY_INVALID", "Wrong."), "Wrong (KEY_INVALID); log in with", 3),
        (RateLimitedError(429, "RATE_LIMITED", "Too many.", {}, "", 7.0), "wait 7 s", 4),
        (UnavailableError(503, "RECOVERING", "Not yet.", {}, "", 2.0), "try again in 2 s", 4),
        (UnknownOutcomeError(503, "UNKNOWN_OUTCOME", "Lost."), "it may have happened", 4),
        (BY_CODE["INTERNAL"](500, "INTERNAL", "Oh.", {}, "req-1"), "request req-1", 4),
        (BY_CODE["JWT_REQUIRED"](403, "JWT_REQUIRED", "No."), "password instead of a key", 3),
        (BY_CODE["WOULD_TAKE"](400, "WOULD_TAKE", "It would."), "It would [WOULD_TAKE]", 1),
    ],
)
def test_error_is_told_with_what_to_do(error: EventTraderError, said: str, status: int) -> None:
    """One line in the words of the command line, and a status that scripts can tell apart."""
    text, told = explain(error)
    assert said in text
    assert "\n" not in text
    assert told == status


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_code_is_told_without_the_clients_words(code: str) -> None:
    """Nobody at a terminal knows what ``client.account`` is."""
    text, status = explain(BY_CODE[code](400, code, "It is so.", {}, "req-1"))
    assert text.startswith(("It is so", "it cannot serve now (It is so)"))
    assert "client." not in text
    assert status in (1, 3, 4)

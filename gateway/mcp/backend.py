"""The seam between the MCP server and the REST API: what is asked, and what a refusal looks like.

A tool call becomes one `Asked`. Over HTTP the gateway answers it in its own process (`http`); over
stdio the Python client sends it (`tandem.mcp_stdio`). Nothing of an order's logic is on this side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One REST request: ``path`` is encoded, ``body`` is plain JSON or None for none."""

    method: str
    path: str
    query: Mapping[str, str]
    body: dict[str, Any] | None = None
    idempotency_key: str | None = None


class CallRefusedError(Exception):
    """The exchange did not do what was asked.

    Args:
        code: the stable error code, such as ``INSUFFICIENT_FUNDS``.
        message: one sentence for people.
        status: the HTTP status; 0 where no answer came.
        details: what the code documents.
        request_id: what to name to the operator.
        retry_after_s: seconds to wait; 0 where waiting does not help.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 0,
        details: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(code, message, status, details, request_id, retry_after_s)
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def shown(self) -> dict[str, Any]:
        """Show it as data."""
        return {
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "details": self.details,
            "request_id": self.request_id,
            "retry_after_s": self.retry_after_s,
        }


class Backend(Protocol):
    """Whoever answers REST requests on behalf of one caller."""

    async def call(self, asked: Asked) -> Any:  # noqa: ANN401 (a JSON body)
        """Send one request; gives the decoded body.

        Raises:
            CallRefusedError: it was refused, or nobody answered.
        """
        ...

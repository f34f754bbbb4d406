"""What all wire models share: requests refuse what they do not know, responses are closed too."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class RequestModel(BaseModel):
    """A request body: exact types, and an unknown field is refused by name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class QueryModel(BaseModel):
    """Query parameters of a route."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """A response body: exactly these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModeName = Literal["live", "paper"]
SideName = Literal["buy", "sell"]

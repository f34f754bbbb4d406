"""Balances, withdrawals, sub-accounts and fees."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from event_trader.wire.base import ModeName, RequestModel, ResponseModel
from event_trader.wire.identity import Label
from event_trader.wire.numbers import Decimal, DecimalOut, Timestamp
from event_trader.wire.orders import ModeFields

Destination = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_\-]{1,128}$")]
AssetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}$", examples=["USDC"])]


class AssetBalance(ResponseModel):
    """One asset's funds in one mode; ``total`` is ``available + locked``."""

    asset: str
    on_chain: DecimalOut
    fill_credits: DecimalOut
    available: DecimalOut
    locked: DecimalOut
    total: DecimalOut


class PairBalance(ResponseModel):
    """The funds a pair trades with."""

    symbol: str
    mode: ModeName
    base: AssetBalance
    quote: AssetBalance
    base_balance: DecimalOut
    quote_balance: DecimalOut
    pending_settlements: int


class ModeBalance(ResponseModel):
    """One asset's funds in one mode."""

    asset: str
    mode: ModeName
    available: DecimalOut
    locked: DecimalOut
    total: DecimalOut


class AccountBalances(ResponseModel):
    """Every asset in both modes."""

    balances: list[ModeBalance]


class WithdrawRequest(ModeFields):
    """Send live funds to a chain address."""

    amount: Decimal
    destination: Destination | None = None
    destination_address: Destination | None = Field(
        None, description="Another name of destination."
    )
    asset: AssetName | None = Field(None, description="The base token when left out.")
    chain: Annotated[str, Field(pattern=r"^[a-z0-9_\-]{1,32}$")] | None = None

    @model_validator(mode="after")
    def _one_destination(self) -> "WithdrawRequest":
        if (self.destination is None) == (self.destination_address is None):
            raise PydanticCustomError(
                "destination", "needs exactly one of destination and destination_address"
            )
        return self


class Withdrawal(ResponseModel):
    """A withdrawal and how far it is."""

    withdrawal_id: str
    status: Literal["pending", "broadcast", "confirmed", "failed"]
    asset: str
    chain: str
    amount: DecimalOut
    destination: str
    tx_hash: str | None


class SubAccountRequest(RequestModel):
    """Open a sub-account."""

    label: Label


class SubAccount(ResponseModel):
    """A sub-account and its funds."""

    sub_account_id: str
    label: str
    created_at: Timestamp
    balances: list[ModeBalance]


class SubAccountList(ResponseModel):
    """The account's sub-accounts, oldest first."""

    sub_accounts: list[SubAccount]


class TransferRequest(ModeFields):
    """Move available funds to a sub-account, or from one (back to the account or to another)."""

    to_sub_account_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="The receiver; the account itself when left out."
    )
    from_sub_account_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="The sender; the account itself when left out."
    )
    amount: Decimal
    currency: AssetName

    @model_validator(mode="after")
    def _two_parties(self) -> "TransferRequest":
        if self.to_sub_account_id == self.from_sub_account_id:
            raise PydanticCustomError(
                "to_sub_account_id", "needs a to_sub_account_id that is not the sender"
            )
        return self


class TransferResult(ResponseModel):
    """A transfer as it was done."""

    transfer_id: str
    from_account_id: str
    to_account_id: str
    amount: DecimalOut
    currency: str
    mode: ModeName


class PaperReset(ResponseModel):
    """Paper balances after the reset, and how many orders were cancelled for it."""

    cancelled: int
    balances: list[ModeBalance]


class FeeTier(ResponseModel):
    """The rates of one tier on one pair."""

    tier: str
    maker_fee_bps: float
    taker_fee_bps: float


class PairFees(ResponseModel):
    """The rates of one pair."""

    symbol: str
    pair: str
    fee_asset: str
    tiers: list[FeeTier]


class FeeSchedule(ResponseModel):
    """The rates of every pair and tier."""

    pairs: list[PairFees]


class MyPairFees(ResponseModel):
    """The user's own rates on one pair."""

    symbol: str
    pair: str
    fee_asset: str
    maker_fee_bps: float
    taker_fee_bps: float


class MyFees(ResponseModel):
    """The user's own rates."""

    tier: str
    pairs: list[MyPairFees]

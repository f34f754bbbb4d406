"""Accounts of Solana programs as tables of fields: where each stands, how wide, how it is read.

A table is checked against the publisher's own in the tests, so it names more fields than a decoder
needs. Nothing here knows what a field means. Numbers are little endian (Borsh and packed C alike).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from chain_feeds.errors import DecodeError

WIDTHS: Final = {
    "u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "i32": 4, "i64": 8, "i128": 16, "key": 32,
}  # fmt: skip
"""Bytes of each kind of field; ``key`` is a public key."""


class Account(NamedTuple):
    """An account as a node tells it: the program that owns it, and its bytes."""

    owner: str
    data: bytes


Accounts = Mapping[str, Account]
"""Accounts by address."""


class Field(NamedTuple):
    """A field's place in an account, and its kind, one of `WIDTHS`."""

    offset: int
    kind: str


class Layout:
    """The fields of one kind of account.

    Args:
        name: what the program calls it.
        size: its length in bytes; the exact one.
        fields: its fields by name.
        discriminator: the first bytes, by which Anchor tells kinds of accounts apart; b"" for none.
    """

    def __init__(
        self, name: str, size: int, fields: Mapping[str, Field], discriminator: bytes = b""
    ) -> None:
        self.name = name
        self.size = size
        self.fields = fields
        self.discriminator = discriminator

    def check(self, account: Account | None, owner: str) -> bytes:
        """Return the account's bytes if it is one of these.

        Raises:
            DecodeError: it does not exist, is another program's, has another length or kind.
        """
        if account is None or not account.owner:
            raise DecodeError(f"there is no {self.name} account at the address")
        if account.owner != owner:
            raise DecodeError(
                f"the {self.name} account belongs to program {account.owner}, expected {owner}"
            )
        if len(account.data) != self.size:
            raise DecodeError(
                f"the {self.name} account has {len(account.data)} bytes, expected {self.size}"
            )
        if not account.data.startswith(self.discriminator):
            raise DecodeError(f"the account is not of kind {self.name}, by its first bytes")
        return account.data

    def number(self, data: bytes, name: str, base: int = 0) -> int:
        """Read a number; ``base`` is where the structure begins."""
        offset, kind = self.fields[name]
        start = base + offset
        width = WIDTHS[kind]
        return int.from_bytes(data[start : start + width], "little", signed=kind[0] == "i")

    def key(self, data: bytes, name: str) -> str:
        """Read a public key, in base 58."""
        offset = self.fields[name].offset
        return str(Pubkey.from_bytes(data[offset : offset + 32]))

    def write(self, data: bytearray, values: Mapping[str, int | str], base: int = 0) -> None:
        """Write fields into an account: numbers, and keys in base 58."""
        for name, value in values.items():
            offset, kind = self.fields[name]
            start, width = base + offset, WIDTHS[kind]
            if isinstance(value, str):
                data[start : start + width] = bytes(Pubkey.from_string(value))
            else:
                signed = kind[0] == "i"
                data[start : start + width] = value.to_bytes(width, "little", signed=signed)

    def blank(self) -> bytearray:
        """Return an account of this kind with every field zero."""
        return bytearray(self.discriminator.ljust(self.size, b"\0"))

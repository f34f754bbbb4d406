"""How a Solana node writes accounts, amounts and transactions in JSON."""

import base64

from solders.account import Account
from solders.pubkey import Pubkey

from chain_feeds.venues.raydium import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from devnet.solana_ledger import Json, Processed


def account_json(account: Account | None, options: Json) -> dict[str, Json] | None:
    """Write an account in base 64, or the asked-for part of it.

    Raises:
        ValueError: another encoding is asked for.
    """
    if account is None:
        return None
    given = options if isinstance(options, dict) else {}
    encoding = given.get("encoding") or "base64"
    if encoding not in {"base64", "jsonParsed"}:
        raise ValueError(f"encoding {encoding} is not served here; ask for base64")
    data = bytes(account.data)
    part = given.get("dataSlice")
    shown = data if part is None else data[part["offset"] : part["offset"] + part["length"]]
    return {
        "lamports": account.lamports,
        "data": [base64.b64encode(shown).decode(), "base64"],
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": account.rent_epoch,
        "space": len(data),
    }


def filtered(account: Account, filters: list[Json]) -> bool:
    """Tell whether an account passes ``dataSize`` and ``memcmp`` filters."""
    for one in filters:
        if "dataSize" in one and len(account.data) != one["dataSize"]:
            return False
        if "memcmp" in one:
            offset, given = one["memcmp"]["offset"], one["memcmp"]["bytes"]
            if one["memcmp"].get("encoding") == "base64":
                wanted = base64.b64decode(given)
            else:
                wanted = base58_bytes(given)
            if account.data[offset : offset + len(wanted)] != wanted:
                return False
    return True


_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58_bytes(text: str) -> bytes:
    """Read base 58 of any length, as Bitcoin and Solana write it.

    Raises:
        ValueError: a character is none of its alphabet.
    """
    value = 0
    for character in text:
        value = value * 58 + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8, "big")


def token_amount(amount: int, mint: Account | None) -> dict[str, Json]:
    """Write an amount of a token with the decimals of its mint."""
    decimals = mint.data[44] if mint is not None and len(mint.data) >= 82 else 0
    whole, part = divmod(amount, 10**decimals)
    text = f"{whole}.{part:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(whole)
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": text,
    }


def transaction_json(done: Processed, options: Json) -> dict[str, Json]:
    """Write a transaction with its meta: balances, token balances, logs and error."""
    encoding = options.get("encoding", "json") if isinstance(options, dict) else options
    transaction: Json = [base64.b64encode(bytes(done.transaction)).decode(), "base64"]
    if encoding != "base64":
        raise ValueError(f"encoding {encoding} is not served here; ask for base64")
    return {
        "slot": done.slot,
        "blockTime": done.time_s,
        "version": 0,
        "transaction": transaction,
        "meta": {
            "err": done.err,
            "status": {"Ok": None} if done.err is None else {"Err": done.err},
            "fee": done.fee,
            "preBalances": [account.lamports if account else 0 for account in done.before],
            "postBalances": [account.lamports if account else 0 for account in done.after],
            "preTokenBalances": _token_balances(done.before, done),
            "postTokenBalances": _token_balances(done.after, done),
            "innerInstructions": [],
            "logMessages": done.logs,
            "rewards": [],
            "loadedAddresses": {"writable": [], "readonly": []},
            "computeUnitsConsumed": done.units,
        },
    }


def _token_balances(accounts: tuple[Account | None, ...], done: Processed) -> list[dict[str, Json]]:
    mints = dict(zip(done.keys, done.after, strict=True))
    found = []
    for index, account in enumerate(accounts):
        program = str(account.owner) if account else ""
        if account is None or program not in {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
            continue
        if len(account.data) < 165:
            continue
        mint = Pubkey.from_bytes(account.data[:32])
        amount = int.from_bytes(account.data[64:72], "little")
        found.append(
            {
                "accountIndex": index,
                "mint": str(mint),
                "owner": str(Pubkey.from_bytes(account.data[32:64])),
                "programId": program,
                "uiTokenAmount": token_amount(amount, mints.get(mint)),
            }
        )
    return found

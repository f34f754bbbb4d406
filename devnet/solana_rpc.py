"""The JSON-RPC methods of a Solana node, answered from a `Ledger`.

Shapes and error codes are those of Agave's RPC. Methods whose names begin with ``svm_`` are this
service's own back door, for what no transaction can do here.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Final

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from devnet.solana_ledger import (
    TRANSACTION_BYTES_MAX,
    Json,
    Ledger,
    Processed,
    TransactionRefusedError,
)
from devnet.solana_shapes import account_json, filtered, token_amount, transaction_json

ACCOUNTS_MAX: Final = 100
_HEALTHY: Final = "ok"
_RENT_EPOCH: Final = 2**64 - 1
_TOKEN_ACCOUNT_BYTES: Final = 165
_VERSION: Final = {"solana-core": "3.0.0", "feature-set": 0}


class RpcError(Exception):
    """What a node answers instead of a result."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.data = data

    def json(self) -> dict[str, Json]:
        """Return the error object."""
        given = {"code": self.code, "message": self.message}
        return given if self.data is None else {**given, "data": self.data}


class Methods:
    """The methods, by name.

    Args:
        ledger: what they speak of.
        tick: closes the open slot and tells subscribers.
    """

    def __init__(self, ledger: Ledger, tick: Callable[[], None]) -> None:
        self._ledger = ledger
        self._tick = tick
        self._methods: dict[str, Callable[..., Json]] = {
            "getAccountInfo": self._account_info,
            "getMultipleAccounts": self._multiple_accounts,
            "getProgramAccounts": self._program_accounts,
            "getTokenAccountsByOwner": self._token_accounts,
            "getBalance": self._balance,
            "getTokenAccountBalance": self._token_balance,
            "getTokenSupply": self._token_supply,
            "getMinimumBalanceForRentExemption": lambda size, _=None: (
                self._ledger.svm.minimum_balance_for_rent_exemption(int(size))
            ),
            "getLatestBlockhash": self._latest_blockhash,
            "isBlockhashValid": self._blockhash_valid,
            "getSlot": lambda options=None: self._slot(options),
            "getBlockHeight": lambda options=None: self._slot(options),
            "getBlockTime": lambda _slot: self._ledger.now_s,
            "getGenesisHash": lambda: self._ledger.genesis,
            "getVersion": lambda: _VERSION,
            "getHealth": lambda: _HEALTHY,
            "sendTransaction": self._send,
            "simulateTransaction": self._simulate,
            "getSignatureStatuses": self._statuses,
            "getSignaturesForAddress": self._signatures,
            "getTransaction": self._transaction,
            "requestAirdrop": lambda to, lamports, _=None: self._ledger.airdrop(
                _key(to), int(lamports)
            ),
            "getFeeForMessage": self._fee,
            "svm_getAccounts": self._open_accounts,
            "svm_setAccounts": self._set_accounts,
            "svm_sendWith": self._send_with,
            "svm_tick": self._tick_on,
            "svm_expireBlockhashes": self._expire,
        }

    def answer(self, request: Json) -> dict[str, Json]:
        """Answer one request object."""
        number = request.get("id") if isinstance(request, dict) else None
        given: dict[str, Json] = {"jsonrpc": "2.0", "id": number}
        try:
            if not isinstance(request, dict) or not isinstance(request.get("method"), str):
                raise RpcError(-32600, "Invalid request")  # noqa: TRY301
            method = self._methods.get(request["method"])
            if method is None:
                raise RpcError(-32601, "Method not found")  # noqa: TRY301
            given["result"] = method(*(request.get("params") or []))
        except RpcError as error:
            given["error"] = error.json()
        except (TypeError, ValueError, KeyError, AttributeError, binascii.Error) as error:
            given["error"] = RpcError(-32602, f"Invalid params: {error}").json()
        return given

    # ---- accounts

    def _account_info(self, address: str, options: Json = None) -> Json:
        slot = self._slot(options)
        account = self._ledger.account_at(_key(address), slot)
        return _with_context(slot, account_json(account, options))

    def _multiple_accounts(self, addresses: list[str], options: Json = None) -> Json:
        if len(addresses) > ACCOUNTS_MAX:
            raise RpcError(-32602, f"Too many inputs provided; max {ACCOUNTS_MAX}")
        slot = self._slot(options)
        found = [self._ledger.account_at(_key(address), slot) for address in addresses]
        return _with_context(slot, [account_json(account, options) for account in found])

    def _program_accounts(self, program: str, options: Json = None) -> Json:
        slot = self._slot(options)
        filters = (options or {}).get("filters") or []
        found = [
            {"pubkey": str(address), "account": account_json(account, options)}
            for address, account in self._ledger.owned_by(_key(program), slot)
            if filtered(account, filters)
        ]
        return _with_context(slot, found) if (options or {}).get("withContext") else found

    def _token_accounts(self, owner: str, wanted: Json, options: Json = None) -> Json:
        slot = self._slot(options)
        mint = wanted.get("mint")
        programs = [wanted["programId"]] if "programId" in wanted else []
        if mint is not None:
            account = self._ledger.account_at(_key(mint), slot)
            programs = [str(account.owner)] if account else []
        found = []
        for program in programs:
            for address, account in self._ledger.owned_by(_key(program), slot):
                data = account.data
                if (
                    len(data) >= _TOKEN_ACCOUNT_BYTES
                    and data[32:64] == bytes(_key(owner))
                    and (mint is None or data[:32] == bytes(_key(mint)))
                ):
                    shown = account_json(account, options)
                    found.append({"pubkey": str(address), "account": shown})
        return _with_context(slot, found)

    def _balance(self, address: str, options: Json = None) -> Json:
        slot = self._slot(options)
        account = self._ledger.account_at(_key(address), slot)
        return _with_context(slot, account.lamports if account else 0)

    def _token_balance(self, address: str, options: Json = None) -> Json:
        slot = self._slot(options)
        account = self._ledger.account_at(_key(address), slot)
        if account is None or len(account.data) < _TOKEN_ACCOUNT_BYTES:
            raise RpcError(-32602, "Invalid param: not a Token account")
        amount = int.from_bytes(account.data[64:72], "little")
        mint = self._ledger.account_at(Pubkey.from_bytes(account.data[:32]), slot)
        return _with_context(slot, token_amount(amount, mint))

    def _token_supply(self, address: str, options: Json = None) -> Json:
        slot = self._slot(options)
        mint = self._ledger.account_at(_key(address), slot)
        if mint is None or len(mint.data) < 82:
            raise RpcError(-32602, "Invalid param: not a Token mint")
        return _with_context(slot, token_amount(int.from_bytes(mint.data[36:44], "little"), mint))

    # ---- slots and hashes

    def _slot(self, options: Json) -> int:
        given = options if isinstance(options, dict) else {}
        commitment = given.get("commitment") or "finalized"
        try:
            slot = self._ledger.slot_at(commitment)
        except KeyError:
            raise RpcError(-32602, f"Invalid param: unknown commitment {commitment}") from None
        least = given.get("minContextSlot")
        if least is not None and slot < least:
            raise RpcError(
                -32016, "Minimum context slot has not been reached", {"contextSlot": slot}
            )
        return slot

    def _latest_blockhash(self, options: Json = None) -> Json:
        ledger = self._ledger
        value = {
            "blockhash": ledger.hashes[-1],
            "lastValidBlockHeight": ledger.open.number + (ledger.hashes.maxlen or 0),
        }
        return _with_context(self._slot(options), value)

    def _blockhash_valid(self, blockhash: str, options: Json = None) -> Json:
        return _with_context(self._slot(options), self._ledger.is_fresh(blockhash))

    # ---- transactions

    def _send(self, text: str, options: Json = None) -> str:
        given = options or {}
        transaction = self._read(text, given.get("encoding") or "base58")
        if transaction.verify_with_results() != [True] * len(transaction.signatures):
            raise RpcError(-32003, "Transaction signature verification failure")
        try:
            return self._ledger.send(transaction, preflight=not given.get("skipPreflight"))
        except TransactionRefusedError as refused:
            raise RpcError(
                -32002,
                f"Transaction simulation failed: {json.dumps(refused.err)}",
                _simulated(refused.err, refused.logs, refused.units),
            ) from None

    def _simulate(self, text: str, options: Json = None) -> Json:
        given = options or {}
        transaction = self._read(text, given.get("encoding") or "base58")
        err, logs, units = self._ledger.simulate(transaction)
        fresh = self._ledger.is_fresh(str(transaction.message.recent_blockhash))
        if not fresh and not given.get("replaceRecentBlockhash"):
            err, logs, units = "BlockhashNotFound", [], 0
        return _with_context(self._slot(options), _simulated(err, logs, units))

    def _read(self, text: str, encoding: str) -> VersionedTransaction:
        if encoding != "base64":
            raise RpcError(-32602, f"encoding {encoding} is not served here; send base64")
        raw = base64.b64decode(text, validate=True)
        if len(raw) > TRANSACTION_BYTES_MAX:
            raise RpcError(
                -32602, f"decoded transaction too large: {len(raw)} bytes (max: 1232 bytes)"
            )
        return VersionedTransaction.from_bytes(raw)

    def _statuses(self, signatures: list[str], _options: Json = None) -> Json:
        found = [self._status(self._ledger.transactions.get(text)) for text in signatures]
        return _with_context(self._ledger.slot_at("processed"), found)

    def _status(self, done: Processed | None) -> Json:
        if done is None:
            return None
        commitment = "processed"
        for reached in ("confirmed", "finalized"):
            if done.slot <= self._ledger.slot_at(reached):
                commitment = reached
        behind = self._ledger.open.number - 1 - done.slot
        return {
            "slot": done.slot,
            "confirmations": None if commitment == "finalized" else max(0, behind),
            "err": done.err,
            "status": {"Ok": None} if done.err is None else {"Err": done.err},
            "confirmationStatus": commitment,
        }

    def _signatures(self, address: str, options: Json = None) -> Json:
        given = options or {}
        newest_first = reversed(list(self._ledger.transactions.values()))
        key, slot = _key(address), self._slot(options)
        found = []
        for done in newest_first:
            if done.signature == given.get("until"):
                break
            if key in done.keys and done.slot <= slot:
                found.append(
                    {
                        "signature": done.signature,
                        "slot": done.slot,
                        "err": done.err,
                        "memo": None,
                        "blockTime": done.time_s,
                        "confirmationStatus": self._status(done)["confirmationStatus"],
                    }
                )
        return found[: int(given.get("limit") or 1_000)]

    def _transaction(self, signature: str, options: Json = None) -> Json:
        done = self._ledger.transactions.get(signature)
        if done is None or done.slot > self._slot(options if isinstance(options, dict) else None):
            return None
        return transaction_json(done, options)

    def _fee(self, _message: str, options: Json = None) -> Json:
        return _with_context(self._slot(options), 5_000)

    # ---- the back door

    def _open_accounts(self, addresses: list[str]) -> Json:
        """Read accounts as they are in the open slot, which no commitment shows yet."""
        found = [self._ledger.svm.get_account(_key(address)) for address in addresses]
        return [account_json(account, None) for account in found]

    def _set_accounts(self, accounts: dict[str, Json]) -> int:
        for address, given in accounts.items():
            self._ledger.set_account(_key(address), self._made(given))
        return self._ledger.open.number

    def _send_with(self, text: str, accounts: dict[str, Json]) -> Json:
        """Carry out a transaction and, in the same slot, write accounts as its program would."""
        signature = self._send(text, {"encoding": "base64"})
        return {"signature": signature, "slot": self._set_accounts(accounts)}

    def _made(self, given: Json) -> Account:
        data = base64.b64decode(given["data"], validate=True)
        rent = self._ledger.svm.minimum_balance_for_rent_exemption(len(data))
        return Account(
            given.get("lamports", rent),
            data,
            _key(given["owner"]),
            executable=False,
            rent_epoch=_RENT_EPOCH,
        )

    def _tick_on(self, slots: int = 1) -> int:
        for _ in range(slots):
            self._tick()
        return self._ledger.open.number

    def _expire(self) -> bool:
        self._ledger.hashes.clear()
        self._tick()
        return True


def _key(text: str) -> Pubkey:
    return Pubkey.from_string(text)


def _with_context(slot: int, value: Json) -> dict[str, Json]:
    return {"context": {"slot": slot, "apiVersion": _VERSION["solana-core"]}, "value": value}


def _simulated(err: Json, logs: list[str], units: int) -> dict[str, Json]:
    return {
        "err": err,
        "logs": logs,
        "accounts": None,
        "unitsConsumed": units,
        "returnData": None,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }

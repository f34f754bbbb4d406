"""Deploying and calling contracts on one node, and the tokens that all pools there trade.

The node's first unlocked account owns and sends everything. Gas is fixed: an estimate made in the
block of a pool's last change leaves out what the same change costs in the next one.
"""

from typing import Any, Final

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract
from web3.types import TxParams, TxReceipt

from devnet.contracts import connect
from devnet.errors import DevnetError
from devnet.solidity import Compiled, own

GAS: Final = 12_000_000
SUPPLY_UNITS: Final = 10**13
"""Whole tokens of each kind: enough for every pool, and within 128 bits at 18 decimals."""


class Workshop:
    """One node, a `Hand` that pays for everything, and tokens of any decimals."""

    def __init__(self, http_url: str) -> None:
        self.w3: Web3 = connect(http_url)
        self.owner: ChecksumAddress = self.w3.eth.accounts[0]
        self.hand = self.deploy(own("Hand"))

    def token(self, symbol: str, decimals: int, units: int = SUPPLY_UNITS) -> Contract:
        """Deploy a token with a supply of so many whole units; the hand gets all of it."""
        supply = units * 10**decimals
        made = self.deploy(own("Token"), symbol, decimals, supply)
        self.transact(made, "transfer", self.hand.address, supply)
        return made

    def deploy(self, what: Compiled, *arguments: object) -> Contract:
        """Deploy a contract.

        Raises:
            DevnetError: the node mined it and it failed.
        """
        factory = self.w3.eth.contract(abi=what.abi, bytecode=what.bytecode)
        made = self._mined(factory.constructor(*arguments).transact(self._params()), "deploying")
        address = made["contractAddress"]
        if address is None:
            raise DevnetError("a contract has no address")
        return self.w3.eth.contract(address=address, abi=what.abi)

    def at(self, address: str, abi: list[dict[str, Any]]) -> Contract:
        """Find a contract that another one made."""
        return self.w3.eth.contract(address=Web3.to_checksum_address(address), abi=abi)

    def transact(self, contract: Contract, function: str, *arguments: object) -> TxReceipt:
        """Send a transaction and wait until it is mined.

        Raises:
            DevnetError: it was mined and failed.
        """
        sent = contract.functions[function](*arguments).transact(self._params())
        return self._mined(sent, function)

    def transact_by_signature(
        self, contract: Contract, signature: str, *arguments: object
    ) -> TxReceipt:
        """Send a transaction to one of several functions of the same name, and wait for it."""
        function = contract.get_function_by_signature(signature)
        return self._mined(function(*arguments).transact(self._params()), signature)

    def next_address(self) -> ChecksumAddress:
        """Name the address that the owner's transaction after the next one would create."""
        import rlp  # type: ignore[import-untyped]

        nonce = self.w3.eth.get_transaction_count(self.owner) + 1
        made = Web3.keccak(rlp.encode([bytes.fromhex(self.owner[2:]), nonce]))[12:]
        return Web3.to_checksum_address(made)

    def _mined(self, sent: Any, what: str) -> TxReceipt:  # noqa: ANN401 -- web3's own bytes
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.01)
        if receipt["status"] != 1:
            raise DevnetError(f"{what} failed on the node")
        return receipt

    def _params(self) -> TxParams:
        return {"from": self.owner, "gas": GAS}

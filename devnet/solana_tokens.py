"""Tokens of a Solana development network: mints, accounts and transfers by the real SPL program.

One wallet owns and signs everything. Keys follow from names, so addresses are always the same.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl
from spl.token import models

from chain_feeds.venues.account_layout import Account
from chain_feeds.venues.raydium import MINT, TOKEN_ACCOUNT, TOKEN_PROGRAM
from devnet.solana import SolanaNode
from devnet.solana_ledger import Json

_PROGRAM = Pubkey.from_string(TOKEN_PROGRAM)
_AIRDROP_LAMPORTS = 10**13


def keypair(name: str) -> Keypair:
    """Return the keypair of a name; whoever knows the name has the key."""
    return Keypair.from_seed(hashlib.sha256(f"tandem devnet {name}".encode()).digest())


class Wallet:
    """The wallet that owns every vault and the whole supply of every token.

    Args:
        node: where it lives; it is given lamports at once.
    """

    def __init__(self, node: SolanaNode) -> None:
        self.node = node
        self.key = keypair("wallet")
        self.address = self.key.pubkey()
        node.rpc("requestAirdrop", str(self.address), _AIRDROP_LAMPORTS)

    def send(
        self,
        instructions: Sequence[Instruction],
        signers: Sequence[Keypair] = (),
        accounts: Mapping[str, Json] | None = None,
    ) -> str:
        """Send a transaction and, in the same slot, write ``accounts``; returns its signature.

        Raises:
            DevnetError: the node refuses it.
        """
        newest = self.node.rpc("getLatestBlockhash")["value"]["blockhash"]
        message = MessageV0.try_compile(
            self.address, list(instructions), [], Hash.from_string(newest)
        )
        raw = bytes(VersionedTransaction(message, [self.key, *signers]))
        text = base64.b64encode(raw).decode()
        done = self.node.rpc("svm_sendWith", text, dict(accounts or {}))
        return str(done["signature"])

    def make_mint(self, name: str, decimals: int, supply: int) -> str:
        """Make a token whose whole supply the wallet holds; returns the mint's address."""
        mint = keypair(f"mint {name}")
        params = models.InitializeMint2Params(
            program_id=_PROGRAM,
            mint=mint.pubkey(),
            decimals=decimals,
            mint_authority=self.address,
            freeze_authority=None,
        )
        self.send([self._create(mint, MINT.size), spl.initialize_mint2(params)], [mint])
        account = spl.create_associated_token_account(self.address, self.address, mint.pubkey())
        minted = models.MintToParams(
            program_id=_PROGRAM,
            mint=mint.pubkey(),
            dest=self.account_of(str(mint.pubkey())),
            mint_authority=self.address,
            amount=supply,
        )
        self.send([account, spl.mint_to(minted)])
        return str(mint.pubkey())

    def make_vault(self, name: str, mint: str, amount: int) -> str:
        """Make a token account that holds ``amount``; returns its address."""
        vault = keypair(f"vault {name}")
        params = models.InitializeAccount3Params(
            program_id=_PROGRAM,
            account=vault.pubkey(),
            mint=Pubkey.from_string(mint),
            owner=self.address,
        )
        made = [self._create(vault, TOKEN_ACCOUNT.size), spl.initialize_account3(params)]
        funded = self.transfer(str(self.account_of(mint)), str(vault.pubkey()), amount)
        self.send([*made, funded], [vault])
        return str(vault.pubkey())

    def transfer(self, source: str, target: str, amount: int) -> Instruction:
        """Make the instruction that moves tokens between two of the wallet's accounts."""
        return spl.transfer(
            models.TransferParams(
                program_id=_PROGRAM,
                source=Pubkey.from_string(source),
                dest=Pubkey.from_string(target),
                owner=self.address,
                amount=amount,
            )
        )

    def account_of(self, mint: str) -> Pubkey:
        """Return the wallet's own account of a token."""
        return spl.get_associated_token_address(self.address, Pubkey.from_string(mint))

    def read(self, addresses: Sequence[str]) -> dict[str, Account]:
        """Read accounts as the newest transactions left them."""
        answer = self.node.rpc("svm_getAccounts", list(addresses))
        return {
            address: Account(given["owner"], base64.b64decode(given["data"][0]))
            for address, given in zip(addresses, answer, strict=True)
            if given is not None
        }

    def _create(self, account: Keypair, size: int) -> Instruction:
        lamports = self.node.rpc("getMinimumBalanceForRentExemption", size)
        return create_account(
            CreateAccountParams(
                from_pubkey=self.address,
                to_pubkey=account.pubkey(),
                lamports=lamports,
                space=size,
                owner=_PROGRAM,
            )
        )


def account_json(account: Account) -> Json:
    """Write an account as the service's back door takes it."""
    return {"owner": account.owner, "data": base64.b64encode(account.data).decode()}

"""The Solana service of the devnet, used as a real node is: by the published client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment
from solana.rpc.core import RPCException
from solana.rpc.models import MemcmpOpts, TokenAccountOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain_feeds.venues import raydium_cpmm
from chain_feeds.venues.raydium import TOKEN_PROGRAM
from devnet.solana import SolanaNode
from devnet.solana_ledger import CLOCK
from devnet.solana_pools import SolanaMarket, SolanaNetwork
from devnet.solana_tokens import Wallet

PROCESSED, CONFIRMED = Commitment.PROCESSED, Commitment.CONFIRMED
SOL = 10**9
MARKET = SolanaMarket("vaix", raydium_cpmm.KIND, 0.003, 300_000.0)


@pytest.fixture(scope="module")
def node() -> Iterator[SolanaNode]:
    """A node whose slots end when it is told to."""
    with SolanaNode(slot_s=0) as started:
        yield started


@pytest.fixture(scope="module")
def network(node: SolanaNode) -> SolanaNetwork:
    """Two tokens and a pool on it."""
    return SolanaNetwork(Wallet(node), (MARKET,))


@pytest.fixture
async def client(node: SolanaNode) -> AsyncIterator[AsyncClient]:
    """The published client."""
    async with AsyncClient(node.http_url, commitment=PROCESSED) as started:
        yield started


@pytest.fixture
async def socket(node: SolanaNode) -> AsyncIterator[SolanaWsClient]:
    """The published client for subscriptions."""
    async with SolanaWsClient(node.ws_url) as started:
        yield started


async def rich(client: AsyncClient) -> Keypair:
    """A key with 10 SOL."""
    key = Keypair()
    await client.request_airdrop(key.pubkey(), 10 * SOL)
    return key


async def signed(
    client: AsyncClient, payer: Keypair, *instructions: Instruction
) -> VersionedTransaction:
    """A transaction with the newest hash."""
    newest = (await client.get_latest_blockhash()).value.blockhash
    message = MessageV0.try_compile(payer.pubkey(), list(instructions), [], newest)
    return VersionedTransaction(message, [payer])


def paying(payer: Keypair, to: Pubkey, lamports: int) -> Instruction:
    """Move lamports."""
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))


async def notified(socket: SolanaWsClient) -> Any:
    """The next notification."""
    return await asyncio.wait_for(socket.recv(), 60)


async def test_transfer_moves_lamports_and_pays_its_fee(
    node: SolanaNode, client: AsyncClient
) -> None:
    """Executed by the SVM; seen at each commitment when its slot has it, and by its signature."""
    payer, to = await rich(client), Keypair().pubkey()
    signature = await client.send_transaction(await signed(client, payer, paying(payer, to, SOL)))
    assert (await client.get_balance(to)).value == 0
    node.rpc("svm_tick")
    assert (await client.get_balance(to)).value == SOL
    assert (await client.get_balance(to, CONFIRMED)).value == 0
    node.rpc("svm_tick")
    assert (await client.get_balance(to, CONFIRMED)).value == SOL
    assert (await client.get_balance(payer.pubkey())).value == 9 * SOL - 5_000
    (status,) = (await client.get_signature_statuses([signature.value])).value
    assert status is not None
    assert status.err is None
    assert "Confirmed" in str(status.confirmation_status)
    found = await client.get_transaction(
        signature.value,
        encoding="base64",
        commitment=CONFIRMED,
        max_supported_transaction_version=0,
    )
    assert found.value is not None
    assert found.value.transaction.meta is not None
    assert found.value.transaction.meta.fee == 5_000
    listed = (await client.get_signatures_for_address(to, commitment=CONFIRMED)).value
    assert [one.signature for one in listed] == [signature.value]


async def test_transaction_in_the_first_format_is_carried_out_too(
    node: SolanaNode, client: AsyncClient
) -> None:
    """A legacy message names the accounts it may write by their places alone."""
    payer, to = await rich(client), Keypair().pubkey()
    newest = (await client.get_latest_blockhash()).value.blockhash
    message = Message.new_with_blockhash([paying(payer, to, SOL)], payer.pubkey(), newest)
    await client.send_transaction(VersionedTransaction(message, [payer]))
    node.rpc("svm_tick")
    assert (await client.get_balance(to)).value == SOL
    assert (await client.get_balance(payer.pubkey())).value == 9 * SOL - 5_000


async def test_transfer_of_more_than_there_is_is_refused_with_the_programs_error(
    client: AsyncClient,
) -> None:
    """Preflight tells the program's own error and logs, and nothing is carried out."""
    payer = await rich(client)
    asked = await signed(client, payer, paying(payer, Keypair().pubkey(), 11 * SOL))
    with pytest.raises(RPCException) as refused:
        await client.send_transaction(asked)
    assert '{"InstructionError": [0, {"Custom": 1}]}' in str(refused.value.args[0].message)
    assert "insufficient lamports" in str(refused.value)
    assert (await client.simulate_transaction(asked)).value.err is not None


async def test_transaction_sent_again_is_refused(client: AsyncClient) -> None:
    """A signature counts once."""
    payer = await rich(client)
    asked = await signed(client, payer, paying(payer, Keypair().pubkey(), SOL))
    await client.send_transaction(asked)
    with pytest.raises(RPCException, match="AlreadyProcessed"):
        await client.send_transaction(asked)


async def test_transaction_with_an_old_hash_is_refused_or_dropped(
    node: SolanaNode, client: AsyncClient
) -> None:
    """A hash counts for 150 slots; without preflight the transaction vanishes without a word."""
    payer, to = await rich(client), Keypair().pubkey()
    asked = await signed(client, payer, paying(payer, to, SOL))
    node.rpc("svm_tick", 149)
    named = str(asked.message.recent_blockhash)
    assert node.rpc("isBlockhashValid", named, {"commitment": "processed"})["value"]
    node.rpc("svm_tick", 1)
    assert not node.rpc("isBlockhashValid", named, {"commitment": "processed"})["value"]
    with pytest.raises(RPCException, match="BlockhashNotFound"):
        await client.send_transaction(asked)
    await client.send_transaction(asked, TxOpts(skip_preflight=True))
    node.rpc("svm_tick")
    assert (await client.get_balance(to)).value == 0


async def test_transaction_signed_by_another_is_refused(client: AsyncClient) -> None:
    """Signatures are verified."""
    payer = await rich(client)
    right = await signed(client, payer, paying(payer, Keypair().pubkey(), SOL))
    wrong = VersionedTransaction.populate(right.message, [Keypair().sign_message(b"else")])
    with pytest.raises(RPCException, match="TransactionSignatureVerificationFailure"):
        await client.send_transaction(wrong)


async def test_failed_transaction_without_preflight_pays_and_is_told(
    node: SolanaNode, client: AsyncClient
) -> None:
    """It is carried out, fails, and its error stands by its signature."""
    payer = await rich(client)
    asked = await signed(client, payer, paying(payer, Keypair().pubkey(), 11 * SOL))
    sent = await client.send_transaction(asked, TxOpts(skip_preflight=True))
    node.rpc("svm_tick")
    (status,) = (await client.get_signature_statuses([sent.value])).value
    assert status is not None
    assert status.err is not None


async def test_tokens_are_the_real_programs(client: AsyncClient, network: SolanaNetwork) -> None:
    """Mints, supplies, balances and accounts by owner, as the SPL program wrote them."""
    network.wallet.node.rpc("svm_tick")
    usdc = Pubkey.from_string(network.usdc)
    assert (await client.get_token_supply(usdc)).value.amount == str(10**18)
    (pool,) = network.pools
    vault = Pubkey.from_string(pool.vaults[1])
    told = (await client.get_token_account_balance(vault)).value
    assert (told.amount, told.decimals, told.ui_amount_string) == ("300000000000", 6, "300000")
    owned = await client.get_token_accounts_by_owner(
        network.wallet.address, TokenAccountOpts(mint=usdc)
    )
    assert {one.pubkey for one in owned.value} == {
        vault, network.wallet.account_of(network.usdc)
    }  # fmt: skip


async def test_accounts_are_read_together_of_one_slot_and_by_filters(
    node: SolanaNode, client: AsyncClient, network: SolanaNetwork
) -> None:
    """Up to a hundred in one call; those of a program by length and bytes."""
    node.rpc("svm_tick")
    (pool,) = network.pools
    key = Pubkey.from_string(pool.spec.address)
    absent = Keypair().pubkey()
    together = await client.get_multiple_accounts([key, absent, CLOCK])
    found, nothing, clock = together.value
    assert nothing is None
    assert found is not None
    assert clock is not None
    assert int.from_bytes(clock.data[:8], "little") == together.context.slot
    program = Pubkey.from_string(raydium_cpmm.PROGRAM)
    layout = raydium_cpmm.POOL_STATE
    filters: list[int | MemcmpOpts] = [
        layout.size, MemcmpOpts(offset=168, bytes=pool.spec.base_address)
    ]  # fmt: skip
    (only,) = (await client.get_program_accounts(program, filters=filters)).value
    assert only.pubkey == key
    assert bytes(only.account.data) == bytes(found.data)
    with pytest.raises(RPCException):
        await client.get_multiple_accounts([absent] * 101)


async def test_read_of_a_slot_that_is_not_reached_is_refused(node: SolanaNode) -> None:
    """``minContextSlot`` beyond the newest slot is an error, as with real nodes."""
    slot = node.rpc("getSlot", {"commitment": "confirmed"})
    options = {"commitment": "confirmed", "encoding": "base64", "minContextSlot": slot + 1}
    with pytest.raises(Exception, match="Minimum context slot"):
        node.rpc("getAccountInfo", str(CLOCK), options)


async def test_notifications_come_by_commitment_once_per_slot(
    node: SolanaNode, client: AsyncClient, socket: SolanaWsClient
) -> None:
    """Two transfers of one slot are one notification; confirmed comes a slot after processed."""
    payer, to = await rich(client), Keypair().pubkey()
    node.rpc("svm_tick", 5)
    early = await socket.account_subscribe(pubkey=to, commitment=PROCESSED, encoding="base64")
    later = await socket.account_subscribe(pubkey=to, commitment=CONFIRMED, encoding="base64")
    for lamports in (SOL, 2 * SOL):
        await client.send_transaction(await signed(client, payer, paying(payer, to, lamports)))
    node.rpc("svm_tick")
    first = await notified(socket)
    node.rpc("svm_tick")
    second = await notified(socket)
    assert [first.subscription, second.subscription] == [
        early.subscription_id, later.subscription_id
    ]  # fmt: skip
    assert first.result.context.slot == second.result.context.slot
    assert first.result.value.lamports == second.result.value.lamports == 3 * SOL
    await socket.unsubscribe(early)
    await client.send_transaction(await signed(client, payer, paying(payer, to, SOL)))
    node.rpc("svm_tick", 2)
    third = await notified(socket)
    assert third.subscription == later.subscription_id
    assert third.result.value.lamports == 4 * SOL


async def test_signature_logs_program_and_slot_are_told(
    node: SolanaNode, client: AsyncClient, socket: SolanaWsClient, network: SolanaNetwork
) -> None:
    """Each of the other subscriptions, and the signature's ends by itself."""
    payer, to = await rich(client), Keypair().pubkey()
    node.rpc("svm_tick", 5)
    asked = await signed(client, payer, paying(payer, to, SOL))
    kinds = {
        (
            await socket.signature_subscribe(signature=asked.signatures[0], commitment=PROCESSED)
        ).subscription_id: "SignatureNotification",
        (
            await socket.logs_subscribe(
                filter_=RpcTransactionLogsFilterMentions(to), commitment=PROCESSED
            )
        ).subscription_id: "LogsNotification",
        (
            await socket.program_subscribe(
                program_id=Pubkey.from_string(TOKEN_PROGRAM),
                commitment=PROCESSED,
                encoding="base64",
                filters=[165],
            )
        ).subscription_id: "ProgramNotification",
        (await socket.slot_subscribe()).subscription_id: "SlotNotification",
    }
    await client.send_transaction(asked)
    (pool,) = network.pools
    network.wallet.send(
        [network.wallet.transfer(str(network.wallet.account_of(network.usdc)), pool.vaults[1], 0)]
    )
    node.rpc("svm_tick")
    told = [await notified(socket) for _ in range(5)]
    assert {one.subscription: type(one).__name__ for one in told} == kinds
    programs = [one for one in told if kinds[one.subscription] == "ProgramNotification"]
    assert len(programs) == 2, "the source and the vault"


async def test_bad_requests_are_errors_and_not_the_end(node: SolanaNode) -> None:
    """A wrong method, wrong parameters, no JSON: an error each, and the node answers on."""
    for method, params, said in (
        ("getNothing", [], "Method not found"),
        ("getBalance", [], "Invalid params"),
        ("getBalance", ["0x1234"], "Invalid params"),
        ("getBalance", [str(CLOCK), {"commitment": "soon"}], "unknown commitment"),
        ("sendTransaction", ["?", {"encoding": "base64"}], "Invalid params"),
        ("sendTransaction", ["1", {}], "send base64"),
    ):
        with pytest.raises(Exception, match=said):
            node.rpc(method, *params)
    assert node.rpc("getHealth") == "ok"
    assert Hash.from_string(node.rpc("getGenesisHash"))

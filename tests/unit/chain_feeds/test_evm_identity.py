"""Whether a contract is the pool that was listed, from a node's answers of every kind."""

import msgspec
import pytest

from chain_feeds.sources.evm_identity import identity_fault, listing_fault, questions
from tests.unit.chain_feeds.chains import pool

SPEC = pool().spec


def word(value: int) -> dict[str, object]:
    """An answer of one word."""
    return {"result": f"0x{value:064x}"}


RIGHT: list[dict[str, object]] = [
    {"result": "0x6001"},
    word(int(SPEC.base_address, 16)),
    word(int(SPEC.quote_address, 16)),
    word(18),
    word(18),
]
REFUSED: dict[str, object] = {"error": {"code": 3, "message": "execution reverted"}}


def test_identity_of_the_listed_pool_has_no_fault() -> None:
    """In either order of tokens, one answer for each question."""
    assert identity_fault(SPEC, RIGHT) == ""
    assert identity_fault(SPEC, [RIGHT[0], RIGHT[2], RIGHT[1], *RIGHT[3:]]) == ""
    assert len(questions(SPEC)) == len(RIGHT)


@pytest.mark.parametrize(
    ("position", "answer", "reason"),
    [
        (0, {"result": "0x"}, "no contract at"),
        (0, REFUSED, "no contract at"),
        (0, {"result": None}, "no contract at"),
        (1, REFUSED, "has no token0() and token1()"),
        (2, {"result": "0x12"}, "has no token0() and token1()"),
        (1, word(77), "the pool's tokens are"),
        (2, word(int(SPEC.base_address, 16)), "the pool's tokens are"),
        (3, REFUSED, "the base token does not tell its decimals"),
        (4, {"result": "0x"}, "the quote token does not tell its decimals"),
        (3, word(6), "the base token has 6 decimals, listed are 18"),
        (4, word(2**256 - 1), "the quote token has"),
    ],
)
def test_identity_of_another_contract_is_named_in_one_line(
    position: int, answer: dict[str, object], reason: str
) -> None:
    """Each wrong answer gives its own reason."""
    answers = [*RIGHT[:position], answer, *RIGHT[position + 1 :]]
    fault = identity_fault(SPEC, answers)
    assert reason in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("address", "0x12", "the pool's address '0x12' is none"),
        ("address", "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8", "the pool's address"),
        ("base_address", "0x" + "g" * 40, "the base token's address"),
        ("quote_address", "", "the quote token's address"),
        ("quote_address", SPEC.base_address, "the same address"),
    ],
)
def test_listing_that_no_contract_can_fit_is_named_in_one_line(
    field: str, value: str, reason: str
) -> None:
    """Addresses of another chain, or the same token twice; a right listing has no fault."""
    assert listing_fault(SPEC) == ""
    fault = listing_fault(msgspec.structs.replace(SPEC, **{field: value}))
    assert reason in fault
    assert "\n" not in fault

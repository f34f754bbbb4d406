"""Plans of actors: named, not imported, until the actor's own process makes them."""

import subprocess
import sys

import pytest

from actors.registry import ActorPlan, packed, unpacked

PLAN = ActorPlan("pair:vaix", "actors.inbox:Inbox", (7,), "pair", threads=3)


@pytest.mark.parametrize(
    ("name", "class_path", "title"),
    [
        ("pair:vaix", "actors.pair:PairActor", "PairActor:vaix"),
        ("account:0", "actors.account:AccountShard", "AccountShard:0"),
        ("supervisor", "actors.supervisor:SupervisorActor", "SupervisorActor:main"),
    ],
)
def test_title_says_class_and_name(name: str, class_path: str, title: str) -> None:
    """So that a process list tells who is who."""
    assert ActorPlan(name, class_path, (), "any").title == title


def test_plan_packed_is_the_same_again() -> None:
    """The supervisor makes an actor exactly as the driver did."""
    assert unpacked(packed(PLAN)) == PLAN


def test_plan_made_is_its_class_with_its_arguments() -> None:
    """Imported by name, in the process that makes it."""
    assert PLAN.make().requests_max == 7


@pytest.mark.parametrize("class_path", ["actors.none:None", "actors.inbox:None", "actors.inbox"])
def test_plan_of_an_unknown_class_raises(class_path: str) -> None:
    """The actor's process ends with the reason on its stderr, and is started again."""
    with pytest.raises((ImportError, AttributeError)):
        ActorPlan("pair:vaix", class_path, (), "pair").make()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("tandem.plans", "aiohttp,pydantic,web3,redis,actors.pair_runtime,gateway.app"),
        ("actors.pair", "aiohttp,pydantic,web3,typer,rich,event_trader,gateway,tandem"),
        ("actors.account", "aiohttp,pydantic,web3,typer,rich,event_trader,gateway,tandem"),
        ("tandem.feeds", "aiohttp,pydantic,web3,typer,rich,event_trader,redis"),
        ("actors.supervisor", "aiohttp,pydantic,web3,typer,rich,event_trader,gateway,tandem"),
    ],
)
def test_actor_process_imports_only_what_it_needs(module: str, unwanted: str) -> None:
    """Each of them is a process that a user waits for: heavy libraries stay where they are used."""
    script = (
        f"import sys, actors.registry, actors.wiring, {module}\n"
        f"print([name for name in {unwanted!r}.split(',') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"

"""Compiling Solidity with the compilers from npm; each result is kept by what went into it."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

from devnet.anvil import HERE, MODULES
from devnet.errors import DevnetError

OWN: Final = HERE / "solidity"
AERODROME: Final = MODULES / "sphere-mezo-solidity-files" / "domains"
KEPT: Final = HERE.parent / "build" / "contracts"


class Compiled(NamedTuple):
    """A contract as it is deployed."""

    abi: list[dict[str, Any]]
    bytecode: str


def own(contract: str) -> Compiled:
    """Compile a contract of ours; all of them at once, for a compiler takes long to start."""
    sources = {file.name: file.read_text(encoding="utf-8") for file in sorted(OWN.glob("*.sol"))}
    return compiled("solc", sources, [OWN])[contract]


def own_on_algebra(contract: str) -> Compiled:
    """Compile a contract of ours that builds on Algebra V1's published libraries."""
    folder = OWN / "algebra"
    sources = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sol"))}
    return compiled("solc-0.7.6", sources, [])[contract]


def aerodrome(*files: str) -> dict[str, Compiled]:
    """Compile Aerodrome's contracts from their published sources, named within the package."""
    return _published("solc", "aerodrome", files)


def slipstream(*files: str) -> dict[str, Compiled]:
    """Compile Slipstream's contracts from their published sources, named within the package."""
    return _published("solc-0.7.6", "aerodrome-slipstream", files)


def _published(compiler: str, domain: str, files: tuple[str, ...]) -> dict[str, Compiled]:
    folder = AERODROME / domain
    if not folder.is_dir():
        raise DevnetError(f"{folder} is missing; run `npm ci` in devnet/")
    sources = {f"{domain}/{name}": (folder / name).read_text(encoding="utf-8") for name in files}
    return compiled(compiler, sources, [AERODROME])


def compiled(compiler: str, sources: dict[str, str], roots: list[Path]) -> dict[str, Compiled]:
    """Compile sources with all they import; returns the contracts by name.

    Args:
        compiler: the npm package, ``solc`` or ``solc-0.7.6``.
        sources: the text of each file by the name that imports would call it.
        roots: where imports are looked for besides ``node_modules``.

    Raises:
        DevnetError: Node is missing, or the compiler found a fault.
    """
    settings: dict[str, Any] = {
        # Few runs keep the pools of ticks within the size that a node takes.
        "optimizer": {"enabled": True, "runs": 800 if compiler == "solc" else 10},
        "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
    }
    if compiler == "solc":
        settings["evmVersion"] = "cancun"
    job = json.dumps(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sorted(sources.items())},
            "settings": settings,
        },
        sort_keys=True,
    )
    packages = (HERE / "package-lock.json").read_bytes()
    digest = hashlib.sha256(compiler.encode() + b"\0" + job.encode() + packages).hexdigest()
    kept = KEPT / f"{digest[:32]}.json"
    if kept.exists():
        return _contracts(json.loads(kept.read_text(encoding="utf-8")))
    answer = _run(compiler, job, roots)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps(answer), encoding="utf-8")
    partial.replace(kept)
    return _contracts(answer)


def _run(compiler: str, job: str, roots: list[Path]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        raise DevnetError("node is not on the PATH: install Node 20 or newer, then try again")
    command = [node, str(HERE / "compile.cjs"), compiler, *map(str, roots)]
    done = subprocess.run(  # noqa: S603 -- our own script, names as arguments
        command, input=job, capture_output=True, text=True, check=False, cwd=HERE
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise DevnetError(f"{compiler} did not answer:\n{done.stderr[-2000:]}") from None
    faults = [
        str(fault.get("formattedMessage"))
        for fault in answer.get("errors", [])
        if fault.get("severity") == "error"
    ]
    if faults:
        raise DevnetError("\n".join(faults)[:4000])
    return answer


def _contracts(answer: dict[str, Any]) -> dict[str, Compiled]:
    return {
        name: Compiled(found["abi"], "0x" + found["evm"]["bytecode"]["object"])
        for file in answer["contracts"].values()
        for name, found in file.items()
        if found["evm"]["bytecode"]["object"]
    }

"""The protocol's own conformance suite against a started exchange: what applies passes, all of it.

The suite tests a server that carries its fixtures (tools, resources and prompts of given names); an
exchange has none. A scenario of which nothing applies is listed with the reason, and is
run all the same: it may fail for that reason only. The lists together are what the pinned suites
have, so neither a new scenario nor a lost one goes unseen.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.mcp_clients import HERE, node_packages
from tests.running import RunningExchange

FIXTURE = (
    r"There is no (tool|prompt) 'test_|There is no resource 'test://|'json_schema_2020_12_tool'"
)
NOT_OFFERED = r"Method not found|does not support|not supported"
NO_HEADERS = r"no tool with x-mcp-header annotations"
NO_INPUTS = FIXTURE + r"|Expected InputRequiredResult|could not get initial InputRequiredResult"

Reasons = dict[str, str]


class Suite(NamedTuple):
    """A version of the suite, and what of it applies."""

    package: str
    options: tuple[str, ...]
    applies: frozenset[str]
    others: Reasons
    """Scenario to the reason for which its checks fail, as a pattern of their messages."""
    checks: int
    """How many checks of the applicable scenarios succeed."""


def _all(reason: str, names: str) -> Reasons:
    return dict.fromkeys(names.split(), reason)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEEDS_FIXTURES = (
    "tools-call-simple-text tools-call-image tools-call-audio tools-call-embedded-resource "
    "tools-call-mixed-content tools-call-error tools-call-with-progress json-schema-2020-12 "
    "resources-read-text resources-read-binary resources-templates-read prompts-get-simple "
    "prompts-get-with-args prompts-get-embedded-resource prompts-get-with-image"
)
HANDSHAKE = Suite(
    package="@modelcontextprotocol/conformance",
    options=(),
    applies=_names(
        "server-initialize ping completion-complete tools-list resources-list prompts-list "
        "dns-rebinding-protection server-sse-polling server-sse-multiple-streams"
    ),
    others={
        **_all(FIXTURE, NEEDS_FIXTURES),
        **_all(
            FIXTURE,
            "tools-call-sampling tools-call-elicitation "
            "elicitation-sep1034-defaults elicitation-sep1330-enums",
        ),
        **_all(
            NOT_OFFERED,
            "logging-set-level tools-call-with-logging resources-subscribe resources-unsubscribe",
        ),
    },
    checks=8,
)
"""Revisions to 2025-11-25. The two of server-sent events only warn: nothing here needs a stream."""

NEWEST = Suite(
    package="conformance-next",
    options=("--spec-version", "2026-07-28"),
    applies=_names(
        "server-stateless completion-complete tools-list resources-list prompts-list "
        "sep-2164-resource-not-found dns-rebinding-protection server-sse-multiple-streams caching "
        "http-header-validation input-required-result-unsupported-methods "
        "input-required-result-missing-input-response input-required-result-ignore-extra-params "
        "input-required-result-validate-input"
    ),
    others={
        **_all(FIXTURE, NEEDS_FIXTURES),
        **_all(NO_HEADERS, "http-custom-header-server-validation"),
        **_all(
            NO_INPUTS,
            "input-required-result-basic-elicitation input-required-result-basic-sampling "
            "input-required-result-basic-list-roots input-required-result-request-state "
            "input-required-result-multiple-input-requests input-required-result-multi-round "
            "input-required-result-non-tool-request input-required-result-result-type "
            "input-required-result-tampered-state input-required-result-capability-check",
        ),
    },
    checks=67,
)
"""Revision 2026-07-28."""

UNTESTABLE = {
    "sep-2575-server-rejects-undeclared-capability": "test_missing_capability",
    "sep-2575-missing-capability-http-400": "test_missing_capability",
    "sep-2575-http-server-no-independent-requests-on-stream": "test_streaming_elicitation",
    "sep-2575-server-no-log-without-loglevel": "test_logging_tool",
}
"""Checks of an applicable scenario that cannot be made without a fixture, which they name."""


def suite_command(suite: Suite, *arguments: str) -> list[str]:
    """Give the command of a suite."""
    program = f"node_modules/{suite.package}/dist/index.js"
    return ["node", "--import", "./node20.mjs", program, *arguments]


def results(suite: Suite, url: str, out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run a suite; gives each check with its scenario."""
    given = ("server", "--url", url, "--suite", "all", "-o", str(out), *suite.options)
    done = subprocess.run(
        suite_command(suite, *given), cwd=HERE, capture_output=True, text=True, timeout=400,
        check=False,
    )  # fmt: skip
    folders = sorted(out.iterdir()) if out.exists() else []
    assert folders, done.stdout + done.stderr
    for folder in folders:
        match = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", folder.name)
        assert match is not None, folder
        for check in json.loads((folder / "checks.json").read_text("utf-8")):
            yield match[1], check


def _is_untestable(check: dict[str, Any]) -> bool:
    fixture = UNTESTABLE.get(check["id"])
    return (
        fixture is not None
        and f"does not list the diagnostic tool '{fixture}'" in (check["errorMessage"])
    )


@pytest.mark.parametrize("suite", [HANDSHAKE, NEWEST], ids=lambda suite: str(suite.package))
def test_conformance_of_everything_that_applies(
    running_exchange: RunningExchange, suite: Suite, tmp_path: Path
) -> None:
    """Applicable scenarios pass; every other one fails only for want of what it names."""
    node_packages()
    seen: set[str] = set()
    passed, wrong = 0, []
    for scenario, check in results(suite, running_exchange.base_url + "/mcp", tmp_path / "out"):
        seen.add(scenario)
        if scenario in suite.applies:
            passed += check["status"] == "SUCCESS"
            if check["status"] == "FAILURE" and not _is_untestable(check):
                wrong.append((scenario, check["id"], check.get("errorMessage")))
        elif check["status"] == "FAILURE":
            reason = suite.others.get(scenario, "is not listed")
            if re.search(reason, check.get("errorMessage") or "") is None:
                wrong.append((scenario, check["id"], check.get("errorMessage")))
    print(f"{suite.package}: {len(suite.applies)} scenarios, {passed} checks passed")
    for scenario in sorted(suite.others):
        print(f"  does not apply: {scenario}: {suite.others[scenario]}")
    assert wrong == []
    assert seen == suite.applies | set(suite.others)
    assert passed == suite.checks

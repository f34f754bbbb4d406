"""What holds for every test: no bound on the machine's pace, and what is random can be repeated."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "tandem", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tandem")

LOOKS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PY_COLORS", "GITHUB_ACTIONS")
"""What a terminal, a user or a CI may set, and what makes rich and typer draw otherwise."""


def pytest_configure() -> None:
    """Undo what a shell may have left to its children: ignored signals, wishes about colours."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for what a script runs with `&`
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as under `nohup`
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in LOOKS:
        os.environ.pop(name, None)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the seed of the order and of `random`, which quiet runs leave out."""
    if config.pluginmanager.hasplugin("randomly"):
        seed = config.getoption("randomly_seed")
        terminalreporter.write_line(f"the order and `random` were by --randomly-seed={seed}")

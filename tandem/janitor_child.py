"""The janitor's process: waits for the end of its standard input, then ends what is left over.

Run with ``-I -S`` and only the standard library, so that it costs next to nothing while it waits.
"""

import os
import signal
import sys
import time
from pathlib import Path

GRACE_S = 3.0
POLL_S = 0.1


def left_over(mark: bytes, group: int) -> list[int]:
    """Name the processes whose environment carries the mark, and Ray's of the driver's group.

    A process that sets its title overwrites its environment, as Ray's agents do; they are told by
    the title and the process group.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
                titled = (entry / "cmdline").read_bytes().startswith(b"ray::")
                same_group = os.getpgid(int(entry.name)) == group
            except OSError:
                continue  # gone meanwhile, or another user's
            if mark in environment.split(b"\0") or (titled and same_group):
                found.append(int(entry.name))
    return found


def main() -> None:
    """Wait, then clear away."""
    mark, group = sys.argv[1].encode(), int(sys.argv[2])
    sys.stdin.buffer.read()
    deadline = time.monotonic() + GRACE_S
    while left_over(mark, group) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for pid in left_over(mark, group):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()

"""Runs the server so that it never outlives the process that started it, even one killed by -9.

A script of its own, started by `valkey` as ``python valkey_child.py <parent pid> <server> …``. On
Linux the kernel is asked to kill this process with its parent, and the process then becomes the
server; elsewhere it stays beside the server and watches for the parent's end. A fresh process does
this because code between a fork and an exec of a program with many threads may deadlock.
"""

import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
"""``prctl(2)``: the signal this process receives when the thread that started it ends."""
WATCH_S = 0.2


def become(parent: int, command: list[str]) -> None:
    """Turn into the server, bound to the parent's life (Linux only)."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() == parent:  # else it ended before the kernel knew
        os.execv(command[0], command)  # noqa: S606 - the server's own path, no shell


def watch(parent: int, command: list[str], fds: tuple[int, ...]) -> int:
    """Run the server beside this process, and end it with the parent; returns its exit code."""
    server = subprocess.Popen(command, pass_fds=fds)  # noqa: S603 - the server's own path
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while server.poll() is None:
        if os.getppid() != parent:
            server.kill()
        time.sleep(WATCH_S)
    return server.returncode


if __name__ == "__main__":
    if sys.platform == "linux":
        become(int(sys.argv[1]), sys.argv[3:])
    else:
        sys.exit(watch(int(sys.argv[1]), sys.argv[3:], (int(sys.argv[2]),)))

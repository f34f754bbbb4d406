"""Where a unix socket may lie: only its owner may enter, and the kernel takes the path."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

SOCKET_PATH_BYTES_MAX: Final = 100
"""The kernel takes 107 bytes on Linux and 103 on macOS for the path of a unix socket."""


def socket_path(directory: Path, name: str, *, private: bool = False) -> Path:
    """Choose where a socket lies: in a directory of ours, or in a private, shorter place.

    Args:
        directory: where it should lie, if its path is short enough. It also says which shorter
            place: whoever asks again on this host finds the same one.
        name: the socket's file.
        private: take the directory only where it is there and nobody else may enter.
    """
    path = directory / name
    fits = len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX
    if fits and (is_private(directory) or not private):
        return path
    digest = hashlib.blake2b(os.fsencode(directory), digest_size=8).hexdigest()
    short = Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    if not is_private(short):  # somebody else's: not to be trusted
        short = Path(tempfile.mkdtemp(prefix="tandem-"))
    return short / name


def is_private(directory: Path) -> bool:
    """Tell whether a path is a directory that nobody but this user may enter."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return ours and stat.S_IMODE(found.st_mode) == 0o700

"""Starting and stopping Ray: on this machine, or as a client of a cluster.

Local Ray gets its temporary files and logs from the data directory, asks for a token on every
connection, and serves no dashboard. Its processes are children of this one and end with it.
"""

import hashlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from actors.errors import TandemError
from actors.listing import NAMESPACE
from tandem.settings import stored_secret

SESSION_BYTES: Final = 64
"""Ray's sockets lie this much deeper than its temporary directory; the kernel takes 107 in all."""
SOCKET_PATH_BYTES_MAX: Final = 103
OBJECT_STORE_BYTES: Final = 80 * 1024 * 1024
"""Ray's least: nothing here is large enough to go through the object store."""
SESSIONS_KEPT: Final = 3
JOIN_TIMEOUT_S: Final = 5.0

ENVIRONMENT: Final[Mapping[str, str]] = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Per-call bookkeeping for a dashboard that is not there: a tenth of a call's cost.
    "RAY_task_events_report_interval_ms": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    # Ray runs workers at niceness 15; here they are the exchange.
    "RAY_worker_niceness": "0",
}


class RayStartError(TandemError):
    """Ray did not start, or the cluster could not be joined; the argument is what was seen."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"Ray did not start: {self.detail}"


def prepare(data_dir: Path) -> None:
    """Set what Ray reads from the environment when it is imported; so call this before that."""
    stored_secret(data_dir / "ray_token")
    os.environ.update(ENVIRONMENT)
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(data_dir / "ray_token")


def start_local(data_dir: Path, resources: Mapping[str, float], workers: int) -> None:
    """Start Ray on this machine, after `prepare`.

    Args:
        data_dir: where its token and logs go.
        resources: the custom resources that this one node offers.
        workers: how many worker processes to have ready before they are asked for.

    Raises:
        RayStartError: what Ray said.
    """
    import ray

    directory = _temporary(data_dir)
    _forget_old_sessions(directory)
    try:
        ray.init(
            num_cpus=workers,
            resources=dict(resources),
            include_dashboard=False,
            namespace=NAMESPACE,
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(directory),
        )
    except Exception as error:  # Ray raises plain ones too
        ray.shutdown()
        raise RayStartError(f"{error}; its logs are in {directory}") from error


def join(address: str) -> None:
    """Join a running cluster as a driver.

    Raises:
        RayStartError: nobody answers there, or it refused.
    """
    host, colon, port = address.rpartition(":")
    if colon and "/" not in host:  # Ray itself would try for a minute
        try:
            socket.create_connection((host.strip("[]"), int(port)), JOIN_TIMEOUT_S).close()
        except (OSError, ValueError) as error:
            raise RayStartError(f"{error}; is a cluster running at {address}?") from error
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR
        )
    except (RuntimeError, OSError, ValueError, ConnectionError) as error:
        raise RayStartError(f"{error}; is a cluster running at {address}?") from error


def stop() -> None:
    """Stop Ray's processes, or leave the cluster; harmless when it is not running."""
    import ray

    ray.shutdown()


def _temporary(data_dir: Path) -> Path:
    """Choose Ray's directory: in the data directory where its sockets' paths stay short enough."""
    directory = data_dir / "ray"
    if len(os.fsencode(directory)) + SESSION_BYTES > SOCKET_PATH_BYTES_MAX:
        digest = hashlib.blake2b(os.fsencode(data_dir), digest_size=6).hexdigest()
        directory = Path(tempfile.gettempdir()) / f"tandem-ray-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise RayStartError(f"{directory} belongs to another user; remove it")
    return directory


def _forget_old_sessions(directory: Path) -> None:
    """Remove the logs of all but the last few starts."""
    sessions = sorted(
        (path for path in directory.glob("session_2*") if not path.is_symlink()),
        key=lambda path: path.name,
    )
    for path in sessions[:-SESSIONS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)

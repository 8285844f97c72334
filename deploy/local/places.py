"""Where things lie: one folder for all that is written, and ports that are free."""

import os
import random
import socket
import time
from pathlib import Path

HOST = "127.0.0.1"
"""Nothing of the local platform listens anywhere else."""

# Below what Linux hands out to outgoing connections. A server that is killed and started again
# on a port of that range may find it taken by a client, or a client connected to itself.
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 31_999


def project() -> Path:
    """Return the folder that holds the project's own files."""
    return Path(__file__).resolve().parents[2]


def home() -> Path:
    """Return the folder for data, logs, jars and process files; all of it can be thrown away."""
    return Path(os.environ.get("CONCORD_HOME") or project() / ".concord")


def cache() -> Path:
    """Return the folder for what was fetched; shared by every run and every test."""
    return Path(os.environ.get("CONCORD_CACHE") or home() / "cache")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def wait_until_free(port: int, *, limit: float) -> None:
    """Wait until a server could listen on this port; raise TimeoutError after `limit` seconds."""
    ends = time.monotonic() + limit
    while not is_free(port):
        if time.monotonic() > ends:
            raise TimeoutError(f"port {port} was not free within {limit:g} s")
        time.sleep(0.1)


def is_listening(port: int) -> bool:
    """Tell whether something takes connections on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


_given: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on, outside the range of outgoing connections.

    No port is given twice by one program: between being given and being listened on it still
    looks free.
    """
    for _ in range(200):
        port = random.randint(_LOWEST_PORT, _HIGHEST_PORT)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port found from {_LOWEST_PORT} to {_HIGHEST_PORT}")

"""Folders of the local platform, and free TCP ports."""

import os
import random
import socket
import time
from pathlib import Path

HOST = "127.0.0.1"
"""The only address on which the local platform listens."""

# Below Linux's range of ephemeral ports. A server that restarts on a port of that range may find it
# taken by a client's connection, or a client that connected to itself.
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 31_999


def project() -> Path:
    """Return the project's root folder."""
    return Path(__file__).resolve().parents[2]


def home() -> Path:
    """Return the folder for data, logs, jars and process files; all of it may be deleted."""
    return Path(os.environ.get("CONCORD_HOME") or project() / ".concord")


def cache() -> Path:
    """Return the folder for downloads, shared by all runs and tests."""
    return Path(os.environ.get("CONCORD_CACHE") or home() / "cache")


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set this, too: a port whose last connections are in TIME_WAIT is free.
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
    """Return whether something accepts connections on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


_returned: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on, outside the range of ephemeral ports.

    Never returns a port twice in one process: until somebody listens on it, it still looks free.
    Raises RuntimeError where none is found.
    """
    for _ in range(200):
        port = random.randint(_LOWEST_PORT, _HIGHEST_PORT)
        if port not in _returned and is_free(port):
            _returned.add(port)
            return port
    raise RuntimeError(f"no free port found from {_LOWEST_PORT} to {_HIGHEST_PORT}")

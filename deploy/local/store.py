"""Run a document store with MongoDB's wire protocol as a process, one for each service."""

import sys
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from local import paths
from local.processes import Process


class Store:
    """A SecantusDB server on a given port and in a given folder.

    Acknowledged writes are kept on `kill`. In a test:

        with Store(tmp_path) as store:
            ... store.url ...
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        name: str = "store",
        log: Path | None = None,
        cache_mb: int = 128,
    ) -> None:
        """Create it without starting it; without a `port` it uses a free one."""
        self.folder = folder
        self.port = port or paths.free_port()
        self.process = Process(
            name,
            [
                str(Path(sys.executable).with_name("secantusd-py")),
                # An empty file: otherwise it looks for one in the user's home.
                *("--config", str(folder / "secantusd.toml")),
                *("--host", paths.HOST, "--port", str(self.port)),
                *("--storage-path", str(folder / "data"), "--cache-size", f"{cache_mb}M"),
                "--sync-on-commit",
                # How far back a change stream can be resumed: for a relay that was down for a day,
                # or during a long load.
                *("--oplog-retention-seconds", "86400", "--oplog-max-entries", "1000000"),
                *("--log-level", "WARNING"),
            ],
            log=log or folder / f"{name}.log",
            folder=folder,
        )

    @property
    def url(self) -> str:
        """Return the connection string, with the options that drivers need for this server."""
        return f"mongodb://{paths.HOST}:{self.port}/?directConnection=true&retryWrites=false"

    @property
    def running(self) -> bool:
        """Return whether it runs."""
        return self.process.running

    def __enter__(self) -> "Store":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, limit: float = 30.0) -> float:
        """Start it, wait until it answers, and return the seconds; raises ProcessError if late."""
        started = time.monotonic()
        try:
            self.begin()
            self.wait_ready(limit=limit)
        except BaseException:
            self.process.kill()
            raise
        return time.monotonic() - started

    def begin(self) -> None:
        """Start it without waiting until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "secantusd.toml").touch()
        self.process.start()

    def wait_ready(self, *, limit: float = 30.0) -> None:
        """Wait until it answers; raises ProcessError after `limit` seconds."""
        self.process.wait_ready(self._answers, limit=limit)

    def stop(self, *, grace: float = 10.0) -> None:
        """Stop it; kill it where it has not ended within `grace` seconds."""
        self.process.stop(grace=grace)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self.process.kill()

    def restart(self) -> float:
        """Stop and start it again; return the seconds until it answered."""
        started = time.monotonic()
        self.stop()
        self.start()
        return time.monotonic() - started

    def pause(self) -> None:
        """Suspend it: connections stay open, nothing is answered."""
        self.process.pause()

    def resume(self) -> None:
        """Resume it after `pause`."""
        self.process.resume()

    def _answers(self) -> bool:
        return paths.is_listening(self.port) and answers(self.url)


def answers(url: str) -> bool:
    """Return whether a document store at this URL answers a ping."""
    client: MongoClient[dict[str, object]] = MongoClient(
        url, serverSelectionTimeoutMS=1_000, connectTimeoutMS=1_000, socketTimeoutMS=2_000
    )
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True

"""A document store as a process, speaking MongoDB's protocol; one for each department."""

import sys
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from local import paths
from local.processes import Process


class Store:
    """SecantusDB on a port and in a folder of the caller's choice.

    What it acknowledged outlives `kill`. Usable from a test as

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
        """Describe it; `start` runs it. Without a port it takes a free one."""
        self.folder = folder
        self.port = port or paths.free_port()
        self.process = Process(
            name,
            [
                str(Path(sys.executable).with_name("secantusd-py")),
                # An empty file of our own, else it looks for one in the folders of this person.
                *("--config", str(folder / "secantusd.toml")),
                *("--host", paths.HOST, "--port", str(self.port)),
                *("--storage-path", str(folder / "data"), "--cache-size", f"{cache_mb}M"),
                "--sync-on-commit",
                # How far back a change stream can be resumed: a relay that was away for a day, or
                # through a long load, still finds its place.
                *("--oplog-retention-seconds", "86400", "--oplog-max-entries", "1000000"),
                *("--log-level", "WARNING"),
            ],
            log=log or folder / f"{name}.log",
            folder=folder,
        )

    @property
    def url(self) -> str:
        """Where a driver connects; the options are part of what makes it right and quick."""
        return f"mongodb://{paths.HOST}:{self.port}/?directConnection=true&retryWrites=false"

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.process.running

    def __enter__(self) -> "Store":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, limit: float = 30.0) -> float:
        """Start it, wait until it answers, and return the seconds that took."""
        started = time.monotonic()
        try:
            self.begin()
            self.wait_ready(limit=limit)
        except BaseException:
            self.process.kill()
            raise
        return time.monotonic() - started

    def begin(self) -> None:
        """Start it, without waiting until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "secantusd.toml").touch()
        self.process.start()

    def wait_ready(self, *, limit: float = 30.0) -> None:
        """Wait until it answers."""
        self.process.wait_ready(self._answers, limit=limit)

    def stop(self, *, grace: float = 10.0) -> None:
        """Ask it to end; kill it when it has not within `grace` seconds."""
        self.process.stop(grace=grace)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()

    def restart(self) -> float:
        """Stop in order and start again; return the seconds until it answered."""
        started = time.monotonic()
        self.stop()
        self.start()
        return time.monotonic() - started

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        self.process.pause()

    def resume(self) -> None:
        """Let a paused one go on."""
        self.process.resume()

    def _answers(self) -> bool:
        return paths.is_listening(self.port) and answers(self.url)


def answers(url: str) -> bool:
    """Tell whether a document store answers a ping there."""
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

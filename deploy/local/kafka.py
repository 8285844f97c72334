"""Run Apache Kafka as processes on given ports and in a given folder; its jars are fetched once."""

import asyncio
import fcntl
import shutil
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from local import paths, prerequisites
from local.processes import Process, ProcessError, stop_all

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"

# For a broker with little load on a small machine: with the first compiler tier alone it starts in
# half the time, and the serial garbage collector is enough for some hundred megabytes.
_JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def version() -> str:
    """Return the version of Kafka in `pom.xml`; raises RuntimeError where it has none."""
    found = ET.parse(_POM).findtext(".//{*}kafka.version")  # noqa: S314 - our own file
    if not found:
        raise RuntimeError(f"{_POM} names no kafka.version")
    return found


def fetch(*, report: Callable[[str], None] = print) -> Path:
    """Return the folder with Kafka's jars; fetch them the first time.

    Of several processes that call this at once, one fetches and the others wait. The folder is
    renamed into place when it is complete. Raises prerequisites.Missing where Maven fails or Java
    or Maven is missing.
    """
    jars = paths.cache() / f"kafka-{version()}"
    if jars.exists():
        return jars
    prerequisites.ensure(prerequisites.KAFKA, report=report)
    jars.parent.mkdir(parents=True, exist_ok=True)
    with (jars.parent / "fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            _fetch_into(jars, report)
    return jars


def _fetch_into(jars: Path, report: Callable[[str], None]) -> None:
    report(f"Fetching Apache Kafka {version()} through Maven (43 MB, some 10 s) ...")
    started = time.monotonic()
    partial = jars.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(_POM)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
        raise prerequisites.Missing(f"Maven could not fetch Kafka:\n{last}")
    partial.rename(jars)
    report(f"Fetched Kafka in {time.monotonic() - started:.0f} s, into {jars}.")


class Broker:
    """One node of a cluster, both broker and controller."""

    def __init__(self, number: int, folder: Path, port: int, controller_port: int) -> None:
        """Create a node without starting it; `Kafka` does that."""
        self.number = number
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
        self.address = f"{paths.HOST}:{port}"
        self.process: Process | None = None

    def configuration(self, nodes: Sequence["Broker"], settings: Mapping[str, str]) -> str:
        """Return the text of its `server.properties`; `settings` override the defaults here."""
        replicas = min(len(nodes), 3)
        in_sync = max(1, replicas - 1)
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "controller.quorum.voters": ",".join(
                f"{node.number}@{paths.HOST}:{node.controller_port}" for node in nodes
            ),
            "listeners": (
                f"PLAINTEXT://{self.address},CONTROLLER://{paths.HOST}:{self.controller_port}"
            ),
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            # Topics are created from the contracts only, not by producing to them.
            "auto.create.topics.enable": "false",
            # Events are kept for ever; a topic that differs has a setting of its own.
            "log.retention.ms": "-1",
            # Short, since after a crash a broker rejoins only when its session has expired.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # A new consumer group need not wait for more members on one machine.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "default.replication.factor": str(replicas),
            "min.insync.replicas": str(in_sync),
            "offsets.topic.replication.factor": str(replicas),
            "offsets.topic.num.partitions": "8",
            "transaction.state.log.replication.factor": str(replicas),
            "transaction.state.log.min.isr": str(in_sync),
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": str(replicas),
            "share.coordinator.state.topic.min.isr": str(in_sync),
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
            **settings,
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())


class Kafka:
    """An Apache Kafka cluster in KRaft mode: one node, or several for tests that kill a broker.

    The data are kept on `stop` and `kill`; `start` continues with them. In a test:

        with Kafka(tmp_path) as kafka:
            ... kafka.bootstrap ...
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        brokers: int = 1,
        heap_mb: int = 320,
        settings: Mapping[str, str] | None = None,
        accounts: Mapping[str, str] | None = None,
        log: Path | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        """Create the cluster without starting it; `start` fetches, formats and runs it.

        `port` and `controller_port` are those of the first node; all others are free ports.
        `settings` override the default configuration. `accounts` are names and passwords
        (SCRAM-SHA-512) that a new cluster is formatted with, for tests of access rights. The log is
        `folder/kafka-N.log` unless `log` names a file (one node only). `report` is called with
        progress messages.
        """
        self.folder = folder
        self.heap_mb = heap_mb
        self.settings = dict(settings or {})
        self.accounts = dict(accounts or {})
        self._report = report
        self._log = log
        self.nodes = [
            Broker(
                number,
                folder / f"node-{number}",
                port if port and number == 1 else paths.free_port(),
                controller_port if controller_port and number == 1 else paths.free_port(),
            )
            for number in range(1, brokers + 1)
        ]

    @property
    def bootstrap(self) -> str:
        """Return the bootstrap addresses of all nodes, separated by commas."""
        return ",".join(node.address for node in self.nodes)

    @property
    def running(self) -> bool:
        """Return whether every node runs."""
        return all(node.process and node.process.running for node in self.nodes)

    @property
    def processes(self) -> list[Process]:
        """Return the processes of the nodes that were started."""
        return [node.process for node in self.nodes if node.process]

    def __enter__(self) -> "Kafka":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, limit: float = 120.0) -> float:
        """Start every node that does not run, wait until clients are served; return the seconds.

        Raises ProcessError with the last log lines where a node does not start within `limit`
        seconds.
        """
        started = time.monotonic()
        try:
            self.begin()
            self.wait_ready(limit=limit)
        except BaseException:
            self.kill()
            raise
        return time.monotonic() - started

    def begin(self) -> None:
        """Start every node that does not run, without waiting until clients are served."""
        jars = fetch(report=self._report)
        for node in self.nodes:
            if node.process is None or not node.process.running:
                self._prepare(node, jars).start()

    def wait_ready(self, *, limit: float = 120.0) -> None:
        """Wait until every node serves clients."""
        for process in self.processes:
            process.wait_ready(self._serves_all, limit=limit)

    def stop(self, *, grace: float = 15.0) -> None:
        """Stop every node; kill those that have not ended within `grace` seconds."""
        # All at once: without a quorum the remaining nodes could not shut down in order.
        stop_all(self.processes, grace=grace)

    def kill(self) -> None:
        """Kill every node, as a power cut would."""
        for process in self.processes:
            process.kill()

    def restart(self) -> float:
        """Stop and start again; return the seconds until clients were served."""
        started = time.monotonic()
        self.stop()
        self.start()
        return time.monotonic() - started

    def pause(self) -> None:
        """Suspend every node: connections stay open, nothing is answered."""
        for process in self.processes:
            process.pause()

    def resume(self) -> None:
        """Resume suspended nodes."""
        for process in self.processes:
            process.resume()

    def kill_node(self, number: int) -> None:
        """Kill one node (the first is 1)."""
        process = self.nodes[number - 1].process
        if process:
            process.kill()

    def start_node(self, number: int) -> None:
        """Start one node again without waiting; raises ProcessError if it was never started."""
        process = self.nodes[number - 1].process
        if process is None:
            raise ProcessError(f"node {number} was never started")
        process.start()

    def _prepare(self, node: Broker, jars: Path) -> Process:
        node.folder.mkdir(parents=True, exist_ok=True)
        configuration = node.folder / "server.properties"
        configuration.write_text(node.configuration(self.nodes, self.settings))
        java = ["java", f"-Xmx{self.heap_mb}m", f"-Xms{min(128, self.heap_mb)}m", *_JAVA_OPTIONS]
        java += [f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}"]
        java += ["-cp", f"{jars}/*"]
        if not (node.folder / "data" / "meta.properties").exists():
            self._format(java, configuration)
        if node.process is None:
            node.process = Process(
                "kafka" if len(self.nodes) == 1 else f"kafka-{node.number}",
                [*java, "kafka.Kafka", str(configuration)],
                log=self._log or self.folder / f"kafka-{node.number}.log",
                folder=node.folder,
            )
        return node.process

    def _format(self, java: list[str], configuration: Path) -> None:
        command = [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += ["--cluster-id", self._cluster_id(), "--config", str(configuration)]
        for name, password in self.accounts.items():
            command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
            raise ProcessError(f"Kafka's storage could not be formatted:\n{last}")

    def _cluster_id(self) -> str:
        file = self.folder / "cluster-id"
        if not file.exists():
            generated = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # The option parser would take a leading dash for an option.
            file.write_text("c" + generated[1:])
        return file.read_text()

    def _serves_all(self) -> bool:
        # Ask each node: for some seconds after a kill the others still count the killed one.
        return all(known_brokers(node.address) == len(self.nodes) for node in self.nodes)


def known_brokers(bootstrap: str) -> int:
    """Return how many brokers serve clients now; 0 where none answers.

    A broker that listens but is not yet registered with the controller is not counted.
    """
    ports = [int(address.rpartition(":")[2]) for address in bootstrap.split(",")]
    if not any(paths.is_listening(port) for port in ports):
        return 0
    # In a thread with an event loop of its own, since the caller may run in one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _count_brokers(bootstrap)).result()


async def _count_brokers(bootstrap: str) -> int:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return 0
    finally:
        await client.close()

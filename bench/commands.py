"""Measure commands per second of eight HTTP clients, and the store's inserts per second.

Every answer is durable. Each client opens an opportunity, qualifies it, advances it through the
pipeline, and opens the next. The limit is how many documents eight clients insert into the same
store, one at a time, each as large as a commit, with the same write concern and the same driver, in
one process. The two alternate, so that other load on the machine affects both.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

import orjson

from bench.client import Answer, Connection
from bench.figures import Figure, Spread
from bench.testbed import ACCOUNT, SELLER, Testbed, expect
from chassis.eventstore.mongo import Store, reaching

CLIENTS = 8
_MOVES = (
    ("prospecting", "10"),
    ("qualifying", "20"),
    ("qualifying", "30"),
    ("proposing", "40"),
    ("proposing", "50"),
    ("negotiating", "60"),
    ("negotiating", "70"),
    ("negotiating", "80"),
)
_DOCUMENT_BYTES = 900
_numbers = count(1)


@dataclass(slots=True)
class Seller:
    """One client: its connection, its current engagement, and the last sequence there."""

    connection: Connection
    engagement: str = ""
    sequence: int = 0
    _left: list[tuple[str, bytes]] = field(default_factory=list)

    async def next(self) -> Answer:
        """Send the next command, which always causes an event.

        Raises RuntimeError where it is not accepted.
        """
        key = f"bench-{next(_numbers)}"
        if not self._left:
            answer = expect(
                await self.connection.post("/engagements", _opportunity(), Idempotency_Key=key), 201
            )
            self._left = _commands()
        else:
            command, body = self._left.pop()
            path = f"/engagements/{self.engagement}/{command}"
            answer = expect(await self.connection.post(path, body, Idempotency_Key=key), 200)
        if b"location" in answer.headers:
            self.engagement = answer.headers[b"location"].decode().rpartition("/")[2]
        self.sequence = sales_position(answer)
        return answer


def sales_position(answer: Answer) -> int:
    """Return the sequence of Sales' last event with this answer, from Concord-Position."""
    position = answer.headers[b"concord-position"].decode()
    return next(int(part[6:]) for part in position.split(",") if part.startswith("sales="))


def _opportunity() -> bytes:
    return orjson.dumps(
        {
            "account": ACCOUNT,
            "title": "A portal for benchmarks",
            "expected_value": {"amount": "100000", "currency": "EUR"},
            "expected_close": (datetime.now(UTC).date() + timedelta(days=60)).isoformat(),
            "owner": SELLER,
        }
    )


def _commands() -> list[tuple[str, bytes]]:
    qualified = {"budget": True, "authority": True, "need": True, "timing": True, "score": "80"}
    moves = [
        ("advance-opportunity", orjson.dumps({"pipeline_stage": stage, "probability": probability}))
        for stage, probability in _MOVES
    ]
    return [("qualify-opportunity", orjson.dumps(qualified)), *moves][::-1]


@dataclass(frozen=True, slots=True)
class Load:
    """Results of one round: commands per second, response times, and processor time."""

    per_second: float
    answers: Spread
    used: Mapping[str, float]
    """Milliseconds of processor time per command, by process."""
    processed_after: float
    """Seconds after the last answer until every service had processed all events."""


async def load(testbed: Testbed, seconds: float, consumers: Sequence[str]) -> Load:
    """Run eight clients for some seconds, then wait until the consumers have processed all."""
    connections = [testbed.connection("sales") for _ in range(CLIENTS)]
    took: list[float] = []
    sellers: list[Seller] = []

    async def sell(connection: Connection) -> None:
        async with connection:
            seller = Seller(connection)
            sellers.append(seller)
            while time.perf_counter() < ends:
                sent = time.perf_counter()
                await seller.next()
                took.append(time.perf_counter() - sent)

    with testbed.metered() as used:
        began = time.perf_counter()
        ends = began + seconds
        await asyncio.gather(*(sell(connection) for connection in connections))
        over = time.perf_counter()
        await processed_everywhere(testbed, sellers, consumers)
    return Load(
        per_second=len(took) / (over - began),
        answers=Spread.of(took),
        used={name: 1000 * cpu / len(took) for name, cpu in used.items()},
        processed_after=time.perf_counter() - over,
    )


async def processed_everywhere(
    testbed: Testbed, sellers: Sequence[Seller], consumers: Sequence[str]
) -> None:
    """Wait until these services have processed the last event of each client."""
    for service in consumers:
        async with testbed.connection(service) as connection:
            for seller in sellers:
                for _ in range(4):
                    answer = await connection.get(
                        f"/engagements/{seller.engagement}",
                        Concord_After=f"sales={seller.sequence}",
                        Prefer="wait=30",
                    )
                    if answer.status == 200:
                        break


async def inserts(url: str, seconds: float) -> float:
    """Return how many documents per second eight clients insert, each one at a time."""
    store = Store(url, "ceiling")
    collection = store.database["inserts"]
    filling = b"x" * _DOCUMENT_BYTES
    done = 0

    async def insert(client: int) -> None:
        nonlocal done
        number = 0
        while time.perf_counter() < ends:
            number += 1
            with reaching():
                await collection.insert_one(
                    {"_id": f"{began}/{client}/{number}", "stream": f"s{client}", "event": filling}
                )
            done += 1

    began = time.perf_counter()
    ends = began + seconds
    await asyncio.gather(*(insert(client) for client in range(CLIENTS)))
    rate = done / (time.perf_counter() - began)
    with reaching():
        await collection.drop()
    await store.close()
    return rate


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results of all rounds: of the commands, and of the inserts as their limit."""

    loads: list[Load]
    ceilings: list[float]

    @property
    def highest(self) -> float:
        return max(each.per_second for each in self.loads)

    def figure(self, what: str, *, aim: float | None) -> Figure:
        per_second = median(each.per_second for each in self.loads)
        ceiling = median(self.ceilings)
        ratio = median(
            each.per_second / best for each, best in zip(self.loads, self.ceilings, strict=True)
        )
        answers = self.loads[-1].answers
        behind = max(each.processed_after for each in self.loads)
        return Figure(
            what=f"{what} (answered in {answers}; all processed {behind:.1f} s after the last)",
            measured=f"{per_second:.0f} /s",
            ceiling=f"{ceiling:.0f} /s",
            ratio=f"{ratio:.2f}",
            aim="" if aim is None else f"≥ {aim:.1f}",
            met=None if aim is None else ratio >= aim,
        )

    def spending(self) -> Figure:
        """Return the processor time of a command, by process."""
        used = self.loads[-1].used
        parts = sorted(used.items(), key=lambda item: -item[1])
        words = ", ".join(f"{name} {cost:.2f}" for name, cost in parts if cost >= 0.005)
        return Figure(
            what=f"  processor time per command, all effects included: {words}",
            measured=f"{sum(used.values()):.2f} ms",
            ceiling="",
            ratio="",
            aim="",
        )


async def measure(
    testbed: Testbed, consumers: Sequence[str], *, rounds: int, seconds: float
) -> Outcome:
    """Take turns with the ceiling."""
    url = testbed.platform.stores["sales"].url
    await load(testbed, seconds / 2, consumers)  # to warm up
    loads: list[Load] = []
    ceilings: list[float] = []
    for _ in range(rounds):
        ceilings.append(await inserts(url, seconds / 2))
        loads.append(await load(testbed, seconds, consumers))
    return Outcome(loads, ceilings)

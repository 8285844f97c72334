"""Commands through HTTP: how many a second eight clients get done, beside the store's own inserts.

Every answer is durable. Each client sells: it opens an opportunity, qualifies it, and moves it
along the pipeline, then opens the next. The ceiling is what eight clients insert into the same
store one document at a time, each as large as a commit, with the same write concern, through the
same driver in one process. Both take turns, so that neither has the quieter machine.
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
from bench.ground import ACCOUNT, SELLER, Ground, expect
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
    """One client: its connection, and the engagement it is at."""

    connection: Connection
    engagement: str = ""
    sequence: int = 0
    _left: list[tuple[str, bytes]] = field(default_factory=list)

    async def next(self) -> Answer:
        """Give the next command; it always leads to an event."""
        key = f"bench-{next(_numbers)}"
        if not self._left:
            answer = expect(
                await self.connection.post("/engagements", _opportunity(), Idempotency_Key=key), 201
            )
            self._left = _life()
        else:
            command, body = self._left.pop()
            path = f"/engagements/{self.engagement}/{command}"
            answer = expect(await self.connection.post(path, body, Idempotency_Key=key), 200)
        if b"location" in answer.headers:
            self.engagement = answer.headers[b"location"].decode().rpartition("/")[2]
        self.sequence = said_up_to(answer)
        return answer


def said_up_to(answer: Answer) -> int:
    """Up to which of its own events Sales had come with this answer."""
    position = answer.headers[b"concord-position"].decode()
    return next(int(part[6:]) for part in position.split(",") if part.startswith("sales="))


def _opportunity() -> bytes:
    return orjson.dumps(
        {
            "account": ACCOUNT,
            "title": "A portal for whoever measures",
            "expected_value": {"amount": "100000", "currency": "EUR"},
            "expected_close": (datetime.now(UTC).date() + timedelta(days=60)).isoformat(),
            "owner": SELLER,
        }
    )


def _life() -> list[tuple[str, bytes]]:
    qualified = {"budget": True, "authority": True, "need": True, "timing": True, "score": "80"}
    moves = [
        ("advance-opportunity", orjson.dumps({"pipeline_stage": stage, "probability": probability}))
        for stage, probability in _MOVES
    ]
    return [("qualify-opportunity", orjson.dumps(qualified)), *moves][::-1]


@dataclass(frozen=True, slots=True)
class Load:
    """What came of eight clients for a while: a rate, how long answers took, what it cost."""

    per_second: float
    answers: Spread
    used: Mapping[str, float]
    """Milliseconds of processor time per command, by process."""
    heard_after: float
    """Seconds after the last answer until every service had heard everything."""


async def load(ground: Ground, seconds: float, listeners: Sequence[str]) -> Load:
    """Eight clients for so long, then wait until everybody has heard it."""
    connections = [ground.connection("sales") for _ in range(CLIENTS)]
    took: list[float] = []
    sellers: list[Seller] = []

    async def sell(connection: Connection) -> None:
        async with connection:
            seller = Seller(connection)
            sellers.append(seller)
            while time.perf_counter() < ends:
                asked = time.perf_counter()
                await seller.next()
                took.append(time.perf_counter() - asked)

    with ground.metered() as used:
        began = time.perf_counter()
        ends = began + seconds
        await asyncio.gather(*(sell(connection) for connection in connections))
        over = time.perf_counter()
        await heard_everywhere(ground, sellers, listeners)
    return Load(
        per_second=len(took) / (over - began),
        answers=Spread.of(took),
        used={name: 1000 * cpu / len(took) for name, cpu in used.items()},
        heard_after=time.perf_counter() - over,
    )


async def heard_everywhere(
    ground: Ground, sellers: Sequence[Seller], listeners: Sequence[str]
) -> None:
    """Wait until these services have heard what each client did last."""
    for service in listeners:
        async with ground.connection(service) as connection:
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
    """Documents a second that eight clients insert one at a time."""
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
    """Rates of both, round by round."""

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
        behind = max(each.heard_after for each in self.loads)
        return Figure(
            what=f"{what} (answered in {answers}; heard by all {behind:.1f} s after the last)",
            measured=f"{per_second:.0f} /s",
            ceiling=f"{ceiling:.0f} /s",
            ratio=f"{ratio:.2f}",
            aim="" if aim is None else f"≥ {aim:.1f}",
            met=None if aim is None else ratio >= aim,
        )

    def spending(self) -> Figure:
        """Where the processor time of a command goes."""
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
    ground: Ground, listeners: Sequence[str], *, rounds: int, seconds: float
) -> Outcome:
    """Take turns with the ceiling."""
    url = ground.platform.stores["sales"].url
    await load(ground, seconds / 2, listeners)  # to warm up
    loads: list[Load] = []
    ceilings: list[float] = []
    for _ in range(rounds):
        ceilings.append(await inserts(url, seconds / 2))
        loads.append(await load(ground, seconds, listeners))
    return Outcome(loads, ceilings)

"""Reference data is held whole: from the first record on, renewed, erased, over Kafka's absence."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chassis.records import RecordsFeed
from chassis.topics import create_topics
from contracts.channels import DELIVERY_REFERENCE, FINANCE_REFERENCE
from contracts.fact import Fact, Recorded
from contracts.money import Money
from contracts.reference import PersonPublished, RateCardPublished
from contracts.values import RoleRate
from tests.component.listening import MOMENT, Topics, topics, until
from tests.infrastructure import KafkaServer

CHANNELS = (DELIVERY_REFERENCE, FINANCE_REFERENCE)


def published(subject: str, version: int, fact: Fact) -> Recorded[Fact]:
    return Recorded(
        id=f"{subject}-{version}",
        subject=subject,
        sequence=version,
        fact=fact,
        actor="ann",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=datetime(2026, 1, version, tzinfo=UTC),
        heard={},
    )


def person(name: str, version: int = 1, called: str = "") -> Recorded[Fact]:
    fact = PersonPublished(person=name, name=called or name.title(), department="delivery")
    return published(name, version, fact)


def rates(version: int, architect: int, start: date | None = None) -> Recorded[Fact]:
    fact = RateCardPublished(
        rate_card="standard",
        currency="EUR",
        rates=(RoleRate(role="architect", rate=Money(amount=Decimal(architect), currency="EUR")),),
        effective_from=start,
    )
    return published("standard", version, fact)


@pytest.fixture
async def spoken(kafka: KafkaServer, isolation: str) -> AsyncIterator[Topics]:
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    async with topics(kafka.bootstrap, isolation) as said:
        yield said


async def test_all_that_was_said_is_there_once_ready(
    kafka: KafkaServer, isolation: str, spoken: Topics
) -> None:
    await spoken.say(*(person(f"p{number}") for number in range(300)))
    await spoken.say(person("p7", 2, called="Grace"), rates(1, 150))

    async with RecordsFeed(kafka.bootstrap, CHANNELS, isolation) as feed:
        await feed.ready()

        assert feed.not_ready() is None
        assert len(feed.records.all(PersonPublished)) == 300
        newest = feed.records.latest(PersonPublished, "p7")
        assert newest is not None
        assert (newest.sequence, newest.fact.name) == (2, "Grace")
        assert feed.records.latest(RateCardPublished, "standard") is not None


async def test_what_is_said_later_arrives_and_what_is_erased_goes(
    kafka: KafkaServer, isolation: str, spoken: Topics
) -> None:
    await spoken.say(person("ann"), person("ann", 2, called="Anne"), person("bob"))
    async with RecordsFeed(kafka.bootstrap, CHANNELS, isolation) as feed:
        await feed.ready()
        records = feed.records

        await spoken.say(person("eve"))
        await until(lambda: records.latest(PersonPublished, "eve"))

        await spoken.put(DELIVERY_REFERENCE, b"person:ann@1", None)
        await spoken.put(DELIVERY_REFERENCE, b"person:ann@2", None)
        await until(lambda: records.latest(PersonPublished, "ann") is None)
        assert [each.subject for each in records.all(PersonPublished)] == ["bob", "eve"]


async def test_a_record_that_cannot_be_read_is_passed_over(
    kafka: KafkaServer, isolation: str, spoken: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    place = await spoken.put(DELIVERY_REFERENCE, b"person:x@1", b"{oops")
    await spoken.put(DELIVERY_REFERENCE, b"\xff", b"{oops")
    await spoken.say(person("ann"))

    async with RecordsFeed(kafka.bootstrap, CHANNELS, isolation) as feed:
        await feed.ready()

        assert feed.unreadable == 2
        assert feed.records.latest(PersonPublished, "ann") is not None
    assert place in caplog.text


async def test_empty_topics_are_ready_and_missing_ones_are_not(
    kafka: KafkaServer, isolation: str, spoken: Topics
) -> None:
    async with RecordsFeed(kafka.bootstrap, CHANNELS, isolation) as feed:
        await feed.ready()
        assert feed.records.all(PersonPublished) == []

    async with RecordsFeed(kafka.bootstrap, CHANNELS, f"{isolation}-no") as feed:
        await until(lambda: "is not there" in (feed.not_ready() or ""))


@pytest.mark.fault
async def test_it_comes_back_with_kafka(
    fresh_kafka: Callable[..., KafkaServer], isolation: str
) -> None:
    kafka = fresh_kafka()
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    async with RecordsFeed(kafka.bootstrap, CHANNELS, isolation) as feed:
        async with topics(kafka.bootstrap, isolation) as spoken:
            await spoken.say(person("ann"))
        await feed.ready()
        await until(lambda: feed.records.latest(PersonPublished, "ann"))

        kafka.kill()
        assert feed.not_ready() is None
        assert feed.records.latest(PersonPublished, "ann") is not None
        kafka.start()

        async with topics(kafka.bootstrap, isolation) as spoken:
            await spoken.say(person("bob"))
        await until(lambda: feed.records.latest(PersonPublished, "bob"), limit=40)

"""Test that a failure discloses nothing confidential to operators, callers, health or logs."""

import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from chassis.application.ports import Batch
from chassis.base import telemetry
from chassis.base.settings import LOCAL_ISSUER
from chassis.base.telemetry import JsonLines
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.decider import Decider, handle_command, handle_events
from chassis.domain.state import Part
from chassis.domain.stream import CameLate, Gap, PassedOver, Stream
from chassis.domain.trouble import Trouble
from chassis.kafka.accounting import BatchAccount
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedEngagement, head_of
from chassis.kafka.parked_record import ParkedRecord, trouble_of
from chassis.kafka.parked_requests import Request
from chassis.kafka.parked_retry import RetryResult
from chassis.runtime.container import Container
from chassis.runtime.health import Monitor
from chassis.runtime.service import create_app
from chassis.web import problems
from chassis.web.auth import Tokens, issue, requires
from contracts.channels import (
    CHANNELS,
    DELIVERY,
    FINANCE_CONFIDENTIAL,
    SALES,
    Channel,
    is_confidential,
)
from contracts.event import Event, encode
from contracts.finance import EstimateCosted, RevenueMethodChosen
from contracts.purchases import EstimatedPurchase
from contracts.reference import CostRatesPublished
from contracts.roles import Role
from contracts.values import EstimateLine, Margin
from finance.service import ENGAGEMENT, SERVICE
from testkit.matchers import RecordsOf, recorded_as
from tests.amounts import eur
from tests.component.consumer_harness import Counting
from tests.component.sample_app import SECRET, settings
from tests.unit.chassis.parked_in_memory import ParkedInMemory
from tests.unit.finance.builders import CARD, ESTIMATE, ID, OPENED, rates

FIGURE = "98765.43"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET_RATES = CostRatesPublished(
    cost_rates="standard-EUR",
    currency="EUR",
    rates=rates(architect=FIGURE, developer=50, project_manager=100),
)


# ---- errors raised by a reaction that computes with cost rates --------------------------------


def key_error(figure: str) -> None:
    {}[figure]  # type: ignore[index]


def assertion(figure: str) -> None:
    raise AssertionError(f"{figure} is too much")


def arithmetic(figure: str) -> None:
    raise ArithmeticError(figure)


def conversion(figure: str) -> None:
    int(figure)


def validation_of_a_value(figure: str) -> None:
    money = {"amount": f"{figure} each", "currency": "EUR"}
    Margin.model_validate({"revenue": money, "cost": money, "margin": None})


def validation_of_an_event(figure: str) -> None:
    EstimateCosted.model_validate(
        {"estimate_version": 1, "cost": {"amount": f"{figure}9999", "currency": "EUR"}}
    )


class Loose(BaseModel):
    """Model whose validation errors contain the input."""

    rate: int


def validation_that_repeats_its_input(figure: str) -> None:
    Loose.model_validate({"rate": figure})


def one_after_the_other(figure: str) -> None:
    try:
        key_error(figure)
    except KeyError as error:
        raise RuntimeError(f"no rate: {figure}") from error


def several_at_once(figure: str) -> None:
    raise ExceptionGroup(figure, [KeyError(figure), ValueError(figure)])


FAILURES = [
    key_error,
    assertion,
    arithmetic,
    conversion,
    validation_of_a_value,
    validation_of_an_event,
    validation_that_repeats_its_input,
    one_after_the_other,
    several_at_once,
]


@pytest.fixture(params=FAILURES)
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the costing of an estimate fail with a cost rate in the error's message."""
    fail: Callable[[str], None] = request.param

    def exact_cost(
        _: Iterable[EstimateLine],
        known: CostRatesPublished,
        purchases: Iterable[EstimatedPurchase],
    ) -> Decimal | None:
        fail(f"{known.rates[0].rate.amount}")
        return None

    monkeypatch.setattr("finance.costing.rates.exact_cost", exact_cost)
    return fail.__name__


# ---- a service in memory ----------------------------------------------------------------------


class Finance(Counting):
    """Event handler with the decider of Finance, without a store."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = Stream(ENGAGEMENT.stream(ID), ENGAGEMENT.initial(ID))

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        errors: dict[str, Exception] = {}
        for stream, events in batch.items():
            try:
                self.stream = handle_events(
                    ENGAGEMENT, self.stream, events, lambda _: context()
                ).stream
            except Exception as error:  # noqa: BLE001 - as StreamEventHandler does
                errors[stream] = error
        return errors


class Parked(ParkedInMemory):
    """Store in memory of parked records and of records set aside, as operators read it."""

    aside: list[ParkedRecord]

    def __init__(self, *records: ParkedRecord, aside: Sequence[ParkedRecord] = ()) -> None:
        super().__init__()
        self.records = {each.id: each for each in records}
        self.aside = list(aside)

    async def page_parked(
        self,
        after: int,
        limit: int,
        *,
        is_parked: bool,
    ) -> list[ParkedEngagement]:
        first = next(iter(self.records.values()), None)
        if first is None or head_of(first).is_parked is not is_parked:
            return []
        return [ParkedEngagement(ID, head_of(first), len(self.records), first.order)]

    async def record(self, id: str) -> ParkedRecord | None:
        return {each.id: each for each in (*self.records.values(), *self.aside)}.get(id)

    async def page_set_aside(self, after: int, limit: int) -> list[ParkedRecord]:
        return [each for each in self.aside if each.order > after][:limit]

    async def set_aside(self, records: Iterable[tuple[Arrival, Trouble]]) -> frozenset[str]:
        self.aside += [
            record(each.channel, 0, each.offset, code=trouble.code, sentence=trouble.sentence)
            for each, trouble in records
        ]
        return frozenset()

    async def set_aside_by_people(self, engagement: str) -> list[ParkedRecord]:
        return []

    async def put_aside(
        self,
        record: ParkedRecord,
        by: str,
        why: str,
        trouble: Trouble | None = None,
    ) -> None:
        self.aside.append(replace(self.records.pop(record.id), by=by, why=why))

    async def mark(
        self, record: ParkedRecord, trouble: Trouble, expected: int | None = None
    ) -> None: ...


class Consumer:
    """Consumer as the operator routes use it, in memory."""

    def __init__(self, processor: BatchProcessor, parked: Parked, account: BatchAccount) -> None:
        self.parked_records, self._processor, self.account = parked, processor, account

    async def retry(self, engagement: str, by: str) -> RetryResult:
        return await self._processor.retries.answer(Request(engagement, "retry", by))

    async def skip(
        self, engagement: str, record: str, by: str, why: str, published: int | None
    ) -> RetryResult:
        return await self._processor.retries.answer(
            Request(engagement, "skip", by, record, why, published)
        )

    async def set_aside(self, engagement: str, record: str, by: str, why: str) -> RetryResult:
        return await self._processor.retries.answer(
            Request(engagement, "set-aside", by, record, why)
        )

    def unaccounted(self) -> str | None:
        return None


def context() -> Context:
    records = RecordsOf([CARD, SECRET_RATES])
    return Context("finance", NOW, NOW, "test", records, lambda: "event-1")


def arrival(event: Event, offset: int) -> Arrival:
    recorded = recorded_as(event, ID, 1, "ann", NOW, {})
    channel = event.channel
    return Arrival(channel.topic(), 0, offset, ID, channel, encode(recorded), recorded)


def record(channel: Channel, sequence: int, offset: int, **fields: Any) -> ParkedRecord:
    given = {"code": "failed", "sentence": "", "expected": None, "raw": None, "order": 1, **fields}
    place = f"{channel.topic()}/0/{offset}"
    return ParkedRecord(
        id=place,
        engagement=ID,
        channel=channel,
        partition=0,
        offset=offset,
        sequence=sequence,
        at=NOW,
        **given,
    )


def intake(reader: Counting, parking: Parked) -> BatchProcessor:
    return BatchProcessor("finance", reader, parking, lambda event: f"engagement:{event.subject}")


def client(consumer: Consumer, channels: Iterable[Channel], *roles: Role) -> httpx.AsyncClient:
    app = create_app(SERVICE, settings())
    container: Any = SimpleNamespace(
        waits_for=None, consumer=consumer, event_handling=SimpleNamespace(channels=channels)
    )
    container.health = Monitor(
        "finance", dict, lambda: {"events": lambda: Container._check_events(container)}
    )
    app.state.container = container
    now = datetime.now(UTC)
    token = issue(SECRET, "olga", ("operator", *roles), issuer=LOCAL_ISSUER, now=now)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://finance",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Yield the log of all levels, as a service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("finance"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


# ---- messages of errors -----------------------------------------------------------------------


async def test_a_failed_reaction_to_a_nonconfidential_event_discloses_no_confidential_figure(
    failing: str, lines: io.StringIO
) -> None:
    parking, handler = Parked(), Finance()
    finance = intake(handler, parking)
    await finance.process([arrival(OPENED, 0)])
    account = await finance.process([arrival(ESTIMATE, 1)])
    assert account.parked == 1
    consumer = Consumer(finance, parking, account)

    async with client(consumer, (SALES, DELIVERY), "controller") as operator:
        answers = [
            await operator.get("/operations/parked"),
            await operator.get(f"/operations/parked/{ID}"),
            await operator.get("/operations/record", params={"id": f"{DELIVERY.topic()}/0/1"}),
            await operator.post(f"/operations/parked/{ID}/retry", json={}),
            await operator.get("/health"),
            await operator.get("/ready"),
        ]
    assert [each.status_code for each in answers] == [200] * 6
    output = "".join(each.text for each in answers) + lines.getvalue()

    assert FIGURE not in output.replace(",", "")
    assert all(each.sentence for each in parking.records.values())
    (first, *_) = answers[0].json()["items"]
    assert "finance.costing." in first["sentence"] or "Validation" in first["sentence"]
    assert "finance/costing/decisions.py" in lines.getvalue(), (
        f"where {failing} happened is in the log"
    )


async def test_a_batch_that_fails_repeatedly_discloses_no_confidential_figure(
    lines: io.StringIO,
) -> None:
    class Broken(Finance):
        async def show_parked(self, engagement: str, head: object) -> None:
            raise LookupError(FIGURE)

        async def process(self, batch: Batch) -> Mapping[str, Exception]:
            return {stream: ArithmeticError(FIGURE) for stream in batch}

    parking = Parked()
    finance = intake(Broken(), parking)
    for _ in range(2):
        with pytest.raises(LookupError):
            await finance.account_for([arrival(OPENED, 0)])
    account = await finance.account_for([arrival(OPENED, 0)])

    assert (account.aside, account.aside_open) == (1, 1)
    assert FIGURE not in lines.getvalue() + parking.aside[0].sentence
    assert "LookupError" in lines.getvalue()


def test_no_line_of_the_log_repeats_an_error(lines: io.StringIO) -> None:
    log = logging.getLogger("finance.test")
    try:
        one_after_the_other(FIGURE)
    except RuntimeError as error:
        log.warning("waits: %s (%r)", error, error)
        log.exception("cannot go on")
        message = f"a task ended: {error!r}"  # as asyncio logs it
        logging.getLogger("asyncio").exception(message)
    assert FIGURE not in lines.getvalue()
    warning, failure, _ = map(json.loads, lines.getvalue().splitlines())
    assert warning["message"].startswith("waits: RuntimeError (tests.unit.test_confidential.")
    assert failure["message"] == "cannot go on"
    assert failure["error"].index("KeyError") < failure["error"].index("RuntimeError")
    assert "in one_after_the_other" in failure["error"]


def test_errors_of_the_store_and_of_kafka_keep_their_messages(lines: io.StringIO) -> None:
    logging.getLogger("finance.test").warning("%s", ConnectionRefusedError("kafka:9092"))
    assert "kafka:9092" in lines.getvalue()


def test_no_span_repeats_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    with pytest.raises(KeyError), telemetry.part("append"):
        key_error(FIGURE)
    (span,) = exporter.get_finished_spans()
    assert FIGURE not in span.to_json()
    assert "KeyError" in span.to_json()


# ---- a command that leads to a confidential event that cannot be recorded ---------------------


class Ask(Command):
    """Command that leads to an event that is not confidential."""


class Known(Part):
    """State without fields."""


asking = Capability[Known](__name__)


@asking.decide(Ask, by=None)
def ask(state: Known, command: Ask, context: Context) -> Iterator[Event]:
    yield RevenueMethodChosen(obligation="work", method="as-invoiced", why="as agreed")


@asking.react
def react(state: Known, context: Context) -> Iterator[Event]:
    money = {"amount": f"{FIGURE}9999", "currency": "EUR"}
    yield EstimateCosted.model_validate({"estimate_version": 1, "cost": money, "margin": 0})


ASKED = Decider("finance", "engagement", lambda _: Known(), (asking,))


@pytest.mark.parametrize("may", [False, True])
async def test_only_the_confidential_role_sees_which_confidential_event_cannot_be_recorded(
    *, may: bool, lines: io.StringIO
) -> None:
    app = FastAPI()
    problems.install(app)
    app.state.tokens = Tokens(settings())

    @app.post("/", dependencies=[Depends(requires("project-accountant"))])
    async def route() -> None:
        handle_command(ASKED, Stream(f"engagement:{ID}", Known()), Ask(), context())

    roles: tuple[Role, ...] = ("project-accountant", *(("confidential",) if may else ()))
    token = issue(SECRET, "paula", roles, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://finance") as paula:
        answer = await paula.post("/", headers={"Authorization": f"Bearer {token}"})
    problem = answer.json()

    assert (answer.status_code, problem["code"]) == (422, "event-not-recordable")
    assert FIGURE not in answer.text + lines.getvalue()
    if may:
        assert problem["errors"][0]["field"] == "cost.amount"
        assert "EstimateCosted" in problem["detail"]
    else:
        assert problem["detail"] == "a resulting confidential event cannot be recorded"
        assert "errors" not in problem


# ---- records of confidential channels ---------------------------------------------------------

NUMBERS = ("7341", "7339", "61273")
"""Sequence of the event, the sequence that was expected, and the offset of the record."""

COSTED = recorded_as(
    EstimateCosted(estimate_version=1, cost=eur(FIGURE), margin=Decimal("0.1")),
    ID, 7341, "finance", NOW, {},
)  # fmt: skip


def a_gap() -> ParkedRecord:
    trouble, expected = trouble_of(Gap(COSTED, 7339), FINANCE_CONFIDENTIAL)
    raw = encode(COSTED)
    gap = {"code": trouble.code, "sentence": trouble.sentence, "expected": expected, "raw": raw}
    return record(FINANCE_CONFIDENTIAL, 7341, 61273, **gap)


def gateway() -> Consumer:
    """Return a gateway with a gap in a confidential channel and one event that waits behind it."""
    behind = record(FINANCE_CONFIDENTIAL, 7342, 61274, code="waiting", order=2)
    late, _ = trouble_of(
        CameLate(COSTED, PassedOver(FINANCE_CONFIDENTIAL.name, 1, 7341, "olga", "lost", NOW)),
        FINANCE_CONFIDENTIAL,
    )
    came_late = record(
        FINANCE_CONFIDENTIAL, 7341, 61273_0, code=late.code, sentence=late.sentence, order=3
    )
    misplaced = record(SALES, 1, 5, code="wrong-channel", order=4, raw=encode(COSTED))
    parking = Parked(a_gap(), behind, aside=(came_late, misplaced))
    account = BatchAccount(consumed=9, parked=2, aside=7, aside_open=1)
    return Consumer(intake(Finance(), parking), parking, account)


async def test_an_operator_sees_that_a_confidential_record_is_parked_but_none_of_its_numbers(
    lines: io.StringIO,
) -> None:
    consumer = gateway()
    async with client(consumer, CHANNELS.values()) as operator:
        (waits,) = (await operator.get("/operations/parked")).json()["items"]
        (head,) = (await operator.get(f"/operations/parked/{ID}")).json()
        aside = (await operator.get("/operations/set-aside")).json()["items"]
        skip = f"/operations/parked/{ID}/skip"
        answers = [
            await operator.get("/operations/record", params={"id": head["id"]}),
            await operator.get("/operations/record", params={"id": a_gap().id}),
            await operator.get("/operations/record", params={"id": f"{SALES.topic()}/0/5"}),
            await operator.post(skip, json={"record": head["id"], "why": "lost"}),
            await operator.post(skip, json={"record": a_gap().id, "why": "lost"}),
            await operator.post(
                skip, json={"record": head["id"], "why": "lost", "published": 9_000_000}
            ),
        ]
        health = (await operator.get("/health")).json()
    output = json.dumps([waits, head, aside, health])
    output += "".join(each.text for each in answers[:4] + answers[5:])

    assert [each.status_code for each in answers] == [403, 404, 200, 409, 404, 403]
    assert (waits["engagement"], waits["code"], waits["records"]) == (ID, "gap", None)
    assert (head["channel"], head["code"]) == ("finance.confidential", "gap")
    assert [each["code"] for each in aside] == ["passed-over", "wrong-channel"]
    assert health["parts"]["events"]["details"]["set_aside"] == 1
    shown = output.replace(a_gap().id, "")  # which this operator sent
    assert not [number for number in (*NUMBERS, "7342", FIGURE) if number in shown]


async def test_an_operator_with_the_confidential_role_sees_all_of_a_record() -> None:
    async with client(gateway(), CHANNELS.values(), "confidential") as operator:
        (waits,) = (await operator.get("/operations/parked")).json()["items"]
        head, behind = (await operator.get(f"/operations/parked/{ID}")).json()
        text = (await operator.get("/operations/record", params={"id": head["id"]})).json()
    assert (waits["records"], behind["code"]) == (2, "waiting")
    assert (head["streamsequence"], head["expected"], head["offset"]) == (7341, 7339, 61273)
    assert FIGURE in text["record"]


async def test_a_decision_is_answered_with_retry_after_while_the_consumer_is_busy() -> None:
    class Busy(Consumer):
        async def retry(self, engagement: str, by: str) -> RetryResult:
            raise TimeoutError

    idle = gateway()
    busy = Busy(idle._processor, idle.parked_records, idle.account)
    async with client(busy, CHANNELS.values()) as operator:
        answer = await operator.post(f"/operations/parked/{ID}/retry", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "consumer-busy")
    assert answer.headers["Retry-After"] == "5"


async def test_an_operator_without_the_confidential_role_can_set_the_record_aside() -> None:
    consumer = gateway()
    async with client(consumer, CHANNELS.values()) as operator:
        (head,) = (await operator.get(f"/operations/parked/{ID}")).json()
        body = {"record": head["id"], "why": "not one of Finance's"}
        done = await operator.post(f"/operations/parked/{ID}/set-aside", json=body)
    assert (done.status_code, done.json()["taken"]) == (200, None), done.text
    assert a_gap().id not in consumer.parked_records.records
    assert consumer.parked_records.aside[-1].why == "not one of Finance's"


def test_no_lag_of_a_confidential_topic_is_measured() -> None:
    assert is_confidential("x.finance.confidential.v1")
    assert is_confidential("concord.finance.confidential.reference.v1")
    assert not is_confidential("concord.finance.v1")

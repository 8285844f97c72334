"""Measure what commands and events cost as the state of their engagement grows.

Decisions, reactions and answers are computed in this process, without Kafka and store, so that
their figures are processor time. Snapshots are written to a real store, in time that passes.
"""

import time as clock
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count, islice
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from fastapi import Request

from bench.figures import Figure
from chassis.application.command_handler import Answer
from chassis.application.read_models import most_commits_behind
from chassis.domain.commands import Command
from chassis.domain.decider import handle_command
from chassis.eventstore.mongo import Store, replace_older
from chassis.eventstore.snapshots import Known, Snapshots, measured
from chassis.runtime.service import Service
from chassis.web.auth import Caller
from chassis.web.request import CommandOptions, Returns
from contracts.delivery import ApprovedEntry, TaskProgressed, TimeApproved
from contracts.lines import BillingItem
from contracts.money import Money
from delivery import service as delivery_service
from delivery.engagement import Engagement as DeliveryEngagement
from delivery.planning.decisions import DraftPlan
from delivery.progress.decisions import ProgressTask
from delivery.time_entries.requests import RecordedEntry, TakeTime
from finance import service as finance_service
from finance.engagement import Engagement as FinanceEngagement
from finance.periods.requests import BookPeriod
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario
from tests.unit.delivery import builders as delivery
from tests.unit.finance import builders as finance
from tests.unit.finance.month_streams import MonthStreams

TASKS = (10, 1_000, 3_000)
WAITING = (1, 100, 1_000)
"""Weeks that wait for approval."""
ENTRIES = (100, 20_000)
"""Approved time entries, over 24 months that are billed and booked."""
AIM = 1.5
"""Ratio to the smallest state within which a cost does not grow: twice what noise makes."""
_TIMES = 20
_WRITTEN = 9
_FIRST = date(2026, 4, 6)
_WEEKS = 104
_SERVICES: dict[str, tuple[Service, Caller]] = {
    "delivery": (delivery_service.SERVICE, Caller("dev", frozenset({"consultant"}))),
    "finance": (finance_service.SERVICE, Caller("petra", frozenset({"project-accountant"}))),
}
"""The services, each with a person who gives its commands."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of a command or an event, and bytes of its answer and of the state after it.

    `whole` is the answer with the view, `snapshot` the time to write the state to the store, of
    which each commit pays one of `shared`.
    """

    size: int
    time: float
    state: int
    snapshot: float
    shared: int
    answer: int = 0
    whole: int = 0
    time_whole: float = 0.0


async def measure(url: str) -> list[Figure]:
    """Return the figures for plans in Delivery and entries in Finance, with a store at `url`."""
    store = Store(url, "growth")
    plans = [await _planned(store, size) for size in TASKS]
    weeks, bills, owed = list[Cost](), list[Cost](), list[tuple[int, float]]()
    for size in ENTRIES:
        scenario = _worked(size)
        owed.append((size, _stated(scenario, size)))
        weeks.append(await _next_week(store, scenario, size))
        bills.append(await _next_bill(store, scenario, size))
    await store.close()
    progress = [(size, _progressed(size)) for size in TASKS]
    waiting = [(size, _waited(size)) for size in WAITING]
    drafts = [(size, _drafted(size)) for size in TASKS]
    baselines = [(size, _consumed(size)) for size in TASKS]
    return [
        *_figures("Delivery: time of a week submitted, plan of {:,} tasks", plans, whole=True),
        *_times("Delivery: progress of a task, plan of {:,} tasks", progress, bounded=True),
        *_times("Delivery: time of a week submitted, {:,} weeks wait", waiting, bounded=True),
        *_times("Delivery: a plan of {:,} tasks drafted", drafts),
        *_figures("Finance: time of a week consumed, {:,} entries in 24 booked months", weeks),
        *_figures("Finance: this week billed, {:,} entries in 24 booked months", bills),
        *_times("Finance: work items, {:,} entries in 24 booked months", owed, bounded=True),
        *_times("Finance: time consumed, baseline of {:,} tasks", baselines, bounded=True),
    ]


def _times(
    what: str, times: Sequence[tuple[int, float]], *, bounded: bool = False
) -> Iterator[Figure]:
    (_, first), *_ = times
    for size, each in times:
        yield _figure(what.format(size), each, first, "ms", bounded=bounded)


def _figures(what: str, costs: list[Cost], *, whole: bool = False) -> Iterator[Figure]:
    """Yield the figures; with `whole`, state and view contain what is compared and so grow."""
    first = costs[0]
    for each in costs:
        yield _figure(what.format(each.size), each.time, first.time, "ms", bounded=True)
        if each.answer:
            yield _figure("  answer", each.answer, first.answer, "bytes", bounded=True)
            yield _figure(
                "  answer with the view", each.whole, first.whole, "bytes", bounded=not whole
            )
            yield _figure("  the same with the view", each.time_whole, first.time_whole, "ms")
        yield _figure("  state", each.state, first.state, "bytes", bounded=not whole)
        yield _figure("  its snapshot, written to the store", each.snapshot, first.snapshot, "ms")
        yield _figure(
            f"  one of {each.shared:,} parts of it, the share of a commit",
            each.snapshot / each.shared,
            first.snapshot / first.shared,
            "ms",
        )


def _figure(
    what: str, measured: float, smallest: float, unit: str, *, bounded: bool = False
) -> Figure:
    ratio = measured / smallest
    number = "{:,.2f}" if unit == "ms" else "{:,.0f}"
    return Figure(
        what=what,
        measured=f"{number.format(measured)} {unit}",
        ceiling=f"{number.format(smallest)} {unit}",
        ratio=f"{ratio:.1f}",
        aim=f"≤ {AIM:.1f}" if bounded else "",
        met=ratio <= AIM if bounded else None,
    )


async def _planned(store: Store, tasks: int) -> Cost:
    """Return the costs of a person's week on an engagement with a plan of `tasks` tasks."""
    scenario, command = _with_plan(tasks), _week_of("dev")
    return Cost(
        tasks,
        time=_milliseconds(lambda: _answered(scenario, command)),
        time_whole=_milliseconds(lambda: _answered(scenario, command, "representation")),
        answer=len(_answered(scenario, command)),
        whole=len(_answered(scenario, command, "representation")),
        **await _of_state(store, scenario),
    )


def _with_plan(tasks: int) -> Scenario[DeliveryEngagement]:
    plan = delivery.BASELINED.model_copy(update={"version": 2, "tasks": _tasks(tasks)})
    return delivery.released().published(plan)


def _week_of(person: str) -> TakeTime:
    entry = RecordedEntry(entry="T-1", day=_FIRST, task="t1", role="architect", hours=Decimal(8))
    return TakeTime(person=person, week=_FIRST, revision=1, entries=(entry,))


def _answered(scenario: Scenario[Any], command: Command, returns: Returns = "minimal") -> bytes:
    """Decide a command, and return the answer: nothing of the state is computed before."""
    service, caller = _SERVICES[scenario.decider.department]
    context = scenario._context(caller.actor)  # noqa: SLF001
    step = handle_command(scenario.decider, scenario.stream, command, context)
    routes = next(each for each in service.routes if each.path == "engagements")
    commands = SimpleNamespace(reading=lambda *_: context)
    container = SimpleNamespace(commands=commands, waits_for=None)
    app = SimpleNamespace(state=SimpleNamespace(container=container))
    request = cast("Request", SimpleNamespace(state=SimpleNamespace(caller=caller), app=app))
    answer, options = Answer(step.stream, step.own_events), CommandOptions(returns=returns)
    return bytes(routes._answer(request, delivery.ID, answer, options).body)  # noqa: SLF001


def _progressed(tasks: int) -> float:
    """Return the milliseconds of the progress of a task where all tasks have some."""
    progress = [
        TaskProgressed(
            task=each.task, complete=Decimal(5), remaining_hours=Decimal(9), as_of=_FIRST
        )
        for each in _tasks(tasks)
    ]
    scenario = _with_plan(tasks).published(*progress)
    command = ProgressTask(task="t1", complete=Decimal(10), remaining_hours=Decimal(20))
    return _milliseconds(lambda: _answered(scenario, command))


def _waited(weeks: int) -> float:
    """Return the milliseconds of a person's week where those of other people wait."""
    others = [
        delivery.submitted_time(delivery.entry(number), person=f"p{number}")
        for number in range(weeks)
    ]
    scenario, command = _with_plan(10).published(*others), _week_of("dev")
    return _milliseconds(lambda: _answered(scenario, command))


def _drafted(tasks: int) -> float:
    """Return the milliseconds in which a plan is drafted from its tasks."""
    command = DraftPlan(template="web", tasks=_tasks(tasks))
    scenario = delivery.released()
    return _milliseconds(lambda: _answered(scenario, command))


def _consumed(tasks: int) -> float:
    """Return the milliseconds in which Finance consumes time, with a baseline of some tasks."""
    (example, *_) = finance.BASELINED.tasks
    plan = finance.BASELINED.model_copy(
        update={
            "version": 2,
            "tasks": tuple(
                example.model_copy(update={"task": f"t{each}"}) for each in range(1, tasks + 1)
            ),
        }
    )
    price = Money(amount=Decimal(100_000_000), currency="EUR")
    line = finance.hourly_line(BillingItem(item="time", kind="time", amount=price), price=price)
    scenario = finance.contracted(finance.sow_of(line)).consumed(plan)
    return _milliseconds(lambda: scenario.when_consumed(_approved(0, [1])))


def _tasks(number: int) -> tuple[Any, ...]:
    (example, *_) = delivery.TASKS
    return tuple(
        example.model_copy(update={"task": f"t{each}", "title": f"Requirement {each}"})
        for each in range(1, number + 1)
    )


def _worked(entries: int) -> Scenario[FinanceEngagement]:
    """Return an engagement with `entries` entries; each month is billed and booked at its end."""
    price = Money(amount=Decimal(100_000_000), currency="EUR")
    line = finance.hourly_line(BillingItem(item="time", kind="time", amount=price), price=price)
    scenario = finance.contracted(finance.sow_of(line))
    streams, months, numbers = MonthStreams(), list[str](), count()
    for week in range(_WEEKS):
        monday = _FIRST + timedelta(weeks=week)
        if (month := f"{monday:%Y-%m}") not in months:
            if months:
                scenario = streams.after(_closed(scenario, months, monday.replace(day=1)))
            months.append(month)
        left = entries * (week + 1) // _WEEKS - entries * week // _WEEKS
        for some in _in_fives(islice(numbers, left)):
            scenario = finance.hearing(scenario, _approved(week, some))
    return streams.after(_closed(scenario, months, _FIRST + timedelta(weeks=_WEEKS)))


def _closed(
    scenario: Scenario[FinanceEngagement], months: Sequence[str], on: date
) -> Scenario[FinanceEngagement]:
    """Return the scenario after the last of these months was billed and booked on a day."""
    billed = scenario.on(on).after(BillTime(month=months[-1]), by="petra")
    number = f"{on:%Y}-{len(months):05}"
    sent = finance.issued(billed, f"invoice-time-{months[-1]}", number, on)
    accepted = "Revenue is recognised later."
    return sent.after(BookPeriod(company="us", month=months[-1], accepted=accepted), by="finance")


async def _next_week(store: Store, scenario: Scenario[FinanceEngagement], entries: int) -> Cost:
    """Return the costs of a week of time that is approved after all months are booked."""
    last = _approved(_WEEKS, [*range(entries, entries + 5)])
    return Cost(
        entries,
        time=_milliseconds(lambda: scenario.when_consumed(last)),
        **await _of_state(store, scenario),
    )


async def _next_bill(store: Store, scenario: Scenario[FinanceEngagement], entries: int) -> Cost:
    """Return the costs of the command that bills this week."""
    worked = finance.hearing(scenario, _approved(_WEEKS, [*range(entries, entries + 5)]))
    monday = _FIRST + timedelta(weeks=_WEEKS)
    waiting, command = worked.on(monday), BillTime(month=f"{monday:%Y-%m}")
    return Cost(
        entries,
        time=_milliseconds(lambda: _answered(waiting, command)),
        time_whole=_milliseconds(lambda: _answered(waiting, command, "representation")),
        answer=len(_answered(waiting, command)),
        whole=len(_answered(waiting, command, "representation")),
        **await _of_state(store, waiting),
    )


def _stated(scenario: Scenario[FinanceEngagement], entries: int) -> float:
    """Return the milliseconds in which the items are stated while this week is to be billed."""
    week = _approved(_WEEKS, [*range(entries, entries + 5)])
    worked = finance.hearing(scenario, week)
    assert any(each.kind.code == "time-unbilled" for each in worked.work)
    return _milliseconds(lambda: worked.work)


def _in_fives(numbers: Iterable[int]) -> Iterator[list[int]]:
    left = iter(numbers)
    while some := [*islice(left, 5)]:
        yield some


def _approved(week: int, numbers: list[int]) -> TimeApproved:
    monday = _FIRST + timedelta(weeks=week)
    return TimeApproved(
        person="dev",
        week=monday,
        entries=tuple(
            ApprovedEntry(
                entry=f"T-{number}",
                day=monday + timedelta(days=number % 5),
                task="t2",
                role="developer",
                hours=Decimal(8),
            )
            for number in numbers
        ),
    )


async def _of_state(store: Store, scenario: Scenario[Any]) -> dict[str, Any]:
    """Return the fields of a cost that are about the state and its snapshot."""
    snapshots = Snapshots(store, {scenario.decider.kind: scenario.decider})
    stream = measured(scenario.stream)
    took = []
    for number in range(_WRITTEN):
        known = Known(replace(stream, number=stream.number + number), open=True)
        began = clock.perf_counter()
        await replace_older(store.views, [snapshots.document(known)])
        took.append(clock.perf_counter() - began)
    return {
        "state": stream.measured,
        "snapshot": 1000 * median(took),
        "shared": most_commits_behind(stream),
    }


def _milliseconds(work: Callable[[], object]) -> float:
    """Return the least processor time of several runs, which other load disturbs least."""
    took = []
    for _ in range(_TIMES):
        began = clock.process_time()
        work()
        took.append(clock.process_time() - began)
    return 1000 * min(took)

"""Check that each event had its automatic effects exactly once, also after kills."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded
from contracts.money import Money
from tests.faults.collected_state import Evidence
from tests.faults.finding import Finding

Name = Callable[[Any], Hashable]
Names = Callable[[Any], Iterable[Hashable]]


@dataclass(frozen=True, slots=True)
class Owed:
    """A rule: each name in an event of one type is in exactly one event of another type."""

    cause: type[Event]
    cause_names: Names
    effect: type[Event]
    effect_names: Names


def _once(event: Any) -> Hashable:
    return "once"


def _one(field: str) -> Names:
    """Return a function that gets the only name of an event from a field."""
    return lambda event: (getattr(event, field),)


def _single(event: Any) -> Iterable[Hashable]:
    return ("once",)


def _costed_hours(event: finance.CostAccrued) -> Iterable[Hashable]:
    return (each.entry for each in event.entries if each.role is not None)


OWED: tuple[Owed, ...] = (
    Owed(sales.DealWon, _single, legal.FileOpened, _single),
    Owed(
        delivery.EstimateSubmitted,
        _one("version"),
        finance.EstimatePriced,
        _one("estimate_version"),
    ),
    Owed(
        finance.EstimatePriced,
        _one("estimate_version"),
        finance.EstimateCosted,
        _one("estimate_version"),
    ),
    Owed(legal.SowSigned, _single, finance.BudgetSet, _single),
    Owed(finance.BudgetSet, _single, finance.BudgetCosted, _single),
    Owed(
        delivery.TimeApproved,
        lambda event: (each.entry for each in event.entries),
        finance.CostAccrued,
        _costed_hours,
    ),
    Owed(
        delivery.ChangeAssessed,
        _one("change"),
        finance.ChangePriced,
        _one("change"),
    ),
    Owed(
        delivery.ChangeApproved,
        _one("change"),
        legal.AmendmentDrafted,
        _one("change"),
    ),
    Owed(
        legal.AmendmentSigned,
        _one("amendment"),
        finance.BudgetAmended,
        _one("amendment"),
    ),
    Owed(
        finance.BillingEventDue,
        _one("billing_event"),
        finance.InvoiceDrafted,
        _one("billing_event"),
    ),
    Owed(
        finance.InvoiceApproved,
        _one("invoice"),
        finance.InvoiceIssued,
        _one("invoice"),
    ),
)
"""Rules for the engagements of these tests, in which no estimate or change is repeated, no invoice
is voided, and nothing is terminated before the effects of earlier events."""

AT_MOST_ONCE: tuple[tuple[type[Event], Name], ...] = (
    (legal.EarlyStartExpired, _once),
    (finance.PaymentOverdue, lambda event: event.invoice),
    (delivery.ResourceReleased, lambda event: (event.request, event.person)),
)
"""Events that a deadline or the end of an engagement causes at most once."""

Events = Sequence[Recorded[Event]]


def effects(evidence: Evidence) -> Iterator[Finding]:
    """Check that effects occur once, costs add up, and invoice numbers have no gap."""
    engagements = events_by_engagement(evidence)
    for engagement, events in engagements.items():
        for owed in OWED:
            yield from _followed(engagement, owed, events)
        for kind, name in AT_MOST_ONCE:
            found = Counter(name(each.event) for each in events if isinstance(each.event, kind))
            yield from _repeated(engagement, kind, found)
        yield from _costs(engagement, events)
        yield from _recognised(engagement, events)
    yield from _invoice_numbers([event for events in engagements.values() for event in events])


def events_by_engagement(evidence: Evidence) -> dict[str, list[Recorded[Event]]]:
    """Return each engagement's events, channel by channel, each at its first occurrence."""
    found: defaultdict[str, list[Recorded[Event]]] = defaultdict(list)
    seen: set[tuple[str, str, int]] = set()
    for name, records in evidence.topics.items():
        for record in records:
            recorded = record.recorded
            if recorded is None or recorded.channel.kind == "reference":
                continue
            place = (name, record.key, recorded.sequence)
            if place not in seen:
                seen.add(place)
                found[record.key].append(recorded)
    return dict(found)


def _followed(engagement: str, owed: Owed, events: Events) -> Iterator[Finding]:
    causes = {
        name
        for each in events
        if isinstance(each.event, owed.cause)
        for name in owed.cause_names(each.event)
    }
    found = Counter(
        name
        for each in events
        if isinstance(each.event, owed.effect)
        for name in owed.effect_names(each.event)
    )
    for name in sorted(causes - found.keys(), key=str):
        yield Finding(
            f"{engagement}: {owed.cause.__name__} {name} led to no {owed.effect.__name__}",
            may_pass=True,
        )
    for name in sorted(found.keys() - causes, key=str):
        yield Finding(
            f"{engagement}: {owed.effect.__name__} {name} follows from no {owed.cause.__name__}",
            may_pass=True,  # partitions are read one after the other: the cause may still come
        )
    yield from _repeated(engagement, owed.effect, found)


def _repeated(engagement: str, kind: type[Event], found: Counter[Hashable]) -> Iterator[Finding]:
    for name, times in found.items():
        if times > 1:
            yield Finding(f"{engagement}: {kind.__name__} {name} is there {times} times")


def _costs(engagement: str, events: Events) -> Iterator[Finding]:
    total: Money | None = None
    for each in events:
        event = each.event
        if isinstance(event, finance.CostAccrued | finance.CostReversed):
            cost = event.cost if isinstance(event, finance.CostAccrued) else -event.cost
            total = cost if total is None else total + cost
            if event.cumulative != total:
                yield Finding(
                    f"{engagement}: cost to date at {event.entries[0].entry} is"
                    f" {event.cumulative}, the costs until then add up to {total}"
                )


def _recognised(engagement: str, events: Events) -> Iterator[Finding]:
    totals: dict[str, Money] = {}
    months: Counter[tuple[str, str]] = Counter()
    for each in events:
        event = each.event
        if isinstance(event, finance.RevenueRecognised | finance.RevenueByCostRecognised):
            before = totals.get(event.obligation)
            total = event.amount if before is None else before + event.amount
            totals[event.obligation] = total
            months[event.obligation, event.month] += 1
            if event.cumulative != total:
                yield Finding(
                    f"{engagement}: {event.cumulative} of {event.obligation} is recognised to the"
                    f" end of {event.month}, the months until then add up to {total}"
                )
    for (obligation, month), times in months.items():
        if times > 1:
            yield Finding(
                f"{engagement}: revenue of {obligation} in {month} is recognised {times} times"
            )


def _invoice_numbers(events: Events) -> Iterator[Finding]:
    series: defaultdict[str, list[int]] = defaultdict(list)
    for each in events:
        if isinstance(each.event, finance.InvoiceIssued):
            name, _, count = each.event.number.rpartition("-")
            series[name].append(int(count))
    for name, counts in series.items():
        if sorted(counts) != list(range(1, len(counts) + 1)):
            yield Finding(
                f"invoices of {name} are numbered {sorted(counts)}",
                may_pass=len(set(counts)) == len(counts),  # a gap may close, a duplicate remains
            )

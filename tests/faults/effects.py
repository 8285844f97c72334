"""Effects: what follows by itself from a fact followed once, whoever was killed in between."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import delivery, finance, legal, sales
from contracts.fact import Fact, Recorded
from contracts.money import Money
from tests.faults.evidence import Evidence
from tests.faults.finding import Finding

Name = Callable[[Any], Hashable]


@dataclass(frozen=True, slots=True)
class Owed:
    """A fact of one type leads to exactly one of another, under the same name."""

    cause: type[Fact]
    cause_name: Name
    effect: type[Fact]
    effect_name: Name


def _once(fact: Any) -> Hashable:
    return "once"


OWED: tuple[Owed, ...] = (
    Owed(sales.DealWon, _once, legal.FileOpened, _once),
    Owed(
        delivery.EstimateSubmitted,
        lambda fact: fact.version,
        finance.EstimatePriced,
        lambda fact: fact.estimate_version,
    ),
    Owed(
        finance.EstimatePriced,
        lambda fact: fact.estimate_version,
        finance.EstimateCosted,
        lambda fact: fact.estimate_version,
    ),
    Owed(legal.SowSigned, _once, finance.BudgetSet, _once),
    Owed(finance.BudgetSet, _once, finance.BudgetCosted, _once),
    Owed(
        delivery.TimeApproved,
        lambda fact: fact.entry,
        finance.CostAccrued,
        lambda fact: fact.entry,
    ),
    Owed(
        delivery.ChangeAssessed,
        lambda fact: fact.change,
        finance.ChangePriced,
        lambda fact: fact.change,
    ),
    Owed(
        delivery.ChangeApproved,
        lambda fact: fact.change,
        legal.AmendmentDrafted,
        lambda fact: fact.change,
    ),
    Owed(
        legal.AmendmentSigned,
        lambda fact: fact.amendment,
        finance.BudgetAmended,
        lambda fact: fact.amendment,
    ),
    Owed(
        finance.BillingEventDue,
        lambda fact: fact.billing_event,
        finance.InvoiceDrafted,
        lambda fact: fact.billing_event,
    ),
    Owed(
        finance.InvoiceApproved,
        lambda fact: fact.invoice,
        finance.InvoiceNumbered,
        lambda fact: fact.invoice,
    ),
    Owed(
        finance.InvoiceNumbered,
        lambda fact: (fact.invoice, fact.number),
        finance.InvoiceIssued,
        lambda fact: (fact.invoice, fact.number),
    ),
)
"""What the engagements of these tests owe: in them no estimate or change is taken up twice, no
invoice is voided, and nothing is terminated before what follows has followed."""

AT_MOST_ONCE: tuple[tuple[type[Fact], Name], ...] = (
    (legal.EarlyStartExpired, _once),
    (finance.PaymentOverdue, lambda fact: fact.invoice),
    (delivery.ResourceReleased, lambda fact: (fact.request, fact.person)),
)
"""What the clock, or an end, leads to once if at all."""

Facts = Sequence[Recorded[Fact]]


def effects(evidence: Evidence) -> Iterator[Finding]:
    """Each effect is there once, costs add up, and invoices are numbered without a gap."""
    engagements = facts_by_engagement(evidence)
    for engagement, facts in engagements.items():
        for owed in OWED:
            yield from _followed(engagement, owed, facts)
        for kind, name in AT_MOST_ONCE:
            found = Counter(name(each.fact) for each in facts if isinstance(each.fact, kind))
            yield from _repeated(engagement, kind, found)
        yield from _costs(engagement, facts)
        yield from _recognised(engagement, facts)
    yield from _invoice_numbers([fact for facts in engagements.values() for fact in facts])


def facts_by_engagement(evidence: Evidence) -> dict[str, list[Recorded[Fact]]]:
    """Every engagement's facts as its topics first have them, channel by channel."""
    found: defaultdict[str, list[Recorded[Fact]]] = defaultdict(list)
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


def _followed(engagement: str, owed: Owed, facts: Facts) -> Iterator[Finding]:
    causes = {owed.cause_name(each.fact) for each in facts if isinstance(each.fact, owed.cause)}
    found = Counter(
        owed.effect_name(each.fact) for each in facts if isinstance(each.fact, owed.effect)
    )
    for name in sorted(causes - found.keys(), key=str):
        yield Finding(
            f"{engagement}: {owed.cause.__name__} {name} led to no {owed.effect.__name__}",
            may_pass=True,
        )
    for name in sorted(found.keys() - causes, key=str):
        yield Finding(
            f"{engagement}: {owed.effect.__name__} {name} follows from no {owed.cause.__name__}",
            may_pass=True,  # partitions are read one after the other: the cause may come yet
        )
    yield from _repeated(engagement, owed.effect, found)


def _repeated(engagement: str, kind: type[Fact], found: Counter[Hashable]) -> Iterator[Finding]:
    for name, times in found.items():
        if times > 1:
            yield Finding(f"{engagement}: {kind.__name__} {name} is there {times} times")


def _costs(engagement: str, facts: Facts) -> Iterator[Finding]:
    total: Money | None = None
    for each in facts:
        fact = each.fact
        if isinstance(fact, finance.CostAccrued):
            total = fact.cost if total is None else total + fact.cost
            if fact.cumulative != total:
                yield Finding(
                    f"{engagement}: cost to date at {fact.entry} is {fact.cumulative}, the costs"
                    f" until then add up to {total}"
                )


def _recognised(engagement: str, facts: Facts) -> Iterator[Finding]:
    total: Money | None = None
    months: Counter[str] = Counter()
    for each in facts:
        fact = each.fact
        if isinstance(fact, finance.RevenueRecognised):
            total = fact.amount if total is None else total + fact.amount
            months[fact.month] += 1
            if fact.cumulative != total:
                yield Finding(
                    f"{engagement}: {fact.cumulative} is recognised to the end of {fact.month},"
                    f" the months until then add up to {total}"
                )
    for month, times in months.items():
        if times > 1:
            yield Finding(f"{engagement}: revenue of {month} is recognised {times} times")


def _invoice_numbers(facts: Facts) -> Iterator[Finding]:
    years: defaultdict[str, list[int]] = defaultdict(list)
    for each in facts:
        if isinstance(each.fact, finance.InvoiceNumbered):
            year, _, count = each.fact.number.partition("-")
            years[year].append(int(count))
    for year, counts in years.items():
        if sorted(counts) != list(range(1, len(counts) + 1)):
            yield Finding(
                f"invoices of {year} are numbered {sorted(counts)}",
                may_pass=len(set(counts)) == len(counts),  # a gap may close, a double stays
            )

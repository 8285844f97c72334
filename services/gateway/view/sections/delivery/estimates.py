"""Keep the versions of the estimate, and describe them and Delivery's reviews."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from contracts import delivery
from contracts.counting import counted
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, purchases_by_kind
from contracts.values import EstimateLine
from gateway.formatting import hours, listed, money, number, words
from gateway.view.sections.sentences import if_given, verdict
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class Estimate:
    """A version of the estimate; hours include contingency, `purchases` are amounts by kind.

    `work` has hours by role without contingency, and without those of project management, which
    are `project_management_hours`. `contingency` is in percent of both. `roles` are those of all
    lines.
    """

    version: int
    hours: Number
    contingency: Number
    work: dict[str, Number]
    project_management_hours: Number
    purchases: dict[str, Money]
    roles: tuple[str, ...]
    said: Ref
    endorsed: Ref | None = None


class Fields(Protocol):
    """Fields of the section that these steps change."""

    estimates: dict[int, Estimate]


steps = PartSteps[Fields]()


def _estimated(lines: Iterable[EstimateLine]) -> str:
    return hours(sum((line.hours for line in lines), Decimal(0)))


def _amounts(purchases: Iterable[EstimatedPurchase]) -> str:
    totals = purchases_by_kind(purchases)
    return listed(f"{money(amount)} for {words(kind)}" for kind, amount in totals.items())


steps.describe(
    delivery.EstimateSubmitted,
    lambda event, _: (
        f"Estimate {event.version}: {_estimated(event.lines)} and {number(event.contingency)}% "
        f"contingency{if_given(', purchases of {}', event.purchases, _amounts)}, "
        f"{counted(event.duration_days, 'day')}, {event.confidence} confidence."
    ),
)


@steps.on(delivery.EstimateSubmitted)
def _estimate(section: Fields, recorded: Recorded[delivery.EstimateSubmitted]) -> None:
    event = recorded.event
    work: dict[str, Decimal] = {}
    managed = Decimal(0)
    for line in event.lines:
        if line.kind == "project-management":
            managed += line.hours
        elif line.kind == "delivery":
            work[line.role] = work.get(line.role, Decimal(0)) + line.hours
    section.estimates[event.version] = Estimate(
        version=event.version,
        hours=(managed + sum(work.values())) * (1 + event.contingency / 100),
        contingency=event.contingency,
        work=work,
        project_management_hours=managed,
        purchases={
            str(kind): amount for kind, amount in purchases_by_kind(event.purchases).items()
        },
        roles=tuple(sorted({line.role for line in event.lines})),
        said=ref(recorded),
    )


steps.describe(
    delivery.EstimateEndorsed,
    lambda event, names: f"{names.person(event.manager)} endorsed estimate {event.version}.",
)


@steps.on(delivery.EstimateEndorsed)
def _endorsed(section: Fields, recorded: Recorded[delivery.EstimateEndorsed]) -> None:
    estimate = section.estimates.get(recorded.event.version)
    if estimate is not None:
        estimate.endorsed = ref(recorded)


steps.describe(
    delivery.SowReviewed,
    lambda event, _: (
        f"Delivery {verdict(event.verdict)} statement of work {event.version}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    delivery.AmendmentReviewed,
    lambda event, _: (
        f"Delivery {verdict(event.verdict)} amendment {event.amendment}."
        f"{if_given(' “{}”', event.why)}"
    ),
)

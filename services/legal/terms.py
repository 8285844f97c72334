"""What holds of the terms of any paper: dates, and billing schedules that can be paid."""

from collections.abc import Iterable, Iterator

from chassis.domain.decider import Missing
from contracts.money import Money
from contracts.values import BillingItem


def repeated(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids that stand more than once, each named once."""
    seen: set[str] = set()
    again: dict[str, None] = {}
    for one in ids:
        if one in seen:
            again[one] = None
        seen.add(one)
    return tuple(again)


def schedule_faults(
    schedule: Iterable[BillingItem], total: Money, deliverables: Iterable[str], paper: str
) -> Iterator[Missing]:
    """What is wrong with a billing schedule that should add up to `total`, for these deliverables.

    What has parts of the smallest unit of its currency could be invoiced, and never be paid.

    The total may be zero or less: then nothing is there to bill, and the schedule must be empty.
    """
    items, known = tuple(schedule), set(deliverables)
    if any(item.amount.currency != total.currency for item in items):
        yield Missing(
            "currencies-differ", f"the billing schedule of {paper} must be in {total.currency}"
        )
    else:
        due = Money.total((item.amount for item in items), total.currency)
        if due != (total if total.amount > 0 else Money.zero(total.currency)):
            yield Missing(
                "billing-schedule-differs",
                f"the billing schedule of {paper} adds up to {due}, its price is {total}",
            )
    amounts = {f"its price of {total.amount}": total} | {
        f"billing item {item.item} of {item.amount.amount}": item.amount for item in items
    }
    parts = [name for name, amount in amounts.items() if amount != amount.rounded()]
    if parts:
        yield Missing(
            "amounts-not-whole",
            f"{paper} has parts of the smallest unit of {total.currency}, which nobody can pay:"
            f" {', '.join(parts)}",
        )
    for item in items:
        unknown = [one for one in item.deliverables if one not in known]
        if unknown:
            yield Missing(
                "unknown-deliverable",
                f"billing item {item.item} waits for {', '.join(unknown)}, which {paper} lacks",
            )
    for one in repeated(item.item for item in items):
        yield Missing("repeated-id", f"billing item {one} stands more than once in {paper}")

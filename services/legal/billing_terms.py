"""Check terms of statements of work and amendments: unique ids, billing schedules."""

from collections.abc import Iterable, Iterator

from chassis.domain.commands import Missing
from contracts.money import Money
from contracts.values import BillingItem


def repeated(ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids that appear more than once, each once."""
    seen: set[str] = set()
    repeats: dict[str, None] = {}
    for each in ids:
        if each in seen:
            repeats[each] = None
        seen.add(each)
    return tuple(repeats)


def schedule_faults(
    schedule: Iterable[BillingItem], total: Money, deliverables: Iterable[str], document: str
) -> Iterator[Missing]:
    """Yield the faults of a billing schedule that should add up to `total`.

    Items may depend only on `deliverables`. A total of zero or less leaves nothing to bill: the
    schedule must be empty. `document` names the document in the sentences.
    """
    items, known = tuple(schedule), set(deliverables)
    if any(item.amount.currency != total.currency for item in items):
        yield Missing(
            "currency-differs", f"the billing schedule of {document} must be in {total.currency}"
        )
    else:
        due = Money.total((item.amount for item in items), total.currency)
        if due != (total if total.amount > 0 else Money.zero(total.currency)):
            yield Missing(
                "billing-schedule-differs",
                f"the billing schedule of {document} adds up to {due}, its price is {total}",
            )
    for item in items:
        unknown = [each for each in item.deliverables if each not in known]
        if unknown:
            yield Missing(
                "deliverable-unknown",
                f"billing item {item.item} waits for {', '.join(unknown)}, not part of {document}",
            )
    for each in repeated(item.item for item in items):
        yield Missing("id-repeated", f"billing item {each} appears more than once in {document}")

"""Decide who sees the time and expenses of people, and leave them out for other readers.

Details are who worked or spent what, single hours and single expenses, and their ids. Sums of lines
are none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chassis.domain.commands import Missing
from chassis.domain.context import Context
from chassis.domain.work_items import ItemKind, WorkItem
from finance.roles import DETAILS_SEEN_BY

_WITHOUT_DETAILS: Mapping[str, str] = {
    "exchange-rate-missing": "expenses in other currencies need exchange rates",
    "expense-waiting": "expenses wait for approval",
    "rate-not-contracted": "approved work has no line with a rate for its role",
    "reversed-work-billed": "an invoice bills work whose approval was reversed: credit it",
    "time-waiting": "time waits for approval",
    "work-held": "approved work is held back from billing",
    "work-unassigned": "approved expenses belong to no line of the contract",
    "work-uncosted": "approved work has no cost",
}
"""Sentences in place of those that name people, works, their hours or amounts."""


def sees_details(context: Context) -> bool:
    """Return whether the reader may see whose time and expenses they are, one by one."""
    return not context.roles.isdisjoint(DETAILS_SEEN_BY)


def sentence_without_details(code: str, sentence: str) -> str:
    """Return the sentence of a code, or one that names no work where it does."""
    return _WITHOUT_DETAILS.get(code, sentence)


def missing_of_reader(missing: list[Missing], context: Context) -> list[Missing]:
    """Return what is missing as the reader may see it: equal sentences once."""
    if sees_details(context):
        return missing
    found = (
        replace(each, sentence=sentence_without_details(each.code, each.sentence))
        for each in missing
    )
    return [*dict.fromkeys(found)]


def items_of_reader(
    items: Iterable[WorkItem], kinds: Iterable[ItemKind], context: Context
) -> tuple[WorkItem, ...]:
    """Return work items as the reader may see them: those of these kinds name works."""
    if sees_details(context):
        return tuple(items)
    naming = {*kinds}
    return tuple(
        replace(each, sentence=sentence_without_details(each.kind.code, each.sentence))
        if each.kind in naming
        else each
        for each in items
    )

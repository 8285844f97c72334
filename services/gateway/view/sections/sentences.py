"""Parts of the sentences with which sections describe their events in the timeline.

A sentence is a pure function of the event and of the names that people have for ids.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from contracts.lines import LineChange, LineTerms, hours_by_role
from contracts.questions import AnsweredQuestion, AskedQuestion
from gateway.formatting import day, hours, listed, money, words

T = TypeVar("T")


class Names(Protocol):
    """Names by id, as people know them."""

    def account(self, account: str) -> str:
        """Return the name of an account."""

    def person(self, person: str) -> str:
        """Return the name of a person or contact."""

    def rule(self, rule: str) -> str:
        """Return the title of a rule that finds disconnects."""

    def title(self, item: str) -> str:
        """Return the title of a deliverable, a milestone, a task or a line of the engagement."""


def if_given(text: str, value: T | None, shown: Callable[[T], str] = str) -> str:
    """Return the text with the value in the place of ``{}``, or nothing if there is no value."""
    return "" if value is None or value in ("", (), {}) else text.format(shown(value))


def verdict(of_review: str) -> str:
    """Return the verdict of a review as a verb."""
    return "approved" if of_review == "approved" else "objected to"


def total_hours(lines: Iterable[LineTerms]) -> str:
    """Return the planned hours of contract lines together."""
    return hours(sum(hours_by_role(lines).values(), Decimal(0)))


_SHOWN_LINES = 5


def first_lines(lines: Sequence[LineTerms]) -> str:
    """Return the first lines with price and pricing, and the number of the others."""
    shown = [
        f"{line.title} {money(line.price)} ({words(line.pricing)})" for line in lines[:_SHOWN_LINES]
    ]
    more = len(lines) - len(shown)
    return listed([*shown, f"{more} more"] if more else shown)


def first_changes(changes: Sequence[LineChange], names: Names) -> str:
    """Return the first changes with price, hours and deliverables, and the number of the others."""
    shown = []
    for change in changes[:_SHOWN_LINES]:
        title = change.new.title if change.new else names.title(change.line)
        parts = [f"{title} by {money(change.price_delta)}"]
        if change.hours:
            parts.append(hours(change.hours_delta))
        if change.deliverables_added:
            parts.append(f"with {listed(each.title for each in change.deliverables_added)}")
        if change.deliverables_removed:
            parts.append(f"without {listed(map(names.title, change.deliverables_removed))}")
        shown.append(", ".join(parts))
    more = len(changes) - len(shown)
    return "; ".join([*shown, f"{more} more"] if more else shown)


def question(department: str) -> Callable[[AskedQuestion, Names], str]:
    """Return the sentence for questions that a department asked."""
    return lambda event, names: (
        f"{department} asks{if_given(' {}', event.to_department, words)}"
        f"{if_given(' {}', event.to_contact, names.person)} by {day(event.due_on)} "
        f"({event.about}): “{event.text}”"
    )


def answer(department: str) -> Callable[[AnsweredQuestion, Names], str]:
    """Return the sentence for answers that a department published."""
    return lambda event, names: (
        f"{department} answers{if_given(' for {}', event.recorded_for, names.person)}: "
        f"“{event.answer}”"
    )

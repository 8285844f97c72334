"""Rules and what they find: disconnects between departments, with both sides and amounts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal, NamedTuple

from chassis.domain.ids import derived_id
from contracts.channels import Department
from contracts.gateway import MOST_EVIDENCE, Side
from contracts.money import Money
from contracts.reference import Tolerances
from contracts.roles import Role
from gateway.rules.amounts import absolute, at_most
from gateway.rules.people import GIVEN_BY, who_ends
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

_LONGEST_SENTENCE = 4000
"""Characters that `contracts.values.Text` accepts."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A contradiction between departments that one rule found in one view.

    `finding` is its id within the engagement: the id of the rule and, where the rule can find
    several, the id of the subject (``rule.subject``), shortened by a hash if it is too long for an
    identifier. A sentence that is too long for a text is cut, so that every disconnect can be
    published. `sides` are what is contradictory. `since` is the time (UTC) of the latest event that
    proves it. `owner` is the department that can resolve it with a `command`, which is its own
    unless `command_of` names another one. `role` is one that can give the command, and `ends_with`
    the person of the engagement who has that role, or None where none is known. `exposure` is the
    price of the lines or the contract that it touches, and `at_stake` the difference itself;
    neither is negative: an amount that the customer would get back counts as well. An amount that
    is not known is None, and the exposure is never below what is at stake. `days` are calendar days
    that depend on it. Where the work `is_late`, what is at stake is the cost of those days, which
    several disconnects can state. A confidential disconnect would reveal costs or margins.
    """

    finding: str
    rule: str
    sentence: str
    sides: tuple[Side, Side]
    evidence: tuple[Ref, ...]
    since: datetime
    owner: Department
    command: str
    role: Role
    command_of: Department | None = None
    ends_with: str | None = None
    exposure: Money | None = None
    at_stake: Money | None = None
    days: int | None = None
    severity: Literal["warning", "serious"] = "warning"
    confidential: bool = False
    is_late: bool = False


class End(NamedTuple):
    """The department that can end a disconnect, and the command with which it does or begins it.

    `command_of` is the department that takes the command, where it is another one.
    """

    owner: Department
    command: str
    command_of: Department | None = None

    @property
    def role(self) -> Role:
        """The role that gives the command; raises KeyError where `GIVEN_BY` does not have it."""
        return GIVEN_BY[self.owner, self.command]


TIME_AS_COST = End("delivery", "approve-time-as-cost")
EXPENSE_AS_COST = End("delivery", "approve-expense-as-cost")
"""Approval of work that the contract does not cover, which is not billed."""


Check = Callable[["Rule", View, date, Tolerances], Iterable[Disconnect]]
"""A pure function of the rule, a view, the day and the tolerances.

It finds nothing while a department that it compares has not published anything yet.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, its title on pages, and who can resolve what it finds, with what command."""

    id: str
    title: str
    end: End
    """The usual owner and command; a check may name others for a single disconnect."""
    check: Check
    confidential: bool = False
    """True if the rule reads confidential figures; all others read open channels only.

    Such a rule compares only what one confidential event states: open and confidential events
    arrive independently, so a comparison of both could show what never was.
    """
    imported: bool = False
    """True if the rule applies to engagements that were imported, and to no others.

    All other rules apply to them once all departments have taken them over.
    """
    after_end: bool = False
    """True if the rule applies also to engagements that have ended: what it finds outlives them.

    Of those it finds the same on any day, by any tolerances.
    """

    def __post_init__(self) -> None:
        if not self.id or not self.title:
            raise ValueError(f"a rule needs an id and a title, not {self.id!r} and {self.title!r}")

    @property
    def owner(self) -> Department:
        """The department that can usually resolve what the rule finds."""
        return self.end.owner

    def apply(self, view: View, today: date, tolerances: Tolerances) -> Iterator[Disconnect]:
        """Yield the disconnects that the rule finds in a view on a day (UTC).

        Who can end one is the person of the engagement with the role that gives the command.
        Neither amount is above the price of the engagement, where that is known.
        """
        for found in self.check(self, view, today, tolerances):
            yield replace(
                found,
                ends_with=who_ends(view, found.role),
                exposure=at_most(found.exposure, view.price),
                at_stake=at_most(found.at_stake, view.price),
            )

    def disconnect(
        self,
        sentence: str,
        evidence: Iterable[Ref | None],
        *,
        sides: tuple[Side, Side],
        about: str | None = None,
        end: End | None = None,
        since: datetime | None = None,
        exposure: Money | None = None,
        at_stake: Money | None = None,
        days: int | None = None,
        severity: Literal["warning", "serious"] = "warning",
        is_late: bool = False,
    ) -> Disconnect:
        """Return a disconnect of this rule, `about` one subject where the rule can find several.

        Evidence that does not exist is left out, and what is beyond the maximum. `since` is the
        time of the latest evidence unless it is given. An exposure below what is at stake is raised
        to it.
        """
        proof = tuple(item for item in evidence if item is not None)
        if len(sentence) > _LONGEST_SENTENCE:
            sentence = f"{sentence[: _LONGEST_SENTENCE - 1].rstrip()}…"
        difference = absolute(at_stake) if at_stake is not None else None
        touched = absolute(exposure) if exposure is not None else None
        if (
            touched is not None
            and difference is not None
            and touched.currency == difference.currency
        ):
            touched = max(touched, difference)
        ends = end or self.end
        return Disconnect(
            finding=derived_id(self.id, about, between=".") if about else self.id,
            rule=self.id,
            sentence=sentence,
            sides=sides,
            evidence=proof[:MOST_EVIDENCE],
            since=since or max(item.occurred_at for item in proof),
            owner=ends.owner,
            command=ends.command,
            role=ends.role,
            command_of=ends.command_of,
            exposure=touched,
            at_stake=difference,
            days=days,
            severity=severity,
            confidential=self.confidential,
            is_late=is_late,
        )


class Rules:
    """Rules in the order in which they were registered."""

    def __init__(self, *groups: "Rules") -> None:
        """Start with the rules of other groups; raises ValueError where two have the same id."""
        self._by_id: dict[str, Rule] = {}
        for group in groups:
            for rule in group:
                self._add(rule)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def register(
        self,
        rule_id: str,
        *,
        title: str,
        owner: Department,
        command: str,
        command_of: Department | None = None,
        confidential: bool = False,
        imported: bool = False,
        after_end: bool = False,
    ) -> Callable[[Check], Check]:
        """Register the decorated check as a rule; the arguments are the fields of `Rule`.

        The owner can resolve what it finds with the command.

        Raises ValueError where the id or the title is empty or the id is registered already.
        """

        def add(check: Check) -> Check:
            end = End(owner, command, command_of)
            self._add(Rule(rule_id, title, end, check, confidential, imported, after_end))
            return check

        return add

    def title(self, rule_id: str) -> str | None:
        """Return the title of a rule, or None where no such rule is registered any more."""
        rule = self._by_id.get(rule_id)
        return rule.title if rule is not None else None

    def _add(self, rule: Rule) -> None:
        if rule.id in self._by_id:
            raise ValueError(f"two rules have the id {rule.id}")
        self._by_id[rule.id] = rule


def midnight(on: date) -> datetime:
    """Return the moment at which a day begins (UTC)."""
    return datetime.combine(on, time.min, UTC)


def differs(one: Decimal, other: Decimal, percent: Decimal) -> bool:
    """Return whether `other` differs from `one` by more than `percent` (any amount, if 0) of it."""
    return abs(other - one) * 100 > abs(one) * percent


def hours(amount: Decimal) -> str:
    """Return hours as text, such as 36.5 h."""
    return f"{amount.normalize():f} h"

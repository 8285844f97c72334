"""A finding: a contradiction between departments, with its proof and what is at stake."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from chassis.domain.ids import derived_id
from contracts.channels import Department
from contracts.money import Money
from gateway.fold import View
from gateway.sections.folding import Ref

_LONGEST = 4000
"""As long as a text may be (`contracts.values.Text`)."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """By how much departments may differ before it is a disconnect.

    Hours in percent of what was sold or planned; indices as ratios; margin in percentage points;
    days in calendar days. A report is late when its tier's cadence and the grace have passed.
    """

    hours_percent: Decimal = Decimal(10)
    project_management_percent: Decimal = Decimal(15)
    allocation_percent: Decimal = Decimal(20)
    index: Decimal = Decimal("0.9")
    margin_points: Decimal = Decimal(5)
    report_days: dict[str, int] = field(
        default_factory=lambda: {"light": 31, "standard": 14, "critical": 7}
    )
    report_grace_days: int = 7
    silence_days: int = 21


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found in one view.

    `finding` names the rule and, where it can find several, the thing (``rule.thing``), shortened
    by a hash where that would be too long for an identifier; its sentence ends early where it would
    be too long for a text, so that every finding can be announced. `since` is
    the time (UTC) of the latest event that proves it. `owner` can end it. `stake` is money that
    hangs on it, never negative: what the customer would get back hangs on it as well. `days` are
    days that do. A confidential finding would tell costs or margins.
    """

    finding: str
    rule: str
    sentence: str
    evidence: tuple[Ref, ...]
    since: datetime
    owner: Department
    stake: Money | None = None
    days: int | None = None
    severity: Literal["warning", "serious"] = "warning"
    confidential: bool = False


Rule = Callable[[View, date, Tolerances], Iterable[Finding]]
"""A rule reads a view on a day; it is pure, and silent where a department has not spoken yet."""


def found(
    rule: str,
    sentence: str,
    evidence: Iterable[Ref | None],
    owner: Department,
    *,
    about: str | None = None,
    since: datetime | None = None,
    stake: Money | None = None,
    days: int | None = None,
    severity: Literal["warning", "serious"] = "warning",
    confidential: bool = False,
) -> Finding:
    """A finding of `rule`, about one thing where the rule can find several."""
    proof = tuple(item for item in evidence if item is not None)
    return Finding(
        finding=derived_id(rule, about, between=".") if about else rule,
        rule=rule,
        sentence=sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1].rstrip()}…",
        evidence=proof,
        since=since or max(item.occurred_at for item in proof),
        owner=owner,
        stake=-stake if stake is not None and stake.amount < 0 else stake,
        days=days,
        severity=severity,
        confidential=confidential,
    )


def differs(one: Decimal, other: Decimal, percent: Decimal) -> bool:
    """Whether `other` lies more than `percent` away from `one` (any difference from zero does)."""
    return abs(other - one) * 100 > abs(one) * percent


def day(when: date | datetime) -> str:
    """A day, as in 4 June 2026; a moment's day is its day in UTC."""
    if isinstance(when, datetime):
        when = when.astimezone(UTC)
    return f"{when.day} {when:%B %Y}"


def hours(amount: Decimal) -> str:
    """Hours as a person reads them."""
    return f"{amount.normalize():f} h"

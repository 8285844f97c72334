"""Compute the status of cost, schedule and scope from figures, beside the reported one.

Cost and schedule follow from one confidential measurement of Finance; scope follows from what
Delivery published, and is open. A status is unknown (None) where its figure is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from contracts.counting import counted
from contracts.reference import Tolerances
from contracts.values import RAG
from gateway.formatting import hours, ratio
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.changes import Change

_COLOURS: tuple[RAG, ...] = get_args(RAG)
_RED_BELOW = Decimal("0.1")
"""An index that is lower than the tolerance by more than this is red."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of one dimension: as reported, as computed, and the figure in words.

    `index` is the name of the figure, and `value` what it is.
    """

    dimension: str
    reported: RAG
    computed: RAG | None
    index: str
    value: str
    confidential: bool

    @property
    def figure(self) -> str:
        """The figure in words."""
        return f"{self.index} of {self.value}"

    @property
    def is_greener(self) -> bool:
        """True if it is reported greener than it is computed."""
        return self.computed is not None and _COLOURS.index(self.reported) < _COLOURS.index(
            self.computed
        )


def statuses(view: View, allowed: Tolerances, *, confidential: bool) -> list[Status]:
    """Return the status of each dimension that a reader may see: scope, and else cost and schedule.

    None of an engagement that has ended.
    """
    if view.over:
        return []
    scope = of_scope(view, allowed)
    measured = by_measurement(view, allowed) if confidential else []
    return [*measured, *([scope] if scope is not None else [])]


def worst_computed(found: Iterable[Status]) -> RAG | None:
    """Return the worst computed status, or None where none is known."""
    known = [each.computed for each in found if each.computed is not None]
    return max(known, key=_COLOURS.index, default=None)


def by_measurement(view: View, allowed: Tolerances) -> list[Status]:
    """Return cost and schedule of the last measured report (confidential), or nothing."""
    measured = view.confidential.performance
    if measured is None:
        return []
    figures, report = measured.event, measured.event.report
    cpi, spi = figures.cost_performance_index, figures.schedule_performance_index
    return [
        Status("cost", report.cost, _by_index(cpi, allowed), "CPI", ratio(cpi), confidential=True),
        Status(
            "schedule",
            report.schedule,
            _by_index(spi, allowed),
            "SPI",
            ratio(spi),
            confidential=True,
        ),
    ]


def _by_index(index: Decimal | None, allowed: Tolerances) -> RAG | None:
    if index is None:
        return None
    if index >= allowed.index:
        return "green"
    return "amber" if index >= allowed.index - _RED_BELOW else "red"


def of_scope(view: View, allowed: Tolerances) -> Status | None:
    """Return the scope of the last report, by the changes that were open when it was published.

    It is amber where their hours exceed the tolerance in percent of the baseline's, and red where
    they exceed it twice. None while there is no report or no baseline with hours.
    """
    report, baseline = view.delivery.report, view.delivery.baseline
    if report is None or baseline is None or not baseline.hours:
        return None
    changes = open_changes(view)
    moved = sum((abs(line.hours_delta) for each in changes for line in each.changes), Decimal(0))
    percent = moved * 100 / baseline.hours
    computed: RAG = (
        "green"
        if percent <= allowed.hours_percent
        else "amber"
        if percent <= 2 * allowed.hours_percent
        else "red"
    )
    open_ones = counted(len(changes), "open change")
    return Status(
        "scope", report.event.scope, computed, open_ones, hours(moved), confidential=False
    )


def open_changes(view: View) -> list[Change]:
    """Return the changes that were assessed before the last report, and that are still open.

    A change is open until it is rejected or in the baseline.
    """
    report, baseline = view.delivery.report, view.delivery.baseline
    planned = baseline.changes if baseline is not None else ()
    return [
        change
        for change in view.delivery.changes.values()
        if report is not None
        and change.assessed is not None
        and change.assessed.streamsequence < report.said.streamsequence
        and not change.rejected
        and change.change not in planned
    ]

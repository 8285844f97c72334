"""The portfolio laid out: headline, stages, figures, and who needs attention."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.money import Money
from gateway.disconnects import Finding
from gateway.fold import View
from gateway.pages import presenting as say
from gateway.pages.presenting import Names
from gateway.portfolio import ConfidentialFigures, CurrencyFigures, Portfolio
from gateway.summary import Summary

_BAR = 1000
"""Width of the whole bar of stages, in its own units."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stage: how many engagements stand in it, and its part of the bar (from, width)."""

    stage: str
    name: str
    count: int
    start: str = "0"
    width: str = "0"


def under_way(portfolio: Portfolio) -> list[Segment]:
    """The stages of which more is expected, as parts of a bar that shows them in proportion."""
    total = sum(portfolio.by_stage[stage] for stage in say.UNDER_WAY)
    segments, start = [], 0.0
    for stage in say.UNDER_WAY:
        count = portfolio.by_stage[stage]
        width = _BAR * count / total if total else 0.0
        segments.append(Segment(stage, say.stage(stage), count, f"{start:.1f}", f"{width:.1f}"))
        start += width
    return segments


def over(portfolio: Portfolio) -> list[Segment]:
    """The stages of which nothing more is expected."""
    return [Segment(stage, say.stage(stage), portfolio.by_stage[stage]) for stage in say.OVER]


def headline(portfolio: Portfolio) -> str:
    """The portfolio in two sentences."""
    active = sum(portfolio.by_stage[stage] for stage in say.UNDER_WAY)
    standing = f"{say.counted(portfolio.engagements, 'engagement')}, {say.number(active)} under way"
    serious, warning = portfolio.disconnects["serious"], portfolio.disconnects["warning"]
    if not serious + warning:
        return f"{standing}. No two departments contradict each other."
    open_now = f"{say.counted(serious + warning, 'disconnect')} between departments"
    grave = f", {say.number(serious)} of them serious" if serious else ""
    stakes = [
        f"{say.whole(each.at_stake)} {each.currency}"
        for each in portfolio.currencies
        if each.at_stake
    ]
    money = f"; {say.listed(stakes)} at stake" if stakes else ""
    return f"{standing}. {open_now}{grave}{money}."


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that stands for itself: what it is, its value, and a word on how to read it."""

    key: str
    label: str
    value: str
    note: str


def figures(portfolio: Portfolio) -> list[Figure]:
    """The portfolio's health in a few figures."""
    managed, hours = portfolio.project_management_hours, portfolio.approved_hours
    score = portfolio.net_promoter_score
    signed = say.UNKNOWN if score is None else f"{'+' if score > 0 else ''}{say.number(score)}"
    return [
        Figure(
            "utilisation",
            "Utilisation",
            say.percent(portfolio.utilisation, 0),
            "billable hours of available ones, last four weeks",
        ),
        Figure(
            "management",
            "Project management",
            say.percent(managed / hours if hours else None, 0),
            "share of all hours approved",
        ),
        Figure(
            "satisfaction",
            "Satisfied customers",
            say.points(portfolio.customer_satisfaction, 0),
            "answers of 4 or 5",
        ),
        Figure("promoters", "Net promoter score", signed, "promoters less detractors"),
        Figure("hold", "On hold", say.number(portfolio.on_hold), "engagements at rest"),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of figures, a cell for each currency."""

    label: str
    cells: tuple[str, ...]
    part: bool = False
    """Whether it is a part of the line above."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together."""

    label: str
    lines: tuple[Line, ...]
    confidential: bool = False


def account(portfolio: Portfolio) -> list[Group]:
    """The figures in money, in whole units of each currency; nothing is added across currencies."""
    each = portfolio.currencies

    def line(label: str, of: Callable[[CurrencyFigures], Decimal], *, part: bool = False) -> Line:
        return Line(label, tuple(say.whole(of(figures)) for figures in each), part)

    groups = [
        Group(
            "Pipeline",
            (
                line("Opportunities", lambda one: one.pipeline["opportunity"]),
                line("Proposals", lambda one: one.pipeline["proposal"]),
                line("Weighted by probability", lambda one: one.pipeline_weighted),
            ),
        ),
        Group(
            "Backlog",
            (
                line("Sold, not yet recognised", lambda one: one.backlog),
                line("of which signed", lambda one: one.backlog_clean, part=True),
            ),
        ),
        Group(
            "Earned and billed",
            (
                line("Recognised", lambda one: one.recognised),
                line("Billed", lambda one: one.billed),
                line("Paid", lambda one: one.paid),
                line("Outstanding", lambda one: one.outstanding),
                line("of which overdue", lambda one: one.overdue, part=True),
            ),
        ),
        Group("Disconnects", (line("At stake", lambda one: one.at_stake),)),
    ]
    return groups + _costs(portfolio.confidential or ())


def _costs(each: Sequence[ConfidentialFigures]) -> list[Group]:
    if not each:
        return []

    def cost(label: str, of: Callable[[ConfidentialFigures], Decimal], *, part: bool) -> Line:
        return Line(label, tuple(say.whole(of(figures)) for figures in each), part)

    def margin(label: str, which: str) -> Line:
        margins = (getattr(figures, f"margin_{which}").margin for figures in each)
        return Line(label, tuple(say.percent(value) for value in margins))

    return [
        Group(
            "Cost",
            (
                cost("To date", lambda one: one.cost, part=False),
                cost(
                    "of which project management",
                    lambda one: one.project_management_cost,
                    part=True,
                ),
            ),
            confidential=True,
        ),
        Group(
            "Margin",
            (
                margin("Sold", "sold"),
                margin("Billed", "billed"),
                margin("Recognised", "recognised"),
                margin("Forecast", "forecast"),
            ),
            confidential=True,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Attention:
    """An engagement that somebody should look at today: the gravest reason, and how many more."""

    summary: Summary
    account: str
    why: str
    rule: str
    serious: bool
    more: int
    stake: Money | None
    days: int | None
    since: datetime | None


def attention(
    summary: Summary,
    view: View,
    findings: Sequence[Finding],
    names: Names,
    *,
    confidential: bool,
) -> Attention | None:
    """Why an engagement needs attention, in the words of its gravest open finding.

    None where all that asks for it is confidential and the reader may not see that.
    """
    waived = view.gateway.waived.keys() | view.gateway_confidential.waived.keys()
    standing = sorted(
        (
            each
            for each in findings
            if each.finding not in waived and (confidential or not each.confidential)
        ),
        key=lambda each: (each.severity != "serious", each.since, each.finding),
    )
    if standing:
        worst = standing[0]
        return Attention(
            summary,
            names.account(summary.account),
            worst.sentence,
            say.rule(worst.rule),
            worst.severity == "serious",
            len(standing) - 1,
            worst.stake,
            worst.days,
            worst.since,
        )
    report = view.delivery.report
    if report is None or summary.rag not in ("amber", "red"):
        return None
    return Attention(
        summary,
        names.account(summary.account),
        f"The last status report is {summary.rag}: {report.narrative}",
        "Status report",
        summary.rag == "red",
        0,
        None,
        None,
        report.said.occurred_at,
    )


def today_in_words(today: date) -> str:
    """The day under the title."""
    return f"{today:%A}, {say.day(today)}"

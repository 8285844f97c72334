"""Content of the portfolio page: headline, stages, figures, and engagements needing attention."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.counting import counted
from contracts.money import Money
from gateway.formatting import UNKNOWN, day, listed, number, percent, points, ratio, whole
from gateway.pages.names import OVER, UNDER_WAY, Names, rule_title, stage_name
from gateway.portfolio.figures import ConfidentialFigures, CurrencyFigures, Portfolio
from gateway.portfolio.reporting import ReportedPart, Reporting
from gateway.portfolio.summary import Summary
from gateway.rules import Disconnect
from gateway.view.engagement_view import View

_BAR = 1000
"""Width of the bar of stages, in units of its view box."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stage: its number of engagements, and the start and width of its part of the bar."""

    stage: str
    name: str
    count: int
    start: str = "0"
    width: str = "0"


def under_way(portfolio: Portfolio) -> list[Segment]:
    """Return the stages of engagements that have not ended, as parts of a bar in proportion."""
    total = sum(portfolio.by_stage[stage] for stage in UNDER_WAY)
    segments, start = [], 0.0
    for stage in UNDER_WAY:
        count = portfolio.by_stage[stage]
        width = _BAR * count / total if total else 0.0
        segments.append(Segment(stage, stage_name(stage), count, f"{start:.1f}", f"{width:.1f}"))
        start += width
    return segments


def over(portfolio: Portfolio) -> list[Segment]:
    """Return the stages of engagements that have ended."""
    return [Segment(stage, stage_name(stage), portfolio.by_stage[stage]) for stage in OVER]


def headline(portfolio: Portfolio) -> str:
    """Return the portfolio in two sentences."""
    active = sum(portfolio.by_stage[stage] for stage in UNDER_WAY)
    engagements = counted(portfolio.engagements, "engagement")
    counts = f"{engagements}, {number(active)} under way"
    serious, warning = portfolio.disconnects["serious"], portfolio.disconnects["warning"]
    if not serious + warning:
        return f"{counts}. There are no open disconnects."
    open_now = f"{counted(serious + warning, 'disconnect')} between departments"
    of_them = f", {number(serious)} of them serious" if serious else ""
    stakes = [
        f"{whole(each.at_stake)} {each.currency}" for each in portfolio.currencies if each.at_stake
    ]
    unknown = portfolio.at_stake_unknown
    money = f"; {listed(stakes)} at stake" if stakes else ""
    if stakes and unknown:
        money += f", and an unknown amount in {number(unknown)} of them"
    return f"{counts}. {open_now}{of_them}{money}."


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its label, its value as text, and a note."""

    key: str
    label: str
    value: str
    note: str


def figures(portfolio: Portfolio) -> list[Figure]:
    """Return the figures of the portfolio that are not amounts."""
    managed, hours = portfolio.project_management_hours, portfolio.approved_hours
    score = portfolio.net_promoter_score
    signed = UNKNOWN if score is None else f"{'+' if score > 0 else ''}{number(score)}"
    return [
        Figure(
            "utilisation",
            "Utilisation",
            percent(portfolio.utilisation, 0),
            "billable hours of available ones, last four weeks",
        ),
        Figure(
            "management",
            "Project management",
            percent(managed / hours if hours else None, 0),
            "share of all hours approved",
        ),
        Figure(
            "satisfaction",
            "Satisfied customers",
            points(portfolio.customer_satisfaction, 0),
            "answers of 4 or 5",
        ),
        Figure("promoters", "Net promoter score", signed, "promoters less detractors"),
        Figure("hold", "On hold", number(portfolio.on_hold), "engagements"),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of amounts, with a cell per currency."""

    label: str
    cells: tuple[str, ...]
    part: bool = False
    """True if it is included in the line above."""


@dataclass(frozen=True, slots=True)
class Group:
    """A labelled group of lines."""

    label: str
    lines: tuple[Line, ...]
    confidential: bool = False


def amounts(portfolio: Portfolio) -> list[Group]:
    """Return the amounts in whole units of each currency; none is added across currencies."""
    each = portfolio.currencies

    def line(
        label: str, of: Callable[[CurrencyFigures], Decimal | None], *, part: bool = False
    ) -> Line:
        return Line(label, tuple(whole(of(figures)) for figures in each), part)

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
                line("Paid, with tax", lambda one: one.paid),
                line("Outstanding, with tax", lambda one: one.outstanding),
                line("of which overdue", lambda one: one.overdue, part=True),
            ),
        ),
        Group(
            "Taken over",
            (
                line("Price", lambda one: one.imported_price),
                line("Billed before", lambda one: one.imported_billed),
                line("Paid before", lambda one: one.imported_paid),
            ),
        ),
        Group(
            "Imported history",
            (
                line("Open in a CRM", lambda one: one.imported_history["open"]),
                line("Won before", lambda one: one.imported_history["won"]),
                line("Lost before", lambda one: one.imported_history["lost"]),
            ),
        ),
        Group(
            "Disconnects",
            (
                line("At stake", lambda one: one.at_stake),
                line("Sum of all disconnects", lambda one: one.at_stake_sum),
            ),
        ),
    ]
    return groups + _costs(portfolio.confidential or ())


_MARGINS = (
    ("Sold", "sold"),
    ("Billed", "billed"),
    ("Recognised", "recognised"),
    ("Forecast", "forecast"),
    ("By trend", "by_trend"),
)
"""The margins of the portfolio, with the names of their fields."""


def _costs(each: Sequence[ConfidentialFigures]) -> list[Group]:
    if not each:
        return []

    def cost(label: str, of: Callable[[ConfidentialFigures], Decimal], *, part: bool) -> Line:
        return Line(label, tuple(whole(of(figures)) for figures in each), part)

    def margin(label: str, which: str) -> Line:
        margins = (getattr(figures, f"margin_{which}").margin for figures in each)
        return Line(label, tuple(percent(value) for value in margins))

    def margins() -> Iterator[Line]:
        for label, which in _MARGINS:
            yield margin(label, which)
            without = tuple(getattr(figures, f"margin_{which}").without for figures in each)
            if any(without):
                yield Line("engagements without it", tuple(map(number, without)), part=True)

    def index(label: str, which: str) -> Line:
        return Line(label, tuple(ratio(getattr(one.performance, which)) for one in each))

    lacking = tuple(number(figures.cost_unknown) for figures in each)
    return [
        Group(
            "Cost",
            (
                cost("To date", lambda one: one.cost, part=False),
                Line("entries and expenses of unknown cost, not included", lacking, part=True),
                cost(
                    "of which project management",
                    lambda one: one.project_management_cost,
                    part=True,
                ),
                cost("Expected losses provided for", lambda one: one.expected_losses, part=False),
            ),
            confidential=True,
        ),
        Group(
            "Contracts at the end of the last booked month",
            (
                cost("Contract assets", lambda one: one.contract_assets, part=False),
                cost("Contract liabilities", lambda one: one.contract_liabilities, part=False),
                Line(
                    "contracts without recognised revenue, not included",
                    tuple(number(figures.contract_balances_unknown) for figures in each),
                    part=True,
                ),
            ),
            confidential=True,
        ),
        Group("Margin", tuple(margins()), confidential=True),
        Group(
            "Earned value",
            (
                cost("Planned", lambda one: one.performance.planned_value, part=False),
                cost("Earned", lambda one: one.performance.earned_value, part=False),
                cost("Spent", lambda one: one.performance.actual_cost, part=False),
                index("CPI", "cost_performance_index"),
                index("SPI", "schedule_performance_index"),
            ),
            confidential=True,
        ),
    ]


_REPORTED = {
    "pipeline.opportunity": "Opportunities",
    "pipeline.proposal": "Proposals",
    "pipeline_weighted": "Pipeline, weighted by probability",
    "backlog": "Backlog",
    "backlog_clean": "of which signed",
    "recognised": "Recognised",
    "billed": "Billed",
    "paid": "Paid, with tax",
    "outstanding": "Outstanding, with tax",
    "overdue": "of which overdue",
    "at_stake": "At stake",
    "at_stake_sum": "Sum of all disconnects",
    "cost": "Cost to date",
    "project_management_cost": "of which project management",
}
"""Labels of the figures that are shown in the reporting currency."""


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """An amount in the reporting currency, and the originals with their rates, as text."""

    label: str
    total: str
    originals: str


def reported_lines(reporting: Reporting | None) -> list[ReportedLine]:
    """Return the amounts in whole units of the reporting currency, with what they consist of."""
    if reporting is None:
        return []
    return [
        ReportedLine(
            label, whole(figure.total), listed([_original(part) for part in shown]) or UNKNOWN
        )
        for name, label in _REPORTED.items()
        if (figure := reporting.figures.get(name)) is not None
        and (shown := [part for part in figure.parts if part.original != 0])
    ]


def _original(part: ReportedPart) -> str:
    amount = f"{whole(part.original)} {part.currency}"
    if part.exchange_rate is None:
        return amount
    return f"{amount} at {part.exchange_rate} (version {part.version})"


@dataclass(frozen=True, slots=True)
class Attention:
    """An engagement that needs attention: the most serious reason, and the number of others."""

    summary: Summary
    account: str
    why: str
    rule: str
    serious: bool
    more: int
    at_stake: Money | None
    exposure: Money | None
    days: int | None
    since: datetime | None


def attention(
    summary: Summary,
    view: View,
    disconnects: Sequence[Disconnect],
    names: Names,
    *,
    confidential: bool,
) -> Attention | None:
    """Return why an engagement needs attention: its most serious open disconnect, or its report.

    `disconnects` are those without a waiver. Return None where every reason is confidential and the
    reader may not see it.
    """
    unresolved = sorted(
        (each for each in disconnects if confidential or not each.confidential),
        key=lambda each: (each.severity != "serious", each.since, each.finding),
    )
    if unresolved:
        worst = unresolved[0]
        return Attention(
            summary,
            names.account(summary.account),
            worst.sentence,
            rule_title(worst.rule),
            worst.severity == "serious",
            len(unresolved) - 1,
            worst.at_stake,
            worst.exposure,
            worst.days,
            worst.since,
        )
    report = view.delivery.report
    if report is None or summary.rag not in ("amber", "red"):
        return None
    return Attention(
        summary,
        names.account(summary.account),
        f"The last status report is {summary.rag}: {report.event.narrative}",
        "Status report",
        summary.rag == "red",
        0,
        None,
        None,
        None,
        report.said.occurred_at,
    )


def today_in_words(today: date) -> str:
    """Return the day with its weekday, for the title."""
    return f"{today:%A}, {day(today)}"

"""The portfolio of all engagements, read from the totals of their figures."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from chassis.base.view_model import ViewModel
from contracts.decimals import ROUNDING, Number
from contracts.money import Money
from contracts.survey_scores import customer_satisfaction, net_promoter_score
from gateway.portfolio.figures.costs import ConfidentialFigures, confidential_figures
from gateway.portfolio.figures.disconnects import disconnect_counts
from gateway.portfolio.figures.imported import OUTCOMES
from gateway.portfolio.figures.sums import ZERO
from gateway.portfolio.figures.utilisation import utilisation
from gateway.view.engagement_view import STAGES


class CurrencyFigures(ViewModel):
    """The portfolio in one currency; amounts are decimal numbers in it.

    `paid`, `outstanding` and `overdue` are with tax, all other amounts without. Backlog is what
    was sold and is not yet recognised as revenue. Backlog and recognised revenue
    are null for readers without the role `confidential` where an engagement's revenue is recognised
    in proportion to cost, since they would reveal it. `at_stake` is at most its price for each
    engagement, and counts only the longest delay of its work; `at_stake_sum` is the sum of what all
    open disconnects state. `imported_price`, `imported_billed` and
    `imported_paid` are those of engagements that were taken over while they were under way, and
    `imported_history` are values of deals in a CRM, by outcome; no other amount contains them.
    """

    currency: str
    pipeline: dict[str, Number]
    pipeline_weighted: Number
    backlog: Number | None
    backlog_clean: Number | None
    billed: Number
    paid: Number
    outstanding: Number
    overdue: Number
    recognised: Number | None
    at_stake: Number
    at_stake_sum: Number
    imported_price: Number
    imported_billed: Number
    imported_paid: Number
    imported_history: dict[str, Number]


class Portfolio(ViewModel):
    """Figures of all engagements.

    Imported history, deals that a CRM had and no one took up here, is a part of its own
    (`imported_history`, by outcome): `engagements`, stages and all other figures are without it.
    Disconnects that would reveal costs or margins count only for readers with the role
    `confidential`. Utilisation is approved billable hours over available hours of Delivery's people
    in the four full weeks before `today`, as a ratio; customer satisfaction is in percent, the net
    promoter score in points. A figure that is not known is null. `at_stake_unknown` is the
    number of open disconnects whose amount is not known; no currency's `at_stake` or `at_stake_sum`
    includes them, and neither do confidential disconnects.
    """

    today: date
    engagements: int
    imported: int
    imported_history: dict[str, int]
    by_stage: dict[str, int]
    on_hold: int
    rag: dict[str, int]
    disconnects: dict[str, int]
    at_stake_unknown: int
    currencies: list[CurrencyFigures]
    confidential: list[ConfidentialFigures] | None
    utilisation: Number | None
    customer_satisfaction: Number | None
    net_promoter_score: Number | None
    approved_hours: Number
    project_management_hours: Number


def build_portfolio(
    totals: Mapping[str, Decimal],
    today: date,
    available_hours: Decimal | None,
    *,
    with_confidential: bool,
) -> Portfolio:
    """Return the portfolio of these totals on a day (UTC).

    `available_hours` are those of Delivery's people in `utilisation_weeks`, None where unknown.
    Costs and margins are left out unless the reader may see them.
    """

    def figure(name: str) -> Decimal:
        return totals.get(name, ZERO)

    def count(name: str) -> int:
        return int(figure(name))

    currencies = sorted({name[:3] for name in totals if name[3:4] == "." and name[:3].isupper()})
    return Portfolio(
        today=today,
        engagements=sum(count(f"stage.{stage}") for stage in STAGES),
        imported=count("imported"),
        imported_history={outcome: count(f"imported.{outcome}") for outcome in OUTCOMES},
        by_stage={stage: count(f"stage.{stage}") for stage in STAGES},
        on_hold=count("on-hold"),
        rag={colour: count(f"rag.{colour}") for colour in ("green", "amber", "red")},
        at_stake_unknown=count("at-stake-unknown"),
        disconnects=disconnect_counts(count, with_confidential=with_confidential),
        currencies=[
            _currency(figure, currency, with_confidential=with_confidential)
            for currency in currencies
        ],
        confidential=(
            [confidential_figures(figure, currency) for currency in currencies]
            if with_confidential
            else None
        ),
        utilisation=utilisation(figure, today, available_hours),
        customer_satisfaction=customer_satisfaction(
            figure("csat.satisfied"), figure("csat.answers"), 1
        ),
        net_promoter_score=net_promoter_score(
            figure("nps.promoters"), figure("nps.detractors"), figure("nps.answers"), 1
        ),
        approved_hours=figure("hours.approved"),
        project_management_hours=figure("hours.project-management"),
    )


def _currency(
    figure: Callable[[str], Decimal], currency: str, *, with_confidential: bool
) -> CurrencyFigures:
    def amount(name: str) -> Decimal:
        return figure(f"{currency}.{name}")

    hidden = not with_confidential and bool(amount("recognised-by-cost"))

    def of_revenue(name: str) -> Decimal | None:
        return None if hidden else amount(name)

    return CurrencyFigures(
        currency=currency,
        pipeline={stage: amount(f"pipeline.{stage}") for stage in ("opportunity", "proposal")},
        pipeline_weighted=Money.nearest(amount("pipeline-weighted"), currency, ROUNDING).amount,
        backlog=of_revenue("backlog"),
        backlog_clean=of_revenue("backlog-clean"),
        billed=amount("billed"),
        paid=amount("paid"),
        outstanding=amount("outstanding"),
        overdue=amount("overdue"),
        recognised=of_revenue("recognised"),
        at_stake=amount("at-stake"),
        at_stake_sum=amount("at-stake-sum"),
        imported_price=amount("imported-price"),
        imported_billed=amount("imported-billed"),
        imported_paid=amount("imported-paid"),
        imported_history={outcome: amount(f"imported-{outcome}") for outcome in OUTCOMES},
    )

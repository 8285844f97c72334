"""The summary of an engagement: the fields that lists show, filter and sort by."""

from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from chassis.base.view_model import ViewModel
from contracts.decimals import Number
from contracts.reference import Tolerances
from gateway.rules import Disconnect
from gateway.rules.computed_status import statuses, worst_computed
from gateway.view.engagement_view import View
from gateway.view.waiting import Waits

_RAG_WEIGHT = {"green": 0, "amber": 10, "red": 40}


class Summary(ViewModel):
    """An engagement in a list.

    `history` marks a deal that a CRM had and no one took up here.
    `import_lacks` names the departments that have not taken over their part of an engagement that
    was under way. `attention` is higher the more is wrong; 0 needs none. `disconnects` is the
    number of those that are open and not waived, and `sentence` that of the worst. `price` is a
    decimal number in `currency`; `finish` is contracted, or else promised. `rag` is the worst
    colour of the last status report, and `computed_rag` the worst that follows from figures: from
    open changes, and for readers of confidential figures also from CPI and SPI. An engagement with
    `waits` is incomplete: an event of it could not be processed.
    """

    engagement: str
    title: str | None
    account: str | None
    stage: str
    on_hold: bool
    imported: bool
    history: bool
    import_lacks: list[str]
    owner: str | None
    manager: str | None
    tier: str | None
    currency: str | None
    price: Number | None
    finish: date | None
    forecast_finish: date | None
    rag: str | None
    computed_rag: str | None = None
    waits: Literal["parked", "newer-version"] | None = None
    attention: int
    disconnects: int
    sentence: str | None
    updated: datetime


def weight(disconnects: Iterable[Disconnect]) -> int:
    """Return the points of attention that disconnects add: 30 if serious, else 10."""
    return sum(30 if each.severity == "serious" else 10 for each in disconnects)


def worst_first(disconnects: Iterable[Disconnect]) -> list[Disconnect]:
    """Return disconnects with the serious ones first, each group by when it began."""
    return sorted(
        disconnects, key=lambda each: (each.severity != "serious", each.since, each.finding)
    )


def summary(
    view: View,
    disconnects: Mapping[str, Disconnect],
    waived: Container[str] = (),
    waits: Waits | None = None,
    tolerances: Tolerances | None = None,
) -> Summary:
    """Return the summary of a view and its disconnects by id; `waived` are ids of them.

    The computed status is that by the tolerances of the company, or by the defaults.
    Confidential disconnects are neither shown nor counted.
    """
    report, price = view.delivery.report, view.price
    active = not view.over
    rag = view.delivery.rag if active else None
    worst = worst_first(
        each
        for each in disconnects.values()
        if not each.confidential and each.finding not in waived
    )
    proposal = view.sales.latest_proposal
    promised = proposal.promised_finish if proposal is not None else None
    return Summary(
        engagement=view.engagement,
        title=view.sales.title,
        account=view.sales.account,
        stage=view.stage,
        on_hold=view.on_hold,
        imported=view.sales.imported_from is not None,
        history=view.is_history,
        import_lacks=view.import_lacks if view.taken_over else [],
        owner=view.sales.owner,
        manager=view.delivery.manager,
        tier=view.delivery.tier,
        currency=view.currency,
        price=price.amount if price is not None else None,
        finish=view.legal.contract_finish or promised,
        forecast_finish=report.event.forecast_finish if report is not None else None,
        rag=rag,
        computed_rag=worst_computed(statuses(view, tolerances or Tolerances(), confidential=False)),
        waits=waits.state if waits is not None else None,
        attention=weight(worst) + _RAG_WEIGHT[rag or "green"],
        disconnects=len(worst),
        sentence=worst[0].sentence if worst else None,
        updated=max(
            (fresh.recorded_at for fresh in view.open_freshness()),
            default=datetime.fromtimestamp(0).astimezone(),
        ),
    )

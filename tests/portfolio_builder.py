"""Build the events of a portfolio of engagements, each a variation of `tests.builders.Life`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded, decode, encode
from contracts.values import Margin
from tests.amounts import eur
from tests.builders import HASH, Life, line_change

BEGINS = date(2026, 1, 5)


def named(number: int) -> str:
    """Return the id of the n-th engagement."""
    return f"E-{number:013d}"


def retold(
    events: Iterable[Recorded[Event]],
    *,
    engagement: str | None = None,
    title: str | None = None,
    account: str | None = None,
    currency: str | None = None,
    factor: int = 1,
) -> list[Recorded[Event]]:
    """Return copies of events for another engagement, with amounts multiplied by a factor."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"amount", "currency"}:
                amount = value["amount"] * factor
                return {"amount": amount, "currency": currency or value["currency"]}
            return {name: changed(each) for name, each in value.items()}
        if isinstance(value, tuple | list):
            return tuple(changed(each) for each in value)
        return value

    def changed_event(event: Event) -> Event:
        fields = changed(event.model_dump())
        if isinstance(event, sales.OpportunityOpened):
            fields |= {"title": title or event.title, "account": account or event.account}
        return type(event).model_validate(fields)

    copies = []
    for recorded in events:
        subject = engagement or recorded.subject
        own_id = recorded.id.replace(recorded.subject, subject)
        event = changed_event(recorded.event)
        copies.append(replace(recorded, id=own_id, subject=subject, event=event, record=None))
    return copies


def late(life: Life) -> Life:
    """Add a status report that forecasts the finish three weeks after the contract's."""
    return life.say(104, life.report(9, 104, finish=171, cost="amber"), deaf_to=("legal",))


def underpriced(life: Life) -> Life:
    """Add a drafted SOW whose price is lower than the deal's, and Finance's objection."""
    life.won().say(
        16,
        legal.FileOpened(account="acme", title="Portal for Acme"),
        life.sow(
            price=eur(92_500),
            lines=(life.lines()[0].model_copy(update={"price": eur(72_500)}), life.lines()[1]),
        ),
    )
    return life.say(18, delivery.SowReviewed(version=1, content_hash=HASH, verdict="approved")).say(
        19,
        finance.SowReviewed(
            version=1,
            content_hash=HASH,
            verdict="objected",
            why="The deal was won at another price.",
        ),
    )


def green_in_the_red(life: Life) -> Life:
    """Add confidential figures and a margin that contradict the reported green status."""
    margin = Margin(revenue=eur(100_000), cost=eur(70_000), margin=Decimal("0.3"))
    forecast = Margin(revenue=eur(100_000), cost=eur(88_000), margin=Decimal("0.12"))
    return life.worked().say(
        105,
        finance.PerformanceMeasured(
            as_of=life.day(104),
            report=life.measured_report(),
            budget_at_completion=eur(70_000),
            planned_value=eur(50_000),
            earned_value=eur(38_000),
            actual_cost=eur(48_000),
            cost_variance=eur(-10_000),
            schedule_variance=eur(-12_000),
            cost_performance_index=Decimal("0.79"),
            schedule_performance_index=Decimal("0.76"),
            estimate_to_complete=eur(40_000),
            estimate_at_completion_by_hours=eur(88_000),
            estimate_at_completion=eur(88_000),
            variance_at_completion=eur(-18_000),
            estimate_at_completion_by_trend=eur("88421.05"),
            estimate_at_completion_as_planned=eur(80_000),
            estimate_at_completion_by_cost_and_schedule=eur("101185.60"),
            to_complete_performance_index=Decimal("1.454545"),
            to_complete_performance_index_for_estimate=Decimal("0.8"),
        ),
        finance.MarginMeasured(
            as_of=life.day(104),
            report=life.measured_report().report,
            forecast_on=life.day(104),
            margin_sold=margin,
            margin_billed=Margin(revenue=eur(30_000), cost=eur(48_000), margin=Decimal("-0.6")),
            margin_recognised=None,
            margin_forecast=forecast,
        ),
    )


def unfollowed(life: Life) -> Life:
    """Add a change that is implemented though the customer never approved it."""
    return (
        life.worked()
        .say(
            80,
            delivery.ChangeRequested(
                change="CR-1",
                requested_by="cora",
                description="Single sign-on with the customer's directory.",
                requested_on=life.day(80),
            ),
        )
        .say(
            84,
            finance.ChangePriced(
                change="CR-1",
                changes=(line_change("build", 14_400, engineer=144),),
                price=eur(14_400),
            ),
        )
        .say(
            100,
            delivery.ChangeImplemented(change="CR-1", implemented_on=life.day(100)),
            deaf_to=("finance",),
        )
    )


@cache
def company() -> tuple[Recorded[Event], ...]:
    """Return the events of eleven engagements, some with disconnects, as read from a topic."""
    number = count(1)
    begun = lambda: Life(named(next(number)), BEGINS)  # noqa: E731
    engagements: list[tuple[str, str, str, int, Life]] = [
        ("Warehouse control, phase two", "acme", "EUR", 3, late(begun().worked())),
        ("Customer portal", "birch", "EUR", 1, underpriced(begun())),
        ("Grid forecasting", "corvus", "USD", 4, green_in_the_red(begun())),
        ("Fleet telemetry", "acme", "EUR", 2, unfollowed(begun())),
        ("Billing migration", "corvus", "USD", 2, begun().worked(14)),
        ("Meter data hub", "corvus", "USD", 6, begun().kicked_off()),
        ("Dispatch planning", "acme", "EUR", 1, begun().signed()),
        ("Returns desk", "birch", "GBP", 1, begun().proposed()),
        ("Harbour app", "birch", "EUR", 2, begun().opened()),
        ("Route optimiser", "acme", "EUR", 1, begun().closed()),
        (
            "Data warehouse",
            "birch",
            "GBP",
            2,
            Life(named(next(number)), BEGINS)
            .proposed()
            .say(
                20,
                sales.DealLost(reason="price", competitor="Northwind", lost_on=date(2026, 1, 25)),
            ),
        ),
    ]
    return tuple(
        decode(encode(event))
        for title, account, currency, factor, life in engagements
        for event in retold(
            life.events, title=title, account=account, currency=currency, factor=factor
        )
    )

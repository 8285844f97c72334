"""Test that the gateway shows obligations of the contract until they are met or withdrawn."""

from datetime import date
from decimal import Decimal

from contracts.delivery import PirHeld
from contracts.event import Event
from contracts.legal import (
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
)
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event, dump, load
from testkit.scenario import RecordsOf
from tests.builders import HASH, Life
from tests.unit.gateway.test_engagement_view import view_of

TODAY = date(2026, 4, 14)
DUE = date(2026, 4, 13)
RECORDED = ObligationRecorded(
    obligation="OB-1",
    text="Show that the work is insured.",
    owed_by="company",
    person="carl",
    due_on=DUE,
    clause="11.4 Insurance",
    document=HASH,
    recorded_on=DUE,
)
MET = ObligationMet(obligation="OB-1", met_on=TODAY)
REOPENED = ObligationReopened(
    **{name: value for name, value in RECORDED if name != "recorded_on"},
    why="Last year's.",
    met_on=TODAY,
    reopened_on=TODAY,
)
WITHDRAWN = ObligationWithdrawn(obligation="OB-1", why="Not ours.", withdrawn_on=TODAY)
OPEN = "carl, for the company: 11.4 Insurance, due 13 Apr 2026"


def shown(*events: Event, today: date = TODAY) -> tuple[str, ...]:
    """Return the lines of the obligations in Legal's panel after some events."""
    life = Life().signed().say(90, *events)
    view = View(life.engagement)
    for recorded in life.events:
        apply_event(view, recorded)
    assert load(dump(view)) == view
    found = panels(view, Names(RecordsOf([])), today, confidential=False)
    rows = next(each.rows for each in found if each.department == "legal")
    return next((row.lines for row in rows if row.label == "Obligations"), ())


def test_an_obligation_is_overdue_after_its_day() -> None:
    assert shown() == ()
    assert shown(RECORDED, today=DUE) == (OPEN,)
    assert shown(RECORDED) == (f"{OPEN}, overdue",)
    theirs = RECORDED.model_copy(update={"owed_by": "customer", "person": "cora", "due_on": None})
    assert shown(theirs) == ("cora, for the customer: 11.4 Insurance",)


def test_an_obligation_is_met_reopened_and_withdrawn() -> None:
    assert shown(RECORDED, MET) == ("carl, for the company: 11.4 Insurance, met 14 Apr 2026",)
    assert shown(RECORDED, MET, REOPENED) == (f"{OPEN}, overdue",)
    assert shown(RECORDED, WITHDRAWN) == ()


def test_an_obligation_that_is_overdue_at_the_review_is_a_loose_end() -> None:
    reviewed = PirHeld(
        held_on=TODAY,
        went_well=(),
        went_badly=(),
        sold_hours=Decimal(960),
        delivered_hours=Decimal(600),
    )

    def loose(*events: Event) -> list[str]:
        life = Life().accepted().say(150, *events)
        found = judge(view_of(life.events), life.day(151)).values()
        return [each.sentence for each in found if each.rule == "closing-with-loose-ends"]

    [sentence] = loose(RECORDED, MET, reviewed, REOPENED)
    assert sentence.endswith("the obligation of the company by clause 11.4 Insurance.")
    assert loose(RECORDED) == loose(RECORDED, MET, reviewed) == loose(RECORDED, reviewed, MET) == []
    assert loose(RECORDED, reviewed, WITHDRAWN) == []
    undated = RECORDED.model_copy(update={"due_on": None})
    assert loose(undated, reviewed) == []

"""Test what the gateway shows of work whose approval was reversed after it was billed or held."""

import asyncio
from datetime import date
from decimal import Decimal

import httpx

from contracts import delivery, finance
from contracts.money import Money
from contracts.roles import Role
from gateway.portfolio.figures import build_portfolio, contribution
from gateway.view.approved_work import LineWork, approved_work
from tests.amounts import eur, per_hour
from tests.builders import Life
from tests.in_process_gateway import InMemory, app_of, token
from tests.invoices import untaxed, untaxed_credit
from tests.unit.gateway.test_contract_lines import hourly
from tests.unit.gateway.test_disconnects import evidence, findings
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import approved, costed, reversal

WORK = approved("T-1", date(2026, 3, 2), 40, task="care", line="support")
"""8 h of an engineer on five days, at 100 EUR an hour."""
GONE = WORK.model_copy(update={"entries": WORK.entries[:2]})
INVOICE = "I-support"


def support(life: Life) -> LineWork:
    return next(each for each in approved_work(view_of(life.events)) if each.line == "support")


def billed() -> Life:
    """Return an engagement whose week is on an invoice."""
    life = hourly().say(60, WORK)
    days = tuple(finance.DayHours(day=each.day, hours=each.hours) for each in WORK.entries)
    line = finance.InvoiceLine(
        invoice_line="L-1",
        description="Time",
        line="support",
        amount=eur(4_000),
        role="engineer",
        hours=Decimal(40),
        rate=per_hour(100),
        days=days,
    )
    issued = finance.InvoiceIssued(
        invoice=INVOICE,
        number="2026-00007",
        billing_event="due-7",
        kind="time",
        **untaxed(eur(4_000)),
        advance_drawn=eur(0),
        lines=(line,),
        issued_on=life.day(61),
        due_on=life.day(120),
    )
    return life.say(61, issued)


def reversed_works() -> tuple[finance.ReversedWork, ...]:
    return tuple(
        finance.ReversedWork(
            kind="time",
            entry=each.entry,
            on=each.day,
            person=GONE.person,
            hours=each.hours,
            amount=eur(800),
            invoice_line="L-1",
            line="support",
            role="engineer",
            rate=per_hour(100),
        )
        for each in GONE.entries
    )


def credited_works() -> tuple[finance.CreditedWork, ...]:
    fields = finance.BilledWork.model_fields
    return tuple(
        finance.CreditedWork(**{name: getattr(each, name) for name in fields})
        for each in reversed_works()
    )


def test_billed_work_that_is_reversed_is_found_until_it_is_credited() -> None:
    life = billed()
    assert support(life).unbilled == eur(0)
    noted = finance.BilledWorkReversed(invoice=INVOICE, works=reversed_works(), amount=eur(1_600))
    life.say(70, reversal(GONE, "Wrong task.", life.day(70))).say(70, noted)
    found = findings(life, 71)["reversed-work-billed.I-support"]
    assert (found.owner, found.at_stake) == ("finance", eur(1_600))
    assert evidence(found) == ["invoice-issued", "billed-work-reversed"]
    # What is recorded again is not billed yet: the invoice bills the hours that were reversed.
    again = approved("T-2", date(2026, 3, 2), 16, task="care", line="support")
    assert support(life.say(71, again)).unbilled == eur(1_600)

    credit = finance.CreditNoteIssued(
        credit_note="CN-1",
        number="2026-00001",
        invoice=INVOICE,
        **untaxed_credit(eur(1_600), "2026-00007", line="support", works=credited_works()),
        why="Wrong task.",
        issued_on=life.day(72),
    )
    life.say(72, credit)
    assert "reversed-work-billed.I-support" not in findings(life, 72)
    assert support(life).unbilled == eur(1_600)


def test_work_is_unbilled_again_unless_it_was_given_back_for_good() -> None:
    """Credit two of five days; the figures of the lines follow the credit's intent."""
    for intent, unbilled in (("cancel-and-rebill", 1_600), ("give-back", 0)):
        life = billed()
        content = untaxed_credit(eur(1_600), line="support", works=credited_works())
        credit = finance.CreditNoteIssued(
            credit_note="CN-1",
            number="2026-00001",
            invoice=INVOICE,
            **{**content, "intent": intent},
            why="Wrong rate.",
            issued_on=life.day(72),
        )
        life.say(72, credit)
        assert support(life).unbilled == eur(unbilled)
        invoice = view_of(life.events).finance.invoices[INVOICE]
        assert (invoice.credited, invoice.billed_on("support")) == (eur(1_600), eur(2_400))


def test_an_edited_draft_bills_what_is_left() -> None:
    life = hourly().say(60, WORK)
    for days, kind, hours in ((61, finance.InvoiceDrafted, 40), (62, finance.InvoiceEdited, 24)):
        content = {
            "invoice": INVOICE,
            "billing_event": "due-7",
            "kind": "time",
            "amount": eur(hours * 100),
            "advance_drawn": eur(0),
            "lines": [
                {
                    "invoice_line": "L-1",
                    "description": "Time",
                    "line": "support",
                    "amount": eur(hours * 100),
                    "role": "engineer",
                    "hours": hours,
                    "rate": per_hour(100),
                }
            ],
        }
        removed = {"removed": reversed_works()} if kind is finance.InvoiceEdited else {}
        life.say(days, kind.model_validate({**content, **removed}))
    [line] = view_of(life.events).finance.drafts[INVOICE].lines
    assert line.amount == eur(2_400)


Withheld = finance.WorkHeld | finance.WorkWrittenDown | finance.WithheldWorkReversed


def works_of(kind: type[Withheld], **more: object) -> Withheld:
    works = tuple(
        finance.UnbilledWork(
            kind="time",
            entry=each.entry,
            on=each.day,
            role="engineer",
            hours=each.hours,
            worth=eur(800),
        )
        for each in GONE.entries
    )
    return kind.model_validate({"line": "support", "works": works, "worth": eur(1_600), **more})


def test_held_and_written_down_work_that_is_reversed_counts_no_more() -> None:
    for kind, name in ((finance.WorkHeld, "held"), (finance.WorkWrittenDown, "written_down")):
        life = hourly().say(60, WORK).say(61, works_of(kind, why="Late."))
        assert (getattr(support(life), name), support(life).unbilled) == (eur(1_600), eur(2_400))
        life.say(62, reversal(GONE, "Wrong task.", life.day(62)))
        life.say(62, works_of(finance.WithheldWorkReversed))
        assert (getattr(support(life), name), support(life).unbilled) == (eur(0), eur(2_400))
        assert getattr(view_of(life.events).finance, name) == {}


def test_reversed_cost_is_subtracted() -> None:
    work = approved("T-m", date(2026, 3, 2), 8, kind="project-management")
    life = hourly().say(60, costed(work, "80", "640"))
    cost = costed(work, "80", "0")
    life.say(61, finance.CostReversed(**dict(cost)))
    section = view_of(life.events).confidential
    nothing = Money.zero("EUR")
    assert (section.cost, section.project_management_cost) == (nothing, nothing)


def page(life: Life, *roles: Role) -> str:
    """Return the page of the engagement as a person with these roles reads it."""

    async def read() -> str:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app_of(InMemory(*life.events), None)),
            base_url="http://gateway",
            cookies={"concord": token("eve", *roles)},
        ) as client:
            return (await client.get(f"/pages/engagements/{life.engagement}")).text

    return asyncio.run(read())


def test_the_cost_to_date_says_how_many_approved_works_it_lacks() -> None:
    spent = {
        "expense": "X-1",
        "person": "eve",
        "amount": eur(120),
        "description": "Train",
        "category": "travel",
        "spent_on": date(2026, 3, 2),
    }
    work = approved("T-m", date(2026, 3, 2), 8)
    other = approved("T-n", date(2026, 3, 2), 8, person="max", role="pilot")
    life = Life().kicked_off().say(60, work, costed(work, "80", "640"))
    assert view_of(life.events).cost_unknown == 0
    life.say(60, delivery.ExpenseApproved.model_validate(spent), other)
    view = view_of(life.events)
    assert (view.confidential.cost, view.cost_unknown) == (eur(640), 1 + len(other.entries))
    portfolio = build_portfolio(
        contribution(view, ()), life.day(61), Decimal(0), with_confidential=True
    )
    assert portfolio.confidential is not None
    assert portfolio.confidential[0].cost_unknown == view.cost_unknown
    lacking = f"{view.cost_unknown} entries and expenses of unknown cost"
    assert lacking in page(life, "executive", "confidential")
    assert lacking not in page(life, "executive")
    gone = {**spent, "why": "Twice.", "reversed_on": life.day(62)}
    life.say(62, reversal(other, "Not us.", life.day(62)))
    life.say(62, delivery.ExpenseReversed.model_validate(gone))
    life.say(63, reversal(work, "Not us.", life.day(63)))
    assert view_of(life.events).cost_unknown == 0
    life.say(63, finance.CostReversed(**dict(costed(work, "80", "0"))))
    life.say(64, other)
    assert view_of(life.events).cost_unknown == len(other.entries)


def test_what_stays_given_back_of_a_line_that_billed_ahead_is_not_unbilled() -> None:
    """Credit 3,500 of 4,000 that bill a day of 8 h and 32 h ahead, of which 500 were given back."""
    life = billed()
    [work, *_] = credited_works()
    part = {"hours": Decimal(3), "amount": eur(300), "given_back": eur(500)}
    works = (work.model_copy(update={**part, "given_back_hours": Decimal(5)}),)
    credit = finance.CreditNoteIssued(
        credit_note="CN-1",
        number="2026-00001",
        invoice=INVOICE,
        **untaxed_credit(eur(3_500), line="support", works=works),
        why="Wrong rate.",
        issued_on=life.day(72),
    )
    life.say(72, credit)
    assert support(life).unbilled == eur(3_500)

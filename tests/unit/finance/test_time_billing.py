"""Check gate 5 for time: approved, at the contracted rate, up to the cap, after the advance."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.event import Event
from contracts.finance import (
    BilledWork,
    BillingEventDue,
    ChangePriced,
    DayHours,
    InvoiceDrafted,
    InvoiceLineContent,
    InvoiceLineTerms,
    InvoiceVoided,
    WorkKind,
)
from contracts.lines import BillingItem, ContractLine, LineRate, NewLine
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote, VoidInvoice
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, ReleaseWork
from testkit.scenario import Outcome, Scenario, like
from tests.amounts import eur, per_hour, usd
from tests.unit.finance.builders import (
    HOURLY_SOW,
    MONDAY,
    amendment,
    assessed,
    contracted,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    line_rates,
    lined,
    opened,
    scope,
    sow_of,
    time,
)

APRIL = BillTime(month="2026-04")
ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))


def may(engagement: Scenario[Engagement]) -> Scenario[Engagement]:
    return engagement.on(date(2026, 5, 4))


def hourly() -> Scenario[Engagement]:
    return contracted(sow_of(hourly_line(ALL_AS_TIME)))


def advanced() -> Scenario[Engagement]:
    return issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))


def billed(entry: str, hours: int | None, amount: int | str, on: date = MONDAY) -> BilledWork:
    """Return what a line bills of a time entry; of an expense where there are no hours."""
    kind: WorkKind = "expense" if hours is None else "time"
    number = None if hours is None else Decimal(hours)
    return BilledWork(kind=kind, entry=entry, on=on, person="dev", hours=number, amount=eur(amount))


def test_a_month_bills_its_approved_hours_by_role_and_the_expenses_that_are_billed_on():
    worked = hearing(
        hourly(),
        time("a", role="architect", hours=10),
        time("b", hours=8),
        time("c", hours=2, day=date(2026, 4, 13)),
        time("d", hours=40, billable=False),
        time("e", hours=40, day=date(2026, 5, 4)),
        expense("x", eur("80.50")),
        expense("y", eur(70), billable=False),
        expense("z", usd(70)),
    )
    may(worked).when(APRIL, by="petra").then(
        BillingEventDue(
            billing_event="due-time-2026-04",
            line="work",
            item="time",
            kind="time",
            amount=eur("2480.50"),
            due_on=date(2026, 4, 30),
        ),
        InvoiceDrafted(
            invoice="invoice-time-2026-04",
            billing_event="due-time-2026-04",
            kind="time",
            lines=lined(
                "invoice-time-2026-04",
                InvoiceLineContent(
                    description="architect, approved time to 2026-04",
                    line="work",
                    amount=eur(1_400),
                    role="architect",
                    hours=Decimal(10),
                    rate=per_hour(140),
                    days=(DayHours(day=MONDAY, hours=Decimal(10)),),
                    works=(billed("a", 10, 1_400),),
                ),
                InvoiceLineContent(
                    description="developer, approved time to 2026-04",
                    line="work",
                    amount=eur(1_000),
                    role="developer",
                    hours=Decimal(10),
                    rate=per_hour(100),
                    days=(
                        DayHours(day=MONDAY, hours=Decimal(8)),
                        DayHours(day=date(2026, 4, 13), hours=Decimal(2)),
                    ),
                    works=(billed("b", 8, 800), billed("c", 2, 200, date(2026, 4, 13))),
                ),
                InvoiceLineContent(
                    description="Expenses to 2026-04",
                    line="work",
                    amount=eur("80.50"),
                    works=(billed("x", None, "80.50"),),
                ),
            ),
            amount=eur("2480.50"),
            advance_drawn=eur(0),
        ),
    )


def test_time_is_billed_once_and_late_approvals_with_the_next_month():
    billed = may(hearing(hourly(), time("a"))).after(APRIL)
    billed.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})
    late = hearing(billed, time("b", hours=1))
    late.when(APRIL).then(
        like(BillingEventDue, billing_event="due-time-2026-04-2", amount=eur(100)),
        like(InvoiceDrafted, invoice="invoice-time-2026-04-2"),
    )
    late.when(BillTime(month="2026-05")).then(
        like(BillingEventDue, billing_event="due-time-2026-05", due_on=date(2026, 5, 4)),
        like(InvoiceDrafted),
    )


def test_an_invoice_line_names_the_days_of_its_hours():
    second = date(2026, 4, 13)

    def days(outcome: Outcome[Engagement]) -> list[tuple[date, int]]:
        [draft] = [each for each in outcome.events if isinstance(each, InvoiceDrafted)]
        return [(each.day, int(each.hours)) for line in draft.lines for each in line.days]

    first = may(hearing(hourly(), time("a"), time("b", day=second))).when(APRIL)
    assert days(first) == [(MONDAY, 8), (second, 8)]
    late = hearing(first.after, time("c", hours=2)).when(APRIL)
    assert days(late) == [(MONDAY, 2)]
    capped = contracted(sow_of(hourly_line(ALL_AS_TIME, estimated=False)))
    beyond = may(hearing(capped, time("a", hours=150), time("b", hours=100, day=second)))
    assert days(beyond.when(APRIL)) == [(MONDAY, 150), (second, 50)]


def test_a_future_month_is_not_billed():
    may(hourly()).when(BillTime(month="2026-06")).then_refused("month-not-begun")


def test_time_is_billed_up_to_its_cap_and_the_rest_when_an_amendment_raises_it():
    worked = may(hearing(hourly(), time("a", hours=205)))
    capped = worked.when(APRIL).then(
        like(BillingEventDue, amount=eur(20_000)), like(InvoiceDrafted, amount=eur(20_000))
    )
    capped.when(APRIL).then_refused(
        "amount-not-billable", missing={"cap-spent"}, saying="cap of 20,000.00 EUR of line work"
    )
    raised = amendment(line_change())
    hearing(capped, raised).when(APRIL).then(
        like(BillingEventDue, item="amendment-A-CR-1", amount=eur(500)), like(InvoiceDrafted)
    )


def test_time_that_fills_two_entries_is_billed_on_both():
    two = sow_of(
        hourly_line(
            BillingItem(item="one", kind="time", amount=eur(1_000)),
            BillingItem(item="two", kind="time", amount=eur(19_000)),
        )
    )
    may(hearing(contracted(two), time("a", hours=15))).when(APRIL).then(
        like(BillingEventDue, item="one", amount=eur(1_000)),
        like(InvoiceDrafted),
        like(BillingEventDue, item="two", amount=eur(500)),
        like(InvoiceDrafted),
    )


def test_an_advance_is_drawn_down_before_anything_more_is_invoiced():
    few = may(hearing(advanced(), time("a", hours=30)))
    few.when(APRIL).then_refused(
        "amount-not-billable", missing={"work-covered-by-advance"}, saying="4,000.00 EUR is left"
    )
    more = hearing(few, time("b", hours=30))
    billed = more.when(APRIL)
    billed.then(
        like(BillingEventDue, amount=eur(2_000)),
        like(InvoiceDrafted, amount=eur(2_000), advance_drawn=eur(4_000)),
    )
    billed.after.then_view(advance_left=eur(0))
    hearing(billed.after, time("c", hours=1)).when(APRIL).then(
        like(BillingEventDue, amount=eur(100)), like(InvoiceDrafted, advance_drawn=eur(0))
    )


def test_an_advance_that_was_not_invoiced_yet_covers_nothing():
    worked = may(hearing(contracted(HOURLY_SOW), time("a", hours=30)))
    worked.when(APRIL).then(like(BillingEventDue, amount=eur(3_000)), like(InvoiceDrafted))


def test_a_credited_advance_covers_less():
    credit = IssueCreditNote(
        intent="give-back", invoice="invoice-advance", amount=eur(3_000), why="Agreed."
    )
    worked = hearing(advanced(), time("a", hours=30)).after(credit)
    may(worked).when(APRIL).then(
        like(BillingEventDue, amount=eur(2_000)), like(InvoiceDrafted, advance_drawn=eur(1_000))
    )


def test_an_advance_that_is_drawn_down_cannot_be_credited():
    drawn = may(hearing(advanced(), time("a", hours=60))).after(APRIL)
    why = "Wrong address."
    drawn.when(VoidInvoice(invoice="invoice-advance", why=why)).then_refused("advance-drawn")
    credit = IssueCreditNote(intent="give-back", invoice="invoice-advance", amount=eur(1), why=why)
    drawn.when(credit).then_refused("advance-drawn")


def test_a_role_without_a_contracted_rate_is_not_billable():
    may(hearing(hourly(), time("a", role="tester"))).when(APRIL).then_refused(
        "amount-not-billable", missing={"rate-not-contracted"}, saying="has a rate for tester"
    )


def test_a_fixed_price_bills_no_time():
    may(hearing(contracted(), time("a"))).when(APRIL).then_refused(
        "amount-not-billable", missing={"time-item-missing"}
    )
    opened().when(APRIL).then_refused("budget-not-set")


def test_a_voided_invoice_is_drafted_again_with_the_same_lines():
    billed = may(hearing(advanced(), time("a", hours=60))).after(APRIL)
    out = issued(billed, "invoice-time-2026-04", "2026-00002", date(2026, 5, 4))
    void = VoidInvoice(invoice="invoice-time-2026-04", why="Wrong address.")
    lines = billed.state.billing.invoices["invoice-time-2026-04"].lines
    again = out.when(void).then(
        like(InvoiceVoided, number="2026-00002"),
        like(
            InvoiceDrafted,
            invoice="invoice-time-2026-04-2",
            lines=lined("invoice-time-2026-04-2", *lines),
            advance_drawn=eur(4_000),
        ),
    )
    again.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})


@settings(max_examples=40)
@any_of(
    st.lists(
        st.tuples(
            st.sampled_from(("architect", "developer", "project-manager")),
            st.decimals("0.01", 120, places=2),
            st.integers(0, 20),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_invoices_never_exceed_the_price_or_draw_more_than_the_advance(
    weeks: list[tuple[str, Decimal, int, bool]],
):
    engagement = advanced().on(date(2026, 12, 31))
    for number, (role, hours, week, bill) in enumerate(weeks):
        monday = date.fromordinal(MONDAY.toordinal() + 7 * week)
        engagement = hearing(engagement, time(str(number), role=role, hours=hours, day=monday))
        if bill:
            outcome = engagement.when(BillTime(month="2026-12"))
            engagement = outcome.after
        live = engagement.state.billing.live
        net = Money.total((one.amount for one in live), "EUR")
        drawn = Money.total((one.advance_drawn for one in live), "EUR")
        assert net <= eur(20_000)
        assert drawn <= eur(4_000)
        for one in live:
            gross = Money.total((line.amount for line in one.lines), "EUR")
            assert gross - one.advance_drawn == one.amount
        approved = sum(hours for _, hours, _, _ in weeks[: number + 1])
        billed = sum(line.hours or 0 for one in live for line in one.lines)
        assert billed <= approved


def test_months_billed_and_voided_several_times_never_share_an_invoice():
    """Check that a second draft of April does not get the id of April's second billing event."""
    engagement = may(hearing(hourly(), time("0", hours=10))).after(APRIL)
    for number in range(1, 7):
        engagement = hearing(engagement, time(str(number), hours=10)).after(APRIL)
        oldest = next(each.invoice for each in engagement.state.billing.live)
        out = issued(engagement, oldest, f"2026-{number:05}", date(2026, 5, 4))
        engagement = out.after(VoidInvoice(invoice=oldest, why="Wrong address."))
        invoices = engagement.state.billing.invoices.values()
        voided = [each for each in invoices if each.stage == "voided"]
        live = {each.billing_event: each.amount for each in engagement.state.billing.live}
        assert len(voided) == number
        assert list(live.values()) == [eur(1_000)] * (number + 1)
        assert live.keys() == engagement.state.billing.events.keys()


def extra(line: str = "extra", price: int = 5_000, **more: Any) -> ContractLine:
    """Return a second line by time and materials."""
    item = BillingItem(item=f"{line}-time", kind="time", amount=eur(price))
    terms = {"price": eur(price), "deliverables": (), "rates": line_rates(tester=90)}
    return hourly_line(item, **{**terms, "line": line, "hours": (), **more})


def two_lines() -> Scenario[Engagement]:
    """Return a contract of a fixed line and two lines by time and materials."""
    fixed = fixed_line(line="build")
    return contracted(sow_of(fixed, hourly_line(ALL_AS_TIME, deliverables=()), extra()))


def billed_by_line(engagement: Scenario[Engagement]) -> dict[str, Money]:
    """Return what the drafts of time charge by line."""
    totals: dict[str, Money] = {}
    for one in engagement.state.billing.live:
        for line in one.lines if one.kind == "time" else ():
            totals[line.line] = totals.get(line.line, eur(0)) + line.amount
    return totals


def test_time_is_billed_on_the_line_that_it_names_or_the_only_one_with_a_rate():
    worked = hearing(
        two_lines(),
        time("a", hours=1),
        time("b", role="tester", hours=2),
        time("c", role="tester", hours=4, line="extra"),
        time("d", hours=8, line="build"),
    )
    billed = may(worked).after(APRIL)
    assert billed_by_line(billed) == {"work": eur(100), "extra": eur(540)}


def test_time_that_fits_no_line_or_several_is_unassigned_and_blocks_nothing_else():
    both = sow_of(
        hourly_line(ALL_AS_TIME, deliverables=()), extra(rates=line_rates(tester=90, developer=80))
    )
    worked = hearing(
        contracted(both),
        time("a", hours=1),
        time("b", role="tester", hours=2),
        time("c", hours=4, line="gone"),
        time("d", role="tester", hours=3, line="work"),
        time("e", role="pilot", hours=5, billable=False),
    )
    assert [(each.entry, each.reason.code) for each in worked.view["unassigned"]] == [
        ("a", "rate-not-contracted"),
        ("c", "rate-not-contracted"),
        ("d", "rate-not-contracted"),
    ]
    billed = may(worked).after(APRIL)
    assert billed_by_line(billed) == {"extra": eur(180)}
    billed.when(APRIL).then_refused("amount-not-billable", missing={"rate-not-contracted"})
    billed.when(SettleAccount()).then_refused(
        "account-not-settled",
        missing={"invoice-not-issued", "rate-not-contracted"},
        saying="(a)",
    )


def test_expenses_are_billed_on_the_line_of_expenses_or_the_only_hourly_one():
    travel = fixed_line(
        BillingItem(item="travel", kind="time", amount=eur(1_000)),
        line="travel",
        kind="expenses",
        pricing="at-cost",
        price=eur(1_000),
        hours=(),
        deliverables=(),
    )
    with_line = contracted(sow_of(hourly_line(ALL_AS_TIME), travel))
    billed = may(hearing(with_line, expense("x", eur(50)), time("a", hours=1))).after(APRIL)
    assert billed_by_line(billed) == {"work": eur(100), "travel": eur(50)}
    undecided = hearing(two_lines(), expense("x", eur(50)))
    [one] = undecided.view["unassigned"]
    assert (one.entry, one.amount, one.reason.code) == ("x", eur(50), "work-unassigned")


ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))
SECOND = line_change(
    1_000,
    line="more",
    new=NewLine(title="More", pricing="time-and-materials"),
    rates=line_rates(developer=90),
)


def second_line(signed_on: date) -> tuple[Event, ...]:
    """Return what adds a second line with a rate for developers."""
    new = scope("more", new=SECOND.new, developer=10)
    return assessed(new), amendment(SECOND, signed_on=signed_on)


def test_a_second_line_with_the_role_leaves_earlier_work_on_the_first():
    billed = may(hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))), time("a"))).after(APRIL)
    more = hearing(billed, *second_line(date(2026, 4, 27)))
    assert more.view["unassigned"] == []
    worked = hearing(
        more, time("b", hours=10, line="work"), time("c"), time("d", day=date(2026, 4, 27))
    )
    assert billed_by_line(worked) == {"work": eur(800)}
    assert billed_by_line(worked.after(APRIL)) == {"work": eur(2_600)}
    assert [each.entry for each in worked.view["unassigned"]] == ["d"]


def test_an_expense_on_an_invoice_decides_nothing_about_later_months():
    spent = expense("x", eur(50), date(2026, 4, 20))
    worked = hearing(hourly(), time("a"), spent, time("m", day=date(2026, 5, 4)))
    billed = worked.on(date(2026, 5, 12)).after(APRIL)
    late = hearing(billed, *second_line(date(2026, 4, 1)))
    assert [each.entry for each in late.view["unassigned"]] == ["m"]


def test_an_exception_that_names_no_days_decides_about_all_work_so_far():
    worked = hearing(hourly(), time("a"), time("m", day=date(2026, 5, 4)))
    lines = (InvoiceLineTerms(description="Advice", line="work", amount=eur(100)),)
    early = BillOutsideSchedule(item="time", lines=lines, reason="Agreed.")
    late = hearing(worked.on(date(2026, 4, 30)).after(early), *second_line(date(2026, 4, 1)))
    assert late.view["unassigned"] == []


def test_an_amendment_that_comes_late_does_not_move_what_is_billed_or_held():
    worked = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))), time("a"), time("b"))
    held = may(worked).after(HoldWork(entries=("b",), why="Disputed."))
    for decided, left in ((held, eur(800)), (held.after(APRIL), eur(0))):
        late = hearing(decided, *second_line(date(2026, 4, 1)))
        assert late.view["unassigned"] == []
        assert [each.unbilled for each in late.view["unbilled"]] == [left, eur(0)]
        released = late.after(ReleaseWork(entries=("b",)))
        assert [each.unbilled for each in released.view["unbilled"]] == [left + eur(800), eur(0)]
    undecided = hearing(worked, *second_line(date(2026, 4, 1)))
    assert [each.entry for each in undecided.view["unassigned"]] == ["a", "b"]


def test_days_that_are_billed_at_a_rate_that_changed_since_are_not_billed_again():
    contract = contracted(sow_of(hourly_line(ALL_AS_TIME)))
    worked = hearing(contract, time("a"), time("b", day=date(2026, 4, 13)))
    rate = LineRate(role="developer", rate=per_hour(110), from_day=date(2026, 4, 13))
    changed = hearing(may(worked).after(APRIL), amendment(line_change(0, rates=(rate,))))
    assert [each.unbilled for each in changed.view["unbilled"]] == [eur(0)]
    late = hearing(changed, time("c", hours=2), time("d", hours=3, day=date(2026, 4, 13)))
    assert billed_by_line(late.after(APRIL)) == {"work": eur(1_600 + 200 + 330)}


def test_each_line_has_its_own_cap_and_what_exceeds_it_is_held():
    worked = hearing(
        two_lines(), time("a", hours=10), time("b", role="tester", hours=60), time("c", hours=1)
    )
    shown = {each.line: each for each in worked.view["unbilled"]}
    assert (shown["extra"].unbilled, shown["extra"].beyond_cap) == (eur(5_400), eur(400))
    assert (shown["work"].unbilled, shown["work"].beyond_cap) == (eur(1_100), eur(0))
    billed = may(worked).after(APRIL)
    assert billed_by_line(billed) == {"work": eur(1_100), "extra": eur("4999.50")}
    shown = {each.line: each for each in billed.view["unbilled"]}
    assert shown["extra"].beyond_cap == shown["extra"].unbilled - eur("0.50")
    billed.when(APRIL).then_refused("amount-not-billable", missing={"cap-spent"})


def test_an_estimated_line_bills_beyond_its_estimate():
    line = hourly_line(ALL_AS_TIME, estimated=True)
    worked = may(hearing(contracted(sow_of(line)), time("a", hours=205)))
    billed = worked.when(APRIL).then(
        like(BillingEventDue, amount=eur(20_500)), like(InvoiceDrafted, amount=eur(20_500))
    )
    more = hearing(billed, time("b", hours=1)).when(APRIL)
    more.then(like(BillingEventDue, amount=eur(100)), like(InvoiceDrafted))


def test_time_is_billed_at_the_rate_of_its_day():
    later = line_rates(developer=120)[0].model_copy(update={"from_day": date(2026, 4, 13)})
    line = hourly_line(ALL_AS_TIME, rates=(*line_rates(developer=100), later))
    worked = hearing(
        contracted(sow_of(line)), time("a", hours=2), time("b", hours=3, day=date(2026, 4, 13))
    )
    billed = may(worked).after(APRIL)
    [draft] = billed.state.billing.live
    assert [(each.hours, each.rate) for each in draft.lines] == [
        (Decimal(2), per_hour(100)),
        (Decimal(3), per_hour(120)),
    ]
    billed.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})
    more = hearing(billed, time("c", hours=1)).when(APRIL)
    more.then(like(BillingEventDue, amount=eur(100)), like(InvoiceDrafted))


def test_a_change_of_rates_alone_leaves_work_before_its_day_at_the_old_rate():
    later = date(2026, 4, 13)
    raised = LineRate(role="developer", rate=per_hour(110), from_day=later)
    change = scope().model_copy(update={"rates": (raised,)})
    contract = contracted(sow_of(hourly_line(ALL_AS_TIME)))
    priced = contract.when_consumed(assessed(change))
    [agreed] = [each for each in priced.events if isinstance(each, ChangePriced)]
    worked = hearing(priced.then_accepted(), time("a", hours=2), time("b", hours=3, day=later))
    amended = hearing(worked, amendment(*agreed.changes))
    assert amended.view["budget"].price == contract.view["budget"].price
    billed = may(amended).after(APRIL)
    [draft] = billed.state.billing.live
    assert [(each.hours, each.rate) for each in draft.lines] == [
        (Decimal(2), per_hour(100)),
        (Decimal(3), per_hour(110)),
    ]


def test_an_advance_belongs_to_its_line():
    advanced_lines = sow_of(hourly_line(deliverables=()), extra())
    paid = issued(contracted(advanced_lines), "invoice-advance", "2026-00001", date(2026, 3, 23))
    worked = may(hearing(paid, time("a", hours=30), time("b", role="tester", hours=10)))
    worked.when(APRIL).then(
        like(BillingEventDue, line="extra", amount=eur(900)),
        like(InvoiceDrafted, advance_drawn=eur(0)),
    )


def test_a_discount_on_time_is_given_in_proportion_to_what_is_billed():
    item = BillingItem(item="off", kind="on-signature", amount=eur(-2_000), reduces="time")
    discount = fixed_line(
        item, line="discount", kind="discount", price=eur(-2_000), hours=(), deliverables=()
    )
    worked = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME), discount)), time("a", hours=50))
    billed = may(worked).when(APRIL)
    billed.then(like(BillingEventDue, amount=eur(4_500)), like(InvoiceDrafted, amount=eur(4_500)))
    rest = hearing(billed.after, time("b", hours=150)).when(APRIL)
    rest.then(like(BillingEventDue, amount=eur(13_500)), like(InvoiceDrafted))


def test_the_hours_of_days_add_up_to_the_hours_of_the_line():
    eight = DayHours(day=MONDAY, hours=Decimal(8))
    terms: dict[str, Any] = {"description": "Time", "line": "work", "amount": eur(800)}
    for hours, days in ((Decimal(9), (eight,)), (None, (eight,)), (Decimal(16), (eight, eight))):
        with pytest.raises(ValidationError):
            InvoiceLineTerms(**terms, hours=hours, days=days)
    assert InvoiceLineTerms(**terms, hours=Decimal(8), days=(eight,)).days == (eight,)

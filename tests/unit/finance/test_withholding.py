"""Check that works are held, released and written down, and what that leaves to bill."""

from datetime import date
from decimal import Decimal

import pytest

from chassis.domain.commands import Command
from contracts.event import Event
from contracts.finance import (
    BillingEventDue,
    InvoiceDrafted,
    InvoiceLineTerms,
    UnbilledWork,
    WorkHeld,
    WorkReleased,
    WorkWrittenDown,
)
from contracts.lines import BillingItem
from contracts.roles import Role
from finance.billing.decisions import BillOutsideSchedule
from finance.engagement import Engagement
from finance.invoices.decisions import RejectInvoice
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, ReleaseWork, WriteDownWork
from testkit.scenario import Scenario, like
from tests.amounts import eur, per_hour, usd
from tests.unit.finance.builders import (
    MONDAY,
    contracted,
    expense,
    hearing,
    hourly_line,
    recognise,
    sow_of,
    time,
    time_reversed,
)

APRIL = BillTime(month="2026-04")
HOLD = HoldWork(entries=("a",), why="Disputed.")
WRITE_DOWN = WriteDownWork(entries=("a",), why="Goodwill.")
ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))


def worked(*more: Event) -> Scenario[Engagement]:
    """Return a contract with 8 h of a developer twice (a, b), and more; all can be billed."""
    engagement = contracted(sow_of(hourly_line(ALL_AS_TIME)))
    return hearing(engagement, time("a"), time("b"), *more).on(date(2026, 5, 4))


def of_a() -> tuple[UnbilledWork, ...]:
    return (
        UnbilledWork(
            kind="time",
            entry="a",
            on=MONDAY,
            role="developer",
            hours=Decimal(8),
            worth=eur(800),
        ),
    )


def test_held_work_is_not_billed_until_its_release() -> None:
    held = (
        worked()
        .when(HOLD)
        .then(WorkHeld(line="work", works=of_a(), worth=eur(800), why="Disputed."))
    )
    held.when(HOLD).then_nothing()
    billed = held.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    released = billed.when(ReleaseWork(entries=("a",))).then(
        WorkReleased(line="work", works=of_a(), worth=eur(800))
    )
    released.when(ReleaseWork(entries=("a",))).then_nothing()
    released.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    again = released.when(HOLD).then(like(WorkHeld, works=of_a()))
    again.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})


def test_only_unbilled_work_can_be_withheld() -> None:
    billed = worked().after(APRIL)
    billed.when(HOLD).then_refused("work-billed", saying="a is on an invoice")
    billed.when(WRITE_DOWN).then_refused("work-billed", saying="a is on an invoice")
    late = hearing(billed, time("c"))
    late.when(HOLD).then_refused("work-billed")
    late.when(HoldWork(entries=("c",), why="Late.")).then(like(WorkHeld))


def capped() -> Scenario[Engagement]:
    """Return work of 16 h, 1,600 EUR, of which a draft bills 13 h up to the cap."""
    cap = BillingItem(item="time", kind="time", amount=eur(1_300))
    engagement = contracted(sow_of(hourly_line(cap, price=eur(1_300))))
    return hearing(engagement, time("a"), time("b")).on(date(2026, 5, 4)).after(APRIL)


def rest(hours: int) -> tuple[UnbilledWork, ...]:
    [whole] = of_a()
    part = {"entry": "b", "hours": Decimal(hours), "worth": eur(100 * hours)}
    return (whole.model_copy(update=part),)


def test_what_is_left_of_work_that_is_billed_in_part_is_listed_and_withheld() -> None:
    [left] = capped().view["unbilled_work"]
    assert (left.entry, left.hours, left.worth) == ("b", Decimal(3), eur(300))
    hold = HoldWork(entries=("b",), why="Beyond the cap.")
    held = capped().when(hold).then(like(WorkHeld, works=rest(3), worth=eur(300)))
    held.when(hold).then_nothing().then_view(unbilled_works=0, held_works=1)
    # The rejected draft billed the other five hours: they are unbilled, the rest is still held.
    freed = held.after(RejectInvoice(invoice="invoice-time-2026-04", why="Wrong."))
    assert [(each.entry, each.hours) for each in freed.view["unbilled_work"]] == [
        ("a", Decimal(8)),
        ("b", Decimal(5)),
    ]
    [kept] = freed.view["held_work"]
    assert (kept.hours, kept.worth) == (Decimal(3), eur(300))
    more = freed.when(hold).then(like(WorkHeld, works=rest(5)))
    assert [each.worth for each in more.view["held_work"]] == [eur(800)]
    more.when(ReleaseWork(entries=("b",))).then(like(WorkReleased, works=rest(8)))
    goodwill = WriteDownWork(entries=("b",), why="Goodwill.")
    freed.when(goodwill).then(
        like(WorkReleased, works=rest(3)), like(WorkWrittenDown, works=rest(8), worth=eur(800))
    )


def test_a_part_that_is_written_down_stays_so_when_the_other_is_billed_again() -> None:
    goodwill = WriteDownWork(entries=("b",), why="Goodwill.")
    done = capped().when(goodwill).then(like(WorkWrittenDown, works=rest(3), worth=eur(300)))
    done.when(goodwill).then_nothing()
    [line] = done.view["withheld"]
    assert (line.written_down, done.view["unbilled_works"]) == (eur(300), 0)
    assert done.state.work.totals.worth_of("work") == 1_300
    freed = done.after(RejectInvoice(invoice="invoice-time-2026-04", why="Wrong."))
    assert [each.hours for each in freed.view["unbilled_work"]] == [Decimal(8), Decimal(5)]
    freed.when(HoldWork(entries=("b",), why="Disputed.")).then_refused("work-written-down")
    freed.when(goodwill).then(like(WorkWrittenDown, works=rest(5)))
    assert freed.after(goodwill).view["withheld"][0].written_down == eur(800)
    gone = hearing(freed, time_reversed(time("b")))
    assert gone.view["withheld"][0].written_down == eur(0)


@pytest.mark.parametrize("command", [HOLD, WRITE_DOWN, ReleaseWork(entries=("a",))])
def test_each_work_is_known(command: HoldWork | WriteDownWork | ReleaseWork) -> None:
    other = command.model_copy(update={"entries": ("a", "tea")})
    worked().when(other).then_refused("work-unknown", saying="tea")
    expenses = command.model_copy(update={"entries": (), "expenses": ("a",)})
    worked().when(expenses).then_refused("work-unknown", saying="a")
    worked().when(command.model_copy(update={"entries": ()})).then_refused("work-unknown")


def test_work_that_no_line_bills_is_not_withheld() -> None:
    more = (time("free", billable=False), time("rare", role="tester"), expense("x", usd(7)))
    for command in (
        HoldWork(entries=("free",), why="No."),
        HoldWork(entries=("rare",), why="No."),
        WriteDownWork(expenses=("x",), why="No."),
    ):
        worked(*more).when(command).then_refused("work-not-billable")


def test_another_reason_is_refused_with_the_known_one() -> None:
    other = {"why": "Another."}
    held, gone = worked().after(HOLD), worked().after(WRITE_DOWN)
    held.when(HOLD.model_copy(update=other)).then_refused("work-held", saying="Disputed.")
    gone.when(WRITE_DOWN.model_copy(update=other)).then_refused(
        "work-written-down", saying="Goodwill."
    )
    gone.when(WRITE_DOWN).then_nothing()
    gone.when(HOLD).then_refused("work-written-down")
    gone.when(ReleaseWork(entries=("a",))).then_refused("work-written-down")
    worked().when(ReleaseWork(entries=("a",))).then_refused("work-not-held", saying="a is not")


def test_written_down_work_is_never_billed_and_earns_nothing() -> None:
    held = worked().after(HOLD)
    gone = held.when(WRITE_DOWN).then(
        WorkReleased(line="work", works=of_a(), worth=eur(800)),
        WorkWrittenDown(line="work", works=of_a(), worth=eur(800), why="Goodwill."),
    )
    gone.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    written = held.after(WRITE_DOWN)
    for before, earned in ((worked(), 1_600), (held, 1_600), (written, 800)):
        state = before.after(recognise("03")).after(recognise("04")).state
        assert state.revenue.recognised("work", state.money) == eur(earned)


def test_held_work_holds_the_settlement_and_written_down_work_does_not() -> None:
    alone = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))), time("a")).on(date(2026, 5, 4))
    alone.when(SettleAccount()).then_refused("account-not-settled", missing={"time-unbilled"})
    held = alone.after(HOLD)
    held.when(SettleAccount()).then_refused(
        "account-not-settled", missing={"work-held"}, saying="a over 800.00 EUR on line work"
    )
    settled = held.after(WRITE_DOWN).after(SettleAccount())
    settled.when(WRITE_DOWN.model_copy(update={"entries": ("b",)})).then_refused("account-settled")


def test_the_view_shows_what_is_unbilled_held_and_written_down() -> None:
    of_third = time("c", hours=Decimal("0.33"))
    full = worked(of_third, expense("x", eur("9.99")))
    shown = full.after(HoldWork(entries=("c",), expenses=("x",), why="Receipt?")).after(WRITE_DOWN)
    (line,), (unbilled,) = shown.view["withheld"], shown.view["unbilled"]
    assert (line.line, line.held, line.written_down) == ("work", eur("42.99"), eur(800))
    assert unbilled.unbilled == eur(800)
    assert [each.entry for each in shown.view["unbilled_work"]] == ["b"]
    assert [(each.entry, each.why) for each in shown.view["held_work"]] == [
        ("c", "Receipt?"),
        ("x", "Receipt?"),
    ]


def test_what_is_billed_counts_in_the_order_of_approval_and_of_release() -> None:
    engagement = worked().after(HOLD).after(APRIL)
    released = engagement.after(ReleaseWork(entries=("a",)))
    assert [each.entry for each in released.view["unbilled_work"]] == ["a"]
    released.when(HoldWork(entries=("b",), why="Late.")).then_refused("work-billed")


def test_what_is_billed_of_a_day_counts_for_the_works_of_the_day() -> None:
    engagement = contracted(sow_of(hourly_line(ALL_AS_TIME)))
    of_may = time("may", day=date(2026, 5, 4))
    billed = hearing(engagement, of_may, time("april")).on(date(2026, 5, 11)).after(APRIL)
    [left] = billed.view["unbilled_work"]
    assert (left.entry, left.on, left.person) == ("may", date(2026, 5, 4), "dev")
    billed.when(HoldWork(entries=("april",), why="Late.")).then_refused("work-billed")
    billed.when(HoldWork(entries=("may",), why="Disputed.")).then(like(WorkHeld))


def test_hours_that_are_billed_without_days_count_in_the_order_of_approval() -> None:
    apart = InvoiceLineTerms(
        description="Agreed by mail.",
        line="work",
        amount=eur(720),
        role="developer",
        hours=Decimal(8),
        rate=per_hour(90),
    )
    command = BillOutsideSchedule(item="time", lines=(apart,), reason="Agreed.")
    billed = worked(time("c")).after(command)
    assert [each.entry for each in billed.view["unbilled_work"]] == ["b", "c"]
    billed.when(HOLD).then_refused("work-billed")


def test_only_a_controller_writes_work_down() -> None:
    roles: dict[type[Command], tuple[Role, ...]] = {
        HoldWork: ("project-accountant", "controller"),
        ReleaseWork: ("project-accountant", "controller"),
        WriteDownWork: ("controller",),
    }
    for command, by in roles.items():
        assert ENGAGEMENT.commands[command].by == by

"""Check that each entry of the bank's statements is taken once, and that the balances prove it."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from contracts.reference import BankAccount as AccountRecord
from finance.bank_accounts.decisions import TakeStatement
from finance.bank_accounts.events import StatementTaken
from finance.bank_accounts.state import BankAccount
from finance.payments.requests import ReceivePayment
from finance.service import BANK_ACCOUNT
from testkit.scenario import Outcome, Scenario, given, like
from tests.amounts import eur, usd
from tests.invoices import SELLER

DAY = date(2026, 4, 1)
OURS = SELLER.model_copy(
    update={"bank_accounts": (AccountRecord(bank_account="main", currency="EUR", number="1"),)}
)
ACCOUNT = given(BANK_ACCOUNT, "us.main", records=[OURS]).on(date(2026, 6, 1))


def entry(reference: str, *amounts: int | str, day: date = DAY, **more: Any) -> dict[str, Any]:
    """Return an entry with a detail for each amount."""
    details = [{"amount": eur(each), "payer": "Acme"} for each in amounts]
    terms = {"entry": reference, "booked_on": day, "value_on": day, "details": details}
    return {**terms, **more}


def statement(opening: int, *entries: dict[str, Any], **more: Any) -> TakeStatement:
    """Return a statement; closing balance and id follow from the booked entries unless given."""
    booked = sum(
        detail["amount"].amount
        for each in entries
        if each.get("status") != "preview"
        for detail in each["details"]
    )
    closing = opening + booked
    name = f"S{opening}-{closing}-{len(entries)}"
    terms = {"statement": name, "opening": eur(opening), "closing": eur(closing)}
    return TakeStatement.model_validate({**terms, "entries": entries, **more})


def received(outcome: Outcome[BankAccount]) -> list[ReceivePayment]:
    outcome.then_accepted()
    return [ReceivePayment.model_validate_json(each.content) for each in outcome.requests]


def ids(outcome: Outcome[BankAccount]) -> list[str]:
    return [each.item for each in outcome.requests]


def taken(*statements: TakeStatement) -> Scenario[BankAccount]:
    scenario: Scenario[BankAccount] = ACCOUNT
    for each in statements:
        scenario = scenario.after(each)
    return scenario


def test_each_credit_of_a_booked_entry_is_a_payment():
    outcome = ACCOUNT.when(statement(100, entry("1", 50, -20, 30), entry("2", -10)))
    assert [(each.amount, each.line.detail) for each in received(outcome)] == [
        (eur(50), 1),
        (eur(30), 3),
    ]
    outcome.then(like(StatementTaken, opening=eur(100), closing=eur(150)))
    assert len({*ids(outcome)}) == 2


def test_a_statement_that_comes_again_adds_nothing():
    first, second = statement(0, entry("1", 50)), statement(50, entry("2", 70))
    both = taken(first, second)
    for again in (first, second):
        both.when(again).then_nothing()
    both.then_view(closing=eur(120))


def test_statements_may_overlap():
    both = statement(0, entry("1", 50), entry("2", 70))
    outcome = taken(statement(0, entry("1", 50))).when(both)
    assert [each.amount for each in received(outcome)] == [eur(70)]
    outcome.after.then_view(closing=eur(120))


def test_equal_entries_are_as_many_as_there_are():
    outcome = ACCOUNT.when(statement(0, entry("1", 50), entry("1", 50)))
    assert len({*ids(outcome)}) == 2
    more = outcome.after.when(statement(0, *(entry("1", 50) for _ in range(3))))
    assert len(ids(more)) == 1
    assert {*ids(more)}.isdisjoint(ids(outcome))


def test_a_reference_that_the_bank_uses_again_is_another_entry_of_the_next_statement():
    first = statement(0, entry("NONREF", 50), number=1)
    second = statement(50, entry("NONREF", 50), number=2)
    outcome = taken(first).when(second)
    assert [each.line.place for each in received(outcome)] == [2]
    for again in (first, second):
        outcome.after.when(again).then_nothing()


def test_a_preview_is_shown_and_becomes_a_payment_when_it_is_booked():
    preview = taken(statement(0, entry("1", 50, status="preview")))
    assert [each.entry for each in preview.view["previews"]] == ["1"]
    assert not preview.stream.requests
    booked = preview.when(statement(0, entry("1", 50)))
    assert [each.amount for each in received(booked)] == [eur(50)]
    booked.after.then_view(previews=(), closing=eur(50))


def test_a_preview_may_become_another_amount_in_the_same_statement() -> None:
    preview = statement(0, entry("1", 50, status="preview"), statement="S-1")
    other = paid(date(2026, 4, 3), payer="Other")
    booked = statement(0, other, statement="S-1")
    both = taken(preview, booked)
    both.then_view(previews=(), closing=eur(50))
    both.when(statement(0, statement="S-1")).then_refused("field-differs", fields=["closing"])
    taken(preview).when(statement(10, other, statement="S-1")).then_refused(
        "field-differs", fields=["opening"]
    )


def test_balances_that_differ_are_refused_with_the_difference():
    wrong = statement(0, entry("1", 50), closing=eur(60))
    ACCOUNT.when(wrong).then_refused(
        "statement-balance-differs", fields=["closing"], saying="10.00 EUR differs"
    )
    first = taken(statement(0, entry("1", 50), number=1))
    gap = statement(80, entry("3", 20), number=3)
    first.when(gap).then_refused(
        "statement-balance-differs", fields=["opening"], saying="30.00 EUR is missing"
    )
    missing = first.after(statement(50, entry("2", 30), number=2))
    missing.after(gap).then_view(closing=eur(100))


@pytest.mark.parametrize("number", [None, 1, 2])
def test_a_statement_that_contradicts_one_that_was_taken_is_refused(number: int | None):
    both = taken(
        statement(0, entry("1", 50), entry("2", 501), number=1),
        statement(551, entry("3", 30), number=2),
    )
    amount = ("amount", "was recorded as 501.00 EUR, not 601.00 EUR")
    details = ("details", "was recorded as 501.00 EUR (details: 1), not 600.00 EUR (details: 2)")
    for other, index, (field, says) in (
        (statement(0, entry("1", 50), entry("2", 601), number=number), 1, amount),
        (statement(0, entry("2", 500, 100), number=number), 0, details),
        # The balances agree with the last one, since the opening is another, too.
        (
            statement(-100, entry("1", 50), entry("2", 601), entry("3", 30), number=number),
            1,
            amount,
        ),
    ):
        path = (
            f"entries[{index}].{field}"
            if field == "details"
            else (f"entries[{index}].details[0].{field}")
        )
        both.when(other).then_refused(
            "field-differs", fields=[path], saying=f"entry 2 of 2026-04-01 {says}"
        )


@pytest.mark.parametrize(
    ("other", "field", "says"),
    [
        (entry("2", 61), "details[0].amount", "60.00 EUR, not 61.00 EUR"),
        (entry("2", 60, day=date(2026, 4, 2)), "booked_on", "2026-04-01, not 2026-04-02"),
    ],
)
def test_a_statement_that_comes_again_with_another_entry_names_the_entry(
    other: dict[str, Any], field: str, says: str
) -> None:
    """Check so where the balances differ with it, and where they do not."""
    one = taken(statement(0, entry("1", 50), entry("2", 60), statement="S-1"))
    wrong = statement(0, entry("1", 50), other, statement="S-1")
    balances = ["closing"] if field != "booked_on" else []
    one.when(wrong).then_refused(
        "field-differs",
        fields=[f"entries[1].{field}", *balances],
        saying=f"entry 2 of 2026-04-01 was recorded as {says} (recorded from statement S-1)",
    )
    more = statement(0, entry("1", 50), other, entry("3", 10), statement="S-1")
    one.when(more).then_refused("field-differs", fields=[f"entries[1].{field}", "closing"])


PAID = {"amount": eur(50), "payer": "Acme", "payer_account": "DE1", "reference": "INV 1"}


def paid(value_on: date = DAY, **more: str | None) -> dict[str, Any]:
    """Return the entry of one payment of 50.00 EUR."""
    return entry("1", day=DAY, value_on=value_on, details=[PAID | more])


@pytest.mark.parametrize("name", ["S0-50-1", "S-9"])
@pytest.mark.parametrize(
    ("other", "field", "says"),
    [
        (paid(date(2026, 4, 3)), "value_on", "2026-04-01, not 2026-04-03"),
        (paid(payer="Other"), "details[0].payer", "Acme, not Other"),
        (paid(payer_account="DE2"), "details[0].payer_account", "DE1, not DE2"),
        (paid(reference="INV 2"), "details[0].reference", "INV 1, not INV 2"),
    ],
)
def test_an_entry_that_comes_again_with_another_field_is_refused(
    other: dict[str, Any], field: str, says: str, name: str
) -> None:
    one = taken(statement(0, paid()))
    preview = entry("2", 70, status="preview")
    for more in ((), (entry("3", 20),)):
        again = statement(0, preview, other, *more, statement=name)
        if not more or name == "S-9":
            one.when(again).then_refused(
                "field-differs", fields=[f"entries[1].{field}"], saying=f"recorded as {says}"
            )


def test_an_entry_may_come_again_with_what_was_not_recorded_or_in_another_order() -> None:
    bare = paid(payer=None, payer_account=None, reference=None)
    for first, second in ((bare, paid()), (paid(), bare)):
        taken(statement(0, first)).when(statement(0, second)).then_nothing()
    two = taken(statement(0, paid(), paid(reference="INV 2")))
    two.when(statement(0, paid(reference="INV 2"), paid(), statement="S-9")).then_nothing()
    three = statement(0, paid(reference="INV 3"), paid(reference="INV 2"), paid())
    [new] = received(two.when(three))
    assert (new.reference, new.line.place) == ("INV 3", 3)


@pytest.mark.parametrize("closed", [50, 120])
def test_a_statement_that_comes_again_with_other_balances_is_refused(closed: int) -> None:
    """Check so also after other statements."""
    one = taken(statement(0, entry("1", 50), number=1))
    after = one if closed == 50 else one.after(statement(50, entry("2", 70), number=2))
    for name in ("S0-50-1", "S-9"):
        other = statement(1_000, entry("1", 50), statement=name, number=1)
        after.when(other).then_refused(
            "field-differs",
            fields=["opening", "closing"],
            saying="was recorded as 0.00 EUR, not 1,000.00 EUR",
        )
    more = statement(0, entry("1", 50), entry("2", 70), statement="S0-50-1", number=1)
    after.when(more).then_refused("field-differs", fields=["closing"])
    parts = statement(70, entry("1", 50), statement="S-9")
    after.when(parts).then_refused("field-differs", saying="opening: the balance before entry 1")


def test_a_bank_may_give_each_statement_the_same_id_with_another_number() -> None:
    first = statement(0, entry("1", 50), statement="STARTUMS", number=1)
    second = statement(50, entry("2", 70), statement="STARTUMS", number=2)
    both = taken(first, second)
    both.then_view(closing=eur(120))
    for again in (first, second):
        both.when(again).then_nothing()


def test_a_statement_without_entries_comes_again_after_others() -> None:
    preview = entry("2", 70, status="preview")
    one = taken(statement(0, entry("1", 50)), statement(50, preview, statement="S-2"))
    later = one.after(statement(50, entry("3", 30)))
    later.when(statement(50, statement="S-2")).then_nothing()


def test_a_contradiction_is_named_also_where_the_new_entries_come_to_the_balance() -> None:
    one = taken(statement(0, entry("1", 50), number=1))
    other = statement(-10, entry("1", 60), entry("2", 30), number=2)
    one.when(other).then_refused(
        "field-differs", saying="1 of 2026-04-01 was recorded as 50.00 EUR"
    )


def test_a_gap_is_refused_also_where_the_references_are_known():
    first = taken(statement(0, entry("NONREF", 50), number=1))
    gap = statement(80, entry("NONREF", 20), number=3)
    first.when(gap).then_refused("statement-balance-differs")
    empty = statement(80, number=3)
    first.when(empty).then_refused("statement-balance-differs")


def test_an_old_statement_adds_nothing_after_its_references_are_forgotten():
    old = statement(0, entry("1", 50))
    later = old
    scenario, balance = taken(old), 50
    for days in range(1, 60):
        later = statement(balance, entry(f"L-{days}", 1, day=DAY + timedelta(days=days)))
        scenario, balance = scenario.after(later), balance + 1
    assert len(scenario.state.entries) == 15
    scenario.when(old).then_nothing()
    backdated = statement(balance, entry("2", 10))
    scenario.when(backdated).then_refused("statement-balance-differs", saying="10.00 EUR")


def test_an_account_that_is_not_on_record_takes_no_statement():
    one = statement(0, entry("1", 50))
    other = given(BANK_ACCOUNT, "us.savings", records=[OURS]).on(DAY)
    other.when(one).then_refused("bank-account-unknown", saying="us has no bank account savings")
    given(BANK_ACCOUNT, "de.main", records=[OURS]).when(one).then_refused("company-unknown")


def test_a_statement_has_the_currency_of_the_account_and_no_day_to_come():
    for field in ("opening", "closing"):
        dollars = statement(0).model_copy(update={field: usd(0)})
        ACCOUNT.when(dollars).then_refused("currency-differs", fields=[field])
    in_dollars = entry("1") | {"details": [{"amount": usd(1)}]}
    ACCOUNT.when(statement(0, in_dollars)).then_refused("currency-differs", fields=["entries"])
    tomorrow = entry("1", 1, day=date(2026, 6, 2))
    ACCOUNT.when(statement(0, tomorrow)).then_refused("date-in-future")
    ACCOUNT.after(statement(0, tomorrow | {"status": "preview"}))


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "0.001", "1E+15"])
def test_amounts_are_whole_cents_of_a_possible_size(amount: str):
    body = statement(0, entry("1", 1)).model_dump(mode="json")
    body["entries"][0]["details"][0]["amount"]["amount"] = amount
    with pytest.raises(ValueError, match="amount"):
        TakeStatement.model_validate(body)


Booked = tuple[str, int, date]


@settings(max_examples=200)
@any_of(st.data())
def test_any_overlapping_statements_of_one_bank_take_each_entry_once(data: st.DataObject):
    """Check that what is taken is what the bank booked, in any order of statements."""
    amounts = st.integers(-200, 200).filter(bool)
    steps = data.draw(
        st.lists(st.tuples(st.sampled_from("ABC"), amounts, st.integers(0, 3)), max_size=12)
    )
    booked, day = list[Booked](), DAY
    for reference, amount, days in steps:
        day += timedelta(days=days)
        # A bank may use a reference again, but not for entries of one day that it splits up.
        booked.append((f"{reference}{day}", amount, day))
    balances = [0]
    for _, amount, _ in booked:
        balances.append(balances[-1] + amount)
    ends = sorted(data.draw(st.sets(st.integers(1, max(1, len(booked))), max_size=5)))
    scenario: Scenario[BankAccount] = ACCOUNT
    seen: Counter[str] = Counter()
    reached = 0
    for end in (each for each in ends if each <= len(booked)):
        # Overlapping statements begin at the first entry of a day, as the days of a bank do.
        starts = [
            place
            for place in range(reached + 1)
            if place == 0 or booked[place - 1][2] < booked[min(place, len(booked) - 1)][2]
        ]
        start = data.draw(st.sampled_from([*starts, reached]))
        if start == reached and start not in starts:
            start = starts[-1]
        outcome = scenario.when(_of(booked, balances, start, end))
        outcome.then_accepted()
        seen.update(ids(outcome))
        scenario, reached = outcome.after, end
        old = data.draw(st.integers(1, end))
        again = scenario.when(_of(booked, balances, starts[0], old))
        if again.refusal is None:
            assert again.events == ()
    credits_ = [amount for _, amount, _ in booked[:reached] if amount > 0]
    assert len(seen) == len(credits_)
    assert {*seen.values()} <= {1}
    if reached:
        scenario.then_view(closing=eur(balances[reached]))
    amounts_of = sum(Decimal(each) for each in credits_)
    assert amounts_of == sum(
        ReceivePayment.model_validate_json(each.event.content).amount.amount
        for each in scenario.stream.requests.values()
    )
    assert all(one < other for one, other in pairwise(ends))


def _of(booked: list[Booked], balances: list[int], start: int, end: int) -> TakeStatement:
    entries = (entry(name, amount, day=day) for name, amount, day in booked[start:end])
    return statement(balances[start], *entries, statement=f"S-{start}-{end}")

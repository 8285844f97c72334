"""Record accounts under ids that the server makes, and publish their versions."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.domain.ids import comparable
from contracts.reference import (
    AccountBilling,
    AccountPublished,
    AccountTax,
    ContactPublished,
    in_force,
)
from contracts.values import AccountId
from sales.accounts.decisions import (
    IntroduceAccount,
    PublishAccount,
    PublishAccountFinances,
    RecordAccount,
)
from sales.accounts.names import account_id
from sales.service import ACCOUNT
from testkit.scenario import given, like

ACME = account_id("Acme")
RECORD = RecordAccount(name="Acme", country="NO", time_zone="Europe/Oslo")
PUBLISH = PublishAccount(name="Acme", country="SE")
FRESH = given(ACCOUNT, ACME)
RECORDED = AccountPublished(account=ACME, name="Acme", country="NO", time_zone="Europe/Oslo")
BILLING = AccountBilling(
    bill_to="Acme AS, Accounts payable",
    address="Storgata 1\n0155 Oslo",
    country="NO",
    payment_terms_days=30,
    currency="NOK",
)
FINANCES = PublishAccountFinances(tax=AccountTax(treatment="domestic"), billing=BILLING)


def test_an_account_is_recorded_once() -> None:
    recorded = FRESH.when(RECORD).then(RECORDED)
    recorded.when(RECORD).then_nothing()
    other = RECORD.model_copy(update={"country": "SE"})
    recorded.when(other).then_refused("already-recorded", fields=["country"])
    after = recorded.after(FINANCES)
    after.when(RECORD).then_nothing()


def test_the_id_follows_from_the_name() -> None:
    entry = ACCOUNT.commands[RecordAccount]
    assert entry.new_id(RECORD, "ann/key") == ACME
    assert entry.new_id(RecordAccount(name=" ACME "), "sam/other") == ACME
    assert entry.new_id(RecordAccount(name="Acmé"), "ann/key") != ACME


@hypothesis_given(st.text(min_size=1, max_size=200))
def test_every_name_has_a_valid_id_whatever_its_letters(name: str) -> None:
    made = account_id(name)
    assert TypeAdapter[str](AccountId).validate_python(made) == account_id(comparable(name))


def test_an_equal_record_is_not_a_new_version() -> None:
    published = (
        FRESH.after(RECORD)
        .when(PUBLISH)
        .then(AccountPublished(account=ACME, name="Acme", country="SE"))
    )
    published.when(PUBLISH).then_nothing()


def test_sales_and_finance_keep_their_own_parts_of_the_record() -> None:
    day = date(2026, 6, 1)
    billed = (
        FRESH.after(RECORD)
        .when(FINANCES)
        .then(RECORDED.model_copy(update={"tax": FINANCES.tax, "billing": BILLING}))
    )
    moved = PUBLISH.model_copy(update={"effective_from": day})
    later = billed.when(moved).then(
        like(AccountPublished, country="SE", billing=BILLING, effective_from=day)
    )
    cleared = PublishAccountFinances(tax=FINANCES.tax)
    later.when(cleared).then(
        like(AccountPublished, country="NO", tax=FINANCES.tax, billing=None, effective_from=None),
        like(AccountPublished, country="SE", tax=FINANCES.tax, billing=None, effective_from=day),
    )


def test_a_change_of_one_part_leaves_the_other_as_it_is_on_each_day() -> None:
    """Finance has planned another tax treatment for July when Sales changes the country today."""
    july, today = date(2026, 7, 1), date(2026, 5, 1)
    exempt = AccountTax(treatment="exempt", exemption="charity")
    planned = FINANCES.model_copy(update={"tax": exempt, "effective_from": july})
    account = FRESH.on(today).after(RECORD).after(FINANCES).after(planned)
    for moved, first in (
        (PUBLISH, None),
        (PUBLISH.model_copy(update={"effective_from": today}), today),
    ):
        outcome = account.when(moved).then(
            like(AccountPublished, country="SE", tax=FINANCES.tax, effective_from=first),
            like(AccountPublished, country="SE", tax=exempt, effective_from=july),
        )
        outcome.when(moved).then_nothing()
        versions = outcome.state.versions
        for day, tax in ((today, FINANCES.tax), (july, exempt)):
            known = in_force(versions, day)
            assert known is not None
            assert (known.country, known.tax) == ("SE", tax)
    beyond = PUBLISH.model_copy(update={"effective_from": date(2026, 8, 1)})
    account.when(beyond).then(like(AccountPublished, country="SE", tax=exempt))


def test_a_planned_part_of_the_own_department_stays_from_its_day_on() -> None:
    """Sales has planned a new country for July, and Finance another tax for June and August."""
    june, july, august = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)
    exempt = AccountTax(treatment="exempt", exemption="charity")
    planned = (
        PUBLISH.model_copy(update={"effective_from": july}),
        FINANCES.model_copy(update={"tax": exempt, "effective_from": june}),
        PublishAccountFinances(tax=FINANCES.tax, effective_from=august),
    )
    account = FRESH.on(date(2026, 5, 1)).after(RECORD).after(FINANCES)
    for command in planned:
        account = account.after(command)
    mended = account.when(PUBLISH.model_copy(update={"country": "DK"})).then(
        like(AccountPublished, country="DK", tax=FINANCES.tax, effective_from=None),
        like(AccountPublished, country="DK", tax=exempt, effective_from=june),
    )
    for day, country, tax in (
        (june, "DK", exempt),
        (july, "SE", exempt),
        (august, "SE", FINANCES.tax),
    ):
        known = in_force(mended.state.versions, day)
        assert known is not None
        assert (known.country, known.tax) == (country, tax)


def test_two_accounts_never_have_one_name() -> None:
    known = FRESH.after(RECORD).knowing(
        AccountPublished(account="A-2", name="Apex  Mills"), RECORDED
    )
    renamed = PUBLISH.model_copy(update={"name": "APEX MILLS"})
    known.when(renamed).then_refused("account-name-taken", fields=["name"], saying="A-2")
    known.when(PUBLISH).then_accepted()
    twice = given(ACCOUNT, "A-3", records=[AccountPublished(account="A-2", name="Apex")])
    twice.when(RecordAccount(name="Apex")).then_refused("account-name-taken")


def test_a_parent_is_a_known_account_above_this_one() -> None:
    child = PUBLISH.model_copy(update={"parent": "A-2"})
    recorded = FRESH.after(RECORD)
    recorded.when(child).then_refused("account-unknown", fields=["parent"])
    top = AccountPublished(account="A-2", name="Apex")
    recorded.knowing(top).when(child).then_accepted()
    below = top.model_copy(update={"parent": ACME})
    recorded.knowing(below, RECORDED).when(child).then_refused(
        "account-above-itself", fields=["parent"]
    )
    own = PUBLISH.model_copy(update={"parent": ACME})
    recorded.when(own).then_refused("account-above-itself")


def test_invoices_go_to_a_contact_of_the_account() -> None:
    to_nora = FINANCES.model_copy(update={"billing": BILLING.model_copy(update={"contact": "C-1"})})
    recorded = FRESH.after(RECORD)
    recorded.when(to_nora).then_refused("contact-unknown", fields=["billing.contact"])
    nora = ContactPublished(contact="C-1", name="Nora", account=ACME)
    recorded.knowing(nora).when(to_nora).then_accepted()
    other = nora.model_copy(update={"account": "A-2"})
    recorded.knowing(other).when(to_nora).then_refused("contact-of-other-account")


def test_an_introduction_never_replaces_a_published_record() -> None:
    FRESH.when(IntroduceAccount(name="Acme")).then(AccountPublished(account=ACME, name="Acme"))
    FRESH.after(RECORD).when(IntroduceAccount(name="ACME")).then_nothing()


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (RecordAccount, {"name": "Acme", "country": "XX"}),
        (RecordAccount, {"name": "Acme", "country": "Norway"}),
        (RecordAccount, {"name": "Acme", "time_zone": "Europe/Nowhere"}),
        (RecordAccount, {"name": "Acme", "domain": "https://acme.example"}),
        (RecordAccount, {"name": "Acme", "domain": "acme"}),
        (RecordAccount, {"name": "  "}),
        (AccountTax, {"treatment": "exempt"}),
        (AccountTax, {"treatment": "domestic", "exemption": "none"}),
        (AccountTax, {"treatment": "reverse-charge"}),
        (AccountTax, {"treatment": "reverse-charge", "vat_id": "DE123456789"}),
        (AccountBilling, {**dict(BILLING), "currency": "XXX"}),
        (AccountBilling, {**dict(BILLING), "payment_terms_days": -1}),
        (AccountBilling, {**dict(BILLING), "contact": "nora@acme.example"}),
    ],
)
def test_invalid_records_are_refused(kind: Any, bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        kind(**bad)

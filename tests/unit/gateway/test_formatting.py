from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from contracts import delivery, finance, gateway, legal, sales
from contracts.event import Event
from contracts.money import Money
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    ContactPublished,
    PersonPublished,
)
from contracts.values import Margin
from gateway import formatting
from gateway.pages.department_panels import freshness, panels, titles_by_id
from gateway.pages.engagement_page import entry, proved_disconnects, stage_steps
from gateway.pages.names import STAGE_NAMES, Names, rule_title
from gateway.redaction import Reader
from gateway.rules import judge
from gateway.schemas import timeline_entry
from gateway.view.engagement_view import STAGES, View, apply_event, sentence_of
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life
from tests.portfolio_builder import late
from tests.weeks import rejected, submitted

TODAY = date(2026, 5, 25)
NOBODY = Names(RecordsOf([]))
READER = Reader("vera", confidential=True, everyone=True)


def view_of(life: Life) -> View:
    view = View(ENGAGEMENT)
    for recorded in life.events:
        apply_event(view, recorded)
    return view


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.00", "EUR", "1,234,567 EUR"),
        ("1234567.50", "EUR", "1,234,567.50 EUR"),
        ("-1200", "USD", "−1,200 USD"),  # noqa: RUF001 - a minus sign
        ("-0.5", "GBP", "−0.50 GBP"),  # noqa: RUF001
        ("-0", "EUR", "0 EUR"),
        ("1500", "JPY", "1,500 JPY"),
        ("0.125", "KWD", "0.125 KWD"),
    ],
)
def test_money_is_written_with_minor_units_only_where_there_are_any(
    amount: str, currency: str, text: str
) -> None:
    assert formatting.money(Money(amount=Decimal(amount), currency=currency)) == text


def test_an_unknown_figure_is_not_written_as_zero() -> None:
    unknown = "–"  # noqa: RUF001 - an en dash
    assert {
        formatting.money(None),
        formatting.percent(None),
        formatting.points(None),
        formatting.ratio(None),
        formatting.day(None),
        formatting.short_day(None),
    } == {unknown}
    assert formatting.percent(Decimal(0)) == "0%"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.305", "30.5%"), ("0.3", "30%"), ("-0.6", "−60%"), ("1.0045", "100.5%")],  # noqa: RUF001
)
def test_ratios_are_written_in_percent(value: str, text: str) -> None:
    assert formatting.percent(Decimal(value)) == text


def test_a_moment_is_written_in_utc() -> None:
    late_evening = datetime.fromisoformat("2026-06-04T01:30:00+02:00")

    assert formatting.day(late_evening) == "3 June 2026"
    assert formatting.moment(late_evening) == "3 Jun 2026, 23:30"


@pytest.mark.parametrize(
    ("since", "text"),
    [
        ("2026-05-25T08:00:00Z", "today"),
        ("2026-05-26T08:00:00Z", "today"),
        ("2026-05-24T23:59:00Z", "1 day ago"),
        ("2026-04-01T00:00:00Z", "54 days ago"),
        ("2025-11-25T00:00:00Z", "5 months ago"),
    ],
)
def test_elapsed_time_is_in_days_and_then_in_months(since: str, text: str) -> None:
    assert formatting.elapsed(datetime.fromisoformat(since), TODAY) == text


def test_the_forecast_is_compared_with_the_promised_finish() -> None:
    promise = date(2026, 6, 4)

    assert formatting.promised(promise, date(2026, 6, 25)) == "21 days late"
    assert formatting.promised(promise, date(2026, 6, 3)) == "1 day early"
    assert formatting.promised(promise, promise) == "on time"
    assert formatting.promised(promise, None) == ""


def test_every_stage_and_every_rule_has_a_name() -> None:
    named = {
        rule_title(finding.rule)
        for finding in judge(view_of(late(Life().worked())), TODAY).values()
    }

    assert set(STAGE_NAMES) == set(STAGES)
    assert "Promised before forecast" in named


def test_names_come_from_reference_data_and_an_erased_person_keeps_only_the_id() -> None:
    named = Names(RecordsOf([PersonPublished(person="ann", name="Ann Archer", department="sales")]))

    assert named.person("ann") == "Ann Archer"
    assert named.person("max") == "max"
    assert named.person("finance") == "Finance"
    assert named.account(None) == "–"  # noqa: RUF001


def test_contacts_are_shown_with_their_roles_and_accounts_with_their_legal_name() -> None:
    cleo = ContactPublished(
        contact="C-1", account="acme", name="Cleo Quist", roles=("sponsor", "pmo")
    )
    acme = AccountPublished(account="acme", name="Acme", legal_name="Acme AS")
    named = Names(RecordsOf([cleo, acme]))
    assert named.person("C-1") == "Cleo Quist"
    assert named.contact("C-1") == "Cleo Quist, sponsor and PMO"
    assert named.contact("C-2") == "C-2"

    life = Life().say(
        0,
        sales.OpportunityOpened(
            account="acme",
            title="Portal",
            contacts=("C-1", "C-2"),
            expected_value=eur(1),
            expected_close=TODAY,
            owner="ann",
        ),
    )
    [panel] = (
        each
        for each in panels(view_of(life), named, TODAY, confidential=False)
        if each.department == "sales"
    )
    rows = {row.label: row.lines for row in panel.rows}
    assert rows["Account"] == ("Acme", "Acme AS")
    assert rows["Contacts"] == ("Cleo Quist, sponsor and PMO", "C-2")


@pytest.mark.parametrize(
    ("expires_on", "starts_on", "text"),
    [
        (None, date(2026, 1, 5), "in force, signed 5 Jan 2026"),
        (TODAY, date(2026, 1, 5), "in force until 25 May 2026, signed 5 Jan 2026"),
        (date(2026, 5, 24), date(2026, 1, 5), "expired on 24 May 2026"),
        (None, date(2026, 5, 26), "signed, in force from 26 May 2026"),
    ],
)
def test_agreements_are_those_of_the_account_today(
    expires_on: date | None, starts_on: date, text: str
) -> None:
    def agreement(name: str, account: str, expires_on: date | None) -> AgreementPublished:
        return AgreementPublished(
            agreement=name,
            account=account,
            agreement_type="msa",
            signed_on=date(2026, 1, 5),
            starts_on=starts_on,
            expires_on=expires_on,
        )

    named = Names(
        RecordsOf([agreement("AG-1", "apex", None), agreement("AG-2", "acme", expires_on)])
    )
    [panel] = (
        each
        for each in panels(view_of(Life().signed()), named, TODAY, confidential=False)
        if each.department == "legal"
    )
    rows = {row.label: row.lines for row in panel.rows}
    assert rows["MSA"] == (text,)
    assert "NDA" not in rows


# ---- sentences -------------------------------------------------------------------------------


def test_every_sentence_of_an_engagement_is_filled_completely() -> None:
    told = [sentence_of(recorded.event, NOBODY) for recorded in Life().closed().events]

    assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in told)
    assert not [sentence for sentence in told if set(sentence) & set("{}[]|")]
    assert not [sentence for sentence in told if "  " in sentence or "None" in sentence]


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            sales.DealLost(reason="no-decision", lost_on=TODAY),
            "Deal lost: no decision.",
        ),
        (
            sales.DealLost(
                reason="price", competitor="Northwind", comment="A third less.", lost_on=TODAY
            ),
            "Deal lost to Northwind: price. “A third less.”",
        ),
        (
            finance.MarginMeasured(
                as_of=TODAY,
                margin_sold=Margin(revenue=eur(10), cost=eur(7), margin=Decimal("0.3")),
                margin_billed=None,
                margin_recognised=Margin(revenue=eur(0), cost=eur(7), margin=None),
                margin_forecast=None,
            ),
            "Margin at 25 May 2026: sold 30%.",
        ),
        (
            delivery.SowReviewed(
                version=2, content_hash="sha256:" + "a" * 64, verdict="objected", why="Too late."
            ),
            "Delivery objected to statement of work 2. “Too late.”",
        ),
        (
            legal.EarlyStartAuthorised(
                cap_hours=Decimal("40.00"),
                starts_on=date(2026, 5, 4),
                expires_on=TODAY,
                reason="The customer is in a hurry.",
            ),
            (
                "Early start authorised for 40 h from 4 May 2026 until 25 May 2026: "
                "“The customer is in a hurry.”"
            ),
        ),
        (
            gateway.DisconnectWaived(
                finding="beyond-budget.hours",
                rule="beyond-budget",
                why="Agreed.",
                waived_by="vera",
                until=date(2026, 6, 4),
            ),
            "Vera waived “Beyond the budget” until 4 June 2026: “Agreed.”",
        ),
    ],
)
def test_an_event_is_written_as_a_sentence(event: Event, sentence: str) -> None:
    assert sentence_of(event, NOBODY) == sentence


def test_text_of_an_event_is_unchanged_even_if_it_looks_like_a_field() -> None:
    event = rejected(submitted("T-1", date(2026, 3, 2), 16), "{week} [see {why|words}] <b>")

    assert sentence_of(event, NOBODY, READER) == (
        "16 h as engineer of eve in the week of 2 March 2026 not approved: "
        "“{week} [see {why|words}] <b>”"
    )


def test_deliverables_are_written_with_their_titles() -> None:
    life = Life().accepted()
    names = Names(RecordsOf([]), titles_by_id(view_of(life)))
    accepted = [
        each for each in life.events if isinstance(each.event, delivery.DeliverableAccepted)
    ]

    assert sentence_of(accepted[0].event, names).startswith("Customer portal accepted by cora")


# ---- an engagement ---------------------------------------------------------------------------


def test_stages_of_an_engagement_have_the_day_on_which_they_began() -> None:
    steps = {step.stage: step for step in stage_steps(view_of(Life().worked()))}

    assert steps["contracting"].on == date(2026, 1, 20)
    assert steps["mobilising"].state == "passed"
    assert steps["delivering"].state == "current"
    assert steps["closed"].state == "ahead"


def test_lost_is_the_last_stage_of_a_lost_deal() -> None:
    steps = stage_steps(
        view_of(Life().proposed().say(20, sales.DealLost(reason="price", lost_on=TODAY)))
    )

    assert [step.stage for step in steps if step.state == "passed"] == ["opportunity", "proposal"]
    assert (steps[-1].stage, steps[-1].state) == ("lost", "current")


def test_evidence_names_the_events_that_its_author_had_not_processed() -> None:
    life = late(Life().worked())
    view = view_of(life)
    (proved,) = [
        each
        for each in proved_disconnects(judge(view, TODAY), {}, life.events, NOBODY, READER)
        if each.disconnect.rule == "promised-finish-before-forecast"
    ]
    signed, report = proved.proofs

    assert "signed by both parties" in signed.entry.sentence
    assert not signed.unaware_of
    assert [each.channel for each in report.unaware_of] == ["legal"]


def test_positions_of_confidential_channels_are_hidden_from_other_readers() -> None:
    recorded = replace(Life().worked().events[-1], heard={"sales": 3, "finance.confidential": 2})

    def heard(*, confidential: bool) -> set[str]:
        shown = entry(recorded, NOBODY, READER if confidential else Reader("eve"))
        return {each.channel for each in shown.heard}

    assert "finance.confidential" in heard(confidential=True)
    assert heard(confidential=False) == heard(confidential=True) - {"finance.confidential"}


def test_an_event_shows_for_whom_its_author_stood_in() -> None:
    recorded = replace(Life().opened().events[-1], actor="ann", on_behalf_of="bea")
    assert entry(recorded, NOBODY, READER).actor == "ann for bea"
    assert timeline_entry(recorded, READER).on_behalf_of == "bea"


def test_freshness_counts_missing_events_that_other_authors_had_processed() -> None:
    life = Life().signed()
    view = View(ENGAGEMENT)
    for recorded in life.events:
        if recorded.channel.name != "legal":
            apply_event(view, recorded)

    (legal_now,) = freshness(view, "legal", confidential=False)

    assert (legal_now.events, legal_now.missing) == (0, 5)


@pytest.mark.parametrize("act", ["opened", "proposed", "won", "signed", "kicked_off", "closed"])
def test_each_department_has_a_panel_at_every_stage(act: str) -> None:
    life: Life = getattr(Life(), act)()

    shown = panels(view_of(life), NOBODY, date(2026, 6, 1), confidential=False)

    assert [panel.department for panel in shown] == [
        "sales",
        "legal",
        "delivery",
        "finance",
        "gateway",
    ]
    assert not any("confidential" in each.name for panel in shown for each in panel.freshness)

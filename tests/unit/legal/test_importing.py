"""Test that Legal takes over the contract of an engagement under way, once."""

from datetime import date

import pytest
from pydantic import ValidationError

from chassis.domain.documents import DocumentKept
from contracts.legal import EngagementImported
from contracts.lines import BillingItem
from contracts.money import Money
from legal.engagement import Engagement
from legal.importing.decisions import ImportEngagement
from legal.service import ENGAGEMENT
from testkit.scenario import Scenario, given, like
from tests.amounts import eur
from tests.unit.imported import IMPORTED
from tests.unit.legal.builders import BUILD, FINISH, ID, START, TODAY

HASH = f"sha256:{'c' * 64}"
IMPORT = ImportEngagement(
    source="crm",
    external_id="A1",
    company="concord",
    customer="acme",
    lines=(BUILD,),
    price=eur(100_000),
    signed_on=date(2025, 12, 15),
    effective_on=date(2026, 1, 5),
    starts_on=START,
    finishes_on=FINISH,
    payment_terms_days=30,
    content_hash=HASH,
)


RECORDED = EngagementImported.model_validate(
    {name: value for name, value in dict(IMPORT).items() if name != "content"}
)


def imported(**different: object) -> Scenario[Engagement]:
    """Return an engagement that Sales imported, as won unless `different` has another outcome."""
    event = IMPORTED.model_copy(update=different)
    return given(ENGAGEMENT, ID).consumed(event).uploaded(HASH).on(TODAY)


def test_a_contract_is_taken_over_once() -> None:
    taken = imported().when(IMPORT).then(RECORDED)
    taken.then_view(imported=RECORDED, stage="signed")
    assert ENGAGEMENT.rows(taken.state)["imported"] is True
    taken.when(IMPORT).then_nothing()


def test_the_signed_document_is_kept() -> None:
    text = IMPORT.model_copy(update={"content_hash": None, "content": "The contract."})
    outcome = imported().when(text)
    (kept,) = (each.event for each in outcome.recorded if isinstance(each.event, DocumentKept))
    taken = outcome.then(like(EngagementImported, content_hash=kept.content_hash))
    taken.when(text).then_nothing()
    other = text.model_copy(update={"content": "Another."})
    taken.when(other).then_refused("already-recorded", fields={"content_hash"})
    bare = given(ENGAGEMENT, ID).consumed(IMPORTED).on(TODAY)
    bare.when(IMPORT).then_refused("document-unknown", fields={"content_hash"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("signed_on", date(2025, 12, 16)), ("payment_terms_days", 14), ("company", "other")],
)
def test_another_contract_is_refused_with_the_field(field: str, value: object) -> None:
    other = IMPORT.model_copy(update={field: value})
    imported().after(IMPORT).when(other).then_refused("already-recorded", fields={field})


def test_sales_imported_the_opportunity_as_won_from_this_record() -> None:
    bare = given(ENGAGEMENT, ID).uploaded(HASH)
    bare.when(IMPORT).then_refused("opportunity-not-imported")
    for outcome in ("open", "lost"):
        imported(outcome=outcome).when(IMPORT).then_refused("deal-not-won", saying=outcome)
    for field, value in (("source", "erp"), ("external_id", "A2")):
        other = IMPORT.model_copy(update={field: value})
        imported().when(other).then_refused("source-differs", saying=f"{field}: ")


def test_customer_and_currency_are_those_of_sales() -> None:
    imported(account="other").when(IMPORT).then_refused("account-differs", saying="customer: ")
    imported(account=None).when(IMPORT).then_accepted()
    dollars = Money.model_validate({"amount": 1, "currency": "USD"})
    imported(value=dollars).when(IMPORT).then_refused("currency-differs", saying="lines: ")
    imported(value=None).when(IMPORT).then_accepted()


def test_the_contract_was_not_signed_in_the_future() -> None:
    late = IMPORT.model_copy(update={"signed_on": date(2026, 3, 9)})
    imported().when(late).then_refused("date-in-future", saying="signed_on: ")


def test_lines_add_up_to_the_price_and_their_billing_to_them() -> None:
    with pytest.raises(ValidationError, match="must be the sum of the lines, 100,000"):
        ImportEngagement.model_validate({**dict(IMPORT), "price": eur(99_999)})
    with pytest.raises(ValidationError, match="must not be before starts_on"):
        ImportEngagement.model_validate({**dict(IMPORT), "finishes_on": date(2026, 1, 1)})
    entry = BillingItem(item="B-1", kind="on-signature", amount=eur(30_000))
    part = BUILD.model_copy(update={"billing": (entry,)})
    imported().when(IMPORT.model_copy(update={"lines": (part,)})).then_refused(
        "sow-inconsistent", missing={"billing-schedule-differs"}, fields={"lines"}
    )
    without = BUILD.model_copy(update={"billing": ()})
    imported().when(IMPORT.model_copy(update={"lines": (without,)})).then_accepted()

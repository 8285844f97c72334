from datetime import date

import pytest
from pydantic import ValidationError

from contracts.delivery import EngagementClosed
from contracts.legal import FileOpened, MsaSigned, NdaSigned
from contracts.refusals import RefusalCode
from contracts.sales import DealLost, OpportunityImported
from legal.filing import OpenFile, RecordMsa, RecordNda
from tests.unit.legal.papers import FILE, OPENED, TODAY, WON, filed, heard_of
from tests.unit.legal.papers import given_nothing as nothing


def imported(account: str | None) -> OpportunityImported:
    return OpportunityImported(
        source="CRM",
        external_id="1C1I7A6R",
        account=account,
        title="GTX Plus",
        product="GTX Plus",
        owner="ann",
        outcome="open",
        pipeline_stage="prospecting",
        opened_on=None,
        closed_on=None,
        value=None,
    )


def test_a_won_deal_opens_a_file_automatically():
    heard_of.when_consumed(WON).then(FILE)


def test_a_won_imported_opportunity_opens_a_file_automatically():
    nothing.consumed(imported("acme")).when_consumed(WON).then(
        FileOpened(account="acme", title="GTX Plus")
    )


def test_a_won_deal_without_an_account_needs_a_command_to_open_its_file():
    unfiled = nothing.consumed(imported(None)).when_consumed(WON).then_nothing()
    unfiled.when(OpenFile()).then_refused("file-incomplete")
    unfiled.when(OpenFile(account="acme")).then(FileOpened(account="acme", title="GTX Plus"))


def test_a_file_may_be_opened_before_the_deal_and_is_opened_once():
    early = heard_of.when(OpenFile()).then(FILE)
    early.when(OpenFile()).then_nothing()
    early.when(OpenFile(title="Order desk")).then_nothing()
    early.when_consumed(WON).then_nothing()


def test_a_file_cannot_be_renamed_or_given_to_another_customer():
    filed.when(OpenFile(title="Other")).then_refused("file-open", saying="Order desk")
    heard_of.when(OpenFile(account="other")).then_refused("account-differs", saying="acme")


def test_a_file_requires_account_and_title():
    nothing.when(OpenFile()).then_refused("file-incomplete")
    nothing.when(OpenFile(account="acme", title="Order desk")).then(FILE)


@pytest.mark.parametrize(
    ("command", "event", "refusal"),
    [(RecordNda, NdaSigned, "nda-signed"), (RecordMsa, MsaSigned, "msa-signed")],
)
def test_agreements_are_recorded_once_and_replaced_by_later_ones(
    command: type[RecordNda | RecordMsa],
    event: type[NdaSigned | MsaSigned],
    refusal: RefusalCode,
):
    first = filed.when(command()).then(event(signed_on=TODAY))
    first.when(command()).then_nothing()
    first.when(command(signed_on=date(2026, 1, 1))).then_refused(refusal, saying=str(TODAY))
    first.when(command(expires_on=date(2027, 1, 1))).then_refused(refusal)
    later = event(signed_on=date(2026, 6, 1), expires_on=date(2027, 6, 1))
    first.on(date(2026, 6, 1)).when(command(expires_on=date(2027, 6, 1))).then(later)


@pytest.mark.parametrize("command", [RecordNda, RecordMsa])
def test_agreements_require_a_file_and_consistent_days(command: type[RecordNda | RecordMsa]):
    heard_of.when(command()).then_refused("file-not-open")
    filed.when(command(signed_on=date(2026, 3, 3))).then_refused("date-in-future")
    filed.when(command(expires_on=date(2026, 3, 1))).then_refused("expiry-before-signature")
    with pytest.raises(ValidationError, match="must not be before"):
        command(signed_on=date(2026, 3, 2), expires_on=date(2026, 3, 1))


@pytest.mark.parametrize(
    "end",
    [
        DealLost(reason="price", lost_on=TODAY),
        EngagementClosed(closed_on=TODAY),
        imported("acme").model_copy(update={"outcome": "lost", "closed_on": TODAY}),
    ],
)
def test_filing_is_refused_after_the_end(end: DealLost | EngagementClosed | OpportunityImported):
    over = filed.consumed(end)
    for command in (OpenFile(), RecordNda(), RecordMsa()):
        over.when(command).then_refused("engagement-over", saying=str(TODAY))


def test_a_lost_deal_opens_no_file():
    nothing.consumed(OPENED).when_consumed(DealLost(reason="price", lost_on=TODAY)).then_nothing()

import pytest

from contracts.delivery import EngagementClosed
from contracts.legal import FileOpened
from contracts.sales import DealLost, DealReopened, OpportunityImported, OpportunityImportUpdated
from legal.file.decisions import OpenFile
from tests.unit.legal.builders import FILE, OPENED, TODAY, WON, filed, new, opened

REOPENED = DealReopened(why="They asked again.", lost_on=TODAY, reopened_on=TODAY)


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
    opened().when_consumed(WON).then(FILE)


def test_a_won_imported_opportunity_opens_a_file_automatically():
    new().consumed(imported("acme")).when_consumed(WON).then(
        FileOpened(account="acme", title="GTX Plus")
    )


def test_a_won_deal_without_an_account_needs_a_command_to_open_its_file():
    unfiled = new().consumed(imported(None)).when_consumed(WON).then_nothing()
    unfiled.when(OpenFile()).then_refused("file-incomplete")
    unfiled.when(OpenFile(account="acme")).then(FileOpened(account="acme", title="GTX Plus"))


def test_a_file_may_be_opened_before_the_deal_and_is_opened_once():
    early = opened().when(OpenFile()).then(FILE)
    early.when(OpenFile()).then_nothing()
    early.when(OpenFile(title="Order desk")).then_nothing()
    early.when_consumed(WON).then_nothing()


def test_a_file_cannot_be_renamed_or_given_to_another_customer():
    filed().when(OpenFile(title="Other")).then_refused("already-recorded", saying="Order desk")
    opened().when(OpenFile(account="other")).then_refused("account-differs", saying="acme")


def test_a_file_requires_account_and_title():
    new().when(OpenFile()).then_refused("file-incomplete")
    new().when(OpenFile(account="acme", title="Order desk")).then(FILE)


@pytest.mark.parametrize(
    "end",
    [
        DealLost(reason="price", lost_on=TODAY),
        EngagementClosed(closed_on=TODAY),
        imported("acme").model_copy(update={"outcome": "lost", "closed_on": TODAY}),
    ],
)
def test_no_file_is_opened_after_the_end(end: DealLost | EngagementClosed | OpportunityImported):
    over = filed().consumed(end)
    over.when(OpenFile()).then_refused("engagement-over", saying=str(TODAY))


@pytest.mark.parametrize(
    "end",
    [
        DealLost(reason="price", lost_on=TODAY),
        imported("acme").model_copy(update={"outcome": "lost", "closed_on": None}),
    ],
)
def test_a_reopened_deal_gets_a_file(end: DealLost | OpportunityImported):
    again = new().consumed(OPENED, end, REOPENED)
    again.when(OpenFile()).then_accepted().then_view(stage="filed")


def moved(outcome: str, *, applied: bool = True) -> OpportunityImportUpdated:
    record = imported("acme").model_copy(update={"outcome": outcome, "title": "GTX Pro"})
    return OpportunityImportUpdated(**dict(record), changed=("outcome", "title"), applied=applied)


def test_a_file_follows_the_crm_until_people_decide():
    lost = new().consumed(imported("acme"), moved("lost")).then_view(stage="lost", title="GTX Pro")
    lost.when(OpenFile()).then_refused("engagement-over", saying="the engagement was lost")
    lost.consumed(moved("open")).when(OpenFile()).then_accepted()
    kept = new().consumed(imported("acme"), moved("lost", applied=False))
    kept.then_view(stage="unfiled", title="GTX Plus")


def test_a_lost_deal_opens_no_file():
    new().consumed(OPENED).when_consumed(DealLost(reason="price", lost_on=TODAY)).then_nothing()

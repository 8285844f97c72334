"""Import one opportunity from a CRM."""

import json
from datetime import date
from decimal import Decimal
from importlib.resources import files

from contracts.legal import EngagementImported
from contracts.sales import (
    ImportedOpportunity,
    OpportunityImportUpdated,
)
from sales.importing.decisions import ImportOpportunity
from sales.opportunity.decisions import AdoptOpportunity, LoseDeal, ReopenDeal
from tests.amounts import usd
from tests.unit.sales.builders import new, opened

IMPORT = ImportOpportunity(
    source="crm",
    external_id="A1",
    account=None,
    title="Portal",
    product="Portal",
    owner="ann",
    outcome="won",
    pipeline_stage="qualifying",
    opened_on=date(2017, 2, 25),
    closed_on=date(2017, 3, 1),
    value=usd(49),
)


def test_an_imported_opportunity_keeps_its_dates() -> None:
    taken = new().when(IMPORT).then(IMPORT.after(None))
    taken.then_view(stage="won", opened_on=date(2017, 2, 25), expected_value=usd(49))


def test_an_equal_repetition_changes_nothing() -> None:
    new().after(IMPORT).when(IMPORT).then_nothing()


def test_different_content_under_the_same_id_is_refused_by_field() -> None:
    changed = IMPORT.model_copy(update={"account": "acme", "value": usd(55)})
    new().after(IMPORT).when(changed).then_refused(
        "already-recorded",
        missing={"field-differs"},
        fields={"account", "value"},
        saying="the imported opportunity is recorded with other content: "
        "account: recorded as empty, given as acme; "
        "value: recorded as 49.00 USD, given as 55.00 USD",
    )


def test_an_opportunity_opened_in_sales_is_not_imported() -> None:
    opened().when(IMPORT).then_refused("opportunity-opened")


OPEN = IMPORT.model_copy(
    update={
        "account": "acme",
        "outcome": "open",
        "closed_on": None,
        "expected_close": date(2026, 2, 1),
        "probability": Decimal(40),
    }
)
WON = OPEN.model_copy(
    update={
        "outcome": "won",
        "closed_on": date(2026, 1, 2),
        "expected_close": None,
        "probability": None,
    }
)
LOST = WON.model_copy(update={"outcome": "lost", "loss_reason": "price"})


def moved(to: ImportOpportunity, *changed: str, applied: bool = True) -> OpportunityImportUpdated:
    fields = {name: getattr(to, name) for name in ImportedOpportunity.model_fields}
    return OpportunityImportUpdated(**fields, changed=changed, applied=applied)


TAKEN_OVER = EngagementImported.model_validate(
    json.loads(
        files("contracts").joinpath("examples", f"{EngagementImported.type}.json").read_text()
    )["data"]
)
ENDED = ("outcome", "closed_on", "expected_close", "probability")


def test_an_open_deal_that_the_crm_won_is_won() -> None:
    won = new().after(OPEN).when(WON.moved()).then(moved(WON, *ENDED))
    won.then_view(stage="won", expected_close=None, probability=None)
    won.when(WON.moved()).then_nothing()
    won.when(WON).then_nothing()


def test_a_deal_that_the_crm_lost_and_reopened_is_open() -> None:
    lost = new().after(OPEN).after(LOST.moved()).then_view(stage="lost")
    lost.when(OPEN.moved()).then_accepted().then_view(stage="qualifying", probability=Decimal(40))


def test_a_loss_that_was_taken_back_here_stays_taken_back_until_the_outcome_changes() -> None:
    again = new().after(LOST).after(ReopenDeal(why="They called.")).then_view(stage="qualifying")
    dearer = LOST.model_copy(update={"value": usd(70)})
    same = again.when(dearer.moved()).then(moved(dearer, "value")).then_view(stage="qualifying")
    same.after(OPEN.moved()).after(LOST.moved()).then_view(stage="lost")


def test_a_change_is_recorded_and_not_applied_once_people_decided() -> None:
    adopted = new().after(OPEN).after(AdoptOpportunity())
    after = adopted.when(WON.moved()).then(moved(WON, *ENDED, applied=False))
    after.then_view(
        stage="qualifying",
        expected_close=date(2026, 2, 1),
        import_updated=moved(WON, *ENDED, applied=False),
    )
    after.when(WON.moved()).then_nothing()
    lost = new().after(OPEN).after(LoseDeal(reason="scope"))
    lost.when(WON.moved()).then(moved(WON, *ENDED, applied=False)).then_view(stage="lost")
    taken_over = new().after(WON).consumed(TAKEN_OVER)
    back = taken_over.when(OPEN.moved()).then(moved(OPEN, *ENDED, applied=False))
    back.then_view(stage="won")


def test_what_the_export_has_no_column_for_keeps_its_value() -> None:
    absent = OPEN.model_copy(update={"probability": None, "absent": ("probability",)})
    new().after(OPEN).when(absent).then_nothing()
    won = WON.model_copy(update={"absent": ("probability", "loss_reason")})
    new().after(OPEN).when(won.moved()).then(moved(WON, *ENDED))


def test_only_what_was_imported_is_updated() -> None:
    opened().when(WON.moved()).then_refused("opportunity-not-imported")

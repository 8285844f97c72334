"""Import one opportunity from a CRM."""

from datetime import date

from contracts.sales import OpportunityImported
from sales.importing.decisions import ImportOpportunity
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
    taken = new().when(IMPORT).then(OpportunityImported(**dict(IMPORT)))
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

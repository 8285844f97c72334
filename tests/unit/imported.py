"""An opportunity that Sales imported as won."""

from datetime import date

from contracts.sales import OpportunityImported
from tests.amounts import eur

IMPORTED = OpportunityImported(
    source="crm",
    external_id="A1",
    account="acme",
    title="Order desk",
    product="Portal",
    owner="ann",
    outcome="won",
    pipeline_stage="negotiating",
    opened_on=date(2025, 10, 1),
    closed_on=date(2025, 12, 1),
    value=eur(100_000),
)

"""A third company and its customers, in pounds, beside those of the demo in euros and dollars.

Its books are in euros, and the rates of pounds change each month.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

from local.demo import reference_data
from local.demo.reference_data import BILL_RATES, COST_RATES, CUSTOMERS, FLOOR, PURCHASE_COSTS
from tests.unit.simulation import World

_CUSTOMER = replace(
    CUSTOMERS[0],
    name="Harrow Ferries",
    account="harrow-ferries",
    legal_name="Harrow Ferries Ltd",
    domain="harrow.example",
    country="GB",
    time_zone="Europe/London",
    language="en-GB",
    currency="GBP",
    vat_id="GB980780684",
    sponsor=("olive", "Olive Grant"),
)
_OTHER = replace(
    _CUSTOMER,
    name="Tarn Energy",
    account="tarn-energy",
    legal_name="Tarn Energy plc",
    domain="tarn.example",
    sponsor=("ivor", "Ivor Pryce"),
)
IN_POUNDS = (_CUSTOMER, _OTHER)
EVERY_CUSTOMER = tuple(
    each
    for three in zip(CUSTOMERS[:3], CUSTOMERS[3:], (*IN_POUNDS, IN_POUNDS[0]), strict=True)
    for each in three
)
"""Customers of the three currencies in turn."""
_COMPANY = {
    "legal_name": "Concord Consulting Ltd",
    "address": "4 Quay Street\nLondon E14 9TS",
    "country": "GB",
    "vat_id": "GB220430231",
    "bank_accounts": [
        {
            "bank_account": "main",
            "currency": "GBP",
            "iban": "GB29NWBK60161331926819",
            "bic": "NWBKGB2L",
        }
    ],
    "tax_codes": [{"treatment": "domestic", "tax_code": "GB-standard"}],
    "base_currency": "EUR",
    "time_zone": "Europe/London",
    "calendar": "munich",
    "invoice_numbers": {"prefix": "GB-"},
    "credit_note_numbers": {"prefix": "GB-CN-", "follow_days": True},
}
_MONTH, _RATE = timedelta(days=30), "publish-exchange-rate"
_TAX = {"name": "VAT, United Kingdom", "country": "GB", "percent": "20"}


@contextmanager
def three_companies() -> Iterator[None]:
    """Add the company and the customers in pounds to the reference data of the demo."""
    known = reference_data
    with (
        patch.dict(known.SELLING_COMPANY, GBP="concord-uk"),
        patch.dict(known.HOME, GBP="munich"),
        patch.dict(known.COMPANIES, {"concord-uk": _COMPANY}),
        patch.dict(known.TAX_RATES, {"GB-standard": _TAX}),
        patch.object(known, "CUSTOMERS", (*CUSTOMERS, *IN_POUNDS)),
    ):
        yield


def publish_pounds(world: World, effective_from: date) -> None:
    """Publish bill, cost and exchange rates of the company in pounds."""
    day = effective_from.isoformat()

    def rates(table: dict[str, int]) -> dict[str, Any]:
        of_roles = [
            {"role": role, "rate": {"amount": str(amount), "currency": "GBP"}}
            for role, amount in table.items()
        ]
        return {"currency": "GBP", "rates": of_roles, "effective_from": day}

    purchases = [{"kind": kind, "percent": str(part)} for kind, part in PURCHASE_COSTS.items()]
    costs = {**rates(COST_RATES), "purchases": purchases, "floor": FLOOR}
    for path, body in (
        ("rate-cards/standard-GBP/publish-rate-card", rates(BILL_RATES)),
        ("cost-rates/standard-GBP/publish-cost-rates", costs),
        *(
            (
                f"exchange-rates/EUR-GBP-{effective_from + _MONTH * nth}/{_RATE}",
                {"rate": f"0.8{nth * 7 % 10}", "source": "European Central Bank"},
            )
            for nth in range(30)
        ),
    ):
        world.publish("finance", path, body, "dora")

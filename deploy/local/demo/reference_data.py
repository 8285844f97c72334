"""Define the demo's reference data, all made up, and publish them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from contracts.roles import ROLES, Role
from local.demo.driver import Driver


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer organisation; `sponsor` signs, accepts and answers.

    Both are called by names of the demo's own; `Driver.ids` has the ids that the services made.
    """

    account: str
    name: str
    legal_name: str
    domain: str
    sector: str
    country: str
    time_zone: str
    language: str
    currency: str
    vat_id: str | None
    sponsor: tuple[str, str]
    parent: str | None = None


CUSTOMERS: tuple[Customer, ...] = (
    Customer(
        account="novamed",
        name="Novamed Clinics",
        legal_name="Novamed Kliniken GmbH",
        domain="novamed.example",
        sector="health",
        country="DE",
        time_zone="Europe/Berlin",
        language="de",
        currency="EUR",
        vat_id="DE271828180",
        sponsor=("jonas", "Jonas Weber"),
    ),
    Customer(
        account="ostrava-steel",
        name="Ostrava Steel",
        legal_name="Ostrava Steel s.r.o.",
        domain="ostrava-steel.example",
        sector="metals",
        country="CZ",
        time_zone="Europe/Prague",
        language="cs",
        currency="EUR",
        vat_id="CZ45271003",
        sponsor=("petr", "Petr Havel"),
    ),
    Customer(
        account="arbor-retail",
        name="Arbor Retail",
        legal_name="Arbor Retail NV",
        domain="arbor.example",
        sector="retail",
        country="BE",
        time_zone="Europe/Brussels",
        language="nl",
        currency="EUR",
        vat_id="BE0471234611",
        sponsor=("luc", "Luc Peeters"),
    ),
    Customer(
        account="prairie-rail",
        name="Prairie Rail",
        legal_name="Prairie Rail Company",
        domain="prairie-rail.example",
        sector="transport",
        country="US",
        time_zone="America/Chicago",
        language="en-US",
        currency="USD",
        vat_id=None,
        sponsor=("walt", "Walt Jensen"),
    ),
    Customer(
        account="cobalt-labs",
        name="Cobalt Labs",
        legal_name="Cobalt Laboratories, Inc.",
        domain="cobalt.example",
        sector="pharma",
        country="US",
        time_zone="America/New_York",
        language="en-US",
        currency="USD",
        vat_id=None,
        sponsor=("dana", "Dana Cole"),
        parent="novamed",
    ),
    Customer(
        account="summit-parks",
        name="Summit Parks",
        legal_name="Summit Parks District",
        domain="summit-parks.example",
        sector="public",
        country="US",
        time_zone="America/Denver",
        language="en-US",
        currency="USD",
        vat_id=None,
        sponsor=("ruth", "Ruth Avery"),
    ),
)

SELLING_COMPANY = {"EUR": "concord-de", "USD": "concord-us"}
"""Id of the company that sells, by the currency of the engagement."""

HOME = {"EUR": "munich", "USD": "boston"}
"""Calendar of the place where an engagement's people work, by its currency."""

SELLERS: tuple[tuple[str, str, str], ...] = (
    ("ann", "Ann Keller", "munich"),
    ("bruno", "Bruno Costa", "munich"),
    ("sam", "Sam Okafor", "boston"),
    ("kate", "Kate Monroe", "boston"),
)
"""Id, name and calendar of each account executive."""
MANAGERS: tuple[tuple[str, str, str], ...] = (
    ("emma", "Emma Lind", "munich"),
    ("max", "Max Brandt", "munich"),
    ("yuki", "Yuki Tanaka", "munich"),
    ("noor", "Noor Haddad", "boston"),
    ("tomas", "Tomas Rivera", "boston"),
    ("ines", "Ines Duarte", "boston"),
)
"""Id, name and calendar of each engagement manager."""
CONSULTANTS: tuple[tuple[str, str, str, str], ...] = (
    ("cora", "Cora Blake", "analyst", "munich"),
    ("deniz", "Deniz Kaya", "analyst", "munich"),
    ("oscar", "Oscar Nilsen", "analyst", "munich"),
    ("elif", "Elif Aydin", "architect", "munich"),
    ("felix", "Felix Roth", "architect", "munich"),
    ("daria", "Daria Koval", "architect", "munich"),
    ("gita", "Gita Rao", "engineer", "munich"),
    ("henrik", "Henrik Dahl", "engineer", "munich"),
    ("irina", "Irina Popa", "engineer", "munich"),
    ("nadia", "Nadia Berg", "engineer", "munich"),
    ("stefan", "Stefan Huber", "engineer", "munich"),
    ("wanda", "Wanda Kowal", "engineer", "munich"),
    ("emil", "Emil Sand", "engineer", "munich"),
    ("lotte", "Lotte Visser", "engineer", "munich"),
    ("lena", "Lena Fischer", "tester", "munich"),
    ("tilda", "Tilda Ek", "tester", "munich"),
    ("milan", "Milan Horak", "tester", "munich"),
    ("nina", "Nina Falk", "tester", "munich"),
    ("abel", "Abel Ionescu", "analyst", "boston"),
    ("priya", "Priya Nair", "analyst", "boston"),
    ("chen", "Chen Wei", "architect", "boston"),
    ("theo", "Theo Marks", "architect", "boston"),
    ("amina", "Amina Diallo", "engineer", "boston"),
    ("jamal", "Jamal Reed", "engineer", "boston"),
    ("kofi", "Kofi Mensah", "engineer", "boston"),
    ("hana", "Hana Sato", "engineer", "boston"),
    ("karim", "Karim Aziz", "engineer", "boston"),
    ("fatima", "Fatima Rahal", "engineer", "boston"),
    ("mateo", "Mateo Silva", "tester", "boston"),
    ("omar", "Omar Haddad", "tester", "boston"),
    ("sofia", "Sofia Greco", "tester", "boston"),
)
"""Id, name, role and calendar of each consultant."""


def leave_of(person: str, year: int) -> tuple[date, date]:
    """Return the first and last day of a consultant's summer leave: two weeks, each year the same.

    The leaves of colleagues are spread over eleven weeks.
    """
    number = [each for each, *_ in CONSULTANTS].index(person)
    first = date.fromisocalendar(year, 26 + number * 5 % 11, 1)
    return first, first + timedelta(days=13)


OFFICE: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("vera", "Vera Lange", "executive", ("vp-engagement-management", "executive", "confidential")),
    ("paul", "Paul Adler", "delivery", ("pmo-director", "engagement-manager")),
    ("carl", "Carl Jansen", "legal", ("counsel", "contract-manager")),
    ("fred", "Fred Olsen", "finance", ("project-accountant", "confidential")),
    ("dora", "Dora Marsh", "finance", ("controller", "project-accountant", "confidential")),
)

SIGNATORY = "vera"
"""Person who signs for the company."""
BILL_RATES: dict[str, int] = {
    "analyst": 115,
    "architect": 165,
    "engineer": 130,
    "tester": 95,
    "project-manager": 150,
}
COST_RATES: dict[str, int] = {
    "analyst": 72,
    "architect": 104,
    "engineer": 84,
    "tester": 60,
    "project-manager": 92,
}
GRADE_COST_RATES: dict[str, int] = {"principal": 112}
PERSON_COST_RATES: dict[str, int] = {"irina": 88}
PURCHASE_COSTS: dict[str, int] = {"licence": 85, "subcontractor": 80}
"""Cost of purchases in percent of what a customer is charged; expenses cost all of it."""
FLOOR = "25"
"""Lowest margin in percent that a price should leave."""
DOLLARS_TO_A_EURO = Decimal("1.10")
_HALF_YEAR = timedelta(days=180)
_LATER_DOLLARS_TO_A_EURO = tuple(map(Decimal, ("1.08", "1.11", "1.09", "1.12")))
"""Exchange rates of the half years after the first one."""

CALENDARS: dict[str, dict[str, Any]] = {
    "munich": {"name": "Munich", "country": "DE", "subdivision": "BY"},
    "boston": {
        "name": "Boston",
        "country": "US",
        "subdivision": "MA",
        "days_off": [{"day": "2026-11-27", "title": "Day after Thanksgiving"}],
    },
}
COMPANIES: dict[str, dict[str, Any]] = {
    "concord-de": {
        "legal_name": "Concord Consulting GmbH",
        "address": "Uferstrasse 12\n80331 Munich",
        "country": "DE",
        "vat_id": "DE136695976",
        "bank_accounts": [
            {
                "bank_account": "main",
                "currency": "EUR",
                "iban": "DE89370400440532013000",
                "bic": "COBADEFFXXX",
            }
        ],
        "tax_codes": [
            {"treatment": "domestic", "tax_code": "DE-standard"},
            {"treatment": "reverse-charge", "tax_code": "DE-reverse-charge"},
        ],
        "base_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "calendar": "munich",
        "invoice_numbers": {"prefix": "DE-"},
        "credit_note_numbers": {"prefix": "DE-CN-", "follow_days": True},
    },
    "concord-us": {
        "legal_name": "Concord Consulting Inc.",
        "address": "200 Harbor Street\nBoston, MA 02110",
        "country": "US",
        "bank_accounts": [
            {
                "bank_account": "main",
                "currency": "USD",
                "number": "First Harbor Bank, routing 011000015, account 4417 2208",
            }
        ],
        "tax_codes": [{"treatment": "exempt", "tax_code": "US-services"}],
        "base_currency": "USD",
        "time_zone": "America/New_York",
        "calendar": "boston",
        "rounding": "half-even",
        "invoice_numbers": {"prefix": "US-"},
        "credit_note_numbers": {"prefix": "US-CN-", "follow_days": True},
    },
}
ACCOUNT_NUMBERS = {
    "receivables": "1200",
    "payments-received": "1210",
    "contract-balance": "1250",
    "tax": "3806",
    "revenue": "4400",
    "exchange-differences": "4840",
    "cost": "5900",
    "cost-clearing": "3720",
    "bank-charges": "6855",
    "write-offs": "6930",
    "expected-losses": "6760",
    "loss-provision": "3090",
}
"""Accounts of both companies by kind; the numbers are made up."""
TAX_RATES: dict[str, dict[str, str]] = {
    "DE-standard": {"name": "VAT, Germany", "country": "DE", "percent": "19"},
    "DE-reverse-charge": {
        "name": "Reverse charge, EU",
        "country": "DE",
        "percent": "0",
        "treatment": "reverse-charge",
    },
    "US-services": {
        "name": "No sales tax on services",
        "country": "US",
        "percent": "0",
        "treatment": "exempt",
        "note": "Services are not taxable",
    },
}
TOLERANCES: dict[str, dict[str, Any]] = {"concord-us": {"silence_days": 28, "margin_points": "4"}}
"""Tolerances of companies that have others than the defaults."""
_ACCOUNT_CARDS = (("cobalt-labs", "USD"),)
"""Accounts with a rate card of their own, and its currency; the agreed rates are the standard."""

SPLIT: tuple[tuple[str, str, int], ...] = (
    ("Discovery", "analyst", 15),
    ("Discovery", "architect", 8),
    ("Build", "engineer", 45),
    ("Build", "architect", 7),
    ("Verify", "tester", 15),
    ("Launch", "engineer", 4),
)
"""Phase, role and share of the hours sold, of which estimates are made."""
MANAGEMENT_SHARE = 14
"""Hours of project management in percent of the hours sold."""

TEMPLATE = "standard-delivery"
PHASES: tuple[tuple[str, int, bool, tuple[tuple[str, str, int], ...]], ...] = (
    (
        "Discovery",
        20,
        False,
        (("Workshops and requirements", "analyst", 60), ("Architecture", "architect", 50)),
    ),
    (
        "Build",
        50,
        True,
        (
            ("Construction", "engineer", 85),
            ("Design authority", "architect", 35),
            ("Refinement", "analyst", 25),
        ),
    ),
    (
        "Verify",
        20,
        True,
        (("System test", "tester", 80), ("Defect repair", "engineer", 10)),
    ),
    (
        "Launch",
        10,
        True,
        (
            ("Release and handover", "engineer", 5),
            ("Acceptance support", "tester", 20),
            ("Training", "analyst", 15),
            ("Operations handover", "architect", 15),
        ),
    ),
)


def roles() -> dict[str, tuple[Role, ...]]:
    """Return the roles of each person; all are historians, since their commands are back-dated."""
    every: dict[str, tuple[Role, ...]] = {
        **{person: ("account-executive", "sales-manager") for person, *_ in SELLERS},
        **{person: ("engagement-manager",) for person, *_ in MANAGERS},
        **{person: ("consultant",) for person, *_ in CONSULTANTS},
        **{person: given for person, _, _, given in OFFICE},
        "operator": ("operator",),
        "everybody": tuple(role for role in ROLES if role not in {"customer", "partner"}),
    }
    return {person: (*given, "historian") for person, given in every.items()}


async def publish(driver: Driver, effective_from: date) -> None:
    """Publish all reference data; rates are effective from a day."""
    await _accounts(driver)
    await _agreements(driver, effective_from - timedelta(days=7))
    await asyncio.gather(
        *(_calendars(driver)),
        *(_people(driver)),
        *(_finances(driver)),
        *(_rates(driver, effective_from)),
        *(_absences(driver, effective_from)),
        driver.publish("delivery", f"templates/{TEMPLATE}/publish-template", _template(), "paul"),
    )
    await asyncio.gather(*_tolerances(driver, effective_from))


def _tolerances(driver: Driver, effective_from: date) -> list[Any]:
    return [
        driver.publish(
            "delivery",
            f"tolerances/{company}/publish-tolerances",
            {**allowed, "effective_from": effective_from.isoformat()},
            "paul",
        )
        for company, allowed in TOLERANCES.items()
    ]


def _calendars(driver: Driver) -> list[Any]:
    return [
        driver.publish("delivery", f"calendars/{calendar}/publish-calendar", record, "paul")
        for calendar, record in CALENDARS.items()
    ]


def _absences(driver: Driver, effective_from: date) -> list[Any]:
    """Publish the consultants' leave, and a stand-in for the PMO director."""

    def periods(person: str) -> list[dict[str, str]]:
        years = range(effective_from.year, effective_from.year + 3)
        leaves = (leave_of(person, year) for year in years)
        return [{"first": first.isoformat(), "last": last.isoformat()} for first, last in leaves]

    stand_in = {
        "stand_in": "vera",
        "first": effective_from.isoformat(),
        "last": (effective_from + timedelta(days=3 * 365)).isoformat(),
        "purpose": "approvals",
    }
    return [
        *(
            driver.publish(
                "delivery", f"leave/{person}/publish-leave", {"periods": periods(person)}, person
            )
            for person, *_ in CONSULTANTS
        ),
        driver.publish(
            "delivery", "stand-ins/paul/publish-stand-ins", {"stand_ins": [stand_in]}, "paul"
        ),
    ]


def _people(driver: Driver) -> list[Any]:
    def of(department: str, name: str, *roles: str, **more: str | bool) -> dict[str, Any]:
        return {"name": name, "department": department, "roles": list(roles), **more}

    people: list[tuple[str, dict[str, Any]]] = [
        *(
            (person, of(department, name, *given, may_sign=person == SIGNATORY))
            for person, name, department, given in OFFICE
        ),
        *(
            (person, of("sales", name, "account-executive", calendar=home))
            for person, name, home in SELLERS
        ),
        *(
            (
                person,
                of(
                    "delivery",
                    name,
                    "engagement-manager",
                    "project-manager",
                    manager="paul",
                    calendar=home,
                ),
            )
            for person, name, home in MANAGERS
        ),
        *(
            (
                person,
                of(
                    "delivery",
                    name,
                    "consultant",
                    role,
                    manager="paul",
                    calendar=home,
                    cost_centre="CC-200",
                    grade="principal" if role == "architect" else "senior",
                ),
            )
            for person, name, role, home in CONSULTANTS
        ),
    ]
    return [
        driver.publish(
            "delivery",
            f"people/{person}/publish-person",
            {**record, "email": f"{person}@example.com"},
            "paul",
        )
        for person, record in people
    ]


def _account(driver: Driver, customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name,
        "legal_name": customer.legal_name,
        "parent": driver.ids[customer.parent] if customer.parent else None,
        "domain": customer.domain,
        "country": customer.country,
        "time_zone": customer.time_zone,
        "sector": customer.sector,
    }


def _contact(customer: Customer, *roles: str) -> dict[str, Any]:
    contact, name = customer.sponsor
    return {
        "name": name,
        "email": f"{contact}@{customer.domain}",
        "language": customer.language,
        "roles": ["sponsor", "approver", "signatory", *roles],
    }


async def _accounts(driver: Driver) -> None:
    """Record the customers and their contacts; one founds a project management office."""
    for each in CUSTOMERS:  # one after the other: a parent comes before its accounts
        record = _account(driver, each)
        await driver.record("sales", "accounts", record, "sam", name=each.account)
    for each in CUSTOMERS:
        contact = {**_contact(each), "account": driver.ids[each.account]}
        await driver.record("sales", "contacts", contact, "sam", name=each.sponsor[0])
    each = CUSTOMERS[2]
    founded = {**_account(driver, each), "own_pmo": True}
    path = f"accounts/{driver.ids[each.account]}/publish-account"
    await driver.publish("sales", path, founded, "sam")
    path = f"contacts/{driver.ids[each.sponsor[0]]}/publish-contact"
    await driver.publish("sales", path, _contact(each, "pmo"), "sam")


async def _agreements(driver: Driver, signed_on: date) -> None:
    """Record a master services agreement with each customer, and correct one of them."""

    def master(customer: Customer) -> dict[str, Any]:
        return {
            "account": driver.ids[customer.account],
            "agreement_type": "msa",
            "terms": "Liability up to the price of the statement of work.",
            "signed_on": signed_on.isoformat(),
        }

    for each in CUSTOMERS:
        await driver.record("legal", "agreements", master(each), "carl", name=f"{each.account}/msa")
    first = CUSTOMERS[0]
    expires_on = (signed_on + timedelta(days=5 * 365)).isoformat()
    corrected = {**master(first), "expires_on": expires_on}
    path = f"agreements/{driver.ids[f'{first.account}/msa']}/publish-agreement"
    await driver.publish("legal", path, corrected, "carl")
    confidential = {**master(first), "agreement_type": "nda", "terms": None}
    await driver.record("legal", "agreements", confidential, "carl", name=f"{first.account}/nda")


def _finances(driver: Driver) -> list[Any]:
    return [
        driver.publish(
            "sales",
            f"accounts/{driver.ids[each.account]}/publish-account-finances",
            {
                "tax": _tax(each),
                "billing": {
                    "bill_to": f"{each.legal_name}, Accounts payable",
                    "address": "Main Street 1",
                    "country": each.country,
                    "contact": driver.ids[each.sponsor[0]],
                    "purchase_order_required": each.sector == "public",
                    "payment_terms_days": 30,
                    "currency": each.currency,
                },
            },
            "fred",
        )
        for each in CUSTOMERS
    ]


def _tax(customer: Customer) -> dict[str, Any]:
    """Return the tax data of a customer of the company that sells in the customer's currency."""
    at_home = customer.country == COMPANIES[SELLING_COMPANY[customer.currency]]["country"]
    if customer.vat_id is None:
        return {"treatment": "exempt", "exemption": "Services are not taxable in the state"}
    treatment = "domestic" if at_home else "reverse-charge"
    return {"treatment": treatment, "vat_id": customer.vat_id}


def rate(role: str, currency: str, table: Mapping[str, int] = BILL_RATES) -> Decimal:
    """Return the bill rate (or cost rate) per hour in EUR or USD, rounded to whole units."""
    factor = DOLLARS_TO_A_EURO if currency == "USD" else Decimal(1)
    return (table[role] * factor).quantize(Decimal(1))


def _rates(driver: Driver, effective_from: date) -> list[Any]:
    day = effective_from.isoformat()
    commands = [
        driver.publish("finance", f"companies/{company}/publish-company", record, "dora")
        for company, record in COMPANIES.items()
    ]
    accounts = [{"account": kind, "number": each} for kind, each in ACCOUNT_NUMBERS.items()]
    commands += [
        driver.publish(
            "finance",
            f"account-mappings/{company}/publish-account-mapping",
            {"accounts": accounts},
            "dora",
        )
        for company in COMPANIES
    ]
    commands += [
        driver.publish(
            "finance",
            f"tax-rates/{code}/publish-tax-rate",
            {**tax, "effective_from": day},
            "dora",
        )
        for code, tax in TAX_RATES.items()
    ]
    commands += [
        driver.publish(
            "finance",
            f"exchange-rates/EUR-USD-{effective_from + nth * _HALF_YEAR}/publish-exchange-rate",
            {"rate": str(dollars), "source": "European Central Bank"},
            "fred",
        )
        for nth, dollars in enumerate((DOLLARS_TO_A_EURO, *_LATER_DOLLARS_TO_A_EURO))
    ]
    for currency in ("EUR", "USD"):
        card = {**_by_role(BILL_RATES, currency), "effective_from": day}
        path = f"rate-cards/standard-{currency}/publish-rate-card"
        commands.append(driver.publish("finance", path, card, "dora"))
        costs = {
            **_by_role(COST_RATES, currency),
            "grades": _named("grade", GRADE_COST_RATES, currency),
            "people": _named("person", PERSON_COST_RATES, currency),
            "purchases": [
                {"kind": kind, "percent": str(percent)} for kind, percent in PURCHASE_COSTS.items()
            ],
            "effective_from": day,
            "floor": FLOOR,
        }
        path = f"cost-rates/standard-{currency}/publish-cost-rates"
        commands.append(driver.publish("finance", path, costs, "dora"))
    for name, currency in _ACCOUNT_CARDS:
        account = driver.ids[name]
        card = {**_by_role(BILL_RATES, currency), "account": account, "effective_from": day}
        path = f"rate-cards/{account}-{currency}/publish-rate-card"
        commands.append(driver.publish("finance", path, card, "dora"))
    return commands


def _by_role(table: Mapping[str, int], currency: str) -> dict[str, Any]:
    return {"currency": currency, "rates": _named("role", table, currency)}


def _named(key: str, table: Mapping[str, int], currency: str) -> list[dict[str, Any]]:
    return [
        {key: name, "rate": {"amount": str(rate(name, currency, table)), "currency": currency}}
        for name in table
    ]


def _template() -> dict[str, Any]:
    phases: list[dict[str, Any]] = [
        {
            "phase": phase,
            "duration_share": str(share),
            "implementation": implementation,
            "tasks": [
                {"title": title, "role": role, "share": str(part)} for title, role, part in tasks
            ]
            + [
                {
                    "title": f"Project management, {phase.lower()}",
                    "role": "project-manager",
                    "share": str(share),
                    "kind": "project-management",
                }
            ],
        }
        for phase, share, implementation, tasks in PHASES
    ]
    return {"name": "Standard delivery", "phases": phases}

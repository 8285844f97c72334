"""Define the demo's people, customers, template and rates, all made up, and publish them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from contracts.roles import ROLES, Role
from local.demo.driver import Driver


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer organisation; `sponsor` is the id and name of who signs, accepts and answers."""

    account: str
    name: str
    sector: str
    country: str
    currency: str
    sponsor: tuple[str, str]
    own_pmo: bool = False


_CUSTOMERS = """
novamed | Novamed Clinics | health | Germany | EUR | jonas | Jonas Weber
ostrava-steel | Ostrava Steel | metals | Czechia | EUR | petr | Petr Havel
arbor-retail | Arbor Retail | retail | Belgium | EUR | luc | Luc Peeters
prairie-rail | Prairie Rail | transport | USA | USD | walt | Walt Jensen
cobalt-labs | Cobalt Labs | pharma | USA | USD | dana | Dana Cole
summit-parks | Summit Parks | public | USA | USD | ruth | Ruth Avery
"""


def _customer(line: str) -> Customer:
    account, name, sector, country, currency, person, who, *own = line.split(" | ")
    return Customer(account, name, sector, country, currency, (person, who), bool(own))


CUSTOMERS: tuple[Customer, ...] = tuple(map(_customer, _CUSTOMERS.strip().splitlines()))

COMPANY = "concord"
"""Id of the company that sells."""

SELLERS: tuple[tuple[str, str], ...] = (
    ("ann", "Ann Keller"),
    ("bruno", "Bruno Costa"),
    ("sam", "Sam Okafor"),
)
MANAGERS: tuple[tuple[str, str], ...] = (
    ("emma", "Emma Lind"),
    ("max", "Max Brandt"),
    ("noor", "Noor Haddad"),
    ("tomas", "Tomas Rivera"),
    ("yuki", "Yuki Tanaka"),
)
CONSULTANTS: tuple[tuple[str, str, str], ...] = (
    ("cora", "Cora Blake", "analyst"),
    ("deniz", "Deniz Kaya", "analyst"),
    ("elif", "Elif Aydin", "architect"),
    ("felix", "Felix Roth", "architect"),
    ("gita", "Gita Rao", "engineer"),
    ("henrik", "Henrik Dahl", "engineer"),
    ("irina", "Irina Popa", "engineer"),
    ("jamal", "Jamal Reed", "engineer"),
    ("kofi", "Kofi Mensah", "engineer"),
    ("lena", "Lena Fischer", "tester"),
    ("mateo", "Mateo Silva", "tester"),
    ("nadia", "Nadia Berg", "engineer"),
    ("oscar", "Oscar Nilsen", "analyst"),
    ("pavel", "Pavel Novak", "architect"),
    ("rosa", "Rosa Marin", "engineer"),
    ("stefan", "Stefan Huber", "engineer"),
    ("tilda", "Tilda Ek", "tester"),
    ("wanda", "Wanda Kowal", "engineer"),
)
OFFICE: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("vera", "Vera Lange", "executive", ("vp-engagement-management", "executive", "confidential")),
    ("paul", "Paul Adler", "delivery", ("pmo-director", "engagement-manager")),
    ("carl", "Carl Jansen", "legal", ("counsel", "contract-manager")),
    ("fred", "Fred Olsen", "finance", ("project-accountant", "confidential")),
    ("dora", "Dora Marsh", "finance", ("controller", "project-accountant", "confidential")),
)

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
FLOOR = "25"
"""Lowest margin in percent that a price should leave."""
DOLLARS_TO_A_EURO = Decimal("1.10")

TEMPLATE = "standard-delivery"
_PHASES: tuple[tuple[str, int, bool, tuple[tuple[str, str, int], ...]], ...] = (
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
        **{person: ("account-executive", "sales-manager") for person, _ in SELLERS},
        **{person: ("engagement-manager",) for person, _ in MANAGERS},
        **{person: ("consultant",) for person, _, _ in CONSULTANTS},
        **{person: given for person, _, _, given in OFFICE},
        "operator": ("operator",),
        "everybody": tuple(role for role in ROLES if role not in {"customer", "partner"}),
    }
    return {person: (*given, "historian") for person, given in every.items()}


async def publish(driver: Driver, effective_from: date) -> None:
    """Publish people, customers, template and rates; rates are effective from a day."""
    await asyncio.gather(
        *(_people(driver)),
        *(_customers(driver)),
        *(_rates(driver, effective_from)),
        driver.publish("delivery", f"templates/{TEMPLATE}/publish-template", _template(), "paul"),
    )


def _people(driver: Driver) -> list[Any]:
    def of(department: str, name: str, *roles: str, **more: str) -> dict[str, Any]:
        return {"name": name, "department": department, "roles": list(roles), **more}

    people: list[tuple[str, dict[str, Any]]] = [
        *((person, of("sales", name, "account-executive")) for person, name in SELLERS),
        *(
            (person, of("delivery", name, "engagement-manager", "project-manager", manager="paul"))
            for person, name in MANAGERS
        ),
        *(
            (person, of("delivery", name, "consultant", role, manager="paul"))
            for person, name, role in CONSULTANTS
        ),
        *((person, of(department, name, *given)) for person, name, department, given in OFFICE),
        *(
            (each.sponsor[0], of("customer", each.sponsor[1], account=each.account))
            for each in CUSTOMERS
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


def _customers(driver: Driver) -> list[Any]:
    return [
        driver.publish(
            "sales",
            f"accounts/{each.account}/publish-account",
            {
                "name": each.name,
                "sector": each.sector,
                "country": each.country,
                "own_pmo": each.own_pmo,
            },
            "sam",
        )
        for each in CUSTOMERS
    ]


def rate(role: str, currency: str, table: Mapping[str, int] = BILL_RATES) -> Decimal:
    """Return the bill rate (or cost rate) per hour in EUR or USD, rounded to whole units."""
    factor = DOLLARS_TO_A_EURO if currency == "USD" else Decimal(1)
    return (table[role] * factor).quantize(Decimal(1))


def _rates(driver: Driver, effective_from: date) -> list[Any]:
    commands = []
    for currency in ("EUR", "USD"):
        for path, table in (
            (f"rate-cards/standard-{currency}/publish-rate-card", BILL_RATES),
            (f"cost-rates/standard-{currency}/publish-cost-rates", COST_RATES),
        ):
            rates = [
                {
                    "role": role,
                    "rate": {"amount": str(rate(role, currency, table)), "currency": currency},
                }
                for role in table
            ]
            commands.append(
                driver.publish(
                    "finance",
                    path,
                    {
                        "currency": currency,
                        "rates": rates,
                        "effective_from": effective_from.isoformat(),
                        **({"floor": FLOOR} if table is COST_RATES else {}),
                    },
                    "dora",
                )
            )
    return commands


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
        for phase, share, implementation, tasks in _PHASES
    ]
    return {"name": "Standard delivery", "phases": phases}

"""Healthy engagements, drawn at random from a seed: none has a disconnect on any day of its life.

What makes an engagement of the demo unhealthy is left out, because a rule finds it rightly:

- the troubles of the demo;
- a rejected deliverable: its milestone is missed by a week;
- a customer who pays after the due day, by whom a review is held while an invoice is overdue. Who
  pays five days before it also pays in time where the day is one without bank transfers;
- hours that are submitted after the settlement, from a week that is billed and reported already:
  only in engagements without changes, since the demo bills them up to the cap of the contract.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import get_args

from local.demo.reference_data import CUSTOMERS, HOME, MANAGERS, SELLERS, Customer
from local.demo.scenarios import Cut, Incident, Scenario, Shape, staffed
from local.demo.staffing import Staffing

_INCIDENTS: tuple[tuple[Incident, ...], ...] = (
    (),
    ("imported",),
    ("change-declined",),
    ("travel",),
    ("method-chosen",),
    ("proposal-revised",),
    ("early-start-lapsed",),
    ("credited",),
    ("late-hours",),
)
_DELIVERABLES = ("Portal", "Reports", "Handbook")
FIRST_DAY = date(2025, 1, 6)


def healthy(
    seed: int, staffing: Staffing | None = None, customers: Sequence[Customer] = CUSTOMERS
) -> Scenario:
    """Return an engagement that begins within half a year; every third one shrinks."""
    random = Random(seed)

    def by_chance(probability: float) -> bool:
        return random.random() < probability

    customer = customers[seed % len(customers)]
    home = HOME[customer.currency]
    incidents = random.choice(_INCIDENTS)
    late, hours = "late-hours" in incidents, random.choice((160, 160, 240, 320))
    shape: Shape = random.choice(get_args(Shape))
    if late:
        shape = "hourly"
    elif "method-chosen" in incidents:
        shape = "fixed"
    cut_of: Cut = get_args(Cut)[seed // 3 % len(get_args(Cut))]
    cut = seed % 3 == 0 and not late
    if cut and cut_of == "line":
        shape, incidents = "mixed", ()
    begins = FIRST_DAY + timedelta(days=random.randrange(180))
    scenario = Scenario(
        name=f"healthy-{seed}",
        title=f"Customer portal {seed}",
        customer=customer,
        deliverables=_DELIVERABLES[: random.choice((2, 3))],
        seller=random.choice([person for person, _, at in SELLERS if at == home]),
        manager=random.choice([person for person, _, at in MANAGERS if at == home]),
        begins=begins - timedelta(days=max(0, begins.weekday() - 4)),
        hours=hours,
        weeks=max(6, hours // random.choice((30, 40, 50))),
        selling_days=random.randrange(25, 60),
        shape=shape,
        outcome="terminated" if by_chance(0.06) else "delivered",
        early_start=by_chance(0.15),
        change=by_chance(0.3) and not late,
        rejection=False,
        days_late_paying=random.choice((-5, -6, -8)),
        satisfaction=random.choice((3, 4, 5)),
        seed=random.randrange(2**31),
        mistakes=by_chance(0.2) and not late,
        obliged=by_chance(0.3),
        reconsidered=by_chance(0.1),
        cut=cut,
        cut_of=cut_of,
        negotiated=by_chance(0.3),
        below_floor=by_chance(0.15) and shape == "fixed",
        disputed=by_chance(0.1),
        hold=by_chance(0.2) and not late,
        detailed=by_chance(0.3),
        incidents=frozenset(incidents),
        purchases=by_chance(0.15) and not late,
    )
    return staffed(scenario, staffing or Staffing())

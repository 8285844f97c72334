"""What happens to each engagement of the play, drawn from one seed: the same company each time."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal, get_args

from local.play.company import CUSTOMERS, MANAGERS, SELLERS, Customer

MONTHS = 18
ENGAGEMENTS = 60

Trouble = Literal[
    "late",
    "deliverable-forgotten",
    "overplanned",
    "management-cut",
    "late-manager",
    "underallocated",
    "sow-price",
    "bill-rate",
    "billed-early",
    "overrun",
    "silent",
    "change-unfollowed",
    "loose-ends",
    "no-paper",
    "slow-customer",
]
Outcome = Literal["delivered", "lost", "terminated"]

_WORK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Customer portal", ("Portal", "Single sign-on", "Operations handbook")),
    ("Billing migration", ("Migrated ledgers", "Reconciliation reports")),
    ("Field service app", ("Mobile app", "Dispatcher console", "Training")),
    ("Data platform", ("Ingestion", "Warehouse model", "Management reports")),
    ("Claims automation", ("Intake service", "Decision rules")),
    ("Warehouse integration", ("Interfaces", "Stock dashboard")),
    ("Scheduling renewal", ("Planning engine", "Crew app", "Cutover")),
    ("Document archive", ("Archive", "Search", "Retention rules")),
    ("Ticketing replacement", ("Sales channel", "Back office", "Settlement")),
    ("Plant monitoring", ("Sensor gateway", "Alarm console")),
)
_STAGES = ("phase 1", "phase 2", "for the north region", "pilot", "roll-out", "renewal")
_TROUBLES: tuple[Trouble, ...] = get_args(Trouble)


@dataclass(frozen=True, slots=True)
class Plot:
    """One engagement as it will go. Hours are those sold; `weeks` is how long the work takes."""

    name: str
    title: str
    customer: Customer
    deliverables: tuple[str, ...]
    seller: str
    manager: str
    begins: date
    hours: int
    weeks: int
    selling_days: int
    time_and_materials: bool
    outcome: Outcome
    early_start: bool
    change: bool
    rejection: bool
    days_late_paying: int
    satisfaction: int
    seed: int
    trouble: Trouble | None = None


def plots(today: date, seed: int, number: int = ENGAGEMENTS) -> list[Plot]:
    """The company's engagements in the eighteen months before a day; most of them healthy.

    Each kind of trouble befalls one engagement that is under way today, so that it stands.
    """
    random = Random(seed)
    begins = today - timedelta(days=MONTHS * 365 // 12)
    plain = [_plot(random, index, number, begins, today) for index in range(number)]
    return _troubled(plain, today)


def _plot(random: Random, index: int, number: int, begins: date, today: date) -> Plot:
    work, deliverables = random.choice(_WORK)
    customer = random.choice(CUSTOMERS)
    span = (today - begins).days - 6
    day = begins + timedelta(days=span * index // number + random.randrange(5))
    hours = random.choice((240, 320, 400, 560, 720, 960, 1200, 1600))
    roll = random.random()
    return Plot(
        name=f"play-{index:03d}",
        title=f"{work}, {random.choice(_STAGES)}",
        customer=customer,
        deliverables=deliverables,
        seller=random.choice(SELLERS)[0],
        manager=random.choice(MANAGERS)[0],
        begins=_workday(day),
        hours=hours,
        weeks=max(6, min(26, hours // random.choice((45, 55, 65)))),
        selling_days=random.randrange(25, 60),
        time_and_materials=random.random() < 0.25,
        outcome="lost" if roll < 0.13 else "terminated" if roll < 0.17 else "delivered",
        early_start=random.random() < 0.15,
        change=random.random() < 0.3,
        rejection=random.random() < 0.25,
        days_late_paying=random.choice((-6, -3, 0, 0, 2, 9, 25)),
        satisfaction=random.choice((3, 4, 4, 5, 5)),
        seed=random.randrange(2**31),
    )


def _troubled(plain: list[Plot], today: date) -> list[Plot]:
    """The same, with every kind of trouble given to one whose time for it is now."""
    told = list(plain)
    taken: set[int] = set()
    for trouble in _TROUBLES:
        for index, plot in enumerate(told):
            if index not in taken and _fits(plot, trouble, today):
                told[index] = _with(plot, trouble)
                taken.add(index)
                break
    return told


def _fits(plot: Plot, trouble: Trouble, today: date) -> bool:
    if plot.outcome != "delivered":
        return False
    won = plot.begins + timedelta(days=plot.selling_days)
    starts = won + timedelta(days=24)
    ends = starts + timedelta(weeks=plot.weeks)
    if trouble == "no-paper":
        return won + timedelta(days=25) < today < won + timedelta(days=70)
    if trouble == "slow-customer":
        submitted = won - timedelta(days=8)
        return submitted + timedelta(days=24) < today < submitted + timedelta(days=70)
    if trouble == "loose-ends":
        return ends + timedelta(days=14) < today < ends + timedelta(days=90)
    if trouble == "bill-rate" and not plot.time_and_materials:
        return False
    if trouble in {"billed-early", "overrun", "sow-price"} and plot.time_and_materials:
        return False
    enough = 9 if trouble in {"overrun", "silent", "change-unfollowed"} else 4
    return starts + timedelta(weeks=enough) < today < ends - timedelta(days=7)


def _with(plot: Plot, trouble: Trouble) -> Plot:
    fields = {name: getattr(plot, name) for name in plot.__slots__}
    fields |= {"trouble": trouble, "early_start": False}
    if trouble == "change-unfollowed":
        fields["change"] = True
    elif trouble != "late":
        fields["change"] = False
    return Plot(**fields)


def _workday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)

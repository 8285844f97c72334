"""Draw what happens to each engagement of the demo from one seed, the same in each run."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from local.demo.reference_data import CUSTOMERS, HOME, MANAGERS, SELLERS, Customer
from local.demo.staffing import WEEK, Demand, Staffing, Team, add, needed

_STARTS_AFTER = timedelta(days=24)
"""Shortest time from winning a deal to the first day of work."""
_MOST_VARIED = 1.07
"""Largest part of the planned hours of a week that is worked in it."""
EARLY_HOURS = {"analyst": 12, "architect": 8}
"""Hours of a week that are worked before the signature, by role (trouble "begun-early")."""
LATE_HOURS = 4
"""Hours that are submitted after the settlement (incident "late-hours")."""
MONTHS = 18
ENGAGEMENTS = 60
_HOURS_AT_FIRST = (160, 240, 240, 320, 320, 480)
_HOURS = (240, 320, 480, 720, 960, 1200, 1400)
"""Hours sold: the company grows, and so do its engagements."""

_ENOUGH_TO_TAKE_OVER = 20
"""Number of engagements from which on one of them was under way before the platform."""

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
    "begun-early",
]
Incident = Literal[
    "imported",
    "proposal-revised",
    "early-start-lapsed",
    "method-chosen",
    "forecast-chosen",
    "change-declined",
    "travel",
    "credited",
    "late-hours",
    "under-way",
]
"""Incidents of some engagements, which are no trouble.

`imported`: it was in the CRM before. `proposal-revised`: the customer wants another version.
`early-start-lapsed`: it is signed after its early start has ended. `method-chosen`: its revenue is
recognised at acceptance. `forecast-chosen`: its manager chooses how its cost is forecast.
`change-declined`: the customer asks for a change and finds it too dear. `credited`: a part of a
paid invoice is given back. `late-hours`: hours are submitted after the account was settled.
`under-way`: it began in other systems, and is taken over on its first day.
"""
Outcome = Literal["delivered", "lost", "terminated"]
Cut = Literal["deliverable", "hours", "price", "line"]
"""Parts that a scenario with a cut takes away beside a tenth of the hours of the work.

`deliverable`: the last one. `hours`: nothing else. `price`: a fifth more of the price than the
hours are worth. `line`: all tests instead, where they are a line of their own.
"""
Shape = Literal["fixed", "hourly", "mixed", "retained"]
"""Ways to price the contract.

`fixed`: work and project management at fixed prices. `hourly`: both by time and materials. `mixed`:
fixed, with testing by time and materials and a retainer for support. `retained`: fixed, with a
retainer, a discount, and an optional training that the customer leaves out.
"""

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
_TROUBLED: tuple[frozenset[Trouble], ...] = (
    frozenset({"overrun", "silent"}),
    frozenset({"sow-price", "billed-early"}),
    frozenset({"change-unfollowed"}),
    frozenset({"bill-rate", "begun-early"}),
    frozenset({"late", "underallocated"}),
    frozenset({"overplanned", "management-cut"}),
    frozenset({"deliverable-forgotten"}),
    frozenset({"loose-ends"}),
    frozenset({"no-paper", "late-manager"}),
    frozenset({"slow-customer"}),
)
"""Troubles that one engagement gets together."""
_INCIDENTS: tuple[frozenset[Incident], ...] = (
    frozenset({"imported", "change-declined"}),
    frozenset({"travel"}),
    frozenset({"method-chosen", "proposal-revised", "forecast-chosen"}),
    frozenset({"late-hours"}),
    frozenset({"credited"}),
    frozenset({"early-start-lapsed", "travel"}),
)
"""Incidents that one engagement gets together; the groups take turns."""
_OF_A_FIXED_PRICE: frozenset[Trouble] = frozenset({"billed-early", "sow-price"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """The course of one engagement: `hours` are the hours sold, `weeks` the duration of the work.

    `team` has the people and their hours by role and week. With `detailed`, the RAID log,
    questions, the customer's inputs and further steps of the sale are recorded, too.
    `days_late_paying` counts from an invoice's due day; negative is early. With `mistakes`, the
    kickoff, acceptances, milestones and the go-live are first recorded by mistake, and withdrawn.
    `change` adds work, `cut` takes a part away as `cut_of` says, and the amendment of the change is
    at another price than the change where it is `negotiated`. A proposal `below_floor` needs an
    exception. A customer of a `disputed` contract wants another clause, and declines to sign once.
    With `hold`, the work is on hold for some days. Where it is `obliged`, each party owes something
    beside delivering and paying. A customer who `reconsidered` had declined the proposal. With
    `purchases`, travel and a licence are in the estimate, and are sold and billed at cost.
    """

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
    shape: Shape
    outcome: Outcome
    early_start: bool
    change: bool
    rejection: bool
    days_late_paying: int
    satisfaction: int
    seed: int
    mistakes: bool = False
    obliged: bool = False
    reconsidered: bool = False
    cut: bool = False
    cut_of: Cut = "deliverable"
    negotiated: bool = False
    below_floor: bool = False
    disputed: bool = False
    hold: bool = False
    detailed: bool = True
    incidents: frozenset[Incident] = frozenset()
    purchases: bool = False
    troubles: frozenset[Trouble] = frozenset()
    team: Team = field(default_factory=dict, hash=False)

    @property
    def home(self) -> str:
        """The calendar of the people who work on it."""
        return HOME[self.customer.currency]

    @property
    def won(self) -> date:
        """The day on which the deal is won, if it is."""
        return _workday(self.begins + timedelta(days=self.selling_days))

    @property
    def starts(self) -> date:
        """The first day of work, a Monday."""
        day = self.won + _STARTS_AFTER
        return day + timedelta(days=-day.weekday() % 7)

    @property
    def change_week(self) -> int:
        """The week of the work, counted from 1, in which a change is agreed."""
        return max(3, self.weeks // 3)

    @property
    def cut_week(self) -> int:
        """The week of the work, counted from 1, in which a deliverable is taken away."""
        return max(4, self.weeks // 2)


def scenarios(today: date, seed: int, number: int = ENGAGEMENTS) -> list[Scenario]:
    """Return the engagements of the eighteen months before a day, by beginning; most are healthy.

    Each kind of trouble is given to one engagement, whose beginning is moved so that the trouble
    exists today. Two disconnects occur in none, because gates refuse them: a signed version that
    is not the latest, and a change that was built and not approved.
    """
    random = Random(seed)
    begins = today - timedelta(days=MONTHS * 365 // 12)
    works = [(*work, stage) for work in _WORK for stage in _STAGES]
    random.shuffle(works)  # no two have the same title until all are used
    plain = [
        _plot(random, index, number, begins, today, works[index % len(works)])
        for index in range(number)
    ]
    by_beginning = sorted(_troubled(plain, today), key=lambda scenario: scenario.begins)
    if number >= _ENOUGH_TO_TAKE_OVER:
        _take_one_over(by_beginning, today)
    staffing = Staffing()
    return [staffed(scenario, staffing) for scenario in by_beginning]


def _take_one_over(by_beginning: list[Scenario], today: date) -> None:
    """Let the last healthy engagement that began two weeks before today, or earlier, be taken over.

    An engagement that is taken over stays as it is, so it is a recent one.
    """
    for index, scenario in reversed([*enumerate(by_beginning)]):
        early_enough = scenario.begins <= today - timedelta(days=14)
        if early_enough and not scenario.troubles and scenario.outcome == "delivered":
            by_beginning[index] = replace(scenario, incidents=frozenset({"under-way"}))
            return


def staffed(scenario: Scenario, staffing: Staffing) -> Scenario:
    """Return the scenario with a manager and a team who have time for it, which is reserved."""
    if scenario.outcome == "lost" or "under-way" in scenario.incidents:
        return scenario
    demand = demanded(scenario)
    manager = staffing.manager(scenario.home, demand)
    return replace(scenario, manager=manager, team=staffing.team(scenario.home, demand, manager))


def demanded(scenario: Scenario) -> Demand:
    """Return the most hours that may be worked, by role and Monday."""
    hours, starts, troubles = scenario.hours, scenario.starts, scenario.troubles
    effort = 1.45 if "overrun" in troubles else 1.35 if "overplanned" in troubles else 1.0
    planned = needed(hours, starts, scenario.weeks)
    demand = {
        role: {monday: amount * effort * _MOST_VARIED for monday, amount in by_week.items()}
        for role, by_week in planned.items()
    }
    if scenario.change:
        begins = starts + scenario.change_week * WEEK + timedelta(days=4)
        add(demand, "engineer", begins, range(14), _MOST_VARIED * max(16, hours // 20))
    if "begun-early" in troubles:
        drafted = _workday(scenario.won + timedelta(days=5))
        for role, early in EARLY_HOURS.items():
            add(demand, role, drafted, [0], early)
    if "late-hours" in scenario.incidents:
        add(demand, "engineer", starts + (scenario.weeks - 1) * WEEK, [0], LATE_HOURS)
    return demand


def _plot(
    random: Random,
    index: int,
    number: int,
    begins: date,
    today: date,
    sold: tuple[str, tuple[str, ...], str],
) -> Scenario:
    work, deliverables, stage = sold
    customer = random.choice(CUSTOMERS)
    span = (today - begins).days - 6
    # The company grows: half of its work was begun in the last seven months.
    day = begins + timedelta(days=round(span * (index / number) ** 0.7) + random.randrange(5))
    hours = random.choice(_HOURS_AT_FIRST if index < number * 0.6 else _HOURS)
    outcome: Outcome = (
        "lost" if index % 8 == 3 else "terminated" if index % 20 == 9 else "delivered"
    )
    incidents = _INCIDENTS[index % len(_INCIDENTS)]
    home = HOME[customer.currency]
    return Scenario(
        name=f"demo-{index:03d}",
        title=f"{work}, {stage}",
        customer=customer,
        deliverables=deliverables,
        seller=random.choice([person for person, _, at in SELLERS if at == home]),
        manager=random.choice([person for person, _, at in MANAGERS if at == home]),
        begins=_workday(day),
        hours=hours,
        weeks=max(6, min(24, hours // random.choice((50, 60, 70)))),
        selling_days=random.randrange(25, 60),
        shape=_shape(random.random(), incidents),
        outcome=outcome,
        early_start=random.random() < 0.15,
        change=random.random() < 0.3,
        rejection=random.random() < 0.25,
        days_late_paying=random.choice((-6, -3, 0, 0, 2, 9, 25)),
        satisfaction=random.choice((3, 4, 4, 5, 5)),
        seed=random.randrange(2**31),
        mistakes=index % 6 == 1,
        obliged=index % 3 == 1,
        reconsidered=index % 10 == 6,
        cut=index % 6 == 4,
        negotiated=index % 5 == 2,
        below_floor=index % 15 == 5,
        disputed=index % 14 == 6,
        hold=index % 6 == 2,
        detailed=index % 4 == 1,
        incidents=incidents,
        purchases=index % 10 == 6,
    )


def _shape(drawn: float, incidents: frozenset[Incident]) -> Shape:
    if "method-chosen" in incidents:
        return "fixed"
    if drawn < 0.1 or "late-hours" in incidents:
        return "hourly"
    return "mixed" if drawn < 0.45 else "retained" if drawn < 0.6 else "fixed"


def _troubled(plain: list[Scenario], today: date) -> list[Scenario]:
    """Return the scenarios with each group of troubles given to the one that moves least for it."""
    changed = list(plain)
    for troubles in _TROUBLED:
        moved = {
            index: begins
            for index, scenario in enumerate(changed)
            if not scenario.troubles and scenario.outcome == "delivered"
            if (begins := _begins(scenario, troubles, today)) is not None
        }
        if moved:
            index = min(moved, key=lambda each: abs(moved[each] - changed[each].begins))
            changed[index] = _with(changed[index], troubles, moved[index])
    return changed


def _begins(scenario: Scenario, troubles: frozenset[Trouble], today: date) -> date | None:
    """Return when a scenario must begin to have its troubles today; None if it is too short."""
    spans = [_lasts(scenario, trouble) for trouble in troubles]
    first, last = max(since for since, _ in spans), min(until for _, until in spans)
    if last - first < timedelta(days=2):
        return None
    begins = min(max(scenario.begins, today - last + timedelta(days=1)), today - first)
    return _workday(begins) if _workday(begins) <= today - first else begins - timedelta(days=2)


def _lasts(scenario: Scenario, trouble: Trouble) -> tuple[timedelta, timedelta]:
    """Return the first and last day of a trouble, counted from the scenario's beginning."""
    won = timedelta(days=scenario.selling_days)
    starts = won + _STARTS_AFTER
    ends = starts + timedelta(weeks=scenario.weeks)
    match trouble:
        case "no-paper":
            return won + timedelta(days=26), won + timedelta(days=69)
        case "slow-customer":
            return timedelta(days=16 + 25), timedelta(days=16 + 69)
        case "loose-ends":
            return ends + timedelta(days=15), ends + timedelta(days=89)
        case "billed-early":
            # Its deliverable is accepted at the end of the phase Build at the earliest.
            since = starts + timedelta(weeks=_weeks_until(scenario, trouble))
            return since, starts + timedelta(days=scenario.weeks * 7 * 7 // 10 - 6)
        case _:
            since = starts + timedelta(weeks=_weeks_until(scenario, trouble))
            return since, ends - timedelta(days=8)


def _weeks_until(scenario: Scenario, trouble: Trouble) -> int:
    """Return the number of weeks of work after which a trouble shows."""
    match trouble:
        case "overrun":
            return scenario.weeks * 9 // 10
        case "billed-early":
            return scenario.change_week + 1
        case "change-unfollowed":
            return scenario.weeks // 3 + 4
        case "silent":
            return 10
        case _:
            return 5


def _with(scenario: Scenario, troubles: frozenset[Trouble], begins: date) -> Scenario:
    return replace(
        scenario,
        troubles=troubles,
        begins=begins,
        early_start=False,
        change="change-unfollowed" in troubles,
        cut=False,
        negotiated=False,
        below_floor=False,
        disputed=False,
        reconsidered=False,
        hold=False,
        incidents=frozenset(),
        purchases=False,
        shape="hourly"
        if "bill-rate" in troubles
        else "fixed"
        if troubles & _OF_A_FIXED_PRICE
        else scenario.shape,
    )


def _workday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)

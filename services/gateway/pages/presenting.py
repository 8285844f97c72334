"""How the page writes things: amounts, days, stages, and the names behind ids.

Everything here is text for people, in English; nothing is escaped yet (templates do that).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from chassis.application.as_of import OLD_AFTER
from chassis.domain.context import ReferenceData
from contracts.channels import CHANNELS
from contracts.money import MINOR_UNITS, Money
from contracts.reference import AccountPublished, PersonPublished
from gateway.disconnects import finding

UNKNOWN = "\N{EN DASH}"
"""Stands where a figure is not known, which is never the same as zero."""

_MINUS = "\N{MINUS SIGN}"
_ACRONYMS = {"msa": "MSA", "nda": "NDA", "sow": "SOW", "pir": "PIR", "brd": "BRD"}

STAGE_NAMES: dict[str, str] = {
    "opportunity": "Opportunity",
    "proposal": "Proposal",
    "contracting": "Contracting",
    "mobilising": "Mobilising",
    "delivering": "Delivering",
    "closing": "Closing",
    "closed": "Closed",
    "lost": "Lost",
    "terminated": "Terminated",
}
UNDER_WAY = ("opportunity", "proposal", "contracting", "mobilising", "delivering", "closing")
"""Stages of which something more is expected, in their order."""

OVER = ("closed", "lost", "terminated")

_RULES: dict[str, str] = {
    "promised-finish-before-forecast": "Promised before forecast",
    "deliverables-differ": "Sold differs from planned",
    "sold-hours-differ": "Hours sold and planned",
    "project-management-differs": "Project management sold and planned",
    "no-manager-before-proposal": "No manager before the proposal",
    "allocated-hours-differ": "Hours allocated and planned",
    "work-before-signature": "Work before signature",
    "signed-version-not-latest": "Signed is not the latest",
    "sow-price-differs": "Contract price is not the deal\N{RIGHT SINGLE QUOTATION MARK}s",
    "bill-rate-differs": "Billed at another rate",
    "billed-before-acceptance": "Billed before acceptance",
    "beyond-budget": "Beyond the budget",
    "forecast-margin-below-sold": "Margin below what was sold",
    "change-not-approved": "Change without approval",
    "change-not-followed": "Change approved, not followed",
    "green-against-figures": "Green against the figures",
    "no-status-report": "No status report",
    "closing-with-loose-ends": "Loose ends at the close",
    "next-step-overdue": "Next step overdue",
}


def number(value: Decimal | int) -> str:
    """A number with thousands parted, no trailing zeros, and a real minus sign."""
    text = f"{abs(value):,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{_MINUS}{text}" if value < 0 and text.strip("0,.") else text


def whole(amount: Decimal) -> str:
    """An amount rounded to whole units, for tables whose heading names the currency."""
    return number(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def money(value: Money | None) -> str:
    """An amount and its currency; minor units only where there are any."""
    if value is None:
        return UNKNOWN
    amount = value.rounded().amount
    if amount == amount.to_integral_value():
        return f"{number(amount)} {value.currency}"
    sign = _MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,.{MINOR_UNITS[value.currency]}f} {value.currency}"


def rounded_money(value: Money | None) -> str:
    """An amount in whole units with its currency, for lists."""
    return UNKNOWN if value is None else f"{whole(value.amount)} {value.currency}"


def hours(value: Decimal) -> str:
    """Hours."""
    return f"{number(value)} h"


def percent(ratio: Decimal | None, digits: int = 1) -> str:
    """A ratio as percent."""
    return UNKNOWN if ratio is None else points(ratio * 100, digits)


def points(value: Decimal | None, digits: int = 1) -> str:
    """A value that is in percent already."""
    if value is None:
        return UNKNOWN
    return f"{number(value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN))}%"


def ratio(value: Decimal | None) -> str:
    """An index such as CPI, to two digits."""
    return UNKNOWN if value is None else f"{value:.2f}".replace("-", _MINUS)


def day(value: date | datetime | None) -> str:
    """A day in the words in which findings tell it, as in 4 June 2026."""
    return UNKNOWN if value is None else finding.day(value)


def short_day(value: date | datetime | None) -> str:
    """A day, as in 4 Jun 2026."""
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y}"


def clock(value: datetime) -> str:
    """The hour and minute of a moment, UTC."""
    return f"{value.astimezone(UTC):%H:%M}"


def moment(value: datetime) -> str:
    """A moment to the minute, UTC."""
    return f"{short_day(value)}, {clock(value)}"


def age_notice(as_of: datetime | None, now: datetime) -> str | None:
    """Return what a page says of data that are not up to date; None where they are."""
    if as_of is None:
        return "It is not known when the last update was received. Newer events may be missing."
    if (now - as_of).total_seconds() <= OLD_AFTER:
        return None
    received = as_of.astimezone(UTC)
    on = "" if received.date() == now.astimezone(UTC).date() else f" on {day(received)}"
    return f"Last update received {received:%H:%M} UTC{on}. Newer events may be missing."


def elapsed(since: datetime, today: date) -> str:
    """How long ago a moment was, in days, or months where it is long."""
    days = (today - since.astimezone(UTC).date()).days
    if days <= 0:
        return "today"
    if days < 60:
        return f"{counted(days, 'day')} ago"
    return f"{counted(days * 12 // 365, 'month')} ago"


def counted(count: int, thing: str, many: str | None = None) -> str:
    """A count and its noun: 1 day, 2 days."""
    return f"{number(count)} {thing if count == 1 else many or thing + 's'}"


def listed(parts: Iterable[str]) -> str:
    """Words in a row: a, b and c."""
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def words(name: str) -> str:
    """A name of the contracts as words: on-acceptance is on acceptance."""
    return " ".join(_ACRONYMS.get(part, part) for part in name.replace("_", "-").split("-"))


def sentence_case(text: str) -> str:
    """The text with its first letter raised, and the others left as they are."""
    return text[:1].upper() + text[1:]


def rule(name: str) -> str:
    """What a rule of the disconnects is called."""
    return _RULES.get(name, sentence_case(words(name)))


def stage(name: str) -> str:
    """What a stage is called."""
    return STAGE_NAMES.get(name, sentence_case(words(name)))


def channel(name: str) -> str:
    """What a channel is called: its department, and whether it is the confidential one."""
    known = CHANNELS.get(name)
    if known is None:
        return name
    title = known.department.capitalize()
    return f"{title} (confidential)" if known.confidential else title


def promised(finish: date | None, forecast: date | None) -> str:
    """How the forecast stands to the promise; empty while one of them is unknown."""
    if finish is None or forecast is None:
        return ""
    days = (forecast - finish).days
    if days > 0:
        return f"{counted(days, 'day')} late"
    return f"{counted(-days, 'day')} early" if days < 0 else "on time"


class Names:
    """The names behind ids, as reference data has them now; an id stands for itself otherwise.

    A person who was erased has no name any more. `things` are titles of deliverables and the like.
    """

    def __init__(self, records: ReferenceData, things: Mapping[str, str] | None = None) -> None:
        self._records = records
        self._things = things or {}

    def account(self, account: str | None) -> str:
        """A customer's name."""
        if account is None:
            return UNKNOWN
        found = self._records.latest(AccountPublished, account)
        return found.event.name if found is not None else account

    def person(self, person: str | None) -> str:
        """A person's name; departments, which act by themselves at times, are named as such."""
        if person is None:
            return UNKNOWN
        found = self._records.latest(PersonPublished, person)
        if found is not None:
            return found.event.name
        return channel(person) if person in CHANNELS else person

    def thing(self, thing: str) -> str:
        """The title of a deliverable, a milestone or a task of this engagement."""
        return self._things.get(thing, thing)

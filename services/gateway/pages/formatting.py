"""Texts for people, in English: amounts, days, stages, and the names that belong to ids.

Nothing is escaped here; the templates escape it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from chassis.application.as_of import OLD_AFTER
from chassis.domain.context import ReferenceData
from contracts.channels import CHANNELS
from contracts.decimals import round_decimal
from contracts.money import MINOR_UNITS, Money
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    ContactPublished,
    PersonPublished,
)
from gateway.rules import RULES, rule

UNKNOWN = "\N{EN DASH}"
"""Shown where a figure is not known; zero is shown as 0."""

_MINUS = "\N{MINUS SIGN}"
_ACRONYMS = {"msa": "MSA", "nda": "NDA", "sow": "SOW", "pir": "PIR", "brd": "BRD", "pmo": "PMO"}

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
"""Stages of engagements that have not ended, in their order."""

OVER = ("closed", "lost", "terminated")


def number(value: Decimal | int) -> str:
    """Return a number with thousands separators, no trailing zeros, and a minus sign (U+2212)."""
    text = f"{abs(value):,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{_MINUS}{text}" if value < 0 and text.strip("0,.") else text


def whole(amount: Decimal | None) -> str:
    """Return an amount rounded to whole units, for tables whose heading names the currency."""
    return UNKNOWN if amount is None else number(round_decimal(amount, 0))


def money(value: Money | None) -> str:
    """Return an amount and its currency; minor units only where they are not zero."""
    if value is None:
        return UNKNOWN
    amount = value.amount
    if amount == amount.to_integral_value():
        return f"{number(amount)} {value.currency}"
    sign = _MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,.{MINOR_UNITS[value.currency]}f} {value.currency}"


def rounded_money(value: Money | None) -> str:
    """Return an amount in whole units with its currency, for lists."""
    return UNKNOWN if value is None else f"{whole(value.amount)} {value.currency}"


def hours(value: Decimal) -> str:
    """Return hours with their unit, such as 36.5 h."""
    return f"{number(value)} h"


def percent(ratio: Decimal | None, digits: int = 1) -> str:
    """Return a ratio in percent."""
    return UNKNOWN if ratio is None else points(ratio * 100, digits)


def points(value: Decimal | None, digits: int = 1) -> str:
    """Return a value that is in percent already, with the sign for it."""
    if value is None:
        return UNKNOWN
    return f"{number(round_decimal(value, digits))}%"


def ratio(value: Decimal | None) -> str:
    """Return an index such as CPI, with two decimals."""
    return UNKNOWN if value is None else f"{round_decimal(value, 2)}".replace("-", _MINUS)


def day(value: date | datetime | None) -> str:
    """Return a day as disconnects write it, such as 4 June 2026; of a moment the day in UTC."""
    return UNKNOWN if value is None else rule.day(value)


def short_day(value: date | datetime | None) -> str:
    """Return a day with a short month, such as 4 Jun 2026; of a moment the day in UTC."""
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y}"


def clock(value: datetime) -> str:
    """Return the hour and minute of a moment, in UTC."""
    return f"{value.astimezone(UTC):%H:%M}"


def moment(value: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{short_day(value)}, {clock(value)}"


def age_notice(as_of: datetime | None, now: datetime) -> str | None:
    """Return the notice that a page shows while its data are not up to date, else None."""
    if as_of is None:
        return "It is not known when the last update was received. Newer events may be missing."
    if (now - as_of).total_seconds() <= OLD_AFTER:
        return None
    received = as_of.astimezone(UTC)
    on = "" if received.date() == now.astimezone(UTC).date() else f" on {day(received)}"
    return f"Last update received {received:%H:%M} UTC{on}. Newer events may be missing."


def elapsed(since: datetime, today: date) -> str:
    """Return how long ago a moment was: in days, from 60 days on in months."""
    days = (today - since.astimezone(UTC).date()).days
    if days <= 0:
        return "today"
    if days < 60:
        return f"{counted(days, 'day')} ago"
    return f"{counted(days * 12 // 365, 'month')} ago"


def counted(count: int, noun: str, many: str | None = None) -> str:
    """Return a count and its noun: 1 day, 2 days."""
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def listed(parts: Iterable[str]) -> str:
    """Return a list in words: a, b and c."""
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def words(name: str) -> str:
    """Return a name of the contracts in words: on-acceptance is on acceptance."""
    return " ".join(_ACRONYMS.get(part, part) for part in name.replace("_", "-").split("-"))


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def rule_title(name: str) -> str:
    """Return the title of a rule; of a rule that no longer exists, its id in words."""
    return RULES.title(name) or sentence_case(words(name))


def stage_name(name: str) -> str:
    """Return the name of a stage."""
    return STAGE_NAMES.get(name, sentence_case(words(name)))


def channel_name(name: str) -> str:
    """Return the name of a channel: its department, and whether it is the confidential one."""
    known = CHANNELS.get(name)
    if known is None:
        return name
    title = known.department.capitalize()
    return f"{title} (confidential)" if known.confidential else title


def promised(finish: date | None, forecast: date | None) -> str:
    """Return by how many days the forecast is later than the promised finish, or earlier.

    Return an empty text where one of them is not known.
    """
    if finish is None or forecast is None:
        return ""
    days = (forecast - finish).days
    if days > 0:
        return f"{counted(days, 'day')} late"
    return f"{counted(-days, 'day')} early" if days < 0 else "on time"


class Names:
    """Current names by id, from reference data; where none is known, the id is the name.

    The name of a person whose data were erased is not known. `titles` are by id, of items that
    belong to one engagement, such as deliverables.
    """

    def __init__(
        self, reference_data: ReferenceData, titles: Mapping[str, str] | None = None
    ) -> None:
        self._reference_data = reference_data
        self._titles = titles or {}

    def account(self, account: str | None) -> str:
        """Return the name of an account."""
        if account is None:
            return UNKNOWN
        found = self._reference_data.latest(AccountPublished, account)
        return found.event.name if found is not None else account

    def legal_name(self, account: str) -> str | None:
        """Return the name of an account in the commercial register, where it is known."""
        found = self._reference_data.latest(AccountPublished, account)
        return found.event.legal_name if found is not None else None

    def agreement(self, account: str | None, kind: str, day: date) -> AgreementPublished | None:
        """Return the account's agreement of a type in force on a day, else the last one, if any."""
        known = [
            each.event
            for each in self._reference_data.all(AgreementPublished)
            if each.event.account == account and each.event.agreement_type == kind
        ]
        return max(known, key=lambda each: (each.is_in_force(day), each.starts_on), default=None)

    def person(self, person: str | None) -> str:
        """Return the name of a person or contact, or of the department that acted by itself."""
        if person is None:
            return UNKNOWN
        staff = self._reference_data.latest(PersonPublished, person)
        contact = self._reference_data.latest(ContactPublished, person)
        if staff is not None:
            return staff.event.name
        if contact is not None:
            return contact.event.name
        return channel_name(person) if person in CHANNELS else person

    def contact(self, contact: str) -> str:
        """Return the name of a contact with the roles that they have for the customer."""
        found = self._reference_data.latest(ContactPublished, contact)
        if found is None:
            return contact
        roles = listed(words(role) for role in found.event.roles)
        return f"{found.event.name}, {roles}" if roles else found.event.name

    def title(self, item: str) -> str:
        """Return the title of a deliverable, a milestone or a task of this engagement."""
        return self._titles.get(item, item)

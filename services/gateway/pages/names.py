"""Names of stages, rules, channels, people and accounts, as pages show them.

Nothing is escaped here; the templates escape it.
"""

from collections.abc import Mapping
from datetime import date

from chassis.domain.context import ReferenceData
from contracts.channels import CHANNELS
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    ContactPublished,
    LedgerPublished,
    PersonPublished,
)
from gateway.formatting import UNKNOWN, listed, sentence_case, words
from gateway.rules import RULES

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

    def ledger(self, company: str) -> LedgerPublished | None:
        """Return how far the months of a company are closed; None before the first closing."""
        found = self._reference_data.latest(LedgerPublished, company)
        return found.event if found is not None else None

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

    def rule(self, rule: str) -> str:
        """Return the title of a rule; of a rule that no longer exists, its id in words."""
        return rule_title(rule)

    def title(self, item: str) -> str:
        """Return the title of a deliverable, a milestone or a task of this engagement."""
        return self._titles.get(item, item)

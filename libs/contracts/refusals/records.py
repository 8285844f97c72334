"""List the codes that concern reference data."""

from typing import Literal

RecordCode = Literal[
    "account-above-itself",
    "account-name-taken",
    "account-unknown",
    "agreement-not-in-force",
    "calendar-unknown",
    "company-unknown",
    "contact-not-authorised",
    "contact-of-company",
    "contact-of-other-account",
    "contact-unknown",
    "contacts-missing",
    "country-differs",
    "expiry-before-start",
    "holidays-unknown",
    "keys-not-distinct",
    "manager-is-self",
    "number-prefixes-equal",
    "person-not-authorised",
    "person-not-engagement-manager",
    "person-not-with-company",
    "person-unknown",
    "rate-card-misnamed",
    "record-not-own-or-team",
    "role-unknown",
    "shares-do-not-add-up",
    "stand-in-is-self",
    "stand-in-not-recorded",
    "template-unknown",
]
"""Code of a refusal that concerns reference data."""

RECORD_REFUSALS: dict[RecordCode, str] = {
    "account-above-itself": "The account would be above itself in its group.",
    "account-name-taken": "Another account has this name.",
    "account-unknown": "No account with this id is published.",
    "agreement-not-in-force": "The account's agreement is not in force on that day.",
    "calendar-unknown": "No holiday calendar with this id is published.",
    "company-unknown": (
        "No company with this id is published, or none is known before the deal is won."
    ),
    "contact-not-authorised": "The contact has no role by which they may do this on the day.",
    "contact-of-company": "The contact is also a person of the company and acts for no customer.",
    "contact-of-other-account": "The contact belongs to another account.",
    "contact-unknown": "No contact with this id is published.",
    "contacts-missing": "The opportunity has no contacts, and none are named.",
    "country-differs": "The record belongs to another country.",
    "expiry-before-start": "The agreement would expire before it begins.",
    "holidays-unknown": "The public holidays of the country or subdivision are not known.",
    "keys-not-distinct": "Two phases or tasks of the template have one key, or one name without.",
    "manager-is-self": "A person cannot be a manager above themselves.",
    "number-prefixes-equal": "Invoices and credit notes would get the same numbers.",
    "person-not-authorised": "The person may not sign for the company on the day.",
    "person-not-engagement-manager": "The person is not an engagement manager of Delivery.",
    "person-not-with-company": "The person is not with the company on the day.",
    "person-unknown": "No person with this id is published.",
    "rate-card-misnamed": "The id is not that of the account's and currency's rate card.",
    "record-not-own-or-team": "Only the person, a manager above them or a director may do this.",
    "role-unknown": "No person holds the role, and no template plans it.",
    "shares-do-not-add-up": "The shares do not add up to 100 %.",
    "stand-in-is-self": "A person cannot stand in for themselves.",
    "stand-in-not-recorded": "The caller is not recorded as a stand-in of this person on the day.",
    "template-unknown": "There is no template with this id.",
}
"""Sentence of each code, sorted by code."""

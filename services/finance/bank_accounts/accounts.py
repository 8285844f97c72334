"""Find the record of a bank account."""

from datetime import date, tzinfo

from chassis.domain.commands import refused_field
from chassis.domain.context import Context, ReferenceData
from chassis.domain.reference import company_zone, require_record
from contracts.money import Money
from contracts.reference import BankAccount, CompanyPublished


def require_bank_account(id: str, field: str | None, context: Context) -> BankAccount:
    """Return the record of a bank account of a company.

    Raises Refused, naming the field of the command if the id is in one, where company or account is
    not known.
    """
    company, _, name = id.rpartition(".")
    record = require_record(
        "company-unknown", field or "company", CompanyPublished, company, context
    )
    accounts = record.bank_accounts if record else ()
    for each in accounts:
        if each.bank_account == name:
            return each
    sentence = f"{company} has no bank account {name}"
    raise refused_field("bank-account-unknown", field, sentence)


def require_account_currency(account: BankAccount, **amounts: Money) -> None:
    """Refuse an amount in another currency than the account's; the keyword is the field."""
    for field, amount in amounts.items():
        if amount.currency != account.currency:
            sentence = f"{field}: the account is in {account.currency}, not in {amount.currency}"
            raise refused_field("currency-differs", field, sentence)


def bank_account_zone(id: str, records: ReferenceData, day: date) -> tzinfo | None:
    """Return the time zone of the company with a bank account; None where it is not known."""
    return company_zone(id.rpartition(".")[0], records, day)

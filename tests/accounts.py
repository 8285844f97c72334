"""Accounts of a general ledger for tests: one number for each kind of account."""

from typing import get_args

from contracts.reference import AccountMappingPublished, AccountNumber, LedgerAccount

ACCOUNTS = AccountMappingPublished(
    account_mapping="us",
    accounts=(
        *(
            AccountNumber(account=each, number=f"{place:04}")
            for place, each in enumerate(get_args(LedgerAccount), start=1)
        ),
        AccountNumber(account="revenue", about="at-acceptance", number="8400"),
    ),
)
"""The accounts of the company `us`; revenue at acceptance has one of its own."""

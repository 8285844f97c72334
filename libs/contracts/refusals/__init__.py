"""List the codes with which commands and requests are refused, each with one sentence.

A code names the thing and then what is wrong with it, in kebab case. Codes are added, and never
changed or removed once released. The sentences are part of every service's OpenAPI document.
"""

from typing import Literal

from contracts.refusals.contract import CONTRACT_REFUSALS, ContractCode
from contracts.refusals.general import ANY_COMMAND_REFUSALS, AnyCommandCode
from contracts.refusals.money import MONEY_REFUSALS, MoneyCode
from contracts.refusals.problems import PROBLEMS, ProblemCode
from contracts.refusals.records import RECORD_REFUSALS, RecordCode
from contracts.refusals.sale import SALE_REFUSALS, SaleCode
from contracts.refusals.work import WORK_REFUSALS, WorkCode

__all__ = ["PROBLEMS", "REFUSALS", "ProblemCode", "RefusalCode"]

RefusalCode = Literal[ContractCode, AnyCommandCode, MoneyCode, RecordCode, SaleCode, WorkCode]
"""Code of a refused command, or of one condition that is not met."""

REFUSALS: dict[RefusalCode, str] = dict(
    sorted(
        [
            *CONTRACT_REFUSALS.items(),
            *ANY_COMMAND_REFUSALS.items(),
            *MONEY_REFUSALS.items(),
            *RECORD_REFUSALS.items(),
            *SALE_REFUSALS.items(),
            *WORK_REFUSALS.items(),
        ]
    )
)
"""The sentence of every code of a refusal or a missing condition, sorted by code."""

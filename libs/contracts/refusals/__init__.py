"""List the codes of refusals, of conditions and of work items, each with one sentence.

A code names the thing and then what is wrong with it, in kebab case. Codes are added, and never
changed or removed once released. The sentences are part of every service's OpenAPI document.
"""

from typing import Literal

from contracts.refusals.contract import CONTRACT_REFUSALS, ContractCode
from contracts.refusals.figures import FIGURE_CONDITIONS, FigureCode
from contracts.refusals.general import ANY_COMMAND_REFUSALS, AnyCommandCode
from contracts.refusals.money import MONEY_REFUSALS, MoneyCode
from contracts.refusals.problems import PROBLEMS, ProblemCode
from contracts.refusals.records import RECORD_REFUSALS, RecordCode
from contracts.refusals.sale import SALE_REFUSALS, SaleCode
from contracts.refusals.waiting import WAITING, WaitingCode
from contracts.refusals.work import WORK_REFUSALS, WorkCode

__all__ = ["PROBLEMS", "REFUSALS", "ProblemCode", "RefusalCode"]

RefusalCode = Literal[
    ContractCode, AnyCommandCode, FigureCode, MoneyCode, RecordCode, SaleCode, WaitingCode, WorkCode
]
"""Code of a refused command, of a condition that is not met, or of what somebody owes."""

REFUSALS: dict[RefusalCode, str] = dict(
    sorted(
        [
            *CONTRACT_REFUSALS.items(),
            *ANY_COMMAND_REFUSALS.items(),
            *FIGURE_CONDITIONS.items(),
            *MONEY_REFUSALS.items(),
            *RECORD_REFUSALS.items(),
            *SALE_REFUSALS.items(),
            *WAITING.items(),
            *WORK_REFUSALS.items(),
        ]
    )
)
"""The sentence of every code of a refusal, a condition or a work item, sorted by code."""

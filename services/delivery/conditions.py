"""Kinds of work items for what time and expenses wait for that nothing covers (gate 3).

Where the day of the work is the reason, or the engagement is over, nothing may end it: the PMO
director approves the work as cost then, or it is rejected.
"""

from collections.abc import Mapping

from chassis.domain.commands import Missing
from chassis.domain.work_items import ItemKind
from contracts.channels import Department
from contracts.refusals import RefusalCode
from contracts.roles import Role

Conditions = Mapping[tuple[RefusalCode, Department | None], ItemKind]
"""Kinds of the conditions of `delivery.coverage`, by code and by the department that owes them."""

_Ends = tuple[Department, Role, str]
"""The command that ends a condition: its department, a role that may give it, and its name."""
_SIGN: _Ends = ("legal", "contract-manager", "record-signature")
_AUTHORISE: _Ends = ("legal", "counsel", "authorise-early-start")
_IMPORT = "import-engagement"
_AFTER_END = frozenset({"catch-up", "reject-expense", "reject-time"})
"""Commands that end a condition also after the end of the engagement."""


def condition(
    code: RefusalCode,
    department: Department,
    role: Role,
    command: str,
    *,
    blocks: str,
    command_of: Department | None = None,
    stream: str | None = None,
) -> ItemKind:
    """Return the kind of a condition, for which the approval `blocks` is refused."""
    return ItemKind(
        code,
        department=department,
        role=role,
        command=command,
        owed_to="delivery",
        blocks=(blocks,),
        command_of=command_of,
        stream=stream,
    )


def of_contract(what: str) -> Conditions:
    """Return the conditions in take-over, contract, early starts and hold for `time` or `expense`.

    The commands that approve, approve as cost and reject it are named after it.
    """
    approve, reject = f"approve-{what}", f"reject-{what}"
    as_cost: _Ends = ("delivery", "pmo-director", f"{approve}-as-cost")
    kinds = (
        condition("engagement-not-imported", "legal", "counsel", _IMPORT, blocks=approve),
        condition("engagement-not-imported", "delivery", "pmo-director", _IMPORT, blocks=approve),
        condition("engagement-not-imported", "finance", "controller", _IMPORT, blocks=approve),
        condition("time-taken-over", "delivery", "engagement-manager", reject, blocks=approve),
        condition("engagement-on-hold", *as_cost, blocks=approve),
        condition("sow-not-signed", *_SIGN, blocks=approve),
        condition("date-before-early-start", *_AUTHORISE, blocks=approve),
        condition("early-start-expired", *_AUTHORISE, blocks=approve),
        condition("early-start-cap-spent", *_AUTHORISE, blocks=approve),
        condition(
            "rates-missing",
            "finance",
            "controller",
            "publish-rate-card",
            blocks=approve,
            stream="rate-card",
        ),
        condition("rates-missing", *as_cost, blocks=approve),
        condition("date-before-amendment", *as_cost, blocks=approve),
        condition("date-before-contract", *as_cost, blocks=approve),
        condition("engagement-over", *as_cost, blocks=approve),
    )
    return {(each.code, each.department): each for each in kinds}


def kind_of(conditions: Conditions, missing: Missing, *, over: bool) -> ItemKind:
    """Return the kind of what is missing: another one if the engagement is over.

    Most commands are refused then.
    """
    kind = conditions[missing.code, missing.owed_by]
    if over and kind.command not in _AFTER_END:
        return conditions["engagement-over", "delivery"]
    return kind

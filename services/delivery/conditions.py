"""Kinds of work items for what time and expenses wait for that nothing covers (gate 3).

Where the day of the work is the reason, or the engagement is over, nothing may end it: the PMO
director approves the work as cost then, or it is rejected.
"""

from collections.abc import Iterable, Mapping

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
_STEPS_OF_CHANGE = (
    "change-not-assessed",
    "change-not-priced",
    "change-not-approved",
    "amendment-not-signed",
    "plan-not-rebaselined",
    "budget-not-amended",
)
"""Steps of a change in their order: each is refused before the one before it is done."""


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


def owed(
    conditions: Conditions, missing: Iterable[Missing], *, over: bool
) -> dict[ItemKind, Missing]:
    """Return the items for what is missing for one entry or expense: kinds and their conditions.

    No item names a command that would leave the work uncovered. What was taken over is rejected,
    also where more is missing. If the engagement is over, or a condition is ended by approval as
    cost only, that is the one item; conditions ended by rejecting stay after the end. Of the
    steps of a change only the first one is owed.
    """
    known = [(conditions[each.code, each.owed_by], each) for each in missing]
    taken_over = [each for each in known if each[0].code == "time-taken-over"]
    as_cost = [each for each in known if each[0].command.endswith("-as-cost")]
    if taken_over:
        return dict(taken_over)
    if over:
        ended = as_cost or [each for each in known if not each[0].command.startswith("reject-")]
        if ended:
            return {conditions["engagement-over", "delivery"]: ended[0][1]}
    if as_cost:
        return dict(as_cost[:1])
    steps = [kind for code in _STEPS_OF_CHANGE for kind, _ in known if kind.code == code]
    return {kind: each for kind, each in known if kind not in steps[1:]}

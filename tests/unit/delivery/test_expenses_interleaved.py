"""Test that of a withdrawal and a decision at the same time one is recorded, the other refused."""

import asyncio
from random import Random

import pytest

from chassis.domain.commands import Command, Refused
from contracts.delivery import ExpenseApproved, ExpenseRejected, ExpenseWithdrawn
from delivery.expenses.decisions import (
    ApproveExpense,
    RejectExpense,
    SubmitExpense,
    WithdrawExpense,
)
from delivery.service import ENGAGEMENT, EXPENSE
from testkit.matchers import recorded_as
from tests.amounts import eur
from tests.unit.chassis.requests_in_memory import NOW, Process, Shared, take_turns
from tests.unit.delivery.builders import ID, OPENED, PEOPLE, WEEK

STREAM = f"engagement:{ID}"
SUBMIT = SubmitExpense(
    amount=eur(12), description="Train", category="travel", spent_on=WEEK, billable=False
)


class TwoProcesses:
    """A submitted expense that one process withdraws while another one decides on it."""

    def __init__(self, seed: int) -> None:
        self.shared = Shared(ENGAGEMENT, EXPENSE)
        self.outcomes: dict[str, str] = {}
        self._random = Random(seed)

    def process(self) -> Process:
        return Process(self.shared, *PEOPLE, now=NOW.replace(month=4, day=12))

    async def submit(self) -> str:
        process = self.process()
        opened = recorded_as(OPENED, ID, 1, "ann", NOW, {})
        process.begin(process.events.handle_events(STREAM, [opened]))
        await take_turns(self.shared, self._random, 100)
        process.begin(self._give(process, SUBMIT, "dev"))
        await take_turns(self.shared, self._random, 100)
        [expense] = self.shared.known("engagement", ID).stream.state.expenses.waiting
        return str(expense)

    async def race(self, *given: tuple[Command, str]) -> list[str]:
        """Give commands at the same time, and return the types of the events by which it ended."""
        self.outcomes.clear()
        for command, by in self._random.sample(given, len(given)):
            process = self.process()
            process.begin(self._give(process, command, by))
        await take_turns(self.shared, self._random, 100)
        ends = (ExpenseApproved, ExpenseRejected, ExpenseWithdrawn)
        events = [
            each.event for commit in self.shared.commits(STREAM) for each in commit.new_events()
        ]
        return [type(each).__name__ for each in events if isinstance(each, ends)]

    async def _give(self, process: Process, command: Command, by: str) -> None:
        try:
            await process.commands.command("engagement", ID, command, actor=by, key=command.named())
        except Refused as refused:
            self.outcomes[by] = refused.code
        else:
            self.outcomes[by] = "done"


@pytest.mark.parametrize(
    ("decision", "more", "decided"),
    [
        (ApproveExpense, {}, "ExpenseApproved"),
        (RejectExpense, {"why": "No receipt."}, "ExpenseRejected"),
    ],
)
def test_one_of_a_withdrawal_and_a_decision_is_recorded(
    decision: type[Command], more: dict[str, str], decided: str
) -> None:
    async def ends(seed: int) -> str:
        both = TwoProcesses(seed)
        expense = await both.submit()
        [end] = await both.race(
            (WithdrawExpense(expense=expense), "dev"),
            (decision.model_validate({"expense": expense, **more}), "mara"),
        )
        first, second = ("dev", "mara") if end == "ExpenseWithdrawn" else ("mara", "dev")
        assert both.outcomes == {first: "done", second: "expense-not-waiting"}
        return end

    assert {asyncio.run(ends(seed)) for seed in range(12)} == {decided, "ExpenseWithdrawn"}

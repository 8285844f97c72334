"""Close the months of the companies that sell, each in the middle of the next month.

The postings of a closed month are released for the general ledger at once.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local.demo.driver import Body, DemoError, Driver
from local.demo.reference_data import SELLING_COMPANY

CLOSES_ON = 15
"""Day of the month on which the month before is closed."""


def first_open_day(today: date) -> date:
    """Return the first day of the months that are not closed on a day."""
    first = today.replace(day=1)
    return first if today.day >= CLOSES_ON else (first - timedelta(days=1)).replace(day=1)


class MonthEnds:
    """The months to close, from that of `begins` on, in order."""

    def __init__(self, driver: Driver, begins: date) -> None:
        self._driver = driver
        self._month = begins.replace(day=1)
        self._commands = 0

    async def close_due(self, today: date) -> None:
        """Close every month that is due by a day; raises DemoError where that fails."""
        while self._month < first_open_day(today):
            for company in SELLING_COMPANY.values():
                if await self._groups(company):
                    await self._close(company, f"{self._month:%Y-%m}", today)
            self._month = (self._month + timedelta(days=32)).replace(day=1)

    async def _groups(self, company: str) -> int:
        """Return the number of groups in the ledger of a company; 0 where it has none."""
        with suppress(DemoError):
            return int((await self._ledger(company))["groups"])
        return 0

    async def _close(self, company: str, month: str, today: date) -> None:
        """Close a month; where something is missing, that is accepted."""
        await self._act(company, "start-closing", today, month=month)
        state = await self._answered(company)
        if month.endswith("-06"):  # a controller is called away
            why = "An invoice of the last day is missing."
            await self._act(company, "reopen-period", today, month=month, why=why)
            await self._act(company, "start-closing", today, month=month)
            state = await self._answered(company)
        missing = state["months"][-1]["open"] or state["open_in_confidence"]
        accept = "What is missing is small, and is booked in the next month." if missing else None
        await self._act(company, "close-period", today, month=month, accept=accept)
        state = await self._answered(company)
        for _ in range(3):
            if state["last_closed"] == month:
                await self._act(company, "export-postings", today, month=month)
                return
            accept = "Drafted since; it is booked in the next month."
            await self._act(company, "close-period", today, month=month, accept=accept)
            state = await self._answered(company)
        raise DemoError(f"{company}: {month} was not closed: {state['months'][-1]}")

    async def _answered(self, company: str) -> dict[str, Any]:
        """Return the ledger once all its engagements have answered."""
        for attempt in range(200):
            state = await self._ledger(company)
            if not state["months"][-1]["waiting"]:
                return state
            await asyncio.sleep(0.02 + 0.002 * attempt)
        raise DemoError(f"{company}: engagements did not answer: {state['months'][-1]}")

    async def _ledger(self, company: str) -> dict[str, Any]:
        answer = await self._driver.read("finance", f"/ledgers/{company}", "dora", {})
        state: dict[str, Any] = answer.json()
        return state

    async def _act(self, company: str, command: str, today: date, **body: Any) -> None:
        self._commands += 1
        at = min(datetime.combine(today, time(8), UTC), datetime.now(UTC))
        sent: Body = {name: each for name, each in body.items() if each is not None}
        await self._driver.send(
            "finance",
            f"/ledgers/{company}/{command}",
            sent,
            "dora",
            key=f"ledgers/{company}/{self._commands}/{command}",
            headers={"Occurred-At": at.isoformat()},
        )

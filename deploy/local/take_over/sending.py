"""Give each department its command, in order, and note what became of each engagement.

Every request can be repeated: the idempotency key follows from source, id and content, so a second
run changes nothing, and an interrupted one goes on.
"""

import asyncio
import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Literal, TypeAlias

import httpx

from chassis.base.backoff import Backoff
from chassis.domain.ids import derived
from local.take_over.reading import Engagement
from local.take_over.records import OTHERS, Department, Sale

WAIT = 25
"""Seconds that a department may wait for events of others before it refuses."""
PATIENCE = 60.0
"""Seconds for which a request is repeated while a service cannot be reached."""
_AT_ONCE = 4
_AWAY = {429, 502, 503, 504}

_FAILED = {"refused", "not reached"}
_WAITING = {"unknown-stream", "opportunity-not-imported", "engagement-not-imported"}
"""Codes of refusals that end when the event of another department arrives."""

Outcome: TypeAlias = Literal["taken over", "unchanged", "refused", "not reached", "left out"]


@dataclass(slots=True)
class Result:
    """Result for an engagement: the outcome by department, and the sentences of refusals."""

    engagement: Engagement
    id: str
    outcomes: dict[Department, Outcome] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Return whether a department refused, or could not be reached."""
        return any(each in _FAILED for each in self.outcomes.values())

    def failed_before(self, department: Department) -> Department | None:
        """Return the department that failed and that another one rests on, or None."""
        needed: tuple[Department, ...] = (
            ("sales", "legal") if department == "finance" else ("sales",)
        )
        return next((each for each in needed if self.outcomes.get(each) in _FAILED), None)


class Departments:
    """HTTP client of the departments."""

    def __init__(
        self,
        urls: Mapping[Department, str],
        token: str,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._urls, self._patience = urls, patience
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=WAIT + 15, transport=transport
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def names(self, department: Department, path: str, field: str) -> dict[str, str]:
        """Return a field of all records of a list, by id; raises httpx.HTTPError."""
        found: dict[str, str] = {}
        cursor: str | None = None
        while True:
            parameters = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            answer = await self._request("GET", department, f"/{path}", params=parameters)
            answer.raise_for_status()
            page = answer.json()
            found |= {str(row["id"]): str(row[field]) for row in page["rows"]}
            cursor = page["cursor"]
            if cursor is None:
                return found

    async def take_over(
        self, engagements: Iterable[Engagement], accounts: Mapping[str, str]
    ) -> list[Result]:
        """Take the engagements over; `accounts` are the names of the published accounts by id."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(engagement: Engagement) -> Result:
            async with at_once:
                return await self._take_over(engagement, accounts)

        return list(await asyncio.gather(*(one(each) for each in engagements)))

    async def _take_over(self, engagement: Engagement, accounts: Mapping[str, str]) -> Result:
        result = Result(engagement, f"E-{derived(f'{engagement.source}/{engagement.external_id}')}")
        sale = engagement.records.get("sales")
        if isinstance(sale, Sale):
            await self._sell(result, sale, accounts)
        for department in OTHERS:
            record = engagement.records.get(department)
            if record is None:
                continue
            needed = result.failed_before(department)
            if needed is not None:
                result.outcomes[department] = "left out"
                result.refusals.append(f"{department}: waits for {needed}")
                continue
            await self._command(result, department, record.model_dump(mode="json"))
        return result

    async def _sell(self, result: Result, sale: Sale, accounts: Mapping[str, str]) -> None:
        """Import the opportunity as a row of a CRM export."""
        cells = {
            "opportunity_id": sale.external_id,
            "sales_agent": sale.owner,
            "product": sale.title,
            "account": accounts.get(sale.account, sale.account),
            "deal_stage": "Won",
            "engage_date": sale.opened_on.isoformat() if sale.opened_on else "",
            "close_date": sale.won_on.isoformat(),
            "close_value": f"{sale.value.amount:f}",
        }
        export = StringIO()
        writer = csv.DictWriter(export, cells)
        writer.writeheader()
        writer.writerow(cells)
        answer = await self._reach(
            result,
            "sales",
            "/imports",
            params={
                "currency": sale.value.currency,
                "source": sale.source,
                "decimal": "point",
            },
            content=export.getvalue().encode(),
            headers={"Content-Type": "text/csv; charset=utf-8"},
        )
        if answer is None:
            return
        report = answer.json()
        result.notes += report["notes"]
        if report["refused"]:
            result.outcomes["sales"] = "refused"
            result.refusals += [
                f"sales: {_FIELDS.get(each['field'], each['field'])}: {each['reason']}"
                for each in report["refusals"]
            ]
        else:
            result.outcomes["sales"] = "taken over" if report["taken"] else "unchanged"

    async def _command(
        self, result: Result, department: Department, body: Mapping[str, Any]
    ) -> None:
        source = f"{result.engagement.source}/{result.engagement.external_id}"
        content = json.dumps(body, sort_keys=True)
        key = f"take-over-{derived(f'{department}/{source}/{content}', 25)}"
        answer = await self._reach(
            result,
            department,
            f"/engagements/{result.id}/import-engagement",
            json=body,
            headers={"Idempotency-Key": key},
        )
        if answer is not None:
            is_new = "Idempotency-Replayed" not in answer.headers and answer.json()["events"]
            result.outcomes[department] = "taken over" if is_new else "unchanged"

    async def _reach(
        self, result: Result, department: Department, path: str, **request: Any
    ) -> httpx.Response | None:
        """Return the answer of a department, or note that it refused or cannot be reached.

        A refusal that events of other departments may end is decided again when they arrive.
        """
        try:
            answer = await self._request("POST", department, path, **request)
            if _code(answer) in _WAITING:
                headers = {**request["headers"], "Prefer": f"wait={WAIT}"}
                again = {**request, "headers": headers}
                answer = await self._request("POST", department, path, **again)
        except httpx.HTTPError as error:
            result.outcomes[department] = "not reached"
            result.refusals.append(f"{department}: {type(error).__name__} {error}".rstrip())
            return None
        if answer.is_success:
            return answer
        result.outcomes[department] = "not reached" if answer.status_code in _AWAY else "refused"
        result.refusals += [f"{department}: {each}" for each in _sentences(answer)]
        return None

    async def _request(
        self, method: str, department: Department, path: str, **request: Any
    ) -> httpx.Response:
        """Send a request, again while the service cannot be reached; raises httpx.HTTPError."""
        backoff = Backoff(within=self._patience)
        while True:
            try:
                answer = await self._http.request(
                    method, f"{self._urls[department]}{path}", **request
                )
                if answer.status_code not in _AWAY or backoff.is_over:
                    return answer
            except httpx.TransportError:
                if backoff.is_over:
                    raise
            await backoff.pause()


_FIELDS = {
    "opportunity_id": "external_id",
    "sales_agent": "owner",
    "product": "title",
    "engage_date": "opened_on",
    "close_date": "won_on",
    "close_value": "value",
}
"""Fields of a sale by the column of the export."""


def _code(answer: httpx.Response) -> str | None:
    """Return the code of a problem document; None for any other answer."""
    if answer.is_success:
        return None
    try:
        return str(answer.json().get("code"))
    except (ValueError, AttributeError):
        return None


def _sentences(answer: httpx.Response) -> list[str]:
    """Return what a problem document says: each field that is wrong, or what is missing."""
    try:
        problem = answer.json()
    except ValueError:
        return [f"{answer.status_code} {answer.text[:200]}"]
    errors, missing = problem.get("errors") or (), problem.get("missing") or ()
    found = [f"{each['field']}: {each['problem']}" for each in errors]
    found += [": ".join(filter(None, (each.get("field"), each["sentence"]))) for each in missing]
    return found or [str(problem.get("detail", problem))]

"""Work on the running platform as its people do: send commands, and read what each party sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

import httpx

from contracts.event import read_position, write_position
from contracts.roles import Role
from local.demo.timesheets import sheet_id
from local.platform import DEPARTMENTS
from tests.e2e.conftest import ApiClient
from tests.infrastructure import wait_until

SOON = 30.0
"""Seconds within which everybody must see the effects of a command."""

View = dict[str, Any]
Entry = dict[str, Any]


@dataclass
class Desks:
    """The people's clients; `name` makes the idempotency keys, so that no two tests share one."""

    api: ApiClient
    name: str
    _keys: "count[int]" = field(default_factory=count)

    def send(
        self,
        by: str,
        service: str,
        path: str,
        body: Any = None,
        *,
        for_person: str | None = None,
        key: str | None = None,
        wait: int = 20,
    ) -> httpx.Response:
        """Send a command as a person, or as their stand-in, and return the answer.

        A refused command is decided again for `wait` seconds, whenever its stream changes.
        """
        headers = {
            "Idempotency-Key": key or f"{self.name}-{next(self._keys)}",
            "Prefer": f"wait={wait}",
        }
        if for_person is not None:
            headers["Concord-On-Behalf-Of"] = for_person
        return self.api.request(
            "POST", service, path, by=by, body={} if body is None else body, headers=headers
        )

    def do(self, by: str, service: str, path: str, body: Any = None, **how: Any) -> View:
        """Send a command, which must be accepted, and return the body of the answer."""
        answer = self.send(by, service, path, body, **how)
        assert answer.status_code in {200, 201}, f"{path} of {by}: {answer.text}"
        found: View = answer.json()
        return found

    def refused(
        self, by: str, service: str, path: str, body: Any = None, **how: Any
    ) -> tuple[int, str, set[str]]:
        """Send a command; return status and code of its refusal, and what its conditions name.

        They name fields of the command, and the codes of what is missing.
        """
        answer = self.send(by, service, path, body, wait=0, **how)
        assert answer.status_code in {403, 404, 409, 422}, f"{path} of {by}: {answer.text}"
        problem = answer.json()
        missing = problem.get("missing") or ()
        fields = [each.get("field") for each in (*(problem.get("errors") or ()), *missing)]
        first, colon, _ = problem["detail"].partition(":")
        named = [*fields, *(each["code"] for each in missing), first if colon else None]
        return answer.status_code, problem["code"], {each for each in named if each}

    def seen(
        self, service: str, engagement: str, *, by: str = "everybody", given: tuple[Role, ...] = ()
    ) -> View:
        """Return a service's view of an engagement with all that the departments have published.

        That is so when each has processed what the others have published, and none has published
        more in the meantime. The gateway's view is complete.
        """
        path, position = f"/engagements/{engagement}", dict[str, int]()
        before: Mapping[str, int] | None = None
        while before != position:
            before = dict(position)
            for department in DEPARTMENTS:
                found = self._read(department, path, position)
                for channel, last in read_position(found.headers["Concord-Position"]).items():
                    position[channel] = max(last, position.get(channel, 0))
        views: list[View] = []

        def complete() -> bool:
            answer = self._read(service, path, position, by=by, given=given)
            views.append(answer.json())
            return bool(views[-1].get("complete", True))

        wait_until(complete, limit=SOON)
        return views[-1]

    def _read(
        self,
        service: str,
        path: str,
        position: Mapping[str, int],
        *,
        by: str = "everybody",
        given: tuple[Role, ...] = (),
    ) -> httpx.Response:
        headers = {"Prefer": "wait=20"}
        if position:
            headers["Concord-After"] = write_position(position)
        answer = self.api.request("GET", service, path, by=by, given=given, headers=headers)
        assert answer.status_code == 200, f"{service}{path}: {answer.text}"
        return answer

    def disconnects(self, engagement: str, rule: str) -> list[View]:
        """Return the unresolved disconnects of an engagement that a rule finds, by the gateway."""
        found = self.seen("gateway", engagement)["disconnects"]
        return [each for each in found if each["rule"] == rule]


# ---- timesheets --------------------------------------------------------------------------------


def worked(day: date, task: str, hours: str, role: str | None = "engineer", **more: Any) -> Entry:
    return {"day": day.isoformat(), "task": task, "hours": hours, "role": role, **more}


def on(engagement: str, *entries: Entry) -> View:
    return {"engagements": [{"engagement": engagement, "entries": entries}]}


def sheet(person: str, week: date) -> str:
    return f"/timesheets/{sheet_id(person, week)}"


def save(desks: Desks, person: str, week: date, lines: View, **how: Any) -> None:
    by = how.pop("by", person)
    desks.do(by, "delivery", f"{sheet(person, week)}/save-timesheet", lines, **how)


def submit(desks: Desks, person: str, week: date, lines: View | None = None, **how: Any) -> None:
    """Save the lines, if any are given, and submit the week."""
    if lines is not None:
        save(desks, person, week, lines, **how)
    by = how.pop("by", person)
    desks.do(by, "delivery", f"{sheet(person, week)}/submit-timesheet", **how)


def decide(
    desks: Desks, by: str, what: str, engagement: str, person: str, week: date, **more: Any
) -> View:
    """Approve or reject a person's week on an engagement."""
    body = {"person": person, "week": week.isoformat(), **more}
    return desks.do(by, "delivery", f"/engagements/{engagement}/{what}", body)


def task_of(desks: Desks, engagement: str, role: str) -> str:
    """Return the id of a task of the plan that only one role works on."""
    planned = [each["planned"] for each in desks.seen("delivery", engagement)["plan"]["tasks"]]
    mine = (each["task"] for each in planned if [one["role"] for one in each["hours"]] == [role])
    return str(next(mine))

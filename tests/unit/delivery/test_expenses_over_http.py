"""Test over HTTP which expenses a person sees, as each role."""

from collections.abc import Callable
from dataclasses import replace

from chassis.documents.store import StoredContent
from contracts.reference import PersonPublished, Reference
from contracts.roles import Role
from tests.unit.delivery.builders import HASH, ID, OTHER_HASH, WEEK
from tests.unit.delivery.test_stand_ins_over_http import SPENT, stand_in
from tests.unit.delivery.test_time_over_http import NOW, OTHER, Delivery, started

PLACES = {"dev": ID, "milo": OTHER}
"""Engagement on which each person spent money; mara manages the first one."""
TEAM = PersonPublished.model_validate(
    {
        "person": "dev",
        "name": "Dev",
        "department": "delivery",
        "roles": ("architect",),
        "manager": "boss",
    }
)


async def decided(*records: Reference) -> Delivery:
    """Return a service with a decided expense of each person."""
    delivery = await started(*records)
    assigned = {"manager": "mara", "assigned_on": str(WEEK)}
    path = f"/engagements/{ID}/assign-manager"
    answer = await delivery.request(path, assigned, by="paul", role="pmo-director")
    assert answer.status_code == 200, answer.text
    for person, place in PLACES.items():
        path = f"/engagements/{place}"
        await delivery.request(f"{path}/submit-expense", SPENT, by=person)
        [waiting] = (await delivery.request(path, by=person)).json()["expenses"]["waiting"]
        approve = {"expense": waiting["expense"]}
        answer = await delivery.request(
            f"{path}/approve-expense", approve, by="paul", role="pmo-director"
        )
        assert answer.status_code == 200, answer.text
    return delivery


async def seen(delivery: Delivery, by: str, role: Role, query: str = "") -> list[str]:
    """Return whose expenses a person's list has; exactly those are shown one by one."""
    answer = await delivery.request(f"/expenses{query}", by=by, role=role)
    assert answer.status_code == 200, answer.text
    rows = {each["id"]: each["person"] for each in answer.json()["rows"]}
    if not query:
        every = await delivery.request("/expenses", by="vera", role="vp-engagement-management")
        for each in every.json()["rows"]:
            one = await delivery.request(f"/expenses/{each['id']}", by=by, role=role)
            assert one.status_code == (200 if each["id"] in rows else 404)
    return [*rows.values()]


async def test_each_role_sees_the_expenses_that_it_needs() -> None:
    delivery = await decided()
    everybodys = ["dev", "milo"]
    for by, role, whose in (
        ("dev", "consultant", ["dev"]),
        ("milo", "consultant", ["milo"]),
        ("ann", "consultant", []),
        ("mara", "engagement-manager", ["dev"]),
        ("milo", "engagement-manager", ["milo"]),
        ("paul", "pmo-director", everybodys),
        ("vera", "vp-engagement-management", everybodys),
        ("vera", "executive", []),
        ("fred", "project-accountant", everybodys),
        ("dora", "controller", everybodys),
    ):
        assert await seen(delivery, by, role) == whose, (by, role)  # type: ignore[arg-type]
    for query, whose in (("?person=milo", []), ("?status=approved", ["dev"])):
        assert await seen(delivery, "dev", "consultant", query) == whose
        assert await seen(delivery, "mara", "engagement-manager", query) == whose
    assert (
        await delivery.request("/expenses", by="ann", role="account-executive")
    ).status_code == 403


async def test_stand_ins_and_managers_of_a_person_see_expenses() -> None:
    delivery = await decided(stand_in("dev", "time"), TEAM)
    assert await seen(delivery, "milo", "consultant") == ["dev", "milo"]
    assert await seen(delivery, "boss", "consultant") == ["dev"]
    for record, whose in (
        (stand_in("mara", "approvals"), ["dev", "milo"]),
        (stand_in("mara", "time"), ["milo"]),
        (stand_in("mara", "approvals", days=1), ["milo"]),
    ):
        assert await seen(await decided(record), "milo", "engagement-manager") == whose


async def test_the_manager_of_now_sees_the_expenses_of_before() -> None:
    delivery = await decided()
    assigned = {"manager": "milo", "assigned_on": str(WEEK)}
    path = f"/engagements/{ID}/assign-manager"
    await delivery.request(path, assigned, by="paul", role="pmo-director")
    assert await seen(delivery, "milo", "engagement-manager") == ["dev", "milo"]
    assert await seen(delivery, "mara", "engagement-manager") == []


async def test_the_view_of_an_engagement_shows_what_waits_to_those_whom_it_concerns() -> None:
    delivery = await decided(TEAM)
    path = f"/engagements/{ID}"
    for person in PLACES:
        answer = await delivery.request(f"{path}/submit-expense", SPENT, by=person)
        assert answer.status_code == 200, answer.text
    both = ["dev", "milo"]
    for by, role, whose in (
        ("dev", "consultant", ["dev"]),
        ("milo", "consultant", ["milo"]),
        ("ann", "consultant", []),
        ("boss", "consultant", ["dev"]),
        ("mara", "engagement-manager", both),
        ("milo", "engagement-manager", ["milo"]),
        ("paul", "pmo-director", both),
        ("vera", "vp-engagement-management", both),
        ("vera", "executive", []),
    ):
        seen = (await delivery.request(path, by=by, role=role)).json()["expenses"]  # type: ignore[arg-type]
        assert [each["person"] for each in seen["waiting"]] == whose, (by, role)
        assert seen["waiting_number"] == 2


class Documents:
    """The documents of engagements, in memory."""

    def __init__(self, *kept: StoredContent) -> None:
        self._kept = kept

    async def all(self, engagement: str) -> list[StoredContent]:
        return list(self._kept) if engagement == ID else []

    async def get(
        self, engagement: str, content_hash: str, may_read: Callable[[StoredContent], bool]
    ) -> tuple[StoredContent, bytes] | None:
        every = await self.all(engagement)
        found = [each for each in every if each.content_hash == content_hash and may_read(each)]
        return (found[0], found[0].stored_by.encode()) if found else None


async def test_a_receipt_is_shown_to_those_whom_the_expense_concerns() -> None:
    delivery = await decided(TEAM)
    receipt = StoredContent(HASH, "image/png", None, 3, NOW, "dev", "receipt")
    delivery.documents = Documents(receipt, replace(receipt, content_hash=OTHER_HASH, purpose=None))
    path = f"/engagements/{ID}/documents"
    for by, role, shown in (
        ("dev", "consultant", (HASH, OTHER_HASH)),
        ("boss", "consultant", (HASH, OTHER_HASH)),
        ("milo", "consultant", (OTHER_HASH,)),
        ("mara", "engagement-manager", (HASH, OTHER_HASH)),
        ("milo", "engagement-manager", (OTHER_HASH,)),
        ("paul", "pmo-director", (HASH, OTHER_HASH)),
        ("vera", "executive", (OTHER_HASH,)),
        ("fred", "project-accountant", (HASH,)),
    ):
        listed = await delivery.request(path, by=by, role=role)  # type: ignore[arg-type]
        assert tuple(each["content_hash"] for each in listed.json()["items"]) == shown, (by, role)
        for name in (HASH, OTHER_HASH):
            one = await delivery.request(f"{path}/{name}", by=by, role=role)  # type: ignore[arg-type]
            assert one.status_code == (200 if name in shown else 404), (by, role)
    assert (await delivery.request(path, by="ann", role="account-executive")).status_code == 403

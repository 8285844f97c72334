"""Test over HTTP which expenses a person sees, as each role."""

from collections.abc import Sequence
from datetime import timedelta

from contracts.reference import PersonPublished, Reference
from contracts.roles import Role
from tests.unit.delivery.builders import ID, WEEK
from tests.unit.delivery.test_stand_ins_over_http import SPENT, stand_in
from tests.unit.delivery.test_time_over_http import OTHER, Delivery, started

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
        view = (await delivery.request(path, by=by, role=role)).json()  # type: ignore[arg-type]
        seen = view["expenses"]
        assert [each["person"] for each in seen["waiting"]] == whose, (by, role)
        assert seen["waiting_number"] == 2
        work = [each for each in view["work"] if each["code"] == "expense-waiting"]
        assert sorted(each["owed_to"]["person"] for each in work) == whose, (by, role)
        gate = [each for each in view["gates"]["closing"] if each["code"] == "expense-waiting"]
        named = [each for each in ("dev", "milo", "others") if f" of {each} " in str(gate)]
        assert named == (whose if whose == both else [*whose, "others"]), (by, role)


async def test_what_cannot_be_billed_is_owed_by_name_to_those_whom_it_concerns_only() -> None:
    delivery = await decided()
    early = {**SPENT, "spent_on": str(WEEK - timedelta(days=90))}
    path = f"/engagements/{ID}"
    for person in PLACES:
        answer = await delivery.request(f"{path}/submit-expense", early, by=person)
        assert answer.status_code == 200, answer.text
    for by, role, sentences in (
        ("dev", "consultant", ["1 expense of dev cannot be billed"]),
        ("ann", "consultant", []),
        ("mara", "engagement-manager", ["2 expenses of dev, milo cannot be billed"]),
    ):
        work = (await delivery.request(path, by=by, role=role)).json()["work"]  # type: ignore[arg-type]
        found = [each["sentence"] for each in work if each["about"] == "expenses"]
        assert [each.partition(":")[0] for each in found] == sentences, (by, role)


DOCUMENTS = f"/engagements/{ID}/documents"
RECEIPTS = f"{DOCUMENTS}?purpose=receipt"


async def test_a_receipt_is_shown_to_those_whom_the_expense_concerns() -> None:
    delivery = await decided(TEAM)
    receipt = await delivery.upload(RECEIPTS, b"a ticket")
    scan = await delivery.upload(DOCUMENTS, b"a scan")
    for by, role, shown in (
        ("dev", "consultant", (receipt, scan)),
        ("boss", "consultant", (receipt, scan)),
        ("milo", "consultant", (scan,)),
        ("mara", "engagement-manager", (receipt, scan)),
        ("milo", "engagement-manager", (scan,)),
        ("paul", "pmo-director", (receipt, scan)),
        ("vera", "executive", (scan,)),
        ("fred", "project-accountant", (receipt,)),
    ):
        assert await readable(delivery, (receipt, scan), by, role) == shown, (by, role)  # type: ignore[arg-type]
    answer = await delivery.request(DOCUMENTS, by="ann", role="account-executive")
    assert answer.status_code == 403


async def readable(
    delivery: Delivery, hashes: Sequence[str], by: str, role: Role = "consultant"
) -> tuple[str, ...]:
    """Return the documents that a person's list has; exactly those of `hashes` are downloaded."""
    listed = await delivery.request(DOCUMENTS, by=by, role=role)
    shown = tuple(each["content_hash"] for each in listed.json()["items"])
    for name in hashes:
        one = await delivery.request(f"{DOCUMENTS}/{name}", by=by, role=role)
        assert one.status_code == (200 if name in shown else 404), (by, role)
    return shown


async def spend(
    delivery: Delivery, receipt: str, by: str, on_behalf_of: str | None = None
) -> str | None:
    """Submit an expense with a receipt; return the sentence of the refusal, or None."""
    path, body = f"/engagements/{ID}/submit-expense", {**SPENT, "receipt": receipt}
    answer = (
        await delivery.request(path, body, by=by)
        if on_behalf_of is None
        else await delivery.request(path, body, by=by, Concord_On_Behalf_Of=on_behalf_of)
    )
    if answer.status_code == 200:
        return None
    [missing] = answer.json()["missing"]
    assert (missing["code"], missing["field"]) == ("document-unknown", "receipt")
    sentence: str = answer.json()["detail"]
    return sentence


async def test_nobody_opens_the_receipt_of_another_person_by_naming_it() -> None:
    delivery = await decided()
    receipt = await delivery.upload(RECEIPTS, b"a ticket")
    of_nobody = f"sha256:{'0' * 64}"
    refusals = [await spend(delivery, each, "milo") for each in (receipt, of_nobody)]
    assert refusals[0] is not None
    assert refusals[1] == refusals[0].replace(receipt, of_nobody), "both are refused alike"
    assert await readable(delivery, [receipt], "milo") == ()

    # Who has the same file may name it; it stays unknown that another person has it, too.
    assert await delivery.upload(RECEIPTS, b"a ticket", by="milo") == receipt
    assert await spend(delivery, receipt, "milo") is None
    assert await readable(delivery, [receipt], "milo") == (receipt,)
    assert await spend(delivery, receipt, "dev") is None
    assert await readable(delivery, [receipt], "dev") == (receipt,)


async def test_one_receipt_is_named_by_two_expenses() -> None:
    delivery = await decided()
    receipt = await delivery.upload(RECEIPTS, b"a hotel")
    assert [await spend(delivery, receipt, "dev") for _ in range(2)] == [None, None]


async def test_a_file_that_is_no_receipt_is_refused_with_how_to_upload_one() -> None:
    delivery = await decided()
    scan = await delivery.upload(DOCUMENTS, b"a ticket")
    refusal = await spend(delivery, scan, "dev")
    assert refusal is not None
    assert "upload the file with the parameter purpose=receipt first" in refusal
    await delivery.upload(RECEIPTS, b"a ticket")
    assert await spend(delivery, scan, "dev") is None


async def test_a_stand_in_names_receipts_of_their_own_and_of_the_person() -> None:
    delivery = await decided(stand_in("dev", "time"))
    of_dev = await delivery.upload(RECEIPTS, b"of dev")
    of_milo = await delivery.upload(RECEIPTS, b"of milo", by="milo")
    assert await spend(delivery, of_dev, "milo") is not None, "not as an expense of their own"
    assert await spend(delivery, of_milo, "dev") is not None, "it is not theirs"
    assert await spend(delivery, of_dev, "milo", "dev") is None
    assert await spend(delivery, of_milo, "milo", "dev") is None
    assert await readable(delivery, (of_dev, of_milo), "dev") == (of_dev, of_milo)

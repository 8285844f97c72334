"""Test the legal service as a process, over HTTP, on a real Kafka and a real store."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

import pytest

from contracts import delivery, finance
from contracts.documents import STATEMENT_OF_WORK, content_hash
from contracts.legal import AmendmentDrafted, EarlyStartExpired, SowDrafted
from contracts.roles import Role
from tests.component.harness import (
    Running,
    World,
    accepted,
    asked_until,
    engagement_id,
    owed,
    refused,
    running,
    token,
)
from tests.infrastructure import KafkaServer, StoreServer
from tests.unit.legal.builders import OPENED, SIGNING, WON, agreed, assessed, priced, requested

NOW = datetime.now(UTC)
COUNSEL = token("carl", "counsel")
HISTORIAN = token("carl", "counsel", "historian")
EXECUTIVE = token("carl", "executive")
OTHERS: tuple[Role, ...] = ("account-executive", "engagement-manager", "customer", "controller")
TYPES = [
    "file-opened",
    "sow-drafted",
    "sow-approved",
    "sow-sent-for-signature",
    "sow-signature-recorded",
    "sow-signature-recorded",
    "sow-signed",
    "amendment-drafted",
    "amendment-signed",
    "engagement-terminated",
]


@pytest.fixture(scope="module")
def legal(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with running("legal", kafka, store, tmp_path_factory.mktemp("legal")) as service:
        yield service


@pytest.fixture
async def world(legal: Running) -> AsyncIterator[World]:
    async with legal.world(by=COUNSEL) as world:
        yield world


async def test_a_contract_goes_from_the_won_deal_to_its_end(world: World):
    refused(await world.ask("open-file", about=engagement_id(), wait=0), 404, "unknown-stream")

    for name, record in zip(("carl", "zoe"), SIGNING, strict=True):
        await world.say(record, about=name)
    await world.say(OPENED, WON)
    assert (await world.view())["stage"] == "filed"

    drafted = await world.do("draft-sow", {"scope": "An order desk."})
    sow = drafted["state"]["statements_of_work"][0]
    problem = refused(
        await world.ask("approve-sow", {"version": 1}, wait=0), 409, "sow-not-approved"
    )
    assert owed(problem) == {
        "delivery-review-missing": "delivery",
        "finance-review-missing": "finance",
    }

    place = f"/engagements/{world.engagement}/documents/{sow['content_hash']}"
    kept = (await world.get(place)).content
    assert f"sha256:{sha256(kept).hexdigest()}" == sow["content_hash"]
    review = {"version": 1, "content_hash": sow["content_hash"], "verdict": "approved"}
    # A command that comes too early is decided again when the events it needs are consumed.
    approving = asyncio.create_task(world.ask("approve-sow", {"version": 1}, after=""))
    await world.say(
        delivery.SowReviewed.model_validate(review), finance.SowReviewed.model_validate(review)
    )
    accepted(await approving)
    await world.do("send-sow", {"version": 1})
    signature = {"content_hash": sow["content_hash"], "person": "carl", "party": "company"}
    other = signature | {"content_hash": "sha256:" + "0" * 64}
    refused(await world.ask("record-signature", other, wait=0), 409, "content-differs")
    await world.do("record-signature", signature)
    customers = signature | {"party": "customer", "person": "zoe"}
    refused(
        await world.ask("record-signature", customers | {"person": "carl"}, wait=0),
        409,
        "contact-unknown",
    )
    signed = await world.do("record-signature", customers)
    assert signed["state"]["contract"]["price"] == {"amount": "100000", "currency": "EUR"}

    await world.say(requested(), assessed(days=10), agreed())
    await world.say(priced(), knowing={"delivery": world.said["delivery", world.engagement]})
    amendment = (await world.view())["changes"][0]["amendment"]
    assert amendment["content"]["finishes_on"] == "2026-10-10"
    today = datetime.now(UTC).date().isoformat()
    await world.do(
        "sign-amendment",
        {
            "amendment": amendment["amendment"],
            "content_hash": amendment["content_hash"],
            "signatories": [
                {"party": party, "person": person, "signed_on": today}
                for party, person in (("company", "carl"), ("customer", "zoe"))
            ],
        },
    )
    view = await world.view()
    assert view["contract"]["price"]["amount"] == "103000"
    assert view["contract"]["finishes_on"] == "2026-10-10"

    ended = await world.do("terminate-engagement", {"reason": "mutual"})
    assert ended["state"]["stage"] == "terminated"
    again = await world.ask("draft-sow", {"scope": "More."}, wait=0)
    refused(again, 409, "engagement-over")

    events = await world.events(len(TYPES))
    assert [event.event.type for event in events] == [f"concord.legal.{name}.v1" for name in TYPES]
    assert [event.sequence for event in events] == list(range(1, len(TYPES) + 1))
    assert [event.actor for event in events if isinstance(event.event, AmendmentDrafted)] == [
        "legal"
    ]
    drafted_sow = events[1].event
    assert isinstance(drafted_sow, SowDrafted)
    assert (
        content_hash(STATEMENT_OF_WORK, drafted_sow)
        == drafted_sow.content_hash
        == sow["content_hash"]
    )


async def test_commands_that_are_refused_change_nothing(world: World):
    await world.say(OPENED, WON)
    before = await world.view()
    draft = {"scope": "An order desk."}
    for role in OTHERS:
        refused(await world.ask("draft-sow", draft, by=token("carl", role)), 403, "not-allowed")
    manager = token("carl", "contract-manager")
    refused(await world.ask("approve-sow", {"version": 1}, by=manager), 403, "not-allowed")
    for wrong in (
        {},
        {"scope": ""},
        draft | {"scop": "x"},
        draft | {"starts_on": "2026-05-02", "finishes_on": "2026-05-01"},
        draft | {"price": {"amount": "NaN", "currency": "EUR"}},
        draft | {"price": {"amount": "1" + 30 * "0", "currency": "EUR"}},
        draft | {"price": {"amount": "1", "currency": "EUX"}},
        draft | {"payment_terms_days": -1},
    ):
        refused(await world.ask("draft-sow", wrong), 422, "invalid-input")
    early = {"cap_hours": "40", "expires_on": "2999-12-31", "reason": "Licences end."}
    for wrong in ({"cap_hours": "0"}, {"cap_hours": "1e400"}, {"expires_on": "2026-02-30"}):
        refused(await world.ask("authorise-early-start", early | wrong), 422, "invalid-input")
    past = early | {"expires_on": date(2020, 1, 1).isoformat()}
    refused(await world.ask("authorise-early-start", past, wait=0), 409, "expiry-not-in-future")
    await world.do("authorise-early-start", early)
    after = await world.view()
    assert [each["expires_on"] for each in after.pop("early_starts")] == ["2999-12-31"]
    assert after == {name: value for name, value in before.items() if name != "early_starts"}


async def test_an_early_start_expires_by_itself_and_lists_are_updated(world: World):
    other, last = engagement_id(), NOW.date() - timedelta(days=10)
    await world.say(OPENED, WON)
    await world.say(OPENED, about=other)
    early = {"cap_hours": "40", "expires_on": last.isoformat(), "reason": "Licences end."}
    then = NOW - timedelta(days=40)
    refused(await world.ask("authorise-early-start", early, occurred_at=then), 403, "not-allowed")
    accepted(await world.ask("authorise-early-start", early, by=HISTORIAN, occurred_at=then))

    expired = (await world.events(3))[2]
    assert expired.event == EarlyStartExpired(expired_on=last)
    assert expired.occurred_at == datetime.combine(last + timedelta(days=1), time(), UTC)
    assert (expired.actor, expired.sequence) == ("legal", 3)
    assert (await world.view())["early_starts"][0]["status"] == "expired"

    await world.view(other)
    await asked_until(
        lambda: world.listed(by=EXECUTIVE, limit="200"),
        lambda rows: rows.keys() >= {world.engagement, other},
    )
    filed = await world.listed(by=EXECUTIVE, stage="filed", account="acme")
    assert world.engagement in filed
    assert other not in filed
    assert other in await world.listed(by=EXECUTIVE, stage="unfiled")

"""The command handler asks the store which of the documents that a command names there are."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from chassis.application.command_handler import CommandHandler
from chassis.application.repository import ContextFactory, Repository
from chassis.documents.store import DocumentStore
from chassis.domain.commands import Command, Refused
from chassis.eventstore.journal import Journal
from chassis.eventstore.snapshots import Snapshots
from contracts.reference import AccountPublished
from legal.agreements.decisions import PublishAgreement, RecordAgreement
from legal.service import AGREEMENT
from testkit.matchers import RecordsOf
from tests.unit.chassis.requests_in_memory import MemoryJournal, NoSnapshots, Shared

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEPT, UNKNOWN = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
RECORD = RecordAgreement(account="acme", agreement_type="msa")


class AnsweringAtOnce(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Uploads:
    """Documents of the agreement AG-1; `asked` are the lookups."""

    def __init__(self) -> None:
        self.hashes: set[str] = set()
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def missing(
        self, subject: str, hashes: Sequence[str], *, by: Collection[str]
    ) -> list[str]:
        self.asked.append((subject, tuple(hashes)))
        return [each for each in hashes if subject != "AG-1" or each not in self.hashes]


def handler(uploads: Uploads) -> CommandHandler:
    shared = AnsweringAtOnce(AGREEMENT)
    repository = Repository(
        [AGREEMENT],
        cast("Journal", MemoryJournal(shared)),
        cast("Snapshots", NoSnapshots(shared)),
        now=lambda: NOW,
        documents=cast("DocumentStore", uploads),
    )
    records = RecordsOf([AccountPublished(account="acme", name="Acme")])
    return CommandHandler(repository, ContextFactory(records, lambda: NOW, lambda: "event-1"))


async def test_a_document_is_named_after_its_upload_to_the_same_record() -> None:
    uploads = Uploads()
    commands = handler(uploads)

    async def give(subject: str, command: Command, key: str) -> int:
        answer = await commands.command("agreement", subject, command, actor="carl", key=key)
        return len(answer.events)

    assert await give("AG-1", RECORD, "1") == await give("AG-2", RECORD, "2") == 1
    assert uploads.asked == []  # nothing is asked for a command that names no document
    named = PublishAgreement(account="acme", agreement_type="msa", document=KEPT)
    with pytest.raises(Refused) as refused:
        await give("AG-1", named, "3")
    assert refused.value.code == "document-unknown"
    uploads.hashes.add(KEPT)
    for subject, document in (("AG-2", KEPT), ("AG-1", UNKNOWN)):
        with pytest.raises(Refused):
            await give(subject, named.model_copy(update={"document": document}), "4")
    assert await give("AG-1", named, "5") == 1
    uploads.hashes.clear()
    assert await give("AG-1", named, "5") == 1, "a repeated request gets its first answer"
    assert uploads.asked[0] == ("AG-1", (KEPT,))

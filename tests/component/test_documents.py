"""Contents of documents are kept by their hash, and are read back byte for byte."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256

import pytest
import pytest_asyncio

from chassis.documents.store import CHUNK, Content, DocumentStore
from chassis.eventstore.mongo import Store
from tests.component.sample_app import token
from tests.component.test_http import ANN, Company, company
from tests.infrastructure import StoreServer, unique_name

__all__ = ["company"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENGAGEMENT, OTHER = "E-0000000000001", "E-0000000000002"
PDF = {**ANN, "Content-Type": "application/pdf"}


@pytest_asyncio.fixture(loop_scope="module")
async def documents(store: StoreServer) -> AsyncIterator[DocumentStore]:
    opened = Store(store.url, unique_name("documents"))
    found = DocumentStore(opened)
    await found.prepare()
    yield found
    await opened.close()


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])
async def test_a_content_is_read_back_whole(documents: DocumentStore, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    content = Content(data, "application/pdf", "scan.pdf")
    await documents.put(ENGAGEMENT, [content], by="ann", at=NOW)
    found = await documents.get(ENGAGEMENT, content.content_hash, lambda _: True)
    assert found is not None
    assert found[1] == data
    assert content.content_hash == f"sha256:{sha256(data).hexdigest()}"
    assert (found[0].size, found[0].media_type, found[0].name) == (
        size,
        "application/pdf",
        "scan.pdf",
    )


async def test_the_same_content_again_changes_nothing(documents: DocumentStore) -> None:
    content = Content(b"signed", "text/plain")
    await documents.put(ENGAGEMENT, [content], by="ann", at=NOW)
    await documents.put(ENGAGEMENT, [content], by="bob", at=datetime(2027, 1, 1, tzinfo=UTC))
    (found,) = await documents.all(ENGAGEMENT)
    assert (found.stored_by, found.stored_at) == ("ann", NOW)


async def test_another_engagement_does_not_see_it(documents: DocumentStore) -> None:
    content = Content(b"secret terms", "text/plain")
    await documents.put(ENGAGEMENT, [content], by="ann", at=NOW)
    assert await documents.get(OTHER, content.content_hash, lambda _: True) is None
    assert await documents.missing(OTHER, {content.content_hash: None}, by=["ann"]) == [
        content.content_hash
    ]
    assert await documents.missing(ENGAGEMENT, {content.content_hash: None}, by=["ann"]) == []


async def test_a_file_with_a_purpose_is_kept_for_each_who_stores_it(
    documents: DocumentStore,
) -> None:
    receipt = Content(b"one ticket", "text/plain", None, "receipt")
    name = receipt.content_hash
    for person in ("dev", "milo", "dev"):
        await documents.put(ENGAGEMENT, [receipt], by=person, at=NOW)
    mine = [each for each in await documents.all(ENGAGEMENT) if each.content_hash == name]
    assert sorted((each.stored_by, each.purpose) for each in mine) == [
        ("dev", "receipt"),
        ("milo", "receipt"),
    ]
    assert await documents.get(ENGAGEMENT, name, lambda each: each.purpose is None) is None
    found = await documents.get(ENGAGEMENT, name, lambda each: each.stored_by == "milo")
    assert found
    assert (found[0].stored_by, found[1]) == ("milo", b"one ticket")
    assert await documents.missing(ENGAGEMENT, {name: "receipt"}, by=["ann", "milo"]) == []
    assert await documents.missing(ENGAGEMENT, {name: "receipt"}, by=["ann"]) == [name]
    assert await documents.missing(ENGAGEMENT, {name: None}, by=["ann"]) == [name]
    await documents.put(ENGAGEMENT, [Content(b"one ticket", "text/plain")], by="ann", at=NOW)
    assert await documents.missing(ENGAGEMENT, {name: None}, by=["ann"]) == []


async def test_an_uploaded_file_is_downloaded_as_an_attachment(company: Company) -> None:
    engagement = (await company.open("with-a-document")).json()["id"]
    place = f"/engagements/{engagement}/documents"
    page = b"<script>alert(1)</script>"
    uploaded = await company.sales.post(
        f"{place}?name=Angebot%20%C3%9C.html",
        content=page,
        headers={**ANN, "Content-Type": "text/html; charset=utf-8"},
    )
    assert uploaded.status_code == 201, uploaded.text
    content_hash = uploaded.json()["content_hash"]
    assert uploaded.headers["location"] == f"{place}/{content_hash}"
    answer = await company.sales.get(f"{place}/{content_hash}", headers=ANN)
    assert answer.content == page
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''Angebot%20%C3%9C.html"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    listed = (await company.sales.get(place, headers=ANN)).json()["items"]
    assert [each["content_hash"] for each in listed] == [content_hash]


async def test_uploads_and_downloads_are_refused_by_name(company: Company) -> None:
    engagement = (await company.open("refusals")).json()["id"]
    place = f"/engagements/{engagement}/documents"
    reader = {**token("eve", "executive"), "Content-Type": "application/pdf"}
    for headers, path, content, status, code in (
        ({}, place, b"x", 401, "token-missing"),
        (reader, place, b"x", 403, "not-allowed"),
        (ANN, place, b"x", 415, "unsupported-media-type"),
        (PDF, place, b"", 422, "invalid-input"),
        (PDF, "/engagements/E-0000000000000/documents", b"x", 404, "unknown-stream"),
        (PDF, f"{place}?name=a%00b", b"x", 422, "invalid-input"),
        (PDF, place, b"x" * (16 * 1024 * 1024 + 1), 413, "body-too-large"),
    ):
        answer = await company.sales.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    missing = await company.sales.get(f"{place}/sha256:{'0' * 64}", headers=ANN)
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown-document")
    malformed = await company.sales.get(f"{place}/readme", headers=ANN)
    assert malformed.status_code == 422

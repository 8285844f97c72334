"""Equal documents have the same hash, different ones have different hashes."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.delivery import BrdSubmitted
from contracts.documents import UNSEALED, canonical, content_hash, seal
from contracts.lines import BillingItem
from contracts.money import Money
from contracts.values import Value


class Paper(Value):
    scope: str
    price: Money
    due: date
    note: str | None = None
    content_hash: str | None = None


def paper(**changes: object) -> Paper:
    fields: dict[str, object] = {
        "scope": "Straße ✓",
        "price": Money(amount=Decimal("1200.50"), currency="EUR"),
        "due": date(2026, 3, 1),
    }
    return Paper.model_validate(fields | changes)


def test_the_hashed_bytes_are_specified():
    text = (
        '{"content":{"due":"2026-03-01","price":{"amount":"1200.5","currency":"EUR"},'
        '"scope":"Straße ✓"},"kind":"paper"}'
    )
    assert content_hash("paper", paper()) == "sha256:" + sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "Strasse"},
        {"scope": "Straße ✓ "},
        {"price": Money(amount=Decimal("1200.51"), currency="EUR")},
        {"price": Money(amount=Decimal("1200.50"), currency="USD")},
        {"due": date(2026, 3, 2)},
        {"note": "and a note"},
        {"note": ""},
    ],
)
def test_any_change_of_content_changes_the_hash(changes: dict[str, object]):
    assert content_hash("paper", paper(**changes)) != content_hash("paper", paper())


def test_another_kind_of_document_with_the_same_content_has_another_hash():
    assert content_hash("paper", paper()) != content_hash("letter", paper())


def test_a_document_does_not_hash_its_own_hash():
    hashed = content_hash("paper", paper())
    assert content_hash("paper", paper(content_hash=hashed)) == hashed


def test_a_sealed_document_can_be_verified_and_a_changed_one_is_detected():
    sealed = seal("paper", paper(content_hash=UNSEALED))
    assert sealed.content_hash == content_hash("paper", sealed) == content_hash("paper", paper())
    changed = sealed.model_copy(update={"scope": "more"})
    assert changed.content_hash != content_hash("paper", changed)


def test_hashes_of_other_documents_are_part_of_the_content():
    one = BrdSubmitted(version=1, content_hash=content_hash("brd", {"text": "a"}))
    other = BrdSubmitted(version=1, content_hash=content_hash("brd", {"text": "b"}))
    assert content_hash("bundle", {"parts": [one]}) != content_hash("bundle", {"parts": [other]})


def test_a_field_that_is_none_is_left_out():
    assert canonical({"a": 1, "b": None}) == canonical({"a": 1}) == '{"a":1}'


def test_a_model_its_fields_and_its_decoded_copy_have_the_same_hash():
    item = BillingItem(
        item="B-1", kind="on-signature", amount=Money(amount=Decimal(10), currency="EUR")
    )
    fields = {name: getattr(item, name) for name in BillingItem.model_fields}
    again = BillingItem.model_validate_json(item.model_dump_json())
    assert content_hash("item", item) == content_hash("item", fields) == content_hash("item", again)


def test_the_order_of_keys_does_not_matter_and_that_of_lists_does():
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
    assert canonical({"a": [1, 2]}) != canonical({"a": [2, 1]})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("0.10", "0.1"),
        ("-5.0", "-5"),
        ("100", "100"),
        ("0E-999999999", "0"),
    ],
)
def test_a_decimal_has_one_canonical_form(number: str, text: str):
    assert canonical({"n": Decimal(number)}) == f'{{"n":"{text}"}}'


@given(st.decimals(allow_nan=False, places=4, min_value=-(10**14), max_value=10**14))
def test_equal_numbers_have_the_same_form_and_keep_their_value(number: Decimal):
    text = canonical({"n": number})
    assert text == canonical({"n": number.normalize()})
    assert Decimal(text.split('"')[3]) == number


def test_a_moment_is_the_same_in_every_time_zone():
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert canonical({"at": elsewhere}) == '{"at":"2026-03-01T12:00:00.000000Z"}'
    assert canonical({"at": moment}) == canonical({"at": elsewhere})


@pytest.mark.parametrize(
    "value", [1.5, {1, 2}, b"bytes", {"in": {1: "key"}}, Decimal("NaN"), object(), [0.1]]
)
def test_a_value_without_a_canonical_form_is_refused(value: object):
    with pytest.raises(TypeError):
        content_hash("paper", {"value": value})

"""The annotations of a row give its columns, and a list that cannot work is refused at start."""

from typing import Annotated, Literal

import pytest

from chassis.domain.list_kinds import SEARCHED, ListKind, ListRow, columns_of
from contracts.money import Currency, NotNegativeTotal, PositiveRate
from contracts.values import (
    AccountId,
    ContactId,
    EmailAddress,
    EngagementId,
    Hours,
    Identifier,
    LineKind,
    Moment,
    Month,
    PersonId,
    ShortText,
    Text,
    Tier,
    Version,
    Week,
    YesNo,
)


class Everything(ListRow):
    engagement: EngagementId
    title: Annotated[ShortText | None, SEARCHED]
    note: Text
    address: EmailAddress | None
    person: PersonId
    contact: ContactId | None
    account: AccountId
    currency: Currency
    month: Month
    week: Week | None
    at: Moment
    version: Version
    hours: Hours | None
    billed: NotNegativeTotal | None
    rate: PositiveRate
    is_late: YesNo
    is_held: bool
    tier: Tier | None
    kind: LineKind | Literal["none"] | None


def test_each_annotation_of_the_contracts_has_a_type():
    columns = {each.name: each for each in columns_of(Everything)}
    assert {name: each.type for name, each in columns.items()} == {
        "engagement": "id",
        "title": "text",
        "note": "text",
        "address": "text",
        "person": "person",
        "contact": "contact",
        "account": "account",
        "currency": "id",
        "month": "month",
        "week": "day",
        "at": "moment",
        "version": "number",
        "hours": "decimal",
        "billed": "money",
        "rate": "rate",
        "is_late": "flag",
        "is_held": "flag",
        "tier": "enum",
        "kind": "enum",
    }
    assert {name for name, each in columns.items() if each.optional} == {
        "title",
        "address",
        "contact",
        "week",
        "hours",
        "billed",
        "tier",
        "kind",
    }
    assert [name for name, each in columns.items() if each.searched] == ["title"]
    assert columns["tier"].words == ("light", "standard", "critical")
    assert set(columns["kind"].words) == {"delivery", "project-management", "none"}
    assert columns["kind"].open
    assert not columns["tier"].open


class Bare(ListRow):
    key: Identifier
    comment: str


class Nested(ListRow):
    key: Identifier
    tags: tuple[ShortText, ...]


class Mixed(ListRow):
    key: Identifier
    days: int | ShortText


class Reserved(ListRow):
    key: Identifier
    total: int


class Usual(ListRow):
    key: Identifier
    title: ShortText
    month: Month | None


def _kind(row: type[ListRow], **others: tuple[str, ...]) -> ListKind[ListRow]:
    return ListKind("kind", row, key="key", readers=("executive",), **others)


@pytest.mark.parametrize(
    ("row", "others", "message"),
    [
        (Bare, {}, "Bare.comment"),
        (Nested, {}, "Nested.tags"),
        (Mixed, {}, "Mixed.days"),
        (Reserved, {}, "Reserved: total is a parameter"),
        (Usual, {"sort": ("-due",)}, "Usual has no column due"),
        (Usual, {"scopes": ("person",)}, "Usual has no column person"),
    ],
)
def test_a_row_that_makes_no_list_is_refused_by_name(
    row: type[ListRow], others: dict[str, tuple[str, ...]], message: str
):
    with pytest.raises(TypeError, match=message):
        _kind(row, **others)


def test_the_key_of_a_list_is_an_id_that_each_row_has():
    with pytest.raises(TypeError, match="month must be an id to be the key"):
        ListKind("kind", Usual, key="month", readers=("executive",))

"""Numbers and truth values are what they are, and not what may be taken for them."""

from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.values import HEARD, AsNumber, Days, PersonId, Version, YesNo

WHOLE: TypeAdapter[int] = TypeAdapter(Annotated[int, AsNumber])


@pytest.mark.parametrize("given", [3, Decimal(3), Decimal("3.0")])
def test_a_whole_number_is_a_number_without_a_fraction(given: object) -> None:
    assert WHOLE.validate_python(given) == 3


@pytest.mark.parametrize("given", ["3", True, Decimal("3.5"), None, [3]])
def test_what_may_be_taken_for_a_number_is_none(given: object) -> None:
    kinds: list[TypeAdapter[int]] = [WHOLE, TypeAdapter(Days), TypeAdapter(Version)]
    for kind in kinds:
        with pytest.raises(ValidationError):
            kind.validate_python(given)


@pytest.mark.parametrize("given", ["yes", "true", 1, 0, Decimal(1), None])
def test_what_may_be_taken_for_yes_is_not(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(YesNo).validate_python(given)


def test_a_person_goes_by_an_id_and_never_by_an_address() -> None:
    person: TypeAdapter[str] = TypeAdapter(PersonId)
    assert person.validate_python("ann.archer") == "ann.archer"
    with pytest.raises(ValidationError, match=r"such as ann\.archer, and no e-mail address"):
        person.validate_python("ann.archer@acme.com")
    assert person.validate_python("ann@acme.com", context=HEARD) == "ann@acme.com"

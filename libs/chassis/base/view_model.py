"""What people are shown: models that are built from what is known already, and so cannot fail."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

LARGEST_WHOLE = 2**53 - 1
"""The largest whole number that every reader of JSON, and the store, takes as it is."""


def whole(amount: Decimal) -> int:
    """Return the amount in whole units, for a list to sort by: no more than LARGEST_WHOLE."""
    return max(-LARGEST_WHOLE, min(round(amount), LARGEST_WHOLE))


class ViewModel(BaseModel):
    """Base of everything that is shown, whole views and their parts.

    Constructing one validates nothing: a state that was reached can always be shown. The types of
    the arguments are checked by mypy. The schema, and how it is serialised, are those of any model;
    `model_validate` and `model_validate_json` validate as usual.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            """Take the fields as they are; raises TypeError for a missing or an unknown one."""
            known = type(self).model_fields
            if fields.keys() != known.keys():
                fields = self._completed(fields)
            object.__setattr__(self, "__dict__", {name: fields[name] for name in known})
            object.__setattr__(self, "__pydantic_fields_set__", set(known))
            object.__setattr__(self, "__pydantic_extra__", None)
            object.__setattr__(self, "__pydantic_private__", None)

        @classmethod
        def _completed(cls, fields: dict[str, Any]) -> dict[str, Any]:
            """The fields with the defaults of those that are not given; raises TypeError."""
            known = cls.model_fields
            given = fields.keys() & known.keys()
            needed = {name for name, field in known.items() if field.is_required()}
            if len(given) < len(fields) or not needed <= given:
                differing = sorted(needed - given | fields.keys() - known.keys())
                raise TypeError(f"{cls.__name__}: missing or unknown {', '.join(differing)}")
            return {
                name: fields[name]
                if name in given
                else field.get_default(call_default_factory=True)
                for name, field in known.items()
            }

        # So that pydantic validates where it is asked to, instead of calling the constructor.
        __init__.__pydantic_base_init__ = True

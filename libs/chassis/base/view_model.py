"""The base of view models: they are built from validated state and are not validated again."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from contracts.decimals import round_decimal

LARGEST_WHOLE = 2**53 - 1
"""The largest integer that every JSON parser reads exactly, and that the store accepts."""


def whole(amount: Decimal) -> int:
    """Return the amount in whole units of its currency, as a sort key, within ±LARGEST_WHOLE."""
    return max(-LARGEST_WHOLE, min(int(round_decimal(amount, 0)), LARGEST_WHOLE))


@dataclass(frozen=True, slots=True)
class SortedWithin:
    """Annotation of a column of a list: rows are sorted by another column first.

    So amounts are compared within their currency only.
    """

    column: str


class ViewModel(BaseModel):
    """The base of views and their parts.

    The constructor validates nothing, so that every state can be shown; mypy checks the types of
    its arguments. Schema and serialisation are those of any pydantic model; `model_validate` and
    `model_validate_json` validate as usual.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            """Set the fields unchecked; raises TypeError for a missing or an unknown one."""
            known = type(self).__pydantic_fields__  # `model_fields` is slower
            if fields.keys() != known.keys():
                fields = self._completed(fields)
            object.__setattr__(self, "__dict__", {name: fields[name] for name in known})
            object.__setattr__(self, "__pydantic_fields_set__", set(known))
            object.__setattr__(self, "__pydantic_extra__", None)
            object.__setattr__(self, "__pydantic_private__", None)

        @classmethod
        def _completed(cls, fields: dict[str, Any]) -> dict[str, Any]:
            """Return all fields, with defaults for those that are not given; raises TypeError."""
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

        # Makes pydantic validate in model_validate instead of calling this constructor.
        __init__.__pydantic_base_init__ = True

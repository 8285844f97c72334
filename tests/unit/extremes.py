"""Commands with the extreme values that their schemas allow, empty and longest lists among them."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.currencies import MINOR_UNITS
from contracts.money import BEYOND_ITEMS
from contracts.release import OnTheWire

Schema = dict[str, Any]

FIRST_MONDAY, LAST_MONDAY = date(1970, 1, 5), date(2999, 12, 30)
MOST = 500
"""Number of items generated for a list whose schema has no maximum."""

_HIGHEST_RATE = Decimal(10) ** 8
"""Highest hourly rate in published reference data, in units of its currency."""

Draw = Any


class Extremes:
    """Generator of extreme values for the fields of one type of command, from its schema."""

    def __init__(self, command: type[BaseModel], day: date) -> None:
        """Take `day` as a date that is valid where the earliest and the latest are not."""
        self.schema = command.model_json_schema(schema_generator=OnTheWire)
        self._definitions: Mapping[str, Schema] = self.schema.get("$defs", {})
        self._day = day
        published = command.__name__.startswith("Publish")
        self._beyond = _HIGHEST_RATE + 1 if published else BEYOND_ITEMS

    def changed(self, draw: Draw, body: Mapping[str, Any], *, all_of_it: bool) -> dict[str, Any]:
        """Return the body with an extreme value in one field, or with `all_of_it` in several."""
        fields = self.schema.get("properties", {})
        names = sorted(fields)
        if not names:
            return dict(body)
        chosen = (
            [name for name in names if draw(st.booleans())]
            if all_of_it
            else [draw(st.sampled_from(names))]
        )
        result = dict(body)
        for name in chosen:
            result[name] = self._value(draw, fields[name], body.get(name))
        return dict(agreeing(result))

    def largest(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body with all amounts, hours and durations at their maximum."""
        fields = self.schema.get("properties", {})
        grown = {name: self._grown(fields.get(name, {}), value) for name, value in body.items()}
        return dict(agreeing(grown))

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return {**self._definitions[schema["$ref"].rpartition("/")[2]], **schema}
        options = [
            self._resolved(each) for each in schema.get("anyOf", ()) if each.get("type") != "null"
        ]
        if options:
            rest = {name: part for name, part in schema.items() if name != "anyOf"}
            return {**options[0], **rest}
        return schema

    def _value(self, draw: Draw, schema: Schema, value: Any) -> Any:
        part = self._resolved(schema)
        if any(each.get("type") == "null" for each in schema.get("anyOf", ())) and draw(
            st.sampled_from([True, False, False])
        ):
            return None
        if part.get("format") == "decimal":
            return draw(st.sampled_from(_decimals(part)))
        if "enum" in part:
            return draw(st.sampled_from(part["enum"]))
        match part.get("type"):
            case "boolean":
                return draw(st.booleans())
            case "integer":
                return draw(st.sampled_from(_integers(part)))
            case "string":
                return draw(st.sampled_from(self._texts(part, value)))
            case "array":
                return self._items(draw, part, value)
            case "object":
                return self._object(draw, part, value)
            case _:
                return value

    def _texts(self, part: Schema, value: Any) -> list[Any]:
        if part.get("format") == "date":
            return [
                *(str(each) for each in (FIRST_MONDAY, LAST_MONDAY, self._day)),
                *([part["x-minimum"], part["x-maximum"]] if "x-minimum" in part else []),
            ]
        if "x-maximum" in part:  # a month
            return [part["x-minimum"], part["x-maximum"], f"{self._day:%Y-%m}", value]
        if part.get("pattern") == "^[A-Z]{3}$":
            return ["EUR", "EUR", "JPY", "KWD"]
        if "pattern" in part:
            longest = int(part.get("maxLength", 0)) if "a-z" in part["pattern"] else 0
            return [value, value, *(["a" * longest, "b" * longest] if longest else [])]
        if "maxLength" in part:
            return ["x", "𝄞" * part["maxLength"]]
        return [value]

    def _items(self, draw: Draw, part: Schema, value: Any) -> list[Any]:
        least, most = part.get("minItems", 0), part.get("maxItems", MOST)
        items = list(value or ())
        if not items:
            example = self._value(draw, part.get("items", {}), None)
            items = [] if example is None else [example]
        changed = [self._value(draw, part.get("items", {}), each) for each in items[:3]]
        changed += items[3:]
        if not changed:
            return changed
        match draw(st.sampled_from(["as many", "none", "most"])):
            case "none":
                return changed[:least]
            case "most":
                more = (_other(changed[-1], number) for number in range(most - len(changed)))
                return [*changed, *more][:most]
            case _:
                return changed

    def _object(self, draw: Draw, part: Schema, value: Any) -> dict[str, Any]:
        fields, needed = part.get("properties", {}), part.get("required", ())
        if not fields:  # a mapping
            return dict(value or {})
        known = dict(value or {})
        for name, field in fields.items():
            if name in known and draw(st.booleans()):
                continue
            if name in known or name in needed:
                known[name] = self._value(draw, field, known.get(name))
        if "x-amount-below" in part:
            known["amount"] = draw(st.sampled_from(_amounts(self._beyond, known)))
        if "x-hours-maximum" in part:
            known["hours"] = draw(st.sampled_from([part["x-hours-maximum"], "0", "0.01"]))
        return known

    def _grown(self, schema: Schema, value: Any) -> Any:
        part = self._resolved(schema)
        if value is None:
            return None
        if part.get("format") == "decimal":
            return max(_decimals(part), key=Decimal)
        match part.get("type"):
            case "integer":
                return max(_integers(part)) if "maximum" in part else value
            case "array":
                return [self._grown(part.get("items", {}), each) for each in value]
            case "object" if "properties" in part:
                fields = part["properties"]
                grown = {
                    name: self._grown(fields.get(name, {}), one) for name, one in value.items()
                }
                if "x-amount-below" in part:
                    grown["amount"] = _amounts(self._beyond, grown)[0]
                if "x-hours-maximum" in part:
                    grown["hours"] = part["x-hours-maximum"]
                return grown
            case _:
                return value


def agreeing(value: Any) -> Any:
    """Return the value with each amount that has hours and a rate set to hours x rate.

    The rate is lowered where that amount would reach `BEYOND_ITEMS`, the limit of one item.
    """
    if isinstance(value, list):
        return [agreeing(each) for each in value]
    if not isinstance(value, dict):
        return value
    agreed = {name: agreeing(each) for name, each in value.items()}
    if {"hours", "rate", "amount"} <= agreed.keys() and agreed["rate"] and agreed["hours"]:
        rate, hours = agreed["rate"], Decimal(str(agreed["hours"]))
        cent = Decimal(1).scaleb(-MINOR_UNITS[rate["currency"]])
        hourly = Decimal(str(rate["amount"]))
        if hourly * hours >= BEYOND_ITEMS:
            hourly = ((BEYOND_ITEMS - 1) / hours).quantize(cent, ROUND_FLOOR)
        agreed["rate"] = {**rate, "amount": str(hourly)}
        agreed["amount"] = {**rate, "amount": str((hourly * hours).quantize(cent))}
    return agreed


def _decimals(part: Schema) -> list[str]:
    places = int(part.get("x-decimal-places", 2))
    step = Decimal(1).scaleb(-places)
    whole = Decimal(10) ** (int(part.get("x-digits", 9)) - places) - step
    most = min(whole, Decimal(str(part.get("x-maximum", whole))))
    least = max(
        -whole, Decimal(str(part.get("x-minimum", part.get("x-exclusive-minimum", -whole))))
    )
    return [str(each) for each in (most, most, least, step, 0, 1) if least <= each <= most]


def _integers(part: Schema) -> list[int]:
    most, least = part.get("maximum", 2**53), part.get("minimum", 0)
    return [most, least, max(least, 1)]


def _amounts(limit: Decimal, money: Mapping[str, Any]) -> list[str]:
    step = Decimal(1).scaleb(-MINOR_UNITS.get(money.get("currency", "EUR"), 2))
    return [str(each) for each in (limit - step, step, limit - Decimal("0.0001"), 0, step - limit)]


def _other(item: Any, number: int) -> Any:
    """Return a copy of an item with another id or title, where it has one."""
    if not isinstance(item, dict):
        return f"{item[:50]}-{number}" if isinstance(item, str) else item
    named = {
        name: f"{str(item[name])[:50].rstrip('-')}-{number}"
        for name in ("deliverable", "milestone", "task", "item", "role", "title")
        if isinstance(item.get(name), str)
    }
    return {**item, **named}

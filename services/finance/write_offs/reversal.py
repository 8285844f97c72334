"""Reverse what is left of a write-off, or a part of it."""

from datetime import date

from contracts.finance import WriteOffRecorded, WriteOffReversed
from contracts.money import Money


def reversal(known: WriteOffRecorded, part: Money, why: str, on: date) -> WriteOffReversed:
    """Return that a part of a write-off is outstanding again."""
    return WriteOffReversed(
        write_off=known.write_off, invoice=known.invoice, amount=part, why=why, reversed_on=on
    )

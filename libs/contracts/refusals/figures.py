"""List the codes of what is missing for a figure."""

from typing import Literal

FigureCode = Literal["divisor-zero", "sales-unknown"]
"""Code of a condition without which a figure is unknown."""

FIGURE_CONDITIONS: dict[FigureCode, str] = {
    "divisor-zero": "The figure would be divided by zero.",
    "sales-unknown": "The sales of an earlier period are not known.",
}
"""Sentence of each code, sorted by code."""

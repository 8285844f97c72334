"""The portfolio's figures: what each engagement contributes, and how totals become a portfolio.

A contribution is a flat map of figure names to numbers. So totals are updated by addition and
subtraction, per partition, and reading them needs no engagement. The name of an amount begins with
its currency; amounts are never added across currencies. A module for each kind of figure adds it
to the contribution; `contribution` joins them, `portfolio` reads the totals.
"""

from gateway.portfolio.figures.contribution import contribution
from gateway.portfolio.figures.costs import ConfidentialFigures, MarginFigures
from gateway.portfolio.figures.portfolio import CurrencyFigures, Portfolio, build_portfolio
from gateway.portfolio.figures.sums import Figures, replace_contribution, sum_figures
from gateway.portfolio.figures.utilisation import utilisation_weeks

__all__ = [
    "ConfidentialFigures",
    "CurrencyFigures",
    "Figures",
    "MarginFigures",
    "Portfolio",
    "build_portfolio",
    "contribution",
    "replace_contribution",
    "sum_figures",
    "utilisation_weeks",
]

"""Compute what lists and the portfolio show of engagements: figures, totals, summaries and rows."""

"""Compute the figures of the domain from dated rows: pure functions, without views and I/O.

The caller makes the rows from what it keeps, of one currency where they have amounts, and gives the
day at whose end the figure is asked: rows of later days count nothing, so that the figure of a day
stays the same. A row has a value, or what is missing for it and who owes that; a figure that needs
the value is then unknown and repeats it.
"""

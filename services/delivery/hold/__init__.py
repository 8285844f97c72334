"""Work on hold, and resumed."""

"""Time on the engagement: a person's week as submitted, approved, rejected and reversed."""

"""Early starts: work authorised before the signature."""

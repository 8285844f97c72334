"""Expected losses of contracts."""

"""What cannot be computed yet."""

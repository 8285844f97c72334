"""Review of proposals against the minimum margin."""

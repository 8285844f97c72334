"""All tests; a package, so that shared helpers can be imported."""

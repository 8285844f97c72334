"""Change requests, from the request to the implementation."""

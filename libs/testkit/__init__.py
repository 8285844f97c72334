"""Helpers to test deciders with given, when and then; not part of the production wheel."""

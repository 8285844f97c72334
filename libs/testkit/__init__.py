"""Test deciders with given, when and then, and compare events; not part of the production wheel."""

"""Legal: the papers of an engagement, from the non-disclosure agreement to its termination.

Nobody works on a version that somebody else did not approve, and nothing is signed but what was
approved and sent: every paper is known by the hash of its content.
"""

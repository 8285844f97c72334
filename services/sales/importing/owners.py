"""Who owns what a CRM's export names somebody for: a known person, or an id that tells no name."""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

from chassis.domain.decider import derived
from contracts.values import PersonId
from sales.importing.naming import slug


class Owners:
    """The owners behind the names of an export.

    `people` are the names of those that are known, by id. `secret` is 16 to 64 bytes that no
    export holds and that are always the same: by them a name always becomes the same id, and
    without them nobody finds out by trying names which one it was.
    """

    def __init__(self, people: Mapping[PersonId, str], secret: bytes) -> None:
        names = {person: slug(name) for person, name in people.items()}
        bearers = Counter(names.values())
        self._known = {name: person for person, name in names.items() if bearers[name] == 1}
        self._known |= {person: person for person in people}
        self._secret = secret

    def owner(self, name: str) -> tuple[PersonId, bool]:
        """The owner, and whether somebody is known by this name, and nobody else is."""
        called = slug(name)
        if person := self._known.get(called):
            return person, True
        hidden = blake2b(called.encode(), key=self._secret, digest_size=16).hexdigest()
        return f"owner-{derived(hidden).lower()}", False

"""Map the sales agents of a CRM export to known persons, or to pseudonymous ids."""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

from chassis.domain.ids import comparable, derived
from contracts.values import PersonId


class Owners:
    """A mapping of the names in an export to person ids.

    `people` are the names of the known persons, by id. `secret` is a fixed key of 16 to 64 bytes:
    with it a name always becomes the same id, and without it the name cannot be found by trying
    names (a keyed BLAKE2b hash).
    """

    def __init__(self, people: Mapping[PersonId, str], secret: bytes) -> None:
        names = {person: comparable(name) for person, name in people.items()}
        counts = Counter(names.values())
        self._known = {name: person for person, name in names.items() if counts[name] == 1}
        self._known |= {person: person for person in people}
        self._secret = secret

    def owner(self, name: str) -> tuple[PersonId, bool]:
        """Return the owner's id, and whether it is that of a known person.

        A name is known where exactly one person has it; an id of a person is known, too.
        """
        key = comparable(name)
        if person := self._known.get(key):
            return person, True
        hidden = blake2b(key.encode(), key=self._secret, digest_size=16).hexdigest()
        return f"owner-{derived(hidden).lower()}", False

"""Map the sales agents of a CRM export to known persons, or to pseudonymous ids."""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType

from chassis.domain.ids import comparable, derived
from contracts.values import PersonId


class Owners:
    """A mapping of the names in an export to person ids.

    `people` are the names of the known persons, by id, and `emails` their addresses where they have
    one. `secret` is a fixed key of 16 to 64 bytes:
    with it a name always becomes the same id, and without it the name cannot be found by trying
    names (a keyed BLAKE2b hash).
    """

    def __init__(
        self,
        people: Mapping[PersonId, str],
        secret: bytes,
        emails: Mapping[PersonId, str] = MappingProxyType({}),
    ) -> None:
        self._known = _of_one(people) | _of_one(emails)
        self._known |= {person: person for person in people}
        self._secret = secret

    def owner(self, name: str) -> tuple[PersonId, bool]:
        """Return the owner's id, and whether it is that of a known person.

        A name (`Ann Keller` or `Keller, Ann`) or an address is known where exactly one person has
        it; an id of a person is known, too.
        """
        key = comparable(name)
        last, _, first = name.partition(",")
        person = self._known.get(key) or self._known.get(comparable(f"{first} {last}"))
        if person:
            return person, True
        hidden = blake2b(key.encode(), key=self._secret, digest_size=16).hexdigest()
        return f"owner-{derived(hidden).lower()}", False


def _of_one(texts: Mapping[PersonId, str]) -> dict[str, PersonId]:
    """Return the persons by the texts that only one of them has."""
    compared = {person: comparable(text) for person, text in texts.items()}
    counts = Counter(compared.values())
    return {text: person for person, text in compared.items() if counts[text] == 1}

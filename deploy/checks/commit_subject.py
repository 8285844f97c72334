"""Check that commit subjects read ``scope: imperative``.

With the name of a message file it checks that message (the commit-msg hook does so). Without one
it checks the commits of this branch that have not landed: those that ``upstream/main``,
``origin/main`` or else ``main`` does not contain, and that are younger than this rule. Where none
of these branches can be compared with (a fresh or shallow clone, no repository at all) there is
nothing to check.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LONGEST = 72
"""Characters that a subject may have."""

LANDED_ON = ("upstream/main", "origin/main", "main")
"""Branches on which a commit has landed; the first that exists counts."""

EXAMPLE = "finance: refuse a payment in another currency"

_WRITTEN_BY_GIT = ("Merge ", "fixup! ", "squash! ", "amend! ")
_SUBJECT = re.compile(
    r"(?P<scope>[a-z0-9][a-z0-9_./-]*(?:, ?[a-z0-9][a-z0-9_./-]*)*): (?P<act>\S.*)"
)
_NO_VERBS = re.compile(
    r"an?|the|this|these|that|those|its?|we|i|you|there|not?|nobody|wh\w+|how|if"
    r"|some|any|all|each|every|one|more|now|only"
)
_ENDS_IN_S = ("ss", "us", "is")
_ENDS_IN_ED = re.compile(r"(ble|bre|exce|fe|he|ne|proce|se|spe)ed|embed|shed")
_ENDS_IN_ING = re.compile(r"(br|p|r|s|spr|str|sw)ing")
_THIRD_PERSON_ES = ("ches", "shes", "sses", "xes", "zzes")


def faults(subject: str) -> list[str]:
    """Return what is wrong with a subject, each with what would be right."""
    found: list[str] = []
    if len(subject) > LONGEST:
        found.append(
            f"it has {len(subject)} characters; use {LONGEST} at most and move the rest to the body"
        )
    if subject.endswith("."):
        found.append("it ends with a period; leave the period out")
    match = _SUBJECT.fullmatch(subject)
    if match is None:
        found.append(f"it is not `scope: imperative`; write it like `{EXAMPLE}`")
    elif (fault := _not_imperative(match["act"].split()[0])) is not None:
        found.append(fault)
    return found


def _not_imperative(word: str) -> str | None:
    if not word.islower():
        if word[:1].isupper() and word[1:].islower():
            return f"`{word}` has a capital letter; write `{word.lower()}`"
        return None  # a name in code, which may be a verb in prose: `grep`, `SIGTERM`
    if _NO_VERBS.fullmatch(word):
        return f"`{word}` is not a verb; begin with one in the imperative, like `{EXAMPLE}`"
    if word.endswith("ing") and not _ENDS_IN_ING.fullmatch(word):
        return f"`{word}` is not imperative; write the base form of the verb, like `{EXAMPLE}`"
    if word.endswith("ed") and not _ENDS_IN_ED.fullmatch(word):
        return f"`{word}` is past tense; write the base form of the verb, like `{EXAMPLE}`"
    if word.endswith("s") and not word.endswith(_ENDS_IN_S):
        base = word[:-2] if word.endswith(_THIRD_PERSON_ES) else word[:-1]
        return f"`{word}` is not imperative; write `{base}`"
    return None


def subject_of(message: str) -> str:
    """Return the first line of a message that git keeps: comments and empty lines are dropped."""
    lines = (line.strip() for line in message.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def not_landed(repository: Path) -> list[tuple[str, str]]:
    """Return (short hash, subject) of the commits to check, the newest first; merges are left out.

    A commit that is older than this rule is left out as well.
    """
    landed = next((name for name in LANDED_ON if _git(repository, "merge-base", name, "HEAD")), "")
    if not landed:
        return []
    rule = Path(__file__).resolve()
    added = _git(repository, "log", "--diff-filter=A", "--format=^%H", "--", str(rule)).split()
    found = _git(repository, "log", "--no-merges", "--format=%h %s", "HEAD", f"^{landed}", *added)
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in found.splitlines()]


def _git(repository: Path, *words: str) -> str:
    """Return what git prints; empty where git or the repository is missing, or git refuses."""
    command = ["git", "-C", str(repository), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def main(arguments: Sequence[str]) -> int:
    """Check a message file, or the commits that have not landed; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("message", nargs="?", type=Path, help="the file with a commit message")
    message: Path | None = parser.parse_args(arguments).message
    if message is not None:
        subject = subject_of(message.read_text(encoding="utf-8", errors="replace"))
        checked = [] if subject.startswith(_WRITTEN_BY_GIT) else [("message", subject)]
    else:
        checked = not_landed(Path())
    wrong = [(name, subject, found) for name, subject in checked if (found := faults(subject))]
    for name, subject, found in wrong:
        sys.stderr.write(f"{name}: {subject!r}\n")
        sys.stderr.writelines(f"  {fault}\n" for fault in found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

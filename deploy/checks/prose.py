"""Check prose against the vocabulary of this project: no private idiom, the field's own terms.

Reads docstrings, comments and texts of Python, comments of the Makefile and of YAML, TOML and
shell files, Markdown and HTML templates. Prints ``file:line: term -> better wording`` and ends with
1 where a term of `vocabulary.toml` is used. Code in backticks is skipped.

Files named in `prose-pending.txt` (a path or glob a line) are not rewritten yet and are skipped. An
entry whose files are all clean is refused, so that the list only gets shorter; ``--prune`` removes
such entries.
"""

import argparse
import re
import sys
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple, get_args

Kind = Literal["module", "class", "function", "attribute", "comment", "text", "markdown", "html"]
"""Place of a piece of prose; the first four are docstrings, by the thing they describe."""

HERE = Path(__file__).parent
VOCABULARY = HERE / "vocabulary.toml"
PENDING = HERE / "prose-pending.txt"

FOLDERS = ("libs", "services", "deploy", "tests", "bench", "docs")
"""Folders that are read, with all below them; of the root only its own files are."""

_SUFFIXES = (".py", ".md", ".html", ".toml", ".yaml", ".yml", ".sh")
_NAMES = ("Makefile", "Dockerfile")
_SKIPPED = ("deploy/checks/vocabulary.toml", "tests/unit/deploy/test_prose.py")  # name the terms

_PYTHON = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<prefix>\b[rbfu]{1,2})?(?:
     "{3}(?P<long>.*?)"{3} | '{3}(?P<long_>.*?)'{3}
    |"(?P<short>[^"\\\n]*(?:\\.[^"\\\n]*)*)" | '(?P<short_>[^'\\\n]*(?:\\.[^'\\\n]*)*)')""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_DESCRIBED = re.compile(r"^[ \t]*(?:async +)?(def|class) ", re.MULTILINE)
_PREAMBLE = re.compile(r"(?:\s|#[^\n]*)*")
_GOES_ON = ("(", ",", "[", "{", "=", "+", "\\", '"', "'")
_PROPERTY = re.compile(r"@[\w.]*(?:property|setter)\s*\n[ \t]*\Z")
_HASH = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
_CODE = re.compile(r"`+[^`]*`+")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_MARKDOWN_CODE = re.compile(r"^ *```.*?^ *```|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(
    r"<(script|style)\b.*?</\1>|\{%.*?%\}|\{\#.*?\#\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL
)


class Piece(NamedTuple):
    """A piece of prose in a file; `line` is that of its first character, counted from 1."""

    kind: Kind
    line: int
    text: str


class Finding(NamedTuple):
    """A term that is used in a file, and what to write instead."""

    path: str
    line: int
    term: str
    better: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.term!r} -> {self.better}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms to refuse: one pattern by kind of prose, and the better wording by term."""

    patterns: dict[Kind, re.Pattern[str]]
    better: dict[str, str]

    @classmethod
    def read(cls, text: str) -> "Vocabulary":
        """Read it from TOML; raises ValueError for a kind or key that does not exist."""
        kinds: tuple[Kind, ...] = get_args(Kind)
        patterns: dict[Kind, list[str]] = {kind: [] for kind in kinds}
        better: dict[str, str] = {}
        for number, term in enumerate(tomllib.loads(text)["term"]):
            where = term.get("in", list(kinds))
            unknown = [*(term.keys() - {"pattern", "better", "in"}), *(set(where) - set(kinds))]
            if unknown:
                raise ValueError(f"term {term.get('pattern')!r}: unknown {', '.join(unknown)}")
            better[f"t{number}"] = term["better"]
            pattern = term["pattern"].replace(" ", r"\s+")  # a phrase may go on in the next line
            for kind in where:
                patterns[kind].append(f"(?P<t{number}>{pattern})")
        return cls(
            {
                kind: re.compile("|".join(each), re.IGNORECASE)
                for kind, each in patterns.items()
                if each
            },
            better,
        )

    def find(self, path: str, pieces: Iterable[Piece]) -> Iterator[Finding]:
        """Yield the terms that these pieces use, in order."""
        for kind, line, text in pieces:
            pattern = self.patterns.get(kind)
            if pattern is None:
                continue
            prose = _CODE.sub(_blank, text) if "`" in text else text
            for match in pattern.finditer(prose):
                at = line + prose.count("\n", 0, match.start())
                yield Finding(path, at, match.group().strip(), self.better[str(match.lastgroup)])


def _blank(match: re.Match[str]) -> str:
    """Replace a match by spaces, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match.group())


def pieces(path: str, text: str) -> Iterator[Piece]:
    """Yield the prose in a file, by the kind of file."""
    name = path.rpartition("/")[2]
    if name.endswith(".py"):
        yield from _in_python(text)
    elif name.endswith(".md"):
        yield Piece("markdown", 1, _MARKDOWN_CODE.sub(_blank, text))
    elif name.endswith(".html"):
        yield Piece("html", 1, _MARKUP.sub(_blank, text))
    else:
        for match in _HASH.finditer(text):
            yield Piece("comment", text.count("\n", 0, match.start()) + 1, match.group())


def _in_python(text: str) -> Iterator[Piece]:
    """Yield comments, docstrings and string literals that contain a space.

    A regular expression splits the source: the parser of Python would take ten times as long.
    """
    described = [match.start() for match in _DESCRIBED.finditer(text)]
    line, counted = 1, 0
    for match in _PYTHON.finditer(text):
        start = match.start()
        line, counted = line + text.count("\n", counted, start), start
        if comment := match["comment"]:
            yield Piece("comment", line, comment)
            continue
        long = match["long"] or match["long_"]
        prose = long or match["short"] or match["short_"] or ""
        if " " not in prose:
            continue
        if long and (kind := _documents(text, match, described)):
            begun = prose.lstrip()
            yield Piece(kind, line + prose[: -len(begun)].count("\n"), begun)
            continue
        if "f" in (match["prefix"] or "").lower():
            prose = _PLACEHOLDER.sub(_blank, prose)
        yield Piece("text", line, prose)


def _documents(text: str, string: re.Match[str], described: Sequence[int]) -> Kind | None:
    """Return what a triple-quoted string describes as a docstring; None if it is a value."""
    begin = _PREAMBLE.match(text)
    if begin is not None and begin.end() == string.start():
        return "module"
    code = text[: string.start()].rstrip()
    if "\n" not in text[len(code) : string.start()]:
        return None
    last = re.sub(r"\s+# .*$", "", code[code.rfind("\n") + 1 :])
    if not last.endswith(":"):
        return None if last.endswith(_GOES_ON) else "attribute"
    at = described[bisect_right(described, string.start()) - 1]
    if text[at:].lstrip().startswith("class "):
        return "class"
    return "attribute" if _PROPERTY.search(text, max(0, at - 60), at) else "function"


def files(root: Path) -> list[str]:
    """Return the paths of all files with prose, relative to the root, in order."""
    top = (path for path in root.iterdir() if path.is_file())
    below = (path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file())
    names = (path.relative_to(root).as_posix() for path in (*top, *below))
    return sorted(name for name in names if _has_prose(name))


def _has_prose(path: str) -> bool:
    if path in _SKIPPED or any(part.startswith(".") for part in path.split("/")[:-1]):
        return False
    return path.endswith(_SUFFIXES) or path.rpartition("/")[2] in _NAMES


def entries(text: str) -> list[str]:
    """Return the paths and globs in the text of the list; comments begin with ``#``."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class Report:
    """The findings in files that are not pending, and the entries whose files are all clean."""

    findings: list[Finding]
    clean: list[str]


def check(root: Path, vocabulary: Vocabulary, pending: Sequence[str]) -> Report:
    """Read all files with prose below the root; `pending` are entries of the list."""
    findings: list[Finding] = []
    needed: set[str] = set()
    patterned = [entry for entry in pending if re.search(r"[*?\[]", entry)]
    exact = set(pending).difference(patterned)
    for path in files(root):
        covering = [entry for entry in patterned if fnmatchcase(path, entry)]
        covering += [path] if path in exact else []
        if covering and needed.issuperset(covering):
            continue  # an entry is needed for one of its files already
        found = vocabulary.find(path, pieces(path, (root / path).read_text(encoding="utf-8")))
        if not covering:
            findings.extend(found)
        elif next(found, None) is not None:
            needed.update(covering)
    return Report(findings, [entry for entry in pending if entry not in needed])


def prune(text: str, clean: Sequence[str]) -> str:
    """Return the text of the list without these entries."""
    kept = (line for line in text.splitlines() if line.partition("#")[0].strip() not in {*clean})
    return "".join(f"{line}\n" for line in kept)


def main(arguments: Sequence[str]) -> int:
    """Check the repository in the working directory; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prune", action="store_true", help="remove clean files from the list")
    wants_pruning: bool = parser.parse_args(arguments).prune
    listed = PENDING.read_text(encoding="utf-8")
    report = check(Path(), Vocabulary.read(VOCABULARY.read_text(encoding="utf-8")), entries(listed))
    if wants_pruning:
        PENDING.write_text(prune(listed, report.clean), encoding="utf-8")
        report.clean.clear()
    sys.stderr.writelines(f"{finding}\n" for finding in report.findings)
    sys.stderr.writelines(
        f"{PENDING.name}: {entry} is clean: remove it from the list (make format does it)\n"
        for entry in report.clean
    )
    return 1 if report.findings or report.clean else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

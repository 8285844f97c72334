"""Prose is read where it is, terms of the vocabulary are found, and the pending list shrinks."""

from pathlib import Path

import pytest

from checks import prose
from checks.prose import Vocabulary, check, entries, main, pieces, prune

VOCABULARY = Vocabulary.read(prose.VOCABULARY.read_text())

SAMPLE = '''\
#!/usr/bin/env python
"""Module: first line.

Third line.
"""

LIMIT = 3  # a comment, not "a string"
"""Attribute docstring."""

SQL = """a value
in lines"""


class Sample:
    """
    Class docstring that begins late.
    """

    name: str = "single"

    @property
    def size(self) -> int:
        """Property docstring."""
        return len("a text # not a comment")

    async def run(
        self,
        given: str,
    ) -> None:  # noqa: D401
        \'\'\'Function docstring.\'\'\'
        log(f"an f-string {given.said} with 'quotes'", r"\\d raw \\" text")
        log("first half "
            'second half')
'''


def test_python_is_split_into_docstrings_comments_and_texts() -> None:
    found = [(kind, line, text.strip()) for kind, line, text in pieces("sample.py", SAMPLE)]
    assert found == [
        ("comment", 1, "#!/usr/bin/env python"),
        ("module", 2, "Module: first line.\n\nThird line."),
        ("comment", 7, '# a comment, not "a string"'),
        ("attribute", 8, "Attribute docstring."),
        ("text", 10, "a value\nin lines"),
        ("class", 16, "Class docstring that begins late."),
        ("attribute", 23, "Property docstring."),
        ("text", 24, "a text # not a comment"),
        ("comment", 29, "# noqa: D401"),
        ("function", 30, "Function docstring."),
        ("text", 31, "an f-string              with 'quotes'"),
        ("text", 31, '\\d raw \\" text'),
        ("text", 32, "first half"),
        ("text", 33, "second half"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("a.md", "Plain.\n\n```\nsaid\n```\n[link](docs/said.md), `said`, said.", [(6, "said")]),
        ("a.html", "<p class='fact'>{{ facts }}\n{% if said %}A fact.</p>", [(2, "fact")]),
        ("Makefile", "help: ## Say whoever it is\n\techo nobody", [(1, "whoever")]),
        ("a.yaml", "# nobody\na: '#fact'\nb: 1 # lacks", [(1, "nobody"), (3, "lacks")]),
        ("a.py", 'x = "A fact"\ny = "fact"\n# in fact, `said`', [(1, "fact")]),
    ],
)
def test_prose_is_found_where_it_is_and_code_is_not(
    path: str, text: str, found: list[tuple[int, str]]
) -> None:
    findings = VOCABULARY.find(path, pieces(path, text))
    assert [(finding.line, finding.term) for finding in findings] == found


@pytest.mark.parametrize(
    "text",
    [
        "Whoever asks gets it.",
        "The relay said so.",
        "It says it again.",
        "The event is heard twice.",
        "This department hears the channel.",
        "What stands in the journal.",
        "The standing proposal.",
        "Nobody knows.",
        "In so many seconds.",
        "The plan lacks a baseline.",
        "The date of old.",
        "Every fact of a channel.",
        "The facts\nare here.",
        "The voice of a department.",
        "No room is left.",
        "The curtain falls.",
        "Play the company in.",
    ],
)
def test_the_idioms_are_terms(text: str) -> None:
    assert list(VOCABULARY.find("page.md", pieces("page.md", text)))


@pytest.mark.parametrize(
    "text",
    [
        "As a matter of course, and in fact often.",
        "The attribute names how far an author had processed others.",
        "PMO stands for project management office; a stand-in decides; it stands out.",
        "The service is ready.",
        "As many as needed.",
    ],
)
def test_plain_words_are_no_terms(text: str) -> None:
    assert not list(VOCABULARY.find("page.md", pieces("page.md", text)))


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ('def f():\n    """What it does."""', True),
        ('def f():\n    """The sum."""', True),
        ('def f():\n    """Return the sum. The sum is exact."""', False),
        ('class C:\n    """The sum of amounts."""', False),
        ('class C:\n    """Whether it holds."""', True),
        ('class C:\n    @property\n    def f(self):\n        """The sum."""', False),
    ],
)
def test_a_docstring_begins_with_a_verb(source: str, refused: bool) -> None:
    assert bool(list(VOCABULARY.find("a.py", pieces("a.py", source)))) is refused


def test_a_vocabulary_with_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown poem"):
        Vocabulary.read("[[term]]\npattern = 'x'\nbetter = 'y'\nin = ['poem']")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "README.md": "Plain.",
        "libs/good.py": "# plain",
        "libs/bad.py": "# nobody",
        "libs/.cache/bad.py": "# nobody",
        "docs/old/one.md": "Nobody.",
        "docs/old/two.md": "Plain.",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_pending_files_are_skipped(root: Path) -> None:
    report = check(root, VOCABULARY, ["libs/bad.py", "docs/old/*.md"])
    assert report.findings == []
    assert report.clean == []


def test_a_pending_file_that_is_clean_or_gone_has_to_leave_the_list(root: Path) -> None:
    pending = ["libs/bad.py", "docs/old/*.md", "libs/good.py", "libs/gone.py", "README*"]
    assert check(root, VOCABULARY, pending).clean == ["libs/good.py", "libs/gone.py", "README*"]


def test_the_list_allows_comments_and_pruning_keeps_them() -> None:
    text = "# not rewritten yet\nlibs/a.py\n\nlibs/b.py  # next\n"
    assert entries(text) == ["libs/a.py", "libs/b.py"]
    assert prune(text, ["libs/b.py"]) == "# not rewritten yet\nlibs/a.py\n\n"


def test_the_command_prints_place_term_and_better_wording(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pending = root / "pending.txt"
    pending.write_text("docs/old/one.md\nlibs/good.py\n")
    monkeypatch.setattr(prose, "PENDING", pending)
    monkeypatch.chdir(root)
    assert main([]) == 1
    printed = capsys.readouterr().err
    assert "libs/bad.py:1: 'nobody' -> no one" in printed
    assert "libs/good.py is clean: remove it from the list" in printed
    (root / "libs" / "bad.py").unlink()
    assert main(["--prune"]) == 0
    assert pending.read_text() == "docs/old/one.md\n"
    assert main([]) == 0

"""A commit subject reads `scope: imperative`, and a refusal says what would be right."""

import subprocess
from pathlib import Path

import pytest

from checks import commit_subject
from checks.commit_subject import faults, main, not_landed, subject_of


@pytest.mark.parametrize(
    "subject",
    [
        "finance: refuse a payment in another currency",
        "docs, readme: name the longer checks",
        "libs/chassis: process the backlog first",
        "tests: bring the broker up once",
        "delivery: need a reason for a waiver",
        "x: " + "y" * 69,
    ],
)
def test_a_right_subject_has_no_fault(subject: str) -> None:
    assert faults(subject) == []


@pytest.mark.parametrize(
    ("subject", "advice"),
    [
        ("Refuse a payment", "write it like `finance: refuse"),
        ("finance: Refuse a payment", "write `refuse`"),
        ("finance: refuse a payment.", "leave the period out"),
        ("finance: refused a payment", "past tense"),
        ("finance: refusing a payment", "base form"),
        ("finance: refuses a payment", "write `refuse`"),
        ("finance: catches up", "write `catch`"),
        ("finance: the payment in another currency", "`the` is not a verb"),
        ("finance: what is invoiced stays", "`what` is not a verb"),
        ("finance:refuse a payment", "not `scope: imperative`"),
        ("Finance: refuse a payment", "not `scope: imperative`"),
        ("", "not `scope: imperative`"),
        ("x: " + "y" * 70, "73 characters; use 72 at most"),
    ],
)
def test_a_wrong_subject_is_answered_with_what_would_be_right(subject: str, advice: str) -> None:
    assert advice in "\n".join(faults(subject))


def test_every_fault_is_named_at_once() -> None:
    assert len(faults("Refused " + "y" * 70 + ".")) == 3


def test_comments_and_empty_lines_of_a_message_are_passed_over(tmp_path: Path) -> None:
    message = "# Please enter the message.\n\nfinance: refuse it\n\nThe body. Is free.\n"
    assert subject_of(message) == "finance: refuse it"
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text(message)
    assert main([str(file)]) == 0


def test_the_hook_refuses_a_message_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text("Payments.\n")
    assert main([str(file)]) == 1
    assert "message: 'Payments.'" in capsys.readouterr().err


@pytest.mark.parametrize("subject", ["Merge branch 'tax'", "fixup! finance: refuse it"])
def test_the_hook_accepts_what_git_writes_itself(subject: str, tmp_path: Path) -> None:
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text(subject)
    assert main([str(file)]) == 0


class Repository:
    """A repository with `main`, into which the rule comes with the second commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("Older than the rule")
        self.rule = folder / "deploy" / "checks" / "commit_subject.py"
        self.rule.parent.mkdir(parents=True)
        self.rule.write_text("")
        self.commit("deploy: check commit subjects")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
        command = ["git", *who, "-C", str(self.folder), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit(self, subject: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", subject)

    def subjects(self) -> list[str]:
        return [subject for _, subject in not_landed(self.folder)]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # a hook may run this
        monkeypatch.delenv(name, raising=False)
    made = Repository(tmp_path / "repository")
    monkeypatch.setattr(commit_subject, "__file__", str(made.rule))
    return made


def test_without_a_branch_only_the_commits_on_main_exist_and_they_have_landed(
    repository: Repository,
) -> None:
    repository.commit("Wrong, and on main")
    assert repository.subjects() == []


def test_the_commits_of_a_branch_are_checked_and_merges_are_not(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "tax")
    repository.commit("Wrong")
    repository.git("switch", "--quiet", "main")
    repository.commit("On main meanwhile")
    repository.git("switch", "--quiet", "tax")
    repository.git("merge", "--quiet", "--no-verify", "main")
    assert repository.subjects() == ["Wrong"]


def test_commits_older_than_the_rule_are_not_checked(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "tax")
    repository.commit("Wrong")
    repository.git("branch", "--quiet", "--force", "main", "main~1")  # it has not landed either
    assert repository.subjects() == ["Wrong"]


def test_a_remote_says_what_has_landed_before_a_local_main_does(repository: Repository) -> None:
    repository.git("update-ref", "refs/remotes/origin/main", "main")
    repository.commit("Not pushed")
    assert repository.subjects() == ["Not pushed"]


def test_a_fresh_and_a_shallow_clone_have_nothing_to_check(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("Wrong, and landed")
    for number, options in enumerate(([], ["--depth=1"])):
        clone = tmp_path / f"clone-{number}"
        repository.git("clone", "--quiet", *options, f"file://{repository.folder}", str(clone))
        monkeypatch.setattr(
            commit_subject, "__file__", str(clone / "deploy" / "checks" / "commit_subject.py")
        )
        assert not_landed(clone) == []


def test_a_detached_head_without_branches_has_nothing_to_check(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach")
    repository.git("branch", "--quiet", "--delete", "--force", "main")
    repository.commit("Wrong")
    assert repository.subjects() == []


def test_there_is_nothing_to_check_outside_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert not_landed(tmp_path) == []

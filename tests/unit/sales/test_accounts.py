"""Publish accounts."""

from contracts.reference import AccountPublished
from sales.accounts.decisions import IntroduceAccount, PublishAccount
from sales.service import ACCOUNT
from testkit.scenario import given

PUBLISH = PublishAccount(name="Acme", country="Norway")


def test_an_account_is_published_under_the_id_of_its_stream() -> None:
    given(ACCOUNT, "acme").when(PUBLISH).then(
        AccountPublished(account="acme", name="Acme", country="Norway")
    )


def test_an_equal_record_is_not_a_new_version() -> None:
    published = given(ACCOUNT, "acme").after(PUBLISH)
    published.when(PUBLISH).then_nothing()
    moved = PUBLISH.model_copy(update={"country": "Sweden", "own_pmo": True})
    published.when(moved).then(
        AccountPublished(account="acme", name="Acme", country="Sweden", own_pmo=True)
    )


def test_an_introduction_never_replaces_a_published_record() -> None:
    fresh = given(ACCOUNT, "acme")
    fresh.when(IntroduceAccount(name="Acme")).then(AccountPublished(account="acme", name="Acme"))
    fresh.after(PUBLISH).when(IntroduceAccount(name="ACME Inc.")).then_nothing()

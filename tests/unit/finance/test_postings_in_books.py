"""Check postings in the currency of the books: what goes out of an account goes out as it came in.

Engagements are in USD and books in EUR. Rates are USD for one EUR.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.finance import (
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentDeallocated,
    RevenueRecognised,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import Conversion
from finance.billing.receivables import OpeningInvoice
from finance.calendar_months import end_of, month_of
from finance.postings.balances import Balances, after, in_books
from finance.postings.entries import (
    Accounted,
    Entry,
    PostingLine,
    entry_of,
    entry_of_loss,
    entry_of_voiding,
)
from tests.amounts import eur, usd
from tests.invoices import taxes, untaxed, untaxed_credit

JUNE, NOVEMBER, DECEMBER = date(2026, 6, 30), date(2026, 11, 30), date(2026, 12, 31)
Amount = Decimal | int | str


class Books:
    """The accounts of an engagement, in USD and in EUR, by the entries that were posted."""

    def __init__(self, rates: dict[date, str]) -> None:
        self.rates: dict[date, Decimal | None] = {day: Decimal(each) for day, each in rates.items()}
        self.balances: Balances = {}
        self.issued: dict[str, date] = {}
        self.accounts = defaultdict[str, Decimal](Decimal)
        self.in_books = defaultdict[str, Decimal](Decimal)

    def post(self, event: Accounted) -> dict[str, Decimal | None]:
        """Return what an event is in EUR by account, debits positive; None where it is unknown."""
        return self.post_entry(entry_of(event, self._owing))

    def post_entry(self, entry: Entry) -> dict[str, Decimal | None]:
        rate = self.rates[entry.rate_on]
        worth = None if rate is None else converter(rate)
        posted = in_books(entry, "EUR", self.balances, worth, "half-up")
        self.balances = after(self.balances, (posted,))
        for line in posted.lines:
            names = {line.account, f"{line.account}/{entry.invoice}"}
            for name in names:
                self.accounts[name] += line.amount.amount
                self.in_books[name] += line.base.amount if line.base else Decimal(0)
        return {each.account: each.base.amount if each.base else None for each in posted.lines}

    def invoice(
        self, name: str, net: Amount, day: date, tax: Amount = 0
    ) -> dict[str, Decimal | None]:
        self.issued[name] = day
        amount = usd(net)
        return self.post(
            InvoiceIssued(
                invoice=name,
                number=f"no-{name}",
                billing_event="due",
                kind="on-signature",
                **{**untaxed(amount), "tax": taxes(amount, usd(tax) if tax else None)},
                advance_drawn=usd(0),
                issued_on=day,
                due_on=day,
            )
        )

    def credit(
        self, name: str, net: Amount, day: date, tax: Amount = 0, note: str = "1"
    ) -> dict[str, Decimal | None]:
        amount = usd(net)
        stated = {**untaxed_credit(amount), "tax": taxes(amount, usd(tax) if tax else None)}
        return self.post(
            CreditNoteIssued(
                invoice=name,
                credit_note=note,
                number=f"cn-{note}",
                **stated,
                why="Too much.",
                issued_on=day,
            )
        )

    def void(self, name: str, net: Amount, day: date, tax: Amount = 0) -> dict[str, Decimal | None]:
        voided = InvoiceVoided(
            invoice=name,
            number=f"no-{name}",
            amount=usd(net),
            why="Wrong.",
            voided_on=day,
            ends_event=False,
        )
        of_invoice = taxes(usd(net), usd(tax) if tax else None)
        return self.post_entry(entry_of_voiding(voided, of_invoice, self._owing(name)))

    def earn(self, amount: Amount, day: date) -> dict[str, Decimal | None]:
        """Recognise revenue of the month of a day; it is posted at the end of the month."""
        return self.post(
            RevenueRecognised(
                month=month_of(day),
                obligation="fixed",
                method="at-acceptance",
                amount=usd(amount),
                cumulative=usd(amount),
            )
        )

    def pay(
        self,
        name: str,
        amount: Amount,
        day: date,
        kind: type[PaymentAllocated | PaymentDeallocated] = PaymentAllocated,
    ) -> dict[str, Decimal | None]:
        rate = self.rates[day]
        booked, received = (
            Conversion(
                amount=usd(amount),
                converted=converter(each)(usd(amount)),
                exchange_rate="EUR-USD-2026-06-30",
                version=1,
            )
            if each
            else None
            for each in (self.rates[self.issued[name]], rate)
        )
        known = booked and received
        more = {} if kind is PaymentAllocated else {"why": "Returned.", "deallocated_on": day}
        event = kind.model_validate(
            {
                "payment": "p",
                "allocation": "a",
                "invoice": name,
                "amount": usd(amount),
                "received_on": day,
                "booked": booked,
                "received": received,
                "exchange_difference": received.converted - booked.converted
                if known and booked and received
                else None,
                **more,
            }
        )
        return self.post(event)

    def write_off(
        self,
        name: str,
        amount: Amount,
        day: date,
        kind: type[WriteOffRecorded | WriteOffReversed] = WriteOffRecorded,
    ) -> dict[str, Decimal | None]:
        on = "written_off_on" if kind is WriteOffRecorded else "reversed_on"
        terms = {"write_off": "w", "invoice": name, "amount": usd(amount), "why": "Insolvent."}
        return self.post(kind.model_validate({**terms, on: day}))

    def _owing(self, invoice: str) -> OpeningInvoice:
        return OpeningInvoice(
            invoice=invoice,
            number=f"no-{invoice}",
            gross=usd(1),
            open=usd(1),
            issued_on=self.issued[invoice],
            due_on=self.issued[invoice],
        )


def converter(rate: Decimal) -> Callable[[Money], Money]:
    return lambda amount: Money.nearest(amount.amount / rate, "EUR", "half-up")


def amounts(**accounts: Amount) -> dict[str, Decimal | None]:
    return {name.replace("_", "-"): Decimal(amount) for name, amount in accounts.items()}


# ---- advances and contract assets ------------------------------------------------------------


def test_an_advance_is_earned_at_the_rate_at_which_it_was_invoiced() -> None:
    """Own arithmetic by IFRIC 22.8: 10,000 and 8,000 at 1.11, a credit, then 11,000 at 1.09.

    1,000 of the advance is left at 1.11, that is 900.90; 10,000 at 1.09 is 9,174.31.
    """
    books = Books({JUNE: "1.11", NOVEMBER: "1.09"})
    assert books.invoice("a", 10_000, JUNE)["contract-balance"] == Decimal("-9009.01")
    assert books.earn(8_000, JUNE)["revenue"] == Decimal("-7207.21")
    assert books.credit("a", 1_000, JUNE)["contract-balance"] == Decimal("900.90")
    assert books.invoice("b", 10_000, NOVEMBER)["contract-balance"] == Decimal("-9174.31")
    assert books.void("b", 10_000, NOVEMBER)["contract-balance"] == Decimal("9174.31")
    assert books.invoice("c", 10_000, NOVEMBER)["contract-balance"] == Decimal("-9174.31")
    assert books.earn(11_000, NOVEMBER) == amounts(contract_balance="10075.21", revenue="-10075.21")
    assert books.accounts["contract-balance"] == books.in_books["contract-balance"] == 0


def test_revenue_beyond_an_advance_is_at_the_rate_of_its_own_day() -> None:
    """IFRIC 22, Illustrative Examples, Example 2: FC100, of which FC40 is received before.

    https://ifrs.org/content/dam/ifrs/publications/html-standards/english/2023/issued/ifric22-ie.html
    FC40 is earned at the rate of 1 August and FC60 at that of 1 September. The example names no
    rates: those here are made up.
    """
    first, second, last = date(2026, 8, 1), date(2026, 9, 30), date(2026, 10, 30)
    books = Books({first: "1.25", second: "1.20", last: "1.00"})
    books.invoice("a", 40, first)
    books.pay("a", 40, first)
    assert books.earn(100, second) == amounts(contract_balance=82, revenue=-82)
    assert books.invoice("b", 60, second) == amounts(receivables=50, contract_balance=-50)
    assert books.pay("b", 60, last) == amounts(
        payments_received=60, receivables=-50, exchange_differences=-10
    )
    assert books.in_books["contract-balance"] == books.in_books["receivables"] == 0


def test_of_several_advances_revenue_takes_the_same_part_of_each() -> None:
    books = Books({JUNE: "1.25", NOVEMBER: "1.00"})
    books.invoice("a", 1_000, JUNE)
    books.invoice("b", 1_000, NOVEMBER)
    assert books.earn(500, NOVEMBER)["revenue"] == -450
    assert books.earn(1_500, NOVEMBER)["revenue"] == -1_350


def test_revenue_that_is_taken_back_is_an_advance_again_at_the_rate_of_the_advance() -> None:
    books = Books({JUNE: "1.25", NOVEMBER: "1.00"})
    books.invoice("a", 1_000, JUNE)
    books.earn(1_000, JUNE)
    assert books.earn(-400, NOVEMBER) == amounts(contract_balance=-320, revenue=320)
    assert books.earn(-600, NOVEMBER) == amounts(contract_balance=-480, revenue=480)
    assert books.earn(1_000, NOVEMBER)["revenue"] == -800


def test_a_contract_asset_that_is_no_longer_earned_goes_out_as_it_came_in() -> None:
    books = Books({JUNE: "1.25", NOVEMBER: "1.00"})
    books.invoice("a", 1_000, JUNE)
    books.earn(1_000, JUNE)
    books.earn(1_000, NOVEMBER)
    assert books.earn(-500, NOVEMBER) == amounts(contract_balance=-500, revenue=500)
    assert books.earn(-1_500, NOVEMBER)["revenue"] == 1_300
    assert books.in_books["revenue"] == 0


def test_a_contract_asset_is_invoiced_as_it_came_in_and_a_voiding_takes_the_same_back() -> None:
    books = Books({JUNE: "1.25", NOVEMBER: "1.00"})
    books.earn(1_000, JUNE)
    invoiced = amounts(
        receivables=1_190, contract_balance=-800, tax=-190, exchange_differences=-200
    )
    assert books.invoice("a", 1_000, NOVEMBER, tax=190) == invoiced
    taken_back = {name: -each for name, each in invoiced.items() if each is not None}
    assert books.void("a", 1_000, NOVEMBER, tax=190) == taken_back
    assert books.earn(-1_000, NOVEMBER)["revenue"] == 800
    assert not books.balances


def test_a_credit_note_leaves_no_debit_in_the_books_of_an_advance() -> None:
    """Credit an invoice that is earned already: 800 EUR, while 500 EUR are left of another one."""
    books = Books({JUNE: "1.00", NOVEMBER: "2.00"})
    books.invoice("a", 1_000, JUNE)
    books.pay("a", 1_000, JUNE)
    books.earn(1_000, JUNE)
    books.invoice("b", 1_000, NOVEMBER)
    assert books.credit("a", 800, NOVEMBER) == amounts(
        receivables=-800, contract_balance=400, exchange_differences=400
    )
    assert books.earn(200, NOVEMBER)["revenue"] == -100


def test_expected_losses_go_out_as_they_came_in() -> None:
    """Write a contract asset down by 300 USD at 1.25, and release half of it at 1.00."""
    books = Books({JUNE: "1.25", NOVEMBER: "1.00", DECEMBER: "0.80"})
    books.earn(1_000, JUNE)
    books.post_entry(entry_of_loss("2026-06", usd(400), usd(300)))
    assert books.post_entry(entry_of_loss("2026-11", usd(-200), usd(-150))) == amounts(
        expected_losses=-160, contract_balance=150, loss_provision=40, exchange_differences=-30
    )
    books.post_entry(entry_of_loss("2026-12", usd(-200), usd(-150)))
    books.invoice("a", 1_000, DECEMBER)
    for account in ("expected-losses", "loss-provision", "contract-balance"):
        assert books.accounts[account] == books.in_books[account] == 0


# ---- receivables -----------------------------------------------------------------------------


def test_what_money_gained_since_the_invoice_is_an_exchange_gain() -> None:
    """Kantox, glossary, *realised gains and losses*: 100,000 at 1.10, paid at 1.20.

    There the books are in USD and the invoice in EUR; here the currencies are exchanged.
    """
    books = Books({})
    books.rates = {JUNE: 1 / Decimal("1.10"), NOVEMBER: 1 / Decimal("1.20")}
    assert books.invoice("a", 100_000, JUNE)["receivables"] == 110_000
    assert books.pay("a", 100_000, NOVEMBER) == amounts(
        payments_received=120_000, receivables=-110_000, exchange_differences=-10_000
    )


def test_parts_of_a_payment_leave_no_cent_on_the_receivable() -> None:
    books = Books({JUNE: "3"})
    assert books.invoice("a", 100, JUNE)["receivables"] == Decimal("33.33")
    parts = [books.pay("a", amount, JUNE)["receivables"] for amount in (50, 50)]
    assert sum(each for each in parts if each is not None) == Decimal("-33.33")


def test_a_rate_that_is_corrected_leaves_no_difference_on_the_receivable() -> None:
    books = Books({JUNE: "1.25", NOVEMBER: "1.00"})
    books.invoice("a", 1_000, JUNE)
    books.rates[JUNE] = Decimal("1.60")
    assert books.pay("a", 1_000, NOVEMBER) == amounts(
        payments_received=1_000, receivables=-800, exchange_differences=-200
    )


def test_rounding_leaves_no_difference_in_the_books() -> None:
    books = Books({JUNE: "0.9"})
    assert books.invoice("a", 1_001, JUNE, tax=191) == amounts(
        receivables="1324.44", contract_balance="-1112.22", tax="-212.22"
    )


def test_cost_that_moves_between_kinds_is_converted_too() -> None:
    lines = (
        PostingLine(account="cost", about="delivery", amount=usd(400)),
        PostingLine(account="cost", about="project-management", amount=usd(-400)),
    )
    entry = Entry(event="x", document="2026-06", day=JUNE, rate_on=JUNE, lines=lines)
    found = in_books(entry, "EUR", {}, converter(Decimal("0.8")), "half-up")
    assert [each.base for each in found.lines] == [eur(500), eur(-500)]


# ---- unknown rates ---------------------------------------------------------------------------


def test_a_balance_is_unknown_after_a_missing_rate_until_it_is_zero() -> None:
    books = Books({NOVEMBER: "1.25", DECEMBER: "1.00"})
    books.rates[JUNE] = None
    unknown = {"receivables": None, "contract-balance": None}
    assert books.invoice("a", 1_000, JUNE) == unknown
    assert books.earn(400, NOVEMBER) == {"contract-balance": None, "revenue": None}
    assert books.invoice("b", 500, NOVEMBER) == amounts(receivables=400, contract_balance=-400)
    assert books.earn(1_100, NOVEMBER)["revenue"] is None
    assert {each.unknown_since for each in books.balances.values()} == {JUNE, None}
    assert books.pay("b", 500, DECEMBER)["receivables"] == -400
    assert books.earn(100, DECEMBER) == amounts(contract_balance=100, revenue=-100)


# ---- all together ----------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(("invoice", "earn", "credit", "pay", "give back", "write off", "void")),
    st.integers(0, 5),
    st.integers(1, 100),
    st.decimals("0.5", "2", places=4),
)
"""Draw what happens, to which invoice, the part of it in percent, and the rate of the day."""


class RandomBooks(Books):
    """Books with documents of which each takes at most what is left."""

    def __init__(self) -> None:
        super().__init__({})
        self.day = JUNE
        self.net = dict[str, Decimal]()
        self.owed = dict[str, Decimal]()
        self.paid = dict[str, Decimal]()
        self.number = 0

    def happens(self, what: str, which: int, percent: int, rate: Decimal) -> None:
        self.day = end_of(month_of(self.day + timedelta(days=1)))
        self.number += 1
        self.rates[self.day] = rate
        invoice = [*self.net][which % len(self.net)] if self.net else ""
        if what == "invoice" or not invoice:
            self._invoice(Decimal(percent * 37) / 3)
        elif what == "earn":
            self.earn((which or -2) * percent, self.day)
        else:
            self._of_invoice(what, invoice, Decimal(percent) / 100)

    def _invoice(self, net: Decimal) -> None:
        name, net = f"i{self.number}", round(net, 2)
        tax = round(net * 19 / 100, 2)
        self.invoice(name, net, self.day, tax)
        self.net[name], self.owed[name], self.paid[name] = net, net + tax, Decimal(0)

    def _of_invoice(self, what: str, name: str, part: Decimal) -> None:
        net, owed, paid = self.net[name], self.owed[name], self.paid[name]
        is_whole = owed == net + round(net * 19 / 100, 2)
        if what == "void" and is_whole and net:
            self.void(name, net, self.day, owed - net)
            self.net[name] = self.owed[name] = Decimal(0)
        elif what == "credit" and (amount := round(net * part, 2)) and is_whole:
            left = net - amount
            tax = owed - net - round(left * 19 / 100, 2)
            self.credit(name, amount, self.day, tax, f"{self.number}")
            self.net[name], self.owed[name] = left, owed - amount - tax
        elif what == "pay" and (amount := round(owed * part, 2)):
            self.pay(name, amount, self.day)
            self.owed[name], self.paid[name] = owed - amount, paid + amount
        elif what == "give back" and (amount := round(paid * part, 2)):
            self.pay(name, amount, self.day, PaymentDeallocated)
            self.owed[name], self.paid[name] = owed + amount, paid - amount
        elif what == "write off" and (amount := round(owed * part, 2)):
            self.write_off(name, amount, self.day)
            self.rates[self.issued[name]] = Decimal("1.01")  # a correction
            self.write_off(name, amount, self.day, WriteOffReversed)

    def settle(self) -> None:
        """Have all invoices paid, and all that is invoiced earned."""
        self.day = end_of(month_of(self.day + timedelta(days=1)))
        self.rates[self.day] = Decimal("1.3")
        for name, owed in self.owed.items():
            if owed:
                self.pay(name, owed, self.day)
        if left := self.accounts["contract-balance"]:
            self.earn(-left, self.day)

    def require_zero(self) -> None:
        """Require that what is zero in USD is zero in EUR: accounts, and what invoices are owed."""
        for name, amount in self.accounts.items():
            account, _, invoice = name.partition("/")
            is_zero = not amount and account != "exchange-differences"
            if is_zero and (account == "receivables" or not invoice):
                assert self.in_books[name] == 0, name


@given(st.lists(STEP, max_size=25))
def test_an_account_that_is_zero_is_zero_in_the_books(
    steps: list[tuple[str, int, int, Decimal]],
) -> None:
    books = RandomBooks()
    for step in steps:
        books.happens(*step)
        books.require_zero()
    books.settle()
    books.require_zero()
    assert books.accounts["receivables"] == books.accounts["contract-balance"] == 0
    kept = {"tax/DE-standard", "payments-received", "write-offs", "revenue/at-acceptance"}
    assert books.balances.keys() <= kept, "nothing is kept of an invoice that is paid"

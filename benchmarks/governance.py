"""What counting votes costs: a hundred thousand voters at once, and one more vote among them on the chain.

::

    python -m benchmarks.governance
    python -m benchmarks.governance --voters 100000 --repeat 5 --json

``count`` is `count_votes` over a frame of as many voters, a third of them split, and as many delegations to them.
``loop`` adds the same ballots and delegations up one by one, as objects that exist already. ``vote`` is one more vote
in a book that holds as many voters, with its lock on a ledger of as many accounts; ``hash`` is the hash over that book
after it, which a block needs once. A ratio is the median over the repetitions of the ratio within one.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.clearing import seconds
from gridlab.chain.ledger import Ledger
from gridlab.governance.actions import Emergency
from gridlab.governance.ballots import CHOICES, Ballot, Delegations, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.casting import vote
from gridlab.governance.governance import Governance
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.purse import Purse
from gridlab.governance.referenda import Referendum
from gridlab.governance.roll import Voter
from gridlab.governance.tallying import BALLOTS, CHOICE, DELEGATED, count_votes

_SYSTEM = 2


def electorate(voters: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ballots of so many voters, and as many delegations to them."""
    draw = np.random.default_rng(seed)
    choice = draw.integers(0, 3, voters)
    amounts = draw.integers(1, 10**12, (4, voters))
    ballots = pl.DataFrame(
        {
            "account": np.arange(_SYSTEM, _SYSTEM + voters),
            "choice": pl.Series(np.array(CHOICES)[choice]).cast(CHOICE),
            "conviction": np.where(choice == 2, 0, draw.integers(0, 7, voters)),
            "aye": np.where(choice != 1, amounts[0], 0),
            "nay": np.where(choice != 0, amounts[1], 0),
            "abstain": np.where(choice == 2, amounts[2], 0),
        }
    )
    delegations = pl.DataFrame(
        {
            "account": np.arange(_SYSTEM + voters, _SYSTEM + 2 * voters),
            "delegate": draw.integers(_SYSTEM, _SYSTEM + voters, voters),
            "conviction": draw.integers(0, 7, voters),
            "amount": amounts[3],
        }
    )
    return BALLOTS.check(ballots), DELEGATED.check(delegations)


def one_by_one(cast: dict[int, Ballot], handed: list[tuple[int, Delegations]]) -> Tally:
    """Add ballots and delegations up, one at a time."""
    ayes = nays = support = turnout = 0
    for ballot in cast.values():
        own = ballot.tally
        ayes, nays = ayes + own.ayes, nays + own.nays
        support, turnout = support + own.support, turnout + own.turnout
    for delegate, given in handed:
        side = cast[delegate].side
        if side is not None:
            turnout += given.capital
            if side:
                ayes, support = ayes + given.votes, support + given.capital
            else:
                nays += given.votes
    return Tally(ayes, nays, support, turnout)


def full_book(cast: dict[int, Ballot]) -> tuple[GovernanceBook, Ledger]:
    """Return a book with all these votes in one referendum, and a ledger whose last account has not voted."""
    last = _SYSTEM + len(cast)
    ledger = Ledger(last + 1, issuers={"GRID": [0]})
    row = {"transfer_id": 1, "debit_account": 0, "credit_account": last, "asset": "GRID", "amount": 10**12}
    ledger.apply(pl.DataFrame([row | {"code": "mint"}]))
    terms = Governance()
    book = GovernanceBook(terms.rules(), terms.lever_values(), LeverTable())
    book.put(Referendum(0, last, Emergency(stop=True, scope="market"), 0))
    book.put_voters("emergency", {account: Voter(((0, ballot),)) for account, ballot in cast.items()})
    return book, ledger


def vote_and_hash(book: GovernanceBook, ledger: Ledger) -> tuple[float, float]:
    """Return the seconds of one more vote, and of the hash over the book after it."""
    last = len(ledger) - 1
    before = book.hash
    voting = seconds(lambda: vote(book, Purse(ledger, 0, 1, _SYSTEM), last, 0, Ballot.for_it(10**9, 3)))
    hashing = seconds(lambda: book.hash)
    assert book.hash != before
    return voting, hashing


def measure(voters: int, repeat: int) -> dict[str, Any]:
    """Time all four, interleaved; return milliseconds and the ratio (medians)."""
    times: dict[str, list[float]] = {"count": [], "loop": [], "vote": [], "hash": []}
    for seed in range(repeat):
        ballots, delegations = electorate(voters, seed)
        cast = {row[0]: Ballot(*row[1:]) for row in ballots.rows()}
        handed = [(row[1], Delegations.of(row[3], row[2])) for row in delegations.rows()]
        counted: list[Tally] = []
        times["count"].append(seconds(lambda: counted.append(count_votes(ballots, delegations))))  # noqa: B023
        times["loop"].append(seconds(lambda: counted.append(one_by_one(cast, handed))))  # noqa: B023 - called at once
        assert counted[0] == counted[1]
        voting, hashing = vote_and_hash(*full_book(cast))
        times["vote"].append(voting)
        times["hash"].append(hashing)
    ratio = median([slow / fast for slow, fast in zip(times["loop"], times["count"], strict=True)])
    milliseconds = {f"{name} ms": round(median(values) * 1000, 2) for name, values in times.items()}
    return {"voters": voters, "delegations": voters, **milliseconds, "loop/count": round(ratio, 1)}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voters", type=int, default=100_000, help="voters, and delegations (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.voters, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()

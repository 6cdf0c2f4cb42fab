"""What a contract says for given meters: energy from each seller to each buyer, and who pays whom, slot by slot.

With the net energy n = load - generation of an account, its export x = max(-n, 0) and its import m = max(n, 0), the
energy that passes is ::

    as_produced   x of the seller, by the buyers' shares
    fixed         the contract's energy, by the buyers' shares
    matched       min(x of the seller, m of the buyer)
    shared        E = sum of all x; buyer b gets min(E s_b, m_b); the sellers give in proportion to their exports

and never more than the contract's limit, where it has one. Shares are rounded by largest remainders
(`gridlab.chain.sharing`); of many sellers and buyers, the first pays the first, and so on. A payment is
``price x energy``, or ``(price - reference) x energy``, to the micro-THB; a negative one turns the parties round.
Wheeling is ``wheeling x energy``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.contract_terms import MOST_PRICE, SLOT_MICROSECONDS, ContractTerms
from gridlab.chain.ledger import CODES
from gridlab.chain.meters import MOST_GENERATION
from gridlab.chain.moments import require_microseconds
from gridlab.chain.sharing import PPB, apportion, pairwise, shares_of
from gridlab.errors import ChainError
from gridlab.frames import READINGS, SLOT, Column, Schema, show_rows

__all__ = ["EXECUTIONS", "REFERENCES", "Meters", "energies", "meters_of", "payments", "references_of"]

Int64s = npt.NDArray[np.int64]

EXECUTIONS = Schema(
    "contract execution",
    (
        Column("contract_id", pl.Binary, "binary", "32 bytes, the contract's id"),
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("debit_account", pl.UInt32, "integer", "account that pays"),
        Column("credit_account", pl.UInt32, "integer", "account that receives"),
        Column("code", CODES, "category", "'energy' or 'wheeling'"),
        Column("energy", pl.Int64, "integer", "energy that passes (Wh)"),
        Column("reference", pl.Int64, "integer", "reference price (THB/MWh); 0 where the contract has none"),
        Column("amount", pl.Int64, "integer", "micro-THB, 0 or more"),
    ),
)
REFERENCES = Schema(
    "reference prices",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("price", pl.Int64, "integer", "THB/MWh"),
    ),
)


@dataclass(frozen=True, slots=True)
class Meters:
    """What decides a contract's payments in some slots.

    Attributes
    ----------
    slots : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01 UTC, ascending.
    exports : ndarray of int64, shape (n, sellers)
        Wh; zeros where the sellers' meters do not count.
    imports : ndarray of int64, shape (n, buyers)
        Wh; zeros where the buyers' meters do not count.
    """

    slots: Int64s
    exports: Int64s
    imports: Int64s

    @classmethod
    def of(cls, terms: ContractTerms, slots: Int64s, net: Int64s) -> Meters:
        """Sort the net energies of ``terms.metered``, shape (n, metered), into exports and imports."""
        sellers, buyers = len(terms.sellers), len(terms.buyers)
        exports, imports = (np.zeros((len(slots), many), np.int64) for many in (sellers, buyers))
        if terms.metered:
            exports = np.maximum(-net[:, :sellers], 0)
        if len(terms.metered) > sellers:
            imports = np.maximum(net[:, sellers:], 0)
        return cls(slots, exports, imports)


def meters_of(terms: ContractTerms, readings: pl.DataFrame | pl.LazyFrame) -> Meters:
    """Pick a contract's meters out of a frame of readings.

    Parameters
    ----------
    terms : ContractTerms
    readings : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.READINGS`; other accounts, and slots outside the contract, are left out.

    Raises
    ------
    ArgumentTypeError, FrameError
        `readings` does not fit its schema.
    ChainError
        A party was not read in a slot in which another was, or was read twice; or a meter reads what none can.
    """
    frame = READINGS.check(readings)
    inside = pl.col("slot").is_between(terms.start, terms.end, closed="left")
    if not terms.metered:
        slots = frame.filter(inside)["slot"].unique().sort().to_physical().to_numpy().astype(np.int64)
        return Meters.of(terms, slots, np.zeros((len(slots), 0), np.int64))
    own = frame.filter(inside & pl.col("account").is_in(list(terms.metered)))
    _check_readings(own)
    order = pl.Series(terms.metered, dtype=pl.UInt32)
    rank = pl.col("account").replace_strict(order, pl.int_range(len(order), eager=True), return_dtype=pl.Int64)
    sorted_rows = own.with_columns(rank=rank).sort("slot", "rank")
    slots = sorted_rows["slot"].unique(maintain_order=True).to_physical().to_numpy().astype(np.int64)
    if sorted_rows.height != len(slots) * len(order):
        lonely = sorted_rows.filter(pl.len().over("slot") < len(order)).drop("rank")
        raise ChainError(
            f"readings: a slot lacks the reading of a party, allowed: all of {list(order)} in every slot\n"
            f"{show_rows(lonely, pl.lit(True))}"
        )
    net = (sorted_rows["load"] - sorted_rows["generation"]).to_numpy().reshape(len(slots), len(order))
    return Meters.of(terms, slots, net)


def _check_readings(own: pl.DataFrame) -> None:
    rules = {
        f"an energy is not 0 … {MOST_GENERATION} Wh; look for a wrong unit": (
            ~pl.col("load").is_between(0, MOST_GENERATION) | ~pl.col("generation").is_between(0, MOST_GENERATION)
        ),
        "a slot does not start on a quarter of an hour": pl.col("slot").to_physical() % SLOT_MICROSECONDS != 0,
        "an account is read twice in one slot": pl.struct("account", "slot").is_duplicated(),
    }
    for sentence, broken in rules.items():
        if own.select(broken.any()).item():
            raise ChainError(f"readings: {sentence}\n{show_rows(own, broken)}")


def references_of(terms: ContractTerms, slots: Int64s, references: pl.DataFrame | pl.LazyFrame | None) -> Int64s:
    """Return the reference price of each slot (THB/MWh); zeros for a contract that needs none.

    Raises
    ------
    ArgumentTypeError, FrameError
        `references` does not fit `REFERENCES`.
    ChainError
        The contract needs reference prices and there are none, or a slot has none, or two.
    """
    if not terms.needs_reference:
        return np.zeros(len(slots), np.int64)
    if references is None:
        raise ChainError(
            f"contract {terms.name!r} pays the difference to a reference price; "
            "give reference=<frame of slot and price in THB/MWh>"
        )
    rules = {
        "a slot has two reference prices": pl.col("slot").is_duplicated(),
        f"a price is not within ±{MOST_PRICE} THB/MWh": ~pl.col("price").is_between(-MOST_PRICE, MOST_PRICE),
    }
    frame = REFERENCES.check(references, rules=rules)
    wanted = pl.DataFrame({"slot": pl.Series(slots).cast(SLOT)})
    found = wanted.join(frame.select("slot", "price"), on="slot", how="left", maintain_order="left")
    if found["price"].null_count():
        raise ChainError(
            f"reference prices: a slot of the contract has none\n{show_rows(found, pl.col('price').is_null())}"
        )
    return found["price"].to_numpy()


def energies(terms: ContractTerms, meters: Meters) -> Int64s:
    """Return the energy from each seller to each buyer (Wh), shape (n, sellers, buyers)."""
    trading = terms.trading
    if trading.volume == "fixed":
        offered = np.full((len(meters.slots), 1), trading.energy, np.int64)
    else:
        offered = _limited(meters.exports, trading.energy)
    if trading.volume == "matched":
        return np.minimum(offered, meters.imports)[:, :, None]
    total = offered.sum(axis=1)
    if trading.volume != "shared":
        shares = np.array(trading.shares or (PPB,), np.int64)
        return apportion(total, shares)[:, None, :]
    shares = np.array(trading.shares, np.int64) if trading.shares else shares_of(meters.imports)
    received = np.minimum(apportion(total, shares), meters.imports)
    return pairwise(apportion(received.sum(axis=1), offered), received)


def _limited(exports: Int64s, most: int) -> Int64s:
    """Hold each slot's exports within the contract's limit, in proportion."""
    if not most:
        return exports
    total = exports.sum(axis=1)
    return np.where((total > most)[:, None], apportion(np.minimum(total, most), exports), exports)


def payments(terms: ContractTerms, meters: Meters, reference: Int64s) -> pl.DataFrame:
    """Return every payment of the contract in these slots, as `EXECUTIONS`.

    Parameters
    ----------
    terms : ContractTerms
    meters : Meters
    reference : ndarray of int64, shape (n,)
        THB/MWh; zeros where the contract needs none.

    Returns
    -------
    polars.DataFrame
        One row per slot, code, seller and buyer, in this order; rows that pay nothing stand there too.

    Raises
    ------
    ChainError
        A slot lies outside the contract.
    """
    start, end = (require_microseconds(name, getattr(terms, name)) for name in ("start", "end"))
    if len(meters.slots) and not start <= meters.slots.min() <= meters.slots.max() < end:
        raise ChainError(f"contract {terms.name!r}: a slot lies outside {terms.start} … {terms.end}")
    energy = energies(terms, meters)
    prices = {"energy": terms.settlement.price - reference}
    if terms.grid.wheeling:
        prices["wheeling"] = np.full(len(meters.slots), terms.grid.wheeling, np.int64)
    parts = [_rows(terms, meters.slots, energy, code, price) for code, price in prices.items()]
    rows = pl.concat(parts).join(_referenced(meters.slots, reference), on="slot", how="left", maintain_order="left")
    return rows.sort("slot", maintain_order=True).select(column.name for column in EXECUTIONS.columns)


def _referenced(slots: Int64s, reference: Int64s) -> pl.DataFrame:
    return pl.DataFrame({"slot": pl.Series(slots).cast(SLOT), "reference": reference})


def _rows(terms: ContractTerms, slots: Int64s, energy: Int64s, code: str, price: Int64s) -> pl.DataFrame:
    shape = energy.shape
    seller = np.broadcast_to(np.array(terms.sellers, np.int64)[None, :, None], shape)
    buyer = np.broadcast_to(np.array(terms.buyers, np.int64)[None, None, :], shape)
    amount = energy * price[:, None, None]
    debit, credit = buyer, seller
    if code == "wheeling":
        debit = buyer if terms.grid.payer == "buyer" else seller
        credit = np.full(shape, terms.grid.operator)
    turned = amount < 0
    columns = {
        "slot": np.broadcast_to(slots[:, None, None], shape),
        "debit_account": np.where(turned, credit, debit),
        "credit_account": np.where(turned, debit, credit),
        "energy": energy,
        "amount": np.abs(amount),
    }
    frame = pl.DataFrame({name: np.ascontiguousarray(values).reshape(-1) for name, values in columns.items()})
    return frame.with_columns(
        pl.col("slot").cast(SLOT),
        pl.col("debit_account", "credit_account").cast(pl.UInt32),
        contract_id=pl.lit(terms.id),
        code=pl.lit(code, dtype=CODES),
    )

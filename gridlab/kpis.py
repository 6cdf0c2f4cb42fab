"""The key figures of a run, each with its unit, computed from the run's frames alone.

Savings are those of the accounts: their statements if nobody traded, less what they paid with the market. What they
save, utilities, state and market operator together forgo; the table shows all four, and the sum is zero; where the lab
reads the oracle, its providers' fees are the fifth. Only payments among them are counted: what the utilities save by
buying less energy wholesale is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.certificates import REC_ENERGY
from gridlab.market.protection import pivotal_suppliers
from gridlab.units import MICRO

__all__ = ["KPI_FRAME", "balances", "gini", "key_figures"]

KPI_FRAME = {"kpi": pl.String, "value": pl.Float64, "unit": pl.String}

_HHI_SCALE = 10_000
_NO_FEES = pl.DataFrame(schema={"account": pl.UInt32, "fees": pl.Int64})


def gini(values: np.ndarray) -> float:
    """Return the Gini coefficient of `values` >= 0: 0 when all are equal, towards 1 when one has it all.

    ``G = 2 sum_i(i x_i) / (n sum x) - (n + 1) / n`` over values sorted upward, i from 1 (Gini 1912); 0 where the sum
    is 0.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total = ordered.sum()
    if total <= 0:
        return 0.0
    rank = np.arange(1, ordered.size + 1)
    return float(2 * (rank * ordered).sum() / (ordered.size * total) - (ordered.size + 1) / ordered.size)


def _total(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())


def _concentration(trades: pl.DataFrame, party: str) -> float:
    """Return the Herfindahl-Hirschman index of `party` (seller or buyer) by energy, 0 to 10,000."""
    energy = (
        trades.drop_nulls(party).group_by(party).agg(pl.col("energy").sum())["energy"].sort()
    )  # a sum of floats depends on its order
    total = energy.sum()
    return float(((energy / total) ** 2).sum() * _HHI_SCALE) if total else 0.0


def balances(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return per account what it pays without and with the market.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        ``accounts``, ``trades``, ``statements``, ``without_market``, ``imbalance`` of a run, and ``fees`` of its chain
        where there is one.

    Returns
    -------
    polars.DataFrame
        ``account``, ``kind``, ``zone``, ``without``, ``with_market``, ``saving`` (micro-THB; positive is paid, a
        negative bill is income).
    """
    due = (pl.col("retail") + pl.col("retail_vat") + pl.col("carbon_tax") - pl.col("buy_back")).sum()
    trades = frames["trades"]
    paid = trades.drop_nulls("buyer").group_by(account="buyer").agg(paid=pl.col("gross").sum())
    kept = pl.col("amount") - pl.col("seller_wheeling") - pl.col("seller_losses") - pl.col("seller_vat")
    received = trades.drop_nulls("seller").group_by(account="seller").agg(received=kept.sum())
    return (
        frames["accounts"]
        .select("account", "kind", "zone")
        .join(frames["without_market"].group_by("account").agg(without=due), on="account", how="left")
        .join(frames["statements"].group_by("account").agg(rest=due), on="account", how="left")
        .join(paid, on="account", how="left")
        .join(received, on="account", how="left")
        .join(_imbalance_due(frames["imbalance"]), on="account", how="left")
        .join(frames.get("fees", _NO_FEES), on="account", how="left")
        .with_columns(pl.col("without", "rest", "paid", "received", "imbalance", "fees").fill_null(0))
        .select(
            "account",
            "kind",
            "zone",
            "without",
            with_market=pl.col("rest") + pl.col("paid") - pl.col("received") + pl.col("imbalance") + pl.col("fees"),
        )
        .with_columns(saving=pl.col("without") - pl.col("with_market"))
        .sort("account")
    )


def _imbalance_due(payments: pl.DataFrame) -> pl.DataFrame:
    """Return per account what it pays for imbalance less what it gets (``account``, ``imbalance``)."""
    out = payments.select(account="debit", imbalance="amount")
    into = payments.select(account="credit", imbalance=-pl.col("amount"))
    return pl.concat([out, into]).group_by("account").agg(pl.col("imbalance").sum())


def key_figures(
    frames: Mapping[str, pl.DataFrame],
    *,
    carbon_factor: float,
    clearing_seconds: float,
    best_welfare: int | None = None,
) -> pl.DataFrame:
    """Return the key figures of a run as a frame ``kpi``, ``value``, ``unit``.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        The run's frames.
    carbon_factor : float
        Emission factor of grid electricity, kgCO2e/kWh.
    clearing_seconds : float
        Wall-clock time that clearing took; the only figure that differs between two equal runs comes from it.
    best_welfare : int, optional
        The highest welfare there is (micro-THB); without it the share of it is left out.
    """
    money = balances(frames)
    rows = [
        *_energy_rows(frames["readings"]),
        *_trade_rows(frames, best_welfare),
        *_money_rows(frames, money),
        *_fairness_rows(frames["trades"], money),
        *_power_rows(frames["orders"]),
        *_grid_rows(frames, carbon_factor),
        *_certificate_rows(frames),
        *_chain_rows(frames),
        *_public_rows(frames),
        ("orders", frames["orders"].height, "orders"),
        ("trades", frames["trades"].height, "trades"),
        ("orders_per_second", frames["orders"].height / clearing_seconds if clearing_seconds > 0 else 0.0, "orders/s"),
    ]
    return pl.DataFrame(rows, schema=KPI_FRAME, orient="row")


_Rows = Iterator[tuple[str, Any, str]]


def _share(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 0.0


def _energy_rows(readings: pl.DataFrame) -> _Rows:
    load, generation, exported = (_total(readings, name) for name in ("load", "generation", "exported"))
    own_use = generation - exported
    traded = _total(readings, "bought")
    yield "energy_used", load / 1000, "kWh"
    yield "energy_generated", generation / 1000, "kWh"
    yield "self_consumption", _share(own_use, generation), "%"
    yield "self_sufficiency", _share(own_use, load), "%"
    yield "community_self_sufficiency", _share(own_use + traded, load), "%"


def _trade_rows(frames: Mapping[str, pl.DataFrame], best_welfare: int | None) -> _Rows:
    trades, prices, readings = frames["trades"], frames["prices"], frames["readings"]
    bought, sold = _total(readings, "bought"), _total(readings, "sold")
    near = trades.filter(pl.col("path").cast(pl.String).is_in(["same_transformer", "same_feeder"]))
    received = _total(trades.filter(pl.col("seller").is_not_null()), "amount")
    welfare = _total(prices, "welfare")
    yield "traded_energy", bought / 1000, "kWh"
    yield "traded_share_of_surplus", _share(sold, _total(readings, "exported")), "%"
    yield "average_price", received / MICRO * 1000 / sold if sold else 0.0, "THB/kWh"
    yield "average_landed_price", _total(trades, "gross") / MICRO * 1000 / bought if bought else 0.0, "THB/kWh"
    yield "local_share", _share(_total(near, "energy"), bought), "%"
    yield "market_welfare", welfare / MICRO, "THB"
    if best_welfare is not None:
        yield "welfare_share", 100.0 * welfare / best_welfare if best_welfare else 100.0, "%"
    yield "buyer_surplus", _total(prices, "buyer_surplus") / MICRO, "THB"
    yield "seller_surplus", _total(prices, "seller_surplus") / MICRO, "THB"


def _between(trades: pl.DataFrame) -> tuple[int, int]:
    """Return what the market operator, and what the grid, keeps of the energy's price (micro-THB)."""
    paid = pl.when(pl.col("buyer").is_not_null()).then("amount_buy").otherwise(0)
    received = pl.when(pl.col("seller").is_not_null()).then("amount").otherwise(0)
    crosses = pl.col("buyer").is_null() | pl.col("seller").is_null()
    kept = trades.select(crosses.alias("crosses"), kept=paid - received)
    return _total(kept.filter(~pl.col("crosses")), "kept"), _total(kept.filter("crosses"), "kept")


def _money_rows(frames: Mapping[str, pl.DataFrame], money: pl.DataFrame) -> _Rows:
    trades, now, before = frames["trades"], frames["statements"], frames["without_market"]
    without, with_market = _total(money, "without"), _total(money, "with_market")
    # What each of the four gains over a day without the market; the four add up to nothing.
    retail = _total(now, "retail") - _total(before, "retail")
    buy_back = _total(now, "buy_back") - _total(before, "buy_back")
    operator, rent = _between(trades)
    # The system operator and its reserve belong to EGAT, so that what is paid for imbalance stays with the utilities.
    imbalance = _total(frames["accounts"].join(_imbalance_due(frames["imbalance"]), on="account"), "imbalance")
    utilities = retail - buy_back + _total(trades, "wheeling") + _total(trades, "losses") + rent + imbalance
    tax = _total(now, "carbon_tax") - _total(before, "carbon_tax")
    state = _total(now, "retail_vat") - _total(before, "retail_vat") + _total(trades, "vat") + tax
    yield "bills_without_market", without / MICRO, "THB"
    yield "bills_with_market", with_market / MICRO, "THB"
    yield "savings", (without - with_market) / MICRO, "THB"
    yield "savings_share", _share(without - with_market, without), "%"
    yield "utilities_gain", utilities / MICRO, "THB"
    yield "state_gain", state / MICRO, "THB"
    fees = _total(frames.get("fees", _NO_FEES), "fees")
    scores = frames.get("oracle_scores")
    data = 0 if scores is None else _total(scores, "fees")
    yield "operator_gain", (_total(trades, "fee") + operator + fees - data) / MICRO, "THB"
    yield "oracle_fees", data / MICRO, "THB"
    yield "carbon_tax_paid", _total(now, "carbon_tax") / MICRO, "THB"
    yield "congestion_rent", rent / MICRO, "THB"
    yield "imbalance_paid", imbalance / MICRO, "THB"
    yield "wheeling_paid", _total(trades, "wheeling") / MICRO, "THB"


def _fairness_rows(trades: pl.DataFrame, money: pl.DataFrame) -> _Rows:
    sellers = money.filter(pl.col("account").is_in(trades["seller"].drop_nulls().unique().implode()))
    yield "sellers_share_of_savings", _share(_total(sellers, "saving"), _total(money, "saving")), "%"
    yield "gini_of_savings", gini(money["saving"].clip(lower_bound=0).to_numpy()), "0..1"
    yield "hhi_sellers", _concentration(trades, "seller"), "0..10000"
    yield "hhi_buyers", _concentration(trades, "buyer"), "0..10000"


def _grid_rows(frames: Mapping[str, pl.DataFrame], carbon_factor: float) -> _Rows:
    drawn = (
        frames["readings"]
        .group_by("slot")
        .agg(net=(pl.col("imported") - pl.col("exported")).sum())
        .select(peak=pl.col("net").max(), mean=pl.col("net").mean())
    )
    peak, mean = drawn.row(0)
    load = _total(frames["readings"], "load")
    solar_used = _total(frames["readings"], "generation") - _total(frames["readings"], "to_utility")
    yield "peak_of_net_load", (peak or 0) * 4 / 1000, "kW"
    yield "peak_ratio", peak / mean if mean and mean > 0 else 0.0, "peak/mean"
    yield "carbon_of_use", (load - solar_used) / 1000 * carbon_factor, "kgCO2e"
    yield "carbon_avoided", solar_used / 1000 * carbon_factor, "kgCO2e"


def _certificate_rows(frames: Mapping[str, pl.DataFrame]) -> _Rows:
    zones = frames["accounts"].select("account", "zone")
    generated = frames["readings"].join(zones, on="account").group_by("zone").agg(pl.col("generation").sum())
    hours = frames["readings"].group_by(pl.col("slot").dt.truncate("1h")).agg(pl.col("generation", "load").sum())
    matched = hours.select(pl.min_horizontal("generation", "load").sum()).item()
    yield "certificates_earned", (generated["generation"] // REC_ENERGY).sum(), "REC"
    yield "matching_24_7", _share(matched, _total(frames["readings"], "load")), "%"


def _power_rows(orders: pl.DataFrame) -> _Rows:
    books = pivotal_suppliers(orders)
    pivotal = books.filter(pl.col("pivotal") > 0).height
    index = books["residual_supply_index"].drop_nulls().sort()  # a mean of floats depends on its order
    yield "books_with_pivotal_seller", _share(pivotal, books.height), "%"
    yield "residual_supply_index", float(index.mean()) if index.len() else 0.0, "mean"  # type: ignore[arg-type]


def _chain_rows(frames: Mapping[str, pl.DataFrame]) -> _Rows:
    """Yield what agreeing on the blocks took; nothing where nobody had to agree."""
    rounds = frames.get("consensus")
    if rounds is None or rounds.is_empty():
        return
    finality = rounds["finality_ms"] / 1000
    yield "finality_median", finality.quantile(0.5, "linear"), "s"
    yield "finality_p99", finality.quantile(0.99, "linear"), "s"
    yield "consensus_messages", _total(rounds, "messages") / rounds.height, "messages/block"
    yield "view_changes", _total(rounds, "view_changes"), "changes"
    yield "chain_fees", _total(frames.get("fees", _NO_FEES), "fees") / MICRO, "THB"


def _public_rows(frames: Mapping[str, pl.DataFrame]) -> _Rows:
    """Yield what the public chain did beside the market; nothing where there was none."""
    blocks, anchors = frames.get("public_blocks"), frames.get("anchors")
    if blocks is None or blocks.is_empty():
        return
    yield "public_finality_p99", blocks["finality_ms"].quantile(0.99, "linear") / 1000, "s"  # type: ignore[operator]
    yield "public_transactions", _total(blocks, "transactions"), "transactions"
    yield "public_fees", (_total(blocks, "fees") + _total(blocks, "tips")) / MICRO, "GRID"
    yield "anchors", 0 if anchors is None else anchors.height, "anchors"

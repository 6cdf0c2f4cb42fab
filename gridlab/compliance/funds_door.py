"""The door to following money: what is asked for, checked, and the answer with names."""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.ledger import ASSETS
from gridlab.chain.state import ISSUER_ROLES
from gridlab.compliance.funds import DIRECTIONS, FundsTrace, follow
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["require_choice", "require_window", "trace_funds"]


def require_choice(name: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`, or raise ArgumentTypeError or ArgumentError."""
    if require_text(name, value) not in allowed:
        raise ArgumentError(f"{name} {value!r} is not known; {nearest(value, allowed)}")
    return str(value)


def require_window(since: object, until: object) -> tuple[int, int]:
    """Return the first and the last height to look at, or raise ArgumentTypeError or ArgumentError."""
    low = 0 if since is None else require_int("since", since, 0)
    high = 2**63 - 1 if until is None else require_int("until", until, 0)
    if low > high:
        raise ArgumentError(f"since is {low} and until is {high}, so no block is between them; allowed: since <= until")
    return low, high


def trace_funds(
    movements: pl.DataFrame,
    names: pl.DataFrame,
    *,
    account: int | None,
    transfer: tuple[int, int] | None,
    direction: str,
    asset: str,
    hops: int | None,
    since: int | None,
    until: int | None,
) -> FundsTrace:
    """Follow what an account paid or got, or one transfer; see `gridlab.compliance.Audit.trace_funds`."""
    require_choice("direction", direction, DIRECTIONS)
    require_choice("asset", asset, tuple(ASSETS.categories))
    window = require_window(since, until)
    if hops is not None:
        require_int("hops", hops, 1)
    stops = names.filter(pl.col("role") == ISSUER_ROLES.get(asset, ""))["account"].to_list()
    if (account is None) == (transfer is None):
        raise ArgumentTypeError("give exactly one of account= and transfer=, so that it is clear what to follow")
    if transfer is None:
        begin, start = _of_account(names, account)
        # Money that comes back is not followed again: what the account pays is in the trace from the first hop.
        stops = [*stops, account]
    else:
        begin, start = _of_transfer(movements, transfer, asset)
    moved = movements.filter(pl.col("asset") == asset)
    edges, ends = follow(moved, begin, direction=direction, stops=stops, hops=hops, window=window)
    total = int(edges.filter(hop=1)["amount"].sum())
    return FundsTrace(start, direction, asset, _named(edges, moved, names), _with_names(ends, names), total)


def _of_account(names: pl.DataFrame, account: object) -> tuple[pl.Expr, str]:
    number = require_int("account", account, 0, names.height - 1)
    return pl.col("account") == number, f"account {number} ({names['name'][number]})"


def _of_transfer(movements: pl.DataFrame, transfer: object, asset: str) -> tuple[pl.Expr, str]:
    if not isinstance(transfer, tuple) or len(transfer) != 2:
        raise ArgumentTypeError(
            f"transfer is {transfer!r}, allowed: (sender, transfer_id), as two columns of audit.movements name it; an "
            "id belongs to its sender"
        )
    sender, number = (
        require_int(name, each, 0) for name, each in zip(("sender", "transfer_id"), transfer, strict=True)
    )
    found = movements.filter((pl.col("sender") == sender) & (pl.col("transfer_id") == number))
    if found.is_empty():
        raise ArgumentError(
            f"transfer {transfer} moved nothing on this chain; audit.movements lists every transfer that did"
        )
    if found["asset"][0] != asset:
        raise ArgumentError(f"transfer {transfer} is in {found['asset'][0]}; give asset={found['asset'][0]!r}")
    return (pl.col("sender") == sender) & (pl.col("transfer_id") == number), f"transfer {number} of sender {sender}"


def _named(edges: pl.DataFrame, moved: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    facts = moved.drop("amount").rename({"debit_account": "source", "credit_account": "target"})
    placed = edges.join(facts, on="row", how="left", maintain_order="left")
    for end in ("source", "target"):
        own = names.select(pl.col("account").alias(end), pl.col("name").alias(f"{end}_name"))
        placed = placed.join(own, on=end, how="left", maintain_order="left")
    return placed.select(
        *("hop", "source", "target", "source_name", "target_name", "asset", "amount", "code"),
        *("height", "index", "sender", "transfer_id"),
    )


def _with_names(ends: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    return ends.join(names, on="account", how="left", maintain_order="left").select("account", "name", "amount")

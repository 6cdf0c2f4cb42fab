"""What a sharded ledger does, done by one plain `Ledger`: the slow, obvious reference.

A transit account has more of every asset than is ever on its way. A transfer between shards is pending towards it;
arriving is a payment out of it, and the receipt posts or voids what was pending.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.ledger import ASSETS, Ledger

PLENTY = 2**55
SYSTEM = 2**32 - 1
NAMES = ASSETS.categories.to_list()
ORDER = ["THB", *(name for name in NAMES if name != "THB")]  # a reserve before what it backs


class OneLedger:
    """The reference; `homes` names each account's shard, issuers' own included."""

    def __init__(self, homes, issuers, backing=None):
        self.homes, self.transit = homes, len(homes)
        everybody = {asset: [*issuers.get(asset, []), len(homes) + 1] for asset in NAMES}
        self.book = Ledger(len(homes) + 2, issuers=everybody, backing=backing)
        self.count = 0
        self.sent = {}  # payer, id -> the row that was accepted
        self.waiting = {}  # parcel -> [(row, number of the pending transfer)]
        self.sequences = {}
        self.answers = {}
        for asset in ORDER:
            row = {"debit_account": len(homes) + 1, "credit_account": self.transit, "asset": asset, "amount": PLENTY}
            assert self.write(row) == "ok"

    def write(self, row, **more):
        row = {"transfer_id": self.count, "code": "transfer", **row, **more}
        self.count += 1
        keep = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code", "phase", "pending_id")
        frame = pl.DataFrame([{name: row[name] for name in keep if name in row}])
        return self.book.apply_each(frame, SYSTEM).names[0]

    def close(self, parcel, accepted):
        for (row, number), good in zip(self.waiting.pop(parcel), accepted, strict=True):
            phase = {"phase": "post" if good else "void", "pending_id": number, "amount": 0}
            assert self.write(row, credit_account=self.transit, **phase) == "ok"

    def arrive(self, parcel):
        self.answers[parcel] = [self.write(row, debit_account=self.transit) for row, _ in self.waiting[parcel]]

    def block(self, rows):
        """Apply the transfers of a block; return their results."""
        leaving = {}
        results = [self.one(row, leaving) for row in rows]
        for parties, moves in leaving.items():
            sequence = self.sequences.get(parties, 0)
            self.sequences[parties] = sequence + 1
            self.waiting[*parties, sequence] = moves
        return results

    def one(self, row, leaving):
        payer, payee = row["debit_account"], row["credit_account"]
        for wrong, name in (
            (row["amount"] <= 0, "amount_not_positive"),
            (payer == payee, "same_accounts"),
            (max(payer, payee) >= len(self.homes), "unknown_account"),
        ):
            if wrong:
                return name
        earlier = self.sent.get((payer, row["transfer_id"]))
        if earlier is not None:
            different = (each for each in ("credit_account", "asset", "amount", "code") if earlier[each] != row[each])
            return next((f"exists_with_different_{each}" for each in different), "exists")
        plain = {name: value for name, value in row.items() if name != "transfer_id"}
        parties = self.homes[payer], self.homes[payee]
        if parties[0] == parties[1]:
            result = self.write(plain)
        else:
            number = self.count
            result = self.write(plain, credit_account=self.transit, phase="pending")
            if result == "ok":
                leaving.setdefault(parties, []).append((plain, number))
        if result == "ok":
            self.sent[payer, row["transfer_id"]] = row
        return result

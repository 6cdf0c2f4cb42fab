"""The ledger's promises, one row after another and with nothing clever: the slow, obvious reference."""

from __future__ import annotations

import copy

from gridlab.chain.ledger import RESULTS

LARGEST = 2**63 - 1
FIELDS = ("debit_account", "credit_account", "asset", "amount", "code", "phase", "pending_id", "timeout", "linked")


class RowByRow:
    """Balances in dicts, transfers in a dict by sender and id, and one event at a time.

    A row is a dict with `transfer_id` and the `FIELDS`.
    """

    def __init__(self, accounts, *, issuers=None, backing=None):
        self.accounts = accounts
        self.issuers = {(account, asset) for asset, members in (issuers or {}).items() for account in members}
        self.backing = backing or {}
        self.posted = {}
        self.limits = {}
        self.applied = {}  # (sender, id) -> row
        self.open = {}  # (sender, id) -> moment of expiry, None for never
        self.moved = {}  # (sender, id) -> amount

    def balance(self, account, asset):
        return self.posted.get((account, asset), 0)

    def _pending(self, side, account, asset):
        rows = (self.applied[key] for key in self.open)
        return sum(row["amount"] for row in rows if row[side] == account and row["asset"] == asset)

    def reserved(self, account, asset):
        return self._pending("debit_account", account, asset)

    def incoming(self, account, asset):
        return self._pending("credit_account", account, asset)

    def available(self, account, asset):
        return self.balance(account, asset) - self.reserved(account, asset)

    def circulation(self, asset):
        return -sum(self.balance(account, asset) for account, issued in self.issuers if issued == asset)

    def sense(self, row):
        """1 where the row issues its asset, -1 where it redeems it."""
        return ((row["debit_account"], row["asset"]) in self.issuers) - (
            (row["credit_account"], row["asset"]) in self.issuers
        )

    def worst(self, asset, sense):
        """What circulates if all that is pending in one sense, and nothing else, is done."""
        rows = [self.applied[key] for key in self.open]
        pending = sum(row["amount"] for row in rows if row["asset"] == asset and self.sense(row) == sense)
        return self.circulation(asset) + sense * pending

    def free(self, token):
        return self.worst(self.backing[token], -1) - self.worst(token, 1)

    def apply_each(self, rows, senders, now):
        results = [None] * len(rows)
        start = 0
        while start < len(rows):
            stop = start
            while stop < len(rows) - 1 and rows[stop]["linked"]:
                stop += 1
            results[start : stop + 1] = self._chain(rows[start : stop + 1], senders[start : stop + 1], now)
            start = stop + 1
        return results

    def _chain(self, rows, senders, now):
        before = copy.deepcopy(self.__dict__)
        results = []
        for place, (row, sender) in enumerate(zip(rows, senders, strict=True)):
            dangling = row["linked"] and place == len(rows) - 1
            results.append("linked_open" if dangling else self.one(row, sender, now))
            if results[-1] not in {"ok", "exists"}:
                self.__dict__ = before
                return ["linked_failed"] * place + results[-1:] + ["linked_failed"] * (len(rows) - place - 1)
        return results

    def apply(self, rows, sender, now):
        """All or nothing: return how many were new, or None."""
        before = copy.deepcopy(self.__dict__)
        results = self.apply_each(rows, [sender] * len(rows), now)
        if set(results) <= {"ok", "exists"}:
            return results.count("ok")
        self.__dict__ = before
        return None

    def one(self, row, sender, now):
        fault = self._own_fault(row)
        if fault:
            return fault
        key = sender, row["transfer_id"]
        if key in self.applied:
            for field in FIELDS:
                if self.applied[key][field] != row[field]:
                    return f"exists_with_different_{field}"
            return "exists"
        return {"single": self._single, "pending": self._reserve}.get(row["phase"], self._close)(row, key, now)

    def _own_fault(self, row):
        closing = row["phase"] in {"post", "void"}
        if row["amount"] < 0 or (row["amount"] == 0 and not closing):
            return "amount_negative" if closing else "amount_not_positive"
        if row["debit_account"] == row["credit_account"]:
            return "same_accounts"
        if max(row["debit_account"], row["credit_account"]) >= self.accounts:
            return "unknown_account"
        if row["pending_id"] and not closing:
            return "pending_id_unexpected"
        return "timeout_unexpected" if row["timeout"] and row["phase"] != "pending" else None

    def _claim(self, row):
        """Say which bound a new claim of the row's amount breaks."""
        pays, receives, asset, amount = (row["debit_account"], row["credit_account"], row["asset"], row["amount"])
        issues = (pays, asset) in self.issuers
        if self.available(pays, asset) - amount < (-LARGEST if issues else 0):
            return "exceeds_int64" if issues else "exceeds_balance"
        limit = self.limits.get((receives, asset), LARGEST)
        if self.balance(receives, asset) + self.incoming(receives, asset) + amount > limit:
            return "exceeds_limit" if limit < LARGEST else "exceeds_int64"
        if self.sense(row) == 1 and self.worst(asset, 1) + amount > LARGEST:
            return "exceeds_int64"
        if row["phase"] == "pending" and (
            self.reserved(pays, asset) + amount > LARGEST or self.incoming(receives, asset) + amount > LARGEST
        ):
            return "exceeds_int64"
        for token, reserve in self.backing.items():
            narrows = (asset == token and self.sense(row) == 1) or (asset == reserve and self.sense(row) == -1)
            if narrows and self.free(token) < amount:
                return "exceeds_backing"
        return None

    def _move(self, row, key, amount):
        for account, change in ((row["debit_account"], -amount), (row["credit_account"], amount)):
            self.posted[account, row["asset"]] = self.balance(account, row["asset"]) + change
        self.applied[key], self.moved[key] = row, amount
        return "ok"

    def _single(self, row, key, _now):
        return self._claim(row) or self._move(row, key, row["amount"])

    def _reserve(self, row, key, now):
        if row["timeout"] and now + row["timeout"] >= LARGEST:
            return "timeout_too_long"
        broken = self._claim(row)
        if not broken:
            self.open[key] = now + row["timeout"] if row["timeout"] else None
            self._move(row, key, 0)
        return broken or "ok"

    def _close(self, row, key, now):
        closed = key[0], row["pending_id"]
        wrong = self._cannot_close(row, closed, now)
        if not wrong:
            del self.open[closed]
            whole = self.applied[closed]["amount"]
            self._move(row, key, 0 if row["phase"] == "void" else row["amount"] or whole)
        return wrong or "ok"

    def _cannot_close(self, row, closed, now):
        if closed not in self.applied:
            return "pending_not_found"
        pending = self.applied[closed]
        if closed not in self.open:
            return "pending_closed" if pending["phase"] == "pending" else "pending_not_pending"
        if self.open[closed] is not None and self.open[closed] <= now:
            return "pending_expired"
        for field in ("asset", "debit_account", "credit_account"):
            if pending[field] != row[field]:
                return f"pending_has_different_{field}"
        if row["phase"] == "void" and row["amount"] not in {0, pending["amount"]}:
            return "void_amount_differs"
        return "exceeds_pending_amount" if row["amount"] > pending["amount"] else None

    def expire(self, now):
        due = [key for key, moment in self.open.items() if moment is not None and moment <= now]
        for key in due:
            del self.open[key]
        return len(due)


def codes(results):
    """Return the names of results as their codes."""
    return [RESULTS.categories.to_list().index(name) for name in results]

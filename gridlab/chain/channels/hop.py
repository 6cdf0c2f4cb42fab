"""A conditional payment over one hop: payer, a middleman with a channel to each, payee.

Each channel gets the same hash lock; the one towards the payee runs out earlier, by at least `delta`. The payee shows
the preimage to the middleman for his money, who shows it to the payer for hers. Where one of them does not answer, the
other closes the channel and shows the preimage to the chain (`ChannelBook.reveal`).

References
----------
Poon and Dryja, "The Bitcoin Lightning Network", draft 0.5.9.2, 2016, section 8 (hashed time lock contracts).
"""

from __future__ import annotations

from gridlab.chain.arguments import require_int
from gridlab.chain.channels.payment import PaymentChannel
from gridlab.chain.channels.signed import SignedState
from gridlab.chain.channels.states import ChannelState, Conditional, Pair, paid, require_side
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.swaps.hashlock import hash_of
from gridlab.errors import ChainError

__all__ = ["HopPayment", "cancel_lock", "fulfil_lock", "offer_lock"]


def offer_lock(channel: PaymentChannel, lock: Conditional) -> SignedState:
    """Let the lock's payer set its amount aside in a channel; raises ChainError where he holds too little."""
    latest = channel.latest.state
    paid(latest.balances, lock.payer, lock.amount)
    balances = _changed(latest.balances, lock.payer, -lock.amount)
    state = channel.following(balances, locks=(*latest.locks, lock))

    def agree(before: ChannelState, after: ChannelState, side: int) -> None:
        taken = before.gain(side) - after.gain(side)
        if taken > 0 or after.locks != (*before.locks, lock) or after.application != before.application:
            raise ChainError(f"lock: state {after.version} takes {taken} from side {side}, or changes more than a lock")

    return channel.update(state, proposer=lock.payer, agree=agree)


def fulfil_lock(channel: PaymentChannel, preimage: bytes) -> SignedState:
    """Let the payee show the preimage and get the amount; raises ChainError where no lock has its hash."""
    lock = _lock(channel.latest.state, hash_of(preimage))
    return _resolve(channel, lock, 1 - lock.payer)


def cancel_lock(channel: PaymentChannel, digest: bytes) -> SignedState:
    """Let the payee give a lock up, and the payer have its amount back, before it runs out."""
    lock = _lock(channel.latest.state, digest)
    return _resolve(channel, lock, lock.payer)


def _resolve(channel: PaymentChannel, lock: Conditional, winner: int) -> SignedState:
    latest = channel.latest.state
    kept = tuple(other for other in latest.locks if other != lock)
    state = channel.following(_changed(latest.balances, winner, lock.amount), locks=kept)

    def agree(before: ChannelState, after: ChannelState, side: int) -> None:
        # Whoever has seen the preimage, or is given his money back, loses nothing but what was set aside.
        changed = after.locks != kept or after.application != before.application
        if changed or after.gain(side) < before.gain(side) + (lock.amount if winner == side else 0):
            raise ChainError(f"lock: state {after.version} changes more than the lock that is resolved")

    return channel.update(state, proposer=1 - lock.payer, agree=agree)


def _lock(state: ChannelState, digest: bytes) -> Conditional:
    for lock in state.locks:
        if lock.hash == digest:
            return lock
    raise ChainError(f"no lock of state {state.version} has the hash {digest.hex()}; it has {len(state.locks)}")


def _changed(balances: Pair, side: int, change: int) -> Pair:
    return (balances[0] + change, balances[1]) if side == 0 else (balances[0], balances[1] + change)


class HopPayment:
    """One payment from the payer of `first` over the middleman to the payee of `second`.

    Parameters
    ----------
    first, second : PaymentChannel
        Payer to middleman, middleman to payee.
    amount, fee : int
        What the payee gets, and what the middleman keeps.
    digest : bytes
        Hash whose preimage the payee has.
    timeouts : tuple of (int, int)
        Of the lock in each channel, in its channel time.
    delta : int
        By how much the first must outlive the second, microseconds: more than the first channel's dispute window, since
        the middleman may have to close it.
    payers : tuple of (int, int)
        Which side pays in each channel.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A wrong type, or an amount out of bounds.
    ChainError
        The first lock does not outlive the second by `delta`.
    """

    def __init__(
        self,
        first: PaymentChannel,
        second: PaymentChannel,
        *,
        amount: int,
        fee: int,
        digest: bytes,
        timeouts: tuple[int, int],
        delta: int,
        payers: tuple[int, int] = (0, 0),
    ) -> None:
        require_int("amount", amount, 1, LARGEST)
        require_int("fee", fee, 0, LARGEST - amount)
        require_int("delta", delta, 1)
        for payer in payers:
            require_side(payer)
        if timeouts[0] - timeouts[1] < delta:
            raise ChainError(
                f"hop: the first lock outlives the second by {timeouts[0] - timeouts[1]} µs, allowed: {delta} or more, "
                "or the middleman pays and cannot collect"
            )
        self.first, self.second, self.hash = first, second, digest
        self.locks = (
            Conditional(payers[0], amount + fee, digest, timeouts[0]),
            Conditional(payers[1], amount, digest, timeouts[1]),
        )

    def lock(self) -> None:
        """Set the amounts aside, the payer's first; where the middleman cannot, the payer has hers back."""
        offer_lock(self.first, self.locks[0])
        try:
            offer_lock(self.second, self.locks[1])
        except ChainError:
            cancel_lock(self.first, self.hash)
            raise

    def fulfil(self, preimage: bytes) -> None:
        """Pay the payee, then the middleman."""
        fulfil_lock(self.second, preimage)
        fulfil_lock(self.first, preimage)

    def cancel(self) -> None:
        """Give it up: the payee first, so that the middleman never owes what nobody owes him."""
        cancel_lock(self.second, self.hash)
        cancel_lock(self.first, self.hash)

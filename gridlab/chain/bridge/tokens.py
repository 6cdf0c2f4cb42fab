"""Moving tokens: lock and mint on the way out, burn and release on the way back.

An asset has one home. There a transfer to the other chain locks it in the channel's vault, and the other chain mints as
much; on the way back it is burnt there and released here. What the vault may release on a channel is what was locked on
that channel, so even a counterpart whose validators all lie cannot take more than was entrusted to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.errors import ChainError, GridlabError, nearest

__all__ = ["Payment", "burnt_or_locked", "credited", "executed", "in_flight", "paid_back"]

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Payment:
    """What a chain moves between two of its accounts.

    Attributes
    ----------
    asset : str
    amount : int
    debit, credit : bytes
        Public keys; one of them is the channel's vault, which issues foreign assets.
    code : str
        "deposit" (out), "withdrawal" (in) or "refund".
    """

    asset: str
    amount: int
    debit: bytes
    credit: bytes
    code: str


def _home(channel: Channel, asset: str) -> int:
    """Return 1 where the asset is at home here, -1 where it is foreign; ChainError where it is not carried."""
    if asset in channel.native:
        return 1
    if asset in channel.foreign:
        return -1
    carried = [*channel.native, *channel.foreign]
    raise ChainError(f"bridge: channel {channel.name!r} does not carry {asset!r}; {nearest(asset, carried)}")


def _changed(channel: Channel, tokens: TokenMove, direction: int) -> Channel:
    """Return the channel with what it holds changed; `direction` is 1 on the way out and -1 on the way in."""
    change = _home(channel, tokens.asset) * direction * tokens.amount
    held = channel.held.get(tokens.asset, 0)
    if not 0 <= held + change <= _LARGEST:
        raise ChainError(
            f"bridge: channel {channel.name!r} holds {held} of {tokens.asset}, a change by {change} would leave 0 … "
            f"{_LARGEST}"
        )
    return channel.holding(tokens.asset, change)


def burnt_or_locked(channel: Channel, tokens: TokenMove) -> tuple[Channel, Payment]:
    """Return the channel after tokens went out, and the payment from the sender to the vault."""
    after = _changed(channel, tokens, 1)
    return after, Payment(tokens.asset, tokens.amount, tokens.sender, channel.vault, "deposit")


def credited(channel: Channel, tokens: TokenMove) -> tuple[Channel, Payment]:
    """Return the channel after tokens came in, and the payment from the vault to the recipient."""
    after = _changed(channel, tokens, -1)
    return after, Payment(tokens.asset, tokens.amount, channel.vault, tokens.recipient, "withdrawal")


def executed(
    channel: Channel, packet: Packet, refuses: Callable[[Payment], str | None]
) -> tuple[Channel, tuple[Payment, ...], str]:
    """Return the channel and the payment after a packet was executed; or the channel as it was, and why it is refused.

    Parameters
    ----------
    channel : Channel
    packet : Packet
        Proved to be of the other end, which may have sent nonsense.
    refuses : callable
        Says why the chain cannot make the payment, None where it can.
    """
    try:
        tokens = packet.tokens
        if tokens is None:
            return channel, (), ""
        after, payment = credited(channel, tokens)
    except GridlabError as problem:
        # The other end may have sent nonsense; a packet that could never be answered would block an ordered channel.
        return channel, (), str(problem)
    reason = refuses(payment)
    return (channel, (), reason) if reason else (after, (payment,), "")


def paid_back(channel: Channel, tokens: TokenMove) -> tuple[Channel, Payment]:
    """Return the channel after tokens came back without leaving, and the payment to their sender."""
    after = _changed(channel, tokens, -1)
    return after, Payment(tokens.asset, tokens.amount, channel.vault, tokens.sender, "refund")


def in_flight(sender: Channel, receiver: Channel, asset: str) -> int:
    """Return how much of `asset` one end has taken and the other not yet paid out, nor the first paid back.

    Parameters
    ----------
    sender, receiver : Channel
        The two ends, as each chain knows them now.
    asset : str
    """
    answered = receiver.answered
    total = 0
    for packet in sender.open_packets:
        tokens = packet.tokens
        place_and_code = answered.get(packet.sequence)
        if tokens is not None and tokens.asset == asset and (place_and_code is None or place_and_code[1]):
            total += tokens.amount
    return total

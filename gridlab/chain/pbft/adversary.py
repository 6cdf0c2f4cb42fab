"""An adversary in the network: it reads every message and decides who gets it.

Random loss hardly ever finds the moments that are dangerous: one replica has made a block final and nobody else knows.
This adversary looks for them. Like all of the network's faults it is seeded, and it may only hold messages back.
"""

from __future__ import annotations

from gridlab.chain.hashing import blake2b_256
from gridlab.chain.pbft.messages import Message

__all__ = ["Adversary"]


class Adversary:
    """Holds messages back by what they are.

    Parameters
    ----------
    seed : int
    share : float
        Share of the combinations of kind, view and height that it interferes with; half as many heights are traps.
    n : int
        Number of validators.
    """

    __slots__ = ("_known", "_n", "_seed", "_share")

    def __init__(self, seed: int, share: float, n: int) -> None:
        self._seed, self._share, self._n = seed, share, n
        self._known: dict[tuple[str, int, int], tuple[bool, bytes]] = {}

    def passes(self, sender: int, receiver: int, message: Message) -> bool:
        """Say whether a message gets through; the same message never does at a second try."""
        kind, view, height = message.kind, message.view, message.height
        if kind in {"commit", "block", "view_change"} and self._drawn("trap", 0, height, self._share / 2.0)[0]:
            return self._passes_trap(sender, receiver, message)
        interferes, digest = self._drawn(kind, view, height, self._share)
        if not interferes:
            return True
        if digest[4] % 2:
            # So many in 256 of the nodes hear it.
            return digest[6 + receiver % 26] >= digest[5]
        # The nodes are split into two parts.
        return (digest[6 + receiver % 26] ^ digest[6 + sender % 26]) & 1 == 0

    def _passes_trap(self, sender: int, receiver: int, message: Message) -> bool:
        """Let one node make the block final, and keep the others from hearing of it."""
        digest = self._drawn("lucky", message.view, message.height, 1.0)[1]
        if message.kind == "commit":
            return receiver == int.from_bytes(digest[:4], "little") % self._n
        if message.kind == "block":
            return False
        # A VIEW-CHANGE names its sender's newest final block, so this one knows.
        return digest[6 + sender % 26] & 3 == 0

    def _drawn(self, kind: str, view: int, height: int, share: float) -> tuple[bool, bytes]:
        name = (kind, view, height)
        known = self._known.get(name)
        if known is None:
            digest = blake2b_256(repr((self._seed, name)).encode())
            known = self._known[name] = (int.from_bytes(digest[:4], "little") < share * 2**32, digest)
        return known

"""What the observer can prove of liars: for each thing done twice, two signed statements.

A block's seal is its author's signed statement of kind "header" on the session and the slot, with the header's hash.
A vote on finality is one of kind "vote"; a prevote of round r stands at place 2 r and a precommit at 2 r + 1, so that
the two votes that every honest validator gives in a round never look like a contradiction. In the simulation votes are
signed when a liar is caught with two, because nobody else's need ever be shown.
"""

from __future__ import annotations

from gridlab.chain.keys import KeyPair
from gridlab.chain.public.blocks import PublicBlock
from gridlab.chain.public.equivocation import Equivocation
from gridlab.chain.public.handover import Keyring
from gridlab.chain.public.network import Network
from gridlab.chain.staking import EquivocationProof, Statement, sign_statement

__all__ = ["Witness", "vote_place"]


def vote_place(number: int, what: str) -> int:
    """Return the place of a "prevote" or "precommit" of a round in statements of kind "vote"."""
    return 2 * number + (what == "precommit")


class Witness:
    """Keeps what proofs are made of.

    Parameters
    ----------
    chain_id : str
    keyring : Keyring
        With which the simulation signs a caught liar's votes in its stead.

    Attributes
    ----------
    proofs : list of EquivocationProof
        In the order in which liars were caught.
    """

    __slots__ = ("_chain_id", "_hashes", "_keyring", "_seals", "_seen", "proofs")

    def __init__(self, chain_id: str, keyring: Keyring) -> None:
        self._chain_id, self._keyring = chain_id, keyring
        self._hashes: dict[int, bytes] = {}
        self._seals: dict[int, Statement] = {}
        self._seen: dict[tuple[int, str, int], None] = {}
        self.proofs: list[EquivocationProof] = []

    def note(self, number: int, block: PublicBlock, *, lies: bool) -> None:
        """Remember a block that was written; of a liar's its seal as well.

        Parameters
        ----------
        number : int
            In the tree.
        block : PublicBlock
        lies : bool
        """
        self._hashes[number] = block.hash
        if lies:
            header = block.header
            self._seals[number] = Statement("header", block.session, header.slot, header.hash, block.seal)

    def collect(self, network: Network, session: int) -> None:
        """Make proofs of what was caught since the last time.

        Parameters
        ----------
        network : Network
        session : int
            That lasts now, in which votes are signed.
        """
        for name in [name for name in network.evidence if name not in self._seen]:
            self._seen[name] = None
            proof = self._proof(network.evidence[name], session)
            if proof is not None:
                self.proofs.append(proof)

    def _proof(self, found: Equivocation, session: int) -> EquivocationProof | None:
        if found.what == "block":
            first, second = (self._seals.get(number) for number in (found.first, found.second))
        else:
            pair = self._keyring.find(found.key)
            first, second = (self._vote(pair, found, number, session) for number in (found.first, found.second))
        if first is None or second is None or first.session != second.session or first.digest == second.digest:
            # Two blocks that are the same to the byte, or one on a branch that nobody executes, prove nothing.
            return None
        return EquivocationProof(found.key, first, second)

    def _vote(self, pair: KeyPair | None, found: Equivocation, number: int, session: int) -> Statement | None:
        digest = self._hashes.get(number)
        if pair is None or digest is None:
            return None
        return sign_statement(pair, self._chain_id, "vote", session, vote_place(found.number, found.what), digest)

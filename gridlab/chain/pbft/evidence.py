"""Evidence of misbehaviour: two signed votes of one validator that no honest one would both have signed.

It needs no trust in whoever shows it: an outsider checks two signatures and sees that they contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridlab.chain.arguments import require_sequence, require_text
from gridlab.chain.keys import verify
from gridlab.chain.pbft.messages import Message, Signer
from gridlab.errors import ArgumentTypeError

__all__ = ["Evidence", "EvidenceBook", "verify_evidence"]

CONFLICTING_KINDS = ("pre_prepare", "prepare", "commit", "checkpoint")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two votes of one validator for the same kind, view and height, and for different things.

    Attributes
    ----------
    kind : str
        "pre_prepare", "prepare", "commit" or "checkpoint".
    validator : int
        Number of the validator.
    public_key : bytes
    view, height : int
        For a checkpoint the view is 0.
    first, second : Message
        The two signed votes.
    """

    kind: str
    validator: int
    public_key: bytes
    view: int
    height: int
    first: Message
    second: Message

    def __repr__(self) -> str:
        return f"Evidence(validator {self.validator} signed two {self.kind} at view {self.view}, height {self.height})"


def verify_evidence(evidence: Evidence, validators: Sequence[bytes], *, chain_id: str) -> bool:
    """Say whether a validator provably signed two votes that contradict each other.

    Parameters
    ----------
    evidence : Evidence
    validators : sequence of bytes
        Public keys of the validators of that height.
    chain_id : str
        Votes for another chain prove nothing on this one.

    Raises
    ------
    ArgumentTypeError
        An argument is of another type.
    """
    if not isinstance(evidence, Evidence):
        raise ArgumentTypeError(f"evidence is a {type(evidence).__name__}, allowed: an Evidence")
    require_sequence("validators", validators, bytes)
    checker = Signer(require_text("chain_id", chain_id), {evidence.validator: evidence.public_key})
    votes = (evidence.first, evidence.second)
    place = (evidence.kind, evidence.view, evidence.height)
    if evidence.kind not in CONFLICTING_KINDS or evidence.public_key not in validators:
        return False
    if any((vote.kind, vote.view, vote.height) != place for vote in votes) or votes[0].digest == votes[1].digest:
        return False
    return all(
        checker.bound(vote) and verify(evidence.public_key, checker.covered(vote), vote.signature) for vote in votes
    )


class EvidenceBook:
    """What one replica has found, each misdeed once.

    Parameters
    ----------
    signer : Signer
    found : dict
        Where it is kept, by kind, validator, view and height.
    """

    __slots__ = ("_found", "_signer")

    def __init__(self, signer: Signer, found: dict[tuple[str, int, int, int], Evidence]) -> None:
        self._signer, self._found = signer, found

    def compare(self, first: Message, second: Message) -> bool:
        """Keep two votes if they contradict each other and both signatures hold; say whether they do.

        The two are of one validator, kind, view and height.
        """
        name = (first.kind, first.signer, first.view, first.height)
        if first.digest == second.digest or name != (second.kind, second.signer, second.view, second.height):
            return False
        if not (self._signer.valid(first) and self._signer.valid(second)):
            return False
        key = self._signer.keys[first.signer]
        keep = first.body if first.kind == "commit" else None, second.body if second.kind == "commit" else None
        if name not in self._found:
            shown = [_shown(vote, body) for vote, body in zip((first, second), keep, strict=True)]
            self._found[name] = Evidence(first.kind, first.signer, key, first.view, first.height, *shown)
        return True


def _shown(vote: Message, body: bytes | None) -> Message:
    shown = vote.bare() if body is None else vote
    shown.verdict = True
    return shown

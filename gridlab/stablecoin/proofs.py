"""What a holder is given: a proof of his part, and the statement that the issuer has signed. Both are plain bytes."""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain import keys
from gridlab.chain.arguments import require_bytes, require_int, require_sequence, require_text
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, compact, i64, text, u64
from gridlab.chain.hashing import HASH_BYTES, hexadecimal, signing_message
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import ArgumentTypeError, GridlabError, StablecoinError
from gridlab.stablecoin.sums import SALT_BYTES, Node, holder_hash, join, leaf

__all__ = ["LiabilityProof", "LiabilityStatement", "check_holding"]

_PROOF_DOMAIN = "gridlab/liability-proof/1"
_STATEMENT_DOMAIN = "gridlab/liability-statement/1"
_SIGNATURE_BYTES = 64
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class LiabilityStatement:
    """An issuer's word: at this block of this chain I owe so much, and the tree with this root adds up to it.

    Attributes
    ----------
    chain_id : str
    height : int
    root : bytes
        32 bytes.
    total : int
        Micro-THB.
    holders : int
        How many leaves the tree has.
    signature : bytes
        The issuer's, 64 bytes.
    """

    chain_id: str
    height: int
    root: bytes
    total: int
    holders: int
    signature: bytes

    def __post_init__(self) -> None:
        require_text("chain_id", self.chain_id, longest=64)
        require_int("height", self.height, 0, 2**64 - 1)
        require_bytes("root", self.root, HASH_BYTES)
        require_int("total", self.total, 0, LARGEST)
        require_int("holders", self.holders, 0, 2**32)
        require_bytes("signature", self.signature, _SIGNATURE_BYTES)

    @classmethod
    def sign(  # noqa: PLR0917 - in the order in which it is written
        cls, issuer: keys.KeyPair, chain_id: str, height: int, root: bytes, total: int, holders: int
    ) -> LiabilityStatement:
        """Return the statement signed by `issuer`."""
        draft = cls(chain_id, height, root, total, holders, bytes(_SIGNATURE_BYTES))
        signature = keys.require_key_pair("issuer", issuer).sign(draft._message())
        return cls(chain_id, height, root, total, holders, signature)

    def _body(self) -> bytes:
        return u64(self.height) + self.root + i64(self.total) + u64(self.holders)

    def _message(self) -> bytes:
        return signing_message(_STATEMENT_DOMAIN, self.chain_id, self._body())

    def require_word_of(self, issuer: bytes, chain_id: str, height: int) -> None:
        """Raise StablecoinError unless it is signed by the public key `issuer`, for this block of this chain."""
        if (self.chain_id, self.height) != (chain_id, height):
            raise StablecoinError(
                f"liabilities: the statement is for block {self.height} of {self.chain_id!r}, not for block {height} "
                f"of {chain_id!r}"
            )
        if not keys.verify(require_bytes("issuer", issuer, PUBLIC_KEY_BYTES), self._message(), self.signature):
            raise StablecoinError(
                f"liabilities: the statement for block {self.height} of {self.chain_id!r} is not signed by "
                f"{issuer.hex()[:16]}…; get the issuer's own"
            )

    def require_circulation(self, chain: ConsortiumChain) -> None:
        """Raise StablecoinError unless the total is what circulates on `chain`, which must stand at that block."""
        if not isinstance(chain, ConsortiumChain):
            raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
        here = (chain.chain_id, chain.height)
        if here != (self.chain_id, self.height):
            raise StablecoinError(
                f"liabilities: the statement is for block {self.height} of {self.chain_id!r}, the chain given is "
                f"{here[0]!r} at block {here[1]}; replay it up to that block and compare then"
            )
        circulating = chain.ledger.circulation("WATT")
        if circulating != self.total:
            verb = "hides" if self.total < circulating else "invents"
            raise StablecoinError(
                f"liabilities: the statement adds up to {self.total} micro-THB, and {circulating} circulate; the "
                f"issuer {verb} {abs(circulating - self.total)}"
            )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return text(_STATEMENT_DOMAIN) + text(self.chain_id) + self._body() + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> LiabilityStatement:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "liability statement")
        _require_domain(reader, _STATEMENT_DOMAIN)
        chain_id, height, root = reader.text(), reader.u64(), reader.take(HASH_BYTES)
        total, holders, signature = reader.i64(), reader.u64(), reader.take(_SIGNATURE_BYTES)
        reader.finish()
        return cls(chain_id, height, root, total, holders, signature)


@dataclass(frozen=True, slots=True)
class LiabilityProof:
    """That a balance is part of a total.

    Attributes
    ----------
    salt : bytes
        The holder's, 32 bytes.
    balance : int
        Micro-THB.
    index, holders : int
        The leaf's place, and how many leaves there are.
    beside : tuple of Node
        The nodes beside the path, from the leaf up.
    """

    salt: bytes
    balance: int
    index: int
    holders: int
    beside: tuple[Node, ...]

    def __post_init__(self) -> None:
        require_bytes("salt", self.salt, SALT_BYTES)
        require_int("balance", self.balance, -(2**63), LARGEST)
        require_int("holders", self.holders, 1, 2**32)
        require_int("index", self.index, 0, self.holders - 1)
        require_sequence("beside", self.beside, Node)

    def top(self, public_key: bytes) -> Node:
        """Return the uppermost node that the proof leads to.

        Raises
        ------
        StablecoinError
            It has too few or too many nodes for its place, or a sum is negative or overflows.
        """
        node = leaf(holder_hash(self.salt, public_key), self.balance)
        left = list(self.beside)
        index, last = self.index, self.holders - 1
        while last:
            # The last node of a level stands alone where its index is even, and goes up as it is.
            if index % 2 or index < last:
                if not left:
                    raise StablecoinError(f"liabilities: the proof is cut short after {len(self.beside)} nodes")
                other = left.pop(0)
                node = join(other, node) if index % 2 else join(node, other)
            index, last = index >> 1, last >> 1
        if left:
            raise StablecoinError(f"liabilities: the proof has {len(left)} nodes too many for leaf {self.index}")
        return node

    def check(
        self,
        statement: LiabilityStatement,
        *,
        issuer: bytes,
        chain_id: str,
        height: int,
        public_key: bytes,
        balance: int,
    ) -> int:
        """Check the holder's part; return the balance.

        Parameters
        ----------
        statement : LiabilityStatement
        issuer : bytes
            The issuer's public key, as the chain's members list says.
        chain_id : str
        height : int
            The block at which the holder knows his balance.
        public_key : bytes
            The holder's.
        balance : int
            What the holder knows to be his at that block, micro-THB.

        Raises
        ------
        StablecoinError
            The statement is not the issuer's, the balance is another one, or the proof does not lead to the root.
        """
        if not isinstance(statement, LiabilityStatement):
            raise ArgumentTypeError(f"statement is a {type(statement).__name__}, allowed: LiabilityStatement")
        require_bytes("public_key", public_key, PUBLIC_KEY_BYTES)
        require_int("balance", balance)
        statement.require_word_of(issuer, chain_id, height)
        if self.balance != balance:
            raise StablecoinError(f"liabilities: the proof is for {self.balance} micro-THB, yours are {balance}")
        if self.holders != statement.holders:
            raise StablecoinError(
                f"liabilities: the proof is from a tree of {self.holders} holders, the statement of {statement.holders}"
            )
        found = self.top(public_key)
        if found != (statement.root, statement.total):
            raise StablecoinError(
                f"liabilities: the proof leads to {hexadecimal(found.hash)} with {found.sum} micro-THB, the statement "
                f"says {hexadecimal(statement.root)} with {statement.total}; it is another holder's or another tree's"
            )
        return self.balance

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        place = self.salt + i64(self.balance) + u64(self.index) + u64(self.holders)
        nodes = b"".join(node.to_bytes() for node in self.beside)
        return text(_PROOF_DOMAIN) + place + compact(len(self.beside)) + nodes

    @classmethod
    def from_bytes(cls, data: bytes) -> LiabilityProof:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "liability proof")
        _require_domain(reader, _PROOF_DOMAIN)
        salt, balance, index, holders = reader.take(SALT_BYTES), reader.i64(), reader.u64(), reader.u64()
        count = reader.compact()
        if count > _DEEPEST:
            raise reader.error(f"{count} nodes, allowed: at most {_DEEPEST}")
        beside = tuple(Node(reader.take(HASH_BYTES), reader.i64()) for _ in range(count))
        reader.finish()
        return cls(salt, balance, index, holders, beside)


def _require_domain(reader: Reader, domain: str) -> None:
    if (found := reader.text()) != domain:
        raise reader.error(f"begins with {found!r}, allowed: {domain!r}")


def check_holding(
    proof: bytes, statement: bytes, *, issuer: bytes, chain_id: str, height: int, public_key: bytes, balance: int
) -> int:
    """Check a holder's part from bytes alone.

    Parameters
    ----------
    proof, statement : bytes
        As `LiabilityProof.to_bytes` and `LiabilityStatement.to_bytes` wrote them.
    issuer, public_key : bytes
        The issuer's and the holder's public keys, 32 bytes each.
    chain_id : str
    height : int
        The block at which the holder knows his balance.
    balance : int
        What it was, micro-THB.

    Returns
    -------
    int
        The balance.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument of the call is of a wrong type or length.
    StablecoinError
        It does not hold; the error says why.
    """
    require_bytes("proof", proof)
    require_bytes("statement", statement)
    try:
        own, word = LiabilityProof.from_bytes(proof), LiabilityStatement.from_bytes(statement)
    except GridlabError as problem:
        raise StablecoinError(f"liabilities: the bytes do not read ({problem})") from problem
    known = {"issuer": issuer, "public_key": public_key}
    return own.check(word, **known, chain_id=chain_id, height=height, balance=balance)

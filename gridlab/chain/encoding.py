"""The one canonical byte encoding of everything that is hashed or signed.

Modelled on SCALE, Substrate's encoding: integers little-endian, lengths as compact integers, text in UTF-8 with its
length in front. One value has exactly one encoding: the reader refuses a compact integer that is longer than it need
be, text that is not UTF-8, and bytes that are missing or left over, so two different byte strings never mean the same
and a signature covers one meaning only.

References
----------
Parity Technologies, "SCALE codec", Polkadot documentation, 2023 (compact and general integers).
"""

from __future__ import annotations

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.errors import ChainError

__all__ = ["Reader", "blob", "compact", "i64", "text", "u8", "u32", "u64"]

_COMPACT_MAX = 2**536 - 1


def u8(value: int) -> bytes:
    """Encode an integer of 0 … 255 as one byte."""
    return require_int("u8", value, 0, 2**8 - 1).to_bytes(1, "little")


def u32(value: int) -> bytes:
    """Encode an integer of 0 … 2^32 - 1 as four bytes, little-endian."""
    return require_int("u32", value, 0, 2**32 - 1).to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Encode an integer of 0 … 2^64 - 1 as eight bytes, little-endian."""
    return require_int("u64", value, 0, 2**64 - 1).to_bytes(8, "little")


def i64(value: int) -> bytes:
    """Encode an integer of -2^63 … 2^63 - 1 as eight bytes, little-endian two's complement."""
    return require_int("i64", value, -(2**63), 2**63 - 1).to_bytes(8, "little", signed=True)


def compact(value: int) -> bytes:
    """Encode an integer of 0 … 2^536 - 1 in as few bytes as SCALE's compact form allows.

    The low two bits of the first byte tell the form: 0, 1 and 2 hold the value in 1, 2 and 4 bytes, shifted left by
    two; 3 is followed by ``(first byte >> 2) + 4`` bytes that hold the value.
    """
    require_int("compact", value, 0, _COMPACT_MAX)
    for mode, size in ((0, 1), (1, 2), (2, 4)):
        if value < 1 << (8 * size - 2):
            return (value << 2 | mode).to_bytes(size, "little")
    size = max(4, (value.bit_length() + 7) // 8)
    return bytes([(size - 4) << 2 | 3]) + value.to_bytes(size, "little")


def blob(value: bytes) -> bytes:
    """Encode bytes with their length in front."""
    return compact(len(require_bytes("blob", value))) + value


def text(value: str) -> bytes:
    """Encode text as UTF-8 with its length in bytes in front."""
    return blob(require_text("text", value).encode())


class Reader:
    """Reads what the functions of this module wrote, and refuses everything else.

    Parameters
    ----------
    data : bytes
    what : str
        What is being read, for the error messages.

    Raises
    ------
    ArgumentTypeError
        `data` is not ``bytes``.
    """

    __slots__ = ("_data", "_position", "_what")

    def __init__(self, data: bytes, what: str = "message") -> None:
        self._data = require_bytes(what, data)
        self._position = 0
        self._what = what

    def __repr__(self) -> str:
        return f"Reader({self._what}, byte {self._position} of {len(self._data)})"

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self._position

    def error(self, sentence: str) -> ChainError:
        """Make the error that says where in the bytes the reader stands."""
        return ChainError(f"{self._what}: {sentence} (byte {self._position} of {len(self._data)})")

    def take(self, size: int) -> bytes:
        """Read `size` raw bytes, or raise ChainError if fewer are left."""
        left = len(self._data) - self._position
        if size > left:
            raise self.error(f"cut short, {size} more bytes expected and {left} left; fetch the whole of it again")
        start = self._position
        self._position += size
        return self._data[start : self._position]

    def u8(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def u32(self) -> int:
        """Read four bytes, little-endian."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """Read eight bytes, little-endian."""
        return int.from_bytes(self.take(8), "little")

    def i64(self) -> int:
        """Read eight bytes, little-endian two's complement."""
        return int.from_bytes(self.take(8), "little", signed=True)

    def compact(self) -> int:
        """Read a compact integer; one that a shorter form could hold is refused."""
        first = self.u8()
        mode = first & 3
        if mode == 3:
            value = int.from_bytes(self.take((first >> 2) + 4), "little")
        else:
            rest = self.take((1, 2, 4)[mode] - 1)
            value = int.from_bytes(bytes([first]) + rest, "little") >> 2
        size = ((first >> 2) + 5) if mode == 3 else (1, 2, 4)[mode]
        if len(compact(value)) != size:
            raise self.error(f"the length or number {value} is written in {size} bytes, which is not its shortest form")
        return value

    def blob(self) -> bytes:
        """Read bytes with their length in front."""
        return self.take(self.compact())

    def text(self) -> str:
        """Read UTF-8 text with its length in front."""
        raw = self.blob()
        try:
            return raw.decode()
        except UnicodeDecodeError as problem:
            raise self.error(f"text that is not UTF-8 ({problem.reason})") from problem

    def finish(self) -> None:
        """Raise ChainError unless every byte has been read."""
        left = len(self._data) - self._position
        if left:
            raise self.error(f"{left} bytes are left over after its end; nothing may follow it")

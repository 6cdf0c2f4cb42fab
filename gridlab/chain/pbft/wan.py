"""The wide-area network between the validators: how long a message takes from one Thai city to another.

Traffic between Thai provinces meets in Bangkok, so a message climbs one leg to the exchange point there and descends
another. Each leg is a lever. On top of the two legs come the queues on the way, and, where the message was lost, the
time until it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.levers import Levers, number

__all__ = ["CITIES", "WideAreaNetwork", "default_placement", "require_delays"]

_LEG_SOURCE = "computed in the dataset wan_legs_synthetic (S): 0.56 ms + 2.1 x distance / speed of light in fibre"
_OPERATOR = "the validator's network operator"


def _leg(default: float, city: str, city_th: str) -> Any:
    return number(
        default,
        0.0,
        500.0,
        0.01,
        unit="ms",
        label=f"{city}: one way to the exchange point in Bangkok",
        label_th=f"{city_th.strip()}: เวลาหน่วงเที่ยวเดียวถึงจุดแลกเปลี่ยนอินเทอร์เน็ตในกรุงเทพฯ",
        source=_LEG_SOURCE,
        governed_by=_OPERATOR,
    )


# Name in the tables of validators and cities -> name of the lever.
CITIES = {
    city: city.lower().replace(" ", "_")
    for city in (
        "Bangkok", "Nonthaburi", "Chiang Mai", "Phitsanulok", "Lop Buri", "Udon Thani", "Ubon Ratchathani",
        "Nakhon Ratchasima", "Ayutthaya", "Chon Buri", "Nakhon Pathom", "Phetchaburi", "Nakhon Si Thammarat", "Yala",
    )
}  # fmt: skip


class WideAreaNetwork(Levers):
    r"""Delays of messages between validators in Thai cities.

    A message from city :math:`a` to city :math:`b` takes

    .. math:: D = l_a + l_b + Q + \sum_{r=0}^{R-1} 2^r \, t

    with the legs :math:`l` to the exchange point, the queueing delay :math:`Q \sim \mathrm{Gamma}(k, \bar q / k)` of
    mean :math:`\bar q` and shape :math:`k`, the number of losses :math:`R` (each sending is lost with probability
    :math:`p`, on its own) and the first retransmission timeout :math:`t`, which doubles. All validators, those of one
    city too, meet at the exchange point: they need not share an operator.

    Notes
    -----
    A constant delay plus a gamma is the usual fit to measured packet delays [1]_; with shape 1, the default, the queue
    is exponential, which measurements of wide-area paths accepted [2]_. The timeout doubles as in TCP [3]_. Messages
    are independent: congestion that lasts is not in the model, nor is the time to transmit a large block.

    References
    ----------
    .. [1] Mukherjee, A. (1994). "On the dynamics and significance of low frequency components of Internet load."
       Internetworking: Research and Experience 5, 163-205.
    .. [2] Sukhov, A. M., Kuznetsova, N. Yu., Pervitsky, A. K., and Galtsev, A. A. (2010). "Generating function for
       network delay." arXiv:1003.0190.
    .. [3] Paxson, V., Allman, M., Chu, J., and Sargent, M. (2011). "Computing TCP's retransmission timer." RFC 6298.

    Examples
    --------
    >>> network = WideAreaNetwork()
    >>> network.delays_ms(["Bangkok", "Yala"]).tolist()
    [[0.0, 9.42], [9.42, 0.0]]
    """

    bangkok = _leg(0.56, "Bangkok", "กรุงเทพฯ ")
    nonthaburi = _leg(0.68, "Nonthaburi", "นนทบุรี")
    chiang_mai = _leg(6.55, "Chiang Mai", "เชียงใหม่")
    phitsanulok = _leg(4.07, "Phitsanulok", "พิษณุโลก")
    lop_buri = _leg(1.76, "Lop Buri", "ลพบุรี")
    udon_thani = _leg(5.44, "Udon Thani", "อุดรธานี")
    ubon_ratchathani = _leg(5.66, "Ubon Ratchathani", "อุบลราชธานี")
    nakhon_ratchasima = _leg(2.81, "Nakhon Ratchasima", "นครราชสีมา")
    ayutthaya = _leg(1.25, "Ayutthaya", "พระนครศรีอยุธยา")
    chon_buri = _leg(1.26, "Chon Buri", "ชลบุรี")
    nakhon_pathom = _leg(1.05, "Nakhon Pathom", "นครปฐม")
    phetchaburi = _leg(1.53, "Phetchaburi", "เพชรบุรี")
    nakhon_si_thammarat = _leg(6.68, "Nakhon Si Thammarat", "นครศรีธรรมราช")
    yala = _leg(8.86, "Yala", "ยะลา")
    jitter = number(
        7.24,
        0.0,
        1000.0,
        0.01,
        unit="ms",
        label="Mean queueing delay of a message",
        label_th="เวลารอคิวเฉลี่ยของข้อความ",
        source="50 ms / ln 1000, the exponential queue that just meets the variation objective of ITU-T Y.1541 (2011), "
        "class 0: 50 ms at the 99.9 % quantile (G; S as a figure for Thailand)",
        governed_by=_OPERATOR,
    )
    jitter_shape = number(
        1.0,
        0.1,
        20.0,
        0.1,
        unit="shape",
        label="Shape of the gamma distribution of queueing (1: exponential, less: rarer and longer queues)",
        label_th="พารามิเตอร์รูปร่างของการแจกแจงแกมมาของเวลารอคิว (1 คือแบบเลขชี้กำลัง)",
        source="exponential as in Sukhov et al. 2010, arXiv 1003.0190 (V); the shape for Thailand is not known (S)",
        governed_by=_OPERATOR,
    )
    loss = number(
        0.1,
        0.0,
        50.0,
        0.01,
        unit="%",
        label="Share of messages lost on the way",
        label_th="สัดส่วนข้อความที่สูญหายระหว่างทาง",
        source="loss objective of ITU-T Y.1541 (2011), class 0: 0.001 (G; S as a figure for Thailand)",
        governed_by=_OPERATOR,
    )
    retransmission = number(
        200.0,
        1.0,
        10_000.0,
        1.0,
        unit="ms",
        label="First retransmission timeout",
        label_th="เวลารอก่อนส่งข้อความซ้ำครั้งแรก",
        source="TCP_RTO_MIN of the Linux kernel, 200 ms (V); RFC 6298 (2011) asks for 1,000 ms at least",
        governed_by=_OPERATOR,
    )

    def delays_ms(self, placement: Sequence[str] | None = None) -> npt.NDArray[np.float64]:
        """Return the least one-way delays between validators.

        Parameters
        ----------
        placement : sequence of str, optional
            City of each validator, keys of `CITIES`; by default the 21 of `default_placement`.

        Returns
        -------
        numpy.ndarray
            Shape (n, n), ms: row sends, column receives; 0 on the diagonal.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `placement` is not a sequence of known cities, or is empty.
        """
        legs = np.array([getattr(self, CITIES[city]) for city in _require_placement(placement)])
        # Levers have two decimals; so has a sum of two.
        delays: npt.NDArray[np.float64] = np.round(legs[:, None] + legs[None, :], 2)
        np.fill_diagonal(delays, 0.0)
        return delays

    def sample(
        self, delays_ms: npt.NDArray[np.float64], count: int, rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Draw the delays of `count` independent messages on every link.

        Parameters
        ----------
        delays_ms : numpy.ndarray
            Least delay per link in ms, any shape.
        count : int
            0 or more.
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray
            Shape (count, *delays_ms.shape), float32, ms. Links whose least delay is 0 are drawn like all others.
        """
        if not isinstance(rng, np.random.Generator):
            raise ArgumentTypeError(f"rng is a {type(rng).__name__}, allowed: numpy.random.Generator")
        shape = (require_int("count", count, 0), *np.shape(delays_ms))
        drawn = rng.standard_gamma(self.jitter_shape, shape, dtype=np.float32)
        drawn *= np.float32(self.jitter / self.jitter_shape)
        drawn += np.asarray(delays_ms, dtype=np.float32)
        self._add_retransmissions(drawn, rng)
        return drawn

    def _add_retransmissions(self, drawn: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
        """Add to each message what its losses cost.

        How many messages are lost at all is binomial and which ones is a choice without replacement: the same
        distribution as one draw per message, at the price of one per loss.
        """
        share = self.loss / 100.0
        lost = int(rng.binomial(drawn.size, share))
        places = rng.choice(drawn.size, lost, replace=False, shuffle=False)
        times = rng.geometric(1.0 - share, lost)
        drawn.reshape(-1)[places] += ((2.0**times - 1.0) * self.retransmission).astype(np.float32)


def default_placement() -> tuple[str, ...]:
    """Return the cities of the 21 validators, as in the dataset ``validators_synthetic``."""
    return tuple(dataset("validators_synthetic")["city"])


def _require_placement(placement: Sequence[str] | None) -> Sequence[str]:
    if placement is None:
        return default_placement()
    for place, city in enumerate(require_sequence("placement", placement, str)):
        if city not in CITIES:
            raise ArgumentError(
                f"placement[{place}] is {city!r}; {nearest(city, CITIES)}; allowed: {', '.join(CITIES)}"
            )
    if not placement:
        raise ArgumentError("placement is empty, allowed: the city of at least one validator")
    return placement


def require_delays(name: str, value: object) -> npt.NDArray[np.float64]:
    """Return `value` as an n x n matrix of least one-way delays.

    Parameters
    ----------
    name : str
        What the error calls it.
    value : array_like
        Shape (n, n), n >= 1, ms, finite and not negative, 0 on the diagonal; row sends, column receives.

    Raises
    ------
    ArgumentTypeError
        It is no array of numbers.
    ArgumentError
        It is not square, or holds a value that is not allowed.
    """
    try:
        given = np.asarray(value)
    except ValueError as problem:
        raise ArgumentTypeError(f"{name} is no array ({problem}), allowed: an n x n matrix, ms") from problem
    if given.dtype.kind not in "iuf":
        raise ArgumentTypeError(f"{name} holds {given.dtype} values, allowed: an n x n matrix of numbers, ms")
    delays = given.astype(np.float64)
    if delays.ndim != 2 or delays.shape[0] != delays.shape[1] or not delays.size:
        raise ArgumentError(f"{name} has the shape {delays.shape}, allowed: (n, n) with n at least 1")
    wrong = ~(np.isfinite(delays) & (delays >= 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ArgumentError(f"{name}[{row}, {column}] is {delays[row, column]}, allowed: finite ms, 0 or more")
    if delays.diagonal().any():
        raise ArgumentError(
            f"{name} has {delays.diagonal().max()} on its diagonal, allowed: 0 from a validator to itself"
        )
    return delays

r"""The phases of PBFT for many blocks at once: when votes arrive, and when a quorum of them is in.

No message is simulated. Let :math:`d_{ij}` be the delay of a vote from :math:`i` to :math:`j`, with
:math:`d_{jj} = 0`: a replica counts its own vote when it casts it. Let :math:`S_{(k)}` be the k-th smallest of a set.
With the primary :math:`p` and the quorum :math:`q` of [1]_ (the pre-prepare counting as the primary's prepare):

.. math::

    A_j &= \text{arrival of the pre-prepare at } j, \quad A_p = \text{the moment it is sent} \\
    P_j &= \max\bigl(A_j, \{A_i + d_{ij} : i \ne p\}_{(q-1)}\bigr) \\
    C_j &= \max\bigl(P_j, \{P_i + d'_{ij}\}_{(q)}\bigr) \\
    F &= \{C_j\}_{(q)}

:math:`P` is the moment of being prepared, :math:`C` of being committed, and the block is final at :math:`F`, when a
quorum has committed it. Crashed replicas are left out of every set.

A view change lets replica :math:`j`, whose timer runs out at :math:`E_j`, send VIEW-CHANGE at

.. math:: V_j = \min\bigl(E_j, \{V_i + d_{ij} : i \ne j\}_{(f+1)}\bigr), \quad
          G_j = \max\bigl(V_j, \{V_i + d_{ij}\}_{(q)}\bigr)

since :math:`f + 1` of them make a replica join before its own timer runs out. :math:`G_j` is the moment at which
:math:`j` has a quorum of them.

References
----------
.. [1] Castro, M., and Liskov, B. (1999). "Practical Byzantine fault tolerance." OSDI '99, sections 4.2 to 4.5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Times", "agree", "elect", "hear_self", "kth_arrival"]

Times = npt.NDArray[np.float32]


def hear_self(delays: Times) -> Times:
    """Set the delay of every replica to itself to 0 in place, shape (blocks, n, n), and return the array."""
    np.einsum("bii->bi", delays)[...] = 0.0
    return delays


def kth_arrival(sent: Times, delays: Times, k: int) -> Times:
    """Return when each receiver has `k` messages.

    Parameters
    ----------
    sent : numpy.ndarray
        Shape (blocks, senders), ms; infinite for a sender that sends nothing.
    delays : numpy.ndarray
        Shape (blocks, receivers, senders), ms. Overwritten.
    k : int
        1 or more, at most the number of senders.

    Returns
    -------
    numpy.ndarray
        Shape (blocks, receivers), ms.
    """
    delays += sent[:, None, :]
    delays.partition(k - 1, axis=-1)
    # A copy: a view would keep the whole array alive.
    return delays[..., k - 1].copy()


def agree(arrival: Times, primary: npt.NDArray[np.intp], prepare: Times, commit: Times, quorum: int) -> Times:
    """Return when each replica has committed the block.

    Parameters
    ----------
    arrival : numpy.ndarray
        Shape (blocks, n), ms: when the pre-prepare is there; at the primary, when it is sent.
    primary : numpy.ndarray
        Shape (blocks,): column of the primary, which sends no prepare.
    prepare, commit : numpy.ndarray
        Shape (blocks, n, n), ms: delays of the votes, receiver before sender, 0 on the diagonal. Overwritten.
    quorum : int
        1 to n.

    Returns
    -------
    numpy.ndarray
        Shape (blocks, n), ms.
    """
    prepared = arrival
    if quorum > 1:
        votes = arrival.copy()
        votes[np.arange(len(votes)), primary] = np.inf
        prepared = np.maximum(arrival, kth_arrival(votes, prepare, quorum - 1))
    return np.maximum(prepared, kth_arrival(prepared, commit, quorum))


def elect(expiry: Times, delays: Times, quorum: int, join: int) -> tuple[Times, Times]:
    """Return when each replica sends its VIEW-CHANGE for one view, and when it has a quorum of them.

    Parameters
    ----------
    expiry : numpy.ndarray
        Shape (blocks, n), ms: when each replica's own timer runs out.
    delays : numpy.ndarray
        Shape (blocks, n, n), ms: receiver before sender, 0 on the diagonal. Overwritten.
    quorum : int
        1 to n.
    join : int
        How many VIEW-CHANGEs of others make a replica send its own, f + 1.

    Returns
    -------
    sent, gathered : numpy.ndarray
        Shape (blocks, n), ms.
    """
    sent = expiry
    if join < expiry.shape[1]:
        others = delays.copy()
        np.einsum("bii->bi", others)[...] = np.inf
        # Delays are positive, so a message sent at t changes nothing before t: the repetition ends, and at the one
        # schedule in which every replica acts at its first reason.
        while True:
            sooner = np.minimum(expiry, kth_arrival(sent, others.copy(), join))
            if np.array_equal(sooner, sent):
                break
            sent = sooner
    return sent, np.maximum(sent, kth_arrival(sent, delays, quorum))

"""Nominated proof of stake: electing validators so that every group of stakes is represented, to the unit."""

from gridlab.chain.npos.election import Election
from gridlab.chain.npos.phragmen import seq_phragmen
from gridlab.chain.npos.phragmms import phragmms
from gridlab.chain.npos.representation import Representation, pjr_check
from gridlab.chain.npos.score import Score

__all__ = ["Election", "Representation", "Score", "phragmms", "pjr_check", "seq_phragmen"]

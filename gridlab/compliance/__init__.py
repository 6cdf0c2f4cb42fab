"""Compliance: audits, tracing of money and energy, and proofs that an outsider checks alone."""

from gridlab.compliance.audit import Audit
from gridlab.compliance.energy import EnergyTrace
from gridlab.compliance.funds import FundsTrace
from gridlab.compliance.history_log import verify_extension
from gridlab.compliance.proving import Proof, prove_trade, prove_transaction
from gridlab.compliance.verdict import Verdict
from gridlab.compliance.verifying import verify

__all__ = [
    "Audit",
    "EnergyTrace",
    "FundsTrace",
    "Proof",
    "Verdict",
    "prove_trade",
    "prove_transaction",
    "verify",
    "verify_extension",
]

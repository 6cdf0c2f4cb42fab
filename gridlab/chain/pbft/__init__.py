"""The consortium chain's consensus: PBFT, its simulator, and models of its latency."""

from gridlab.chain.pbft.certificates import certificate_message, sealed_header, verify_certificate, why_not_final
from gridlab.chain.pbft.cluster import Cluster, Decision
from gridlab.chain.pbft.evidence import Evidence, verify_evidence
from gridlab.chain.pbft.hosted import Application
from gridlab.chain.pbft.hunting import hunt, schedule
from gridlab.chain.pbft.messages import Proposal
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.chain.pbft.simulation import simulate
from gridlab.chain.pbft.trace import Trace

__all__ = [
    "Application",
    "Cluster",
    "Decision",
    "Evidence",
    "Proposal",
    "Trace",
    "certificate_message",
    "hunt",
    "max_faulty",
    "quorum",
    "schedule",
    "sealed_header",
    "simulate",
    "verify_certificate",
    "verify_evidence",
    "why_not_final",
]

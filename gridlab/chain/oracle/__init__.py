"""The one rule of oracle reports: what a provider signs, how many must, what value that makes, what an offence is.

The chain executes it, the oracle network keeps to it, and anybody with the providers' public keys can check it.
"""

from gridlab.chain.oracle.checking import check_observations
from gridlab.chain.oracle.evidence import find_equivocations, require_equivocation
from gridlab.chain.oracle.observations import NETWORK, OBSERVATIONS, observation_message, upper_median
from gridlab.chain.oracle.packets import read_report_payload, report_payload
from gridlab.chain.oracle.provider_set import ORACLE_PROVIDERS, ProviderSet
from gridlab.chain.oracle.report import Report, reports_of

__all__ = [
    "NETWORK",
    "OBSERVATIONS",
    "ORACLE_PROVIDERS",
    "ProviderSet",
    "Report",
    "check_observations",
    "find_equivocations",
    "observation_message",
    "read_report_payload",
    "report_payload",
    "reports_of",
    "require_equivocation",
    "upper_median",
]

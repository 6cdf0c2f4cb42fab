"""Emergency stops by the signatures of named seats: what stands, what is refused meanwhile, and how it goes on."""

from gridlab.chain.emergency.book import EmergencyBook
from gridlab.chain.emergency.levers import Emergency
from gridlab.chain.emergency.records import DUTIES, Motion, Seat, StopRecord
from gridlab.chain.emergency.scopes import ACTIONS, SCOPES
from gridlab.chain.emergency.wire import (
    EMERGENCY_APPROVALS,
    EMERGENCY_COUNCIL,
    EMERGENCY_RESUMPTIONS,
    approval_frame,
    council_frame,
    request_frame,
    resume_frame,
)

__all__ = [
    "ACTIONS",
    "DUTIES",
    "EMERGENCY_APPROVALS",
    "EMERGENCY_COUNCIL",
    "EMERGENCY_RESUMPTIONS",
    "SCOPES",
    "Emergency",
    "EmergencyBook",
    "Motion",
    "Seat",
    "StopRecord",
    "approval_frame",
    "council_frame",
    "request_frame",
    "resume_frame",
]

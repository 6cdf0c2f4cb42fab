"""Payment and state channels: many signed states between two parties, two transactions on the chain."""

from gridlab.chain.channels.application import Application, StateChannel
from gridlab.chain.channels.book import ChannelBook, opening_message
from gridlab.chain.channels.endpoint import Endpoint
from gridlab.chain.channels.frames import channels_frame, events_frame
from gridlab.chain.channels.hop import HopPayment, cancel_lock, fulfil_lock, offer_lock
from gridlab.chain.channels.opening import open_channel
from gridlab.chain.channels.payment import PaymentChannel
from gridlab.chain.channels.record import ChannelEvent, ChannelRecord, Opening
from gridlab.chain.channels.signed import SignedState
from gridlab.chain.channels.states import ChannelState, Conditional
from gridlab.chain.channels.terms import ChannelTerms
from gridlab.chain.channels.trading import Cancel, Place, Quote, Take, TraderBook
from gridlab.chain.channels.watchtower import TowerReceipt, Watchtower, convicts
from gridlab.chain.channels.wire import opening_frame, state_frame

__all__ = [
    "Application",
    "Cancel",
    "ChannelBook",
    "ChannelEvent",
    "ChannelRecord",
    "ChannelState",
    "ChannelTerms",
    "Conditional",
    "Endpoint",
    "HopPayment",
    "Opening",
    "PaymentChannel",
    "Place",
    "Quote",
    "SignedState",
    "StateChannel",
    "Take",
    "TowerReceipt",
    "TraderBook",
    "Watchtower",
    "cancel_lock",
    "channels_frame",
    "convicts",
    "events_frame",
    "fulfil_lock",
    "offer_lock",
    "open_channel",
    "opening_frame",
    "opening_message",
    "state_frame",
]

"""Sessions and eras: when keys and validators change, and what happens then.

A session is a number of slots in which the same keys sign. An era is a number of sessions with the same validators. At
the end of an era rewards are minted, slashes fall due, and the next validators are elected. Where fewer are elected
than must be, the old validators go on and the era with them, as in Substrate; all that waits for eras waits with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.staking.elections import Elect, elect_validators
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.offences import report_offline
from gridlab.chain.staking.payouts import close_era, expire_rewards
from gridlab.chain.staking.saving import exposures_root
from gridlab.chain.staking.slashing import apply_due
from gridlab.chain.staking.state import EraRecord, Exposure, State
from gridlab.errors import ChainError, GridlabError

__all__ = ["end_session", "hear", "reward_points", "start"]


def start(state: State, elect: Elect) -> None:
    """Elect the validators of era 0."""
    if state.era >= 0:
        raise ChainError(f"staking has started already, now is era {state.era}; end_session() goes on")
    exposures = elect_validators(state, elect)
    if not exposures:
        raise ChainError("nobody stands for election; bond(…) and validate(…) a candidate first")
    state.era = 0
    _open(state, exposures)


def _open(state: State, exposures: dict[int, Exposure]) -> None:
    validators = {account: state.validators[account] for account in exposures}
    state.eras[state.era] = EraRecord(
        index=state.era,
        first_session=state.session,
        first_slot=state.session_slots[state.session],
        issuance=state.issuance,
        exposures=exposures,
        validators=validators,
        root=exposures_root(exposures, validators),
    )
    state.disabled, state.online = {}, {}


def end_session(state: State, elect: Elect, moves: Movements) -> State:
    """End the session and, where it was the last of its era, the era; return the state that holds from then on.

    Raises
    ------
    ChainError
        Staking has not started, or the election gave what the voters did not.
    """
    record = state.current
    if record is None:
        raise ChainError("staking has not started; start() elects the first validators")
    report_offline(state, moves)
    state.online = {}
    ended = state.session_slots[state.session] + state.rules.session_length
    state.session += 1
    state.session_slots[state.session] = ended
    if state.session - record.first_session >= state.rules.sessions_per_era:
        return _turned(state, moves, elect)
    return state


def _turned(state: State, moves: Movements, elect: Elect) -> State:
    """Return the state with the next era begun, or as it is where too few stand."""
    after = state.fork()
    coming = Movements(after)
    close_era(after, after.eras[after.era], coming)
    after.era += 1
    apply_due(after, coming)
    exposures = elect_validators(after, elect)
    if len(exposures) < after.rules.least_validators:
        return state
    _open(after, exposures)
    expire_rewards(after, coming)
    _forget(after)
    moves.extend(coming, after)
    return after


def _forget(state: State) -> None:
    """Drop what no report can need any more."""
    least = state.era - state.rules.bonding_duration
    first = next(iter(state.eras.values())).first_session
    state.session_slots = {each: slot for each, slot in state.session_slots.items() if each >= first}
    recent = next((each.first_session for each in state.eras.values() if each.index > least), 0)
    state.offences = {offence: who for offence, who in state.offences.items() if offence[1] >= recent}
    state.fractions = {name: value for name, value in state.fractions.items() if name[0] > least}
    state.nominator_slashes = {name: value for name, value in state.nominator_slashes.items() if name[0] > least}
    state.spans = {who: spans for who, spans in state.spans.items() if who in state.stakes or spans.last_slash > least}


def hear(state: State, validator: int) -> EraRecord:
    """Note that a validator of the current era is there; return the era."""
    record = state.current
    if record is None:
        raise ChainError("staking has not started; start() elects the first validators")
    if require_int("validator", validator, 0, 2**32 - 1) not in record.exposures:
        raise ChainError(f"account {validator} does not validate in era {record.index}")
    if validator in state.disabled:
        raise ChainError(f"validator {validator} is disabled until era {record.index} ends")
    state.online[validator] = None
    return record


def reward_points(state: State, validators: Sequence[int], points: int) -> None:
    """Give each validator points, all or none."""
    chosen = require_sequence("validators", validators, int)
    if len(dict.fromkeys(chosen)) != len(chosen):
        raise ChainError(f"validators names one twice in {list(chosen)[:12]}; points are given once")
    heard = dict(state.online)
    try:
        records = [hear(state, validator) for validator in chosen]
    except GridlabError:
        state.online = heard
        raise
    for record, validator in zip(records, chosen, strict=True):
        record.points[validator] = record.points.get(validator, 0) + points

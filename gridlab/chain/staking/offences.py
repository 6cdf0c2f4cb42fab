"""Offences: what was proved or observed, and how many did it together.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/offences/src/lib.rs``, ``substrate/frame/im-online/src/lib.rs``,
2024.
"""

from __future__ import annotations

from gridlab.chain.staking.bonding import require_account
from gridlab.chain.staking.evidence import EquivocationProof, Statement, require_equivocation
from gridlab.chain.staking.fractions_slashed import equivocation_slash, offline_slash
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.slashing import disable, punish
from gridlab.chain.staking.state import EraRecord, Offender, State
from gridlab.errors import ChainError

__all__ = ["report_equivocation", "report_offline"]


def report_equivocation(state: State, proof: EquivocationProof, reporter: int | None, moves: Movements) -> None:
    """Take a proof of equivocation: slash all who offended at this place, chill and disable the offender.

    Raises
    ------
    ArgumentTypeError
        `proof` is no proof, or `reporter` no account.
    ChainError
        The proof does not hold, is of a session that is unknown or too old, names nobody who validated then, or was
        reported before.
    """
    require_equivocation(proof, state.chain_id)
    if reporter is not None:
        require_account(state, "reporter", reporter)
    statement = proof.first
    record = _record_of(state, statement)
    _require_place(state, statement)
    validator = next((who for who, each in record.validators.items() if each.public_key == proof.public_key), None)
    if validator is None:
        raise ChainError(
            f"equivocation: 0x{proof.public_key.hex()[:16]}… signed for no validator of session {statement.session} "
            f"(era {record.index})"
        )
    offence = (statement.kind, statement.session, statement.place)
    known = state.offences.get(offence, ())
    if any(each.validator == validator for each in known):
        raise ChainError(
            f"equivocation: validator {validator} was reported for this {statement.kind} of session "
            f"{statement.session}, place {statement.place} already; an offence is reported once"
        )
    state.offences[offence] = (*known, Offender(validator, reporter))
    disable(state, record, validator)
    fraction = equivocation_slash(len(known) + 1, len(record.exposures))
    punish(state, record, offence, fraction, moves)


def _record_of(state: State, statement: Statement) -> EraRecord:
    if statement.session > state.session:
        raise ChainError(
            f"equivocation: the statements are of session {statement.session}, now is session {state.session}; "
            "evidence of another session proves nothing"
        )
    record = next((each for each in reversed(state.eras.values()) if each.first_session <= statement.session), None)
    # One era earlier than the bonding duration reaches, so that a deferred slash still finds all that was at stake.
    if record is None or record.index <= state.era - state.rules.bonding_duration:
        raise ChainError(
            f"equivocation: session {statement.session} lies before the last {state.rules.bonding_duration} eras "
            f"(now is era {state.era}), whose stake may be withdrawn already; report offences sooner"
        )
    return record


def _require_place(state: State, statement: Statement) -> None:
    if statement.kind != "header":
        return
    first = state.session_slots[statement.session]
    end = state.session_slots.get(statement.session + 1, first + state.rules.session_length)
    if not first <= statement.place < end:
        raise ChainError(
            f"equivocation: slot {statement.place} is not of session {statement.session}, which has slots {first} … "
            f"{end - 1}; evidence of another session proves nothing"
        )


def report_offline(state: State, moves: Movements) -> tuple[int, ...]:
    """Report the validators that nobody heard of in the session that ends now, and return them.

    A disabled validator may not do anything, so that its silence is no offence.
    """
    record = state.current
    if record is None:
        return ()
    silent = tuple(who for who in record.exposures if who not in state.online and who not in state.disabled)
    if silent:
        offence = ("offline", state.session, state.session)
        state.offences[offence] = tuple(Offender(validator, None) for validator in silent)
        punish(state, record, offence, offline_slash(len(silent), len(record.exposures)), moves)
    return silent

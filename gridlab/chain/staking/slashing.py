"""Slashes: computed when an offence is proved, applied when the time to cancel them is over.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/src/slashing.rs``, ``substrate/frame/offences/src/lib.rs``
and ``substrate/frame/session/src/disabling.rs`` (``UpToLimitDisablingStrategy``), 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.perbill import part_of
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.spans import Compared, Spans
from gridlab.chain.staking.state import EraRecord, Exposure, Offender, Slash, SlashState, State
from gridlab.errors import ChainError

__all__ = ["apply_due", "cancel", "disable", "punish"]


def punish(state: State, record: EraRecord, offence: tuple[str, int, int], fraction: int, moves: Movements) -> None:
    """Slash everybody who was reported for one offence by the same share.

    Parameters
    ----------
    state : State
    record : EraRecord
        Era of the offence.
    offence : tuple of (str, int, int)
        Kind, session and place, as in `State.offences`.
    fraction : int
        Parts per billion.
    moves : Movements
    """
    for offender in state.offences[offence]:
        slash = _computed(state, record, offence[0], offender, fraction)
        if slash is None:
            continue
        state.slashes.append(slash)
        if state.rules.slash_defer_duration:
            state.pending[slash.index] = None
        else:
            _apply(state, slash, moves)


def _computed(state: State, record: EraRecord, kind: str, offender: Offender, fraction: int) -> Slash | None:
    validator, exposure = offender.validator, record.exposures[offender.validator]
    prior = state.fractions.get((record.index, validator), 0)
    if not part_of(fraction, exposure.total):
        _chill_if_recent(state, record.index, validator)
        return None
    if fraction <= prior:
        return None  # only the highest in an era counts, and it has been taken
    state.fractions[record.index, validator] = fraction
    own = _compare(state, record.index, validator, part_of(fraction, exposure.own), chills=True)
    others = _compare_nominators(state, record.index, exposure, fraction, prior)
    reward = own.reward + sum(compared.reward for compared in others.values())
    return Slash(
        index=len(state.slashes),
        kind=kind,
        era=record.index,
        due=max(record.index + state.rules.slash_defer_duration + 1, state.era + 1),
        validator=validator,
        fraction=fraction,
        own=own.difference,
        others=tuple((who, compared.difference) for who, compared in others.items() if compared.difference),
        reporter=offender.reporter,
        reward=reward if offender.reporter is not None else 0,
    )


def _compare_nominators(state: State, era: int, exposure: Exposure, fraction: int, prior: int) -> dict[int, Compared]:
    """Compare each nominator's slash of the era, over all validators that it backs, with those of other eras."""
    compared = {}
    for nominator, value in exposure.others:
        more = part_of(fraction, value) - part_of(prior, value)
        slash = state.nominator_slashes.get((era, nominator), 0) + more
        state.nominator_slashes[era, nominator] = slash
        compared[nominator] = _compare(state, era, nominator, slash, chills=False)
    return compared


def _spans(state: State, account: int) -> tuple[Spans, int]:
    window = max(0, state.era - state.rules.bonding_duration)
    return state.spans.get(account, Spans(0, window)), window


def _compare(state: State, era: int, account: int, slash: int, *, chills: bool) -> Compared:
    spans, window = _spans(state, account)
    compared = spans.compared(era, slash, state.rules.reporter_share, state.rules.first_report_share)
    after = compared.spans
    if compared.span is not None and compared.span.index == spans.index:
        after = after.ended(state.era)
        if chills:
            _chill(state, account)
    state.spans[account] = after if after == spans else after.pruned(window)
    return compared


def _chill_if_recent(state: State, era: int, validator: int) -> None:
    spans, window = _spans(state, validator)
    span = next((each for each in spans if each.contains(era)), None)
    if span is not None and span.index == spans.index:
        state.spans[validator] = spans.ended(state.era).pruned(window)
        _chill(state, validator)


def _chill(state: State, validator: int) -> None:
    state.validators.pop(validator, None)


def disable(state: State, record: EraRecord, validator: int) -> None:
    """Take a validator's work away for the rest of its era, unless a third of the validators are disabled already."""
    limit = (len(record.exposures) - 1) // 3
    if record.index == state.era and validator in record.exposures and len(state.disabled) < limit:
        state.disabled[validator] = None


def apply_due(state: State, moves: Movements) -> None:
    """Apply the slashes whose time to cancel is over."""
    for index in [index for index in state.pending if state.slashes[index].due <= state.era]:
        del state.pending[index]
        _apply(state, state.slashes[index], moves)


def _apply(state: State, slash: Slash, moves: Movements) -> None:
    taken = 0
    for account, amount in ((slash.validator, slash.own), *slash.others):
        stake = state.stakes.get(account)
        if stake is not None:
            left, cut = stake.slashed(amount, slash.era, state.rules.bonding_duration)
            state.put_stake(account, left)
            taken += cut
    paid = min(slash.reward, taken)
    if slash.reporter is not None:
        moves.reward(slash.reporter, paid)
    moves.penalty(taken - paid)
    state.slashes[slash.index] = replace(slash, state=SlashState.APPLIED, taken=taken, paid=paid)


def cancel(state: State, indices: Sequence[int]) -> None:
    """Cancel slashes that are not applied yet, all or none.

    Raises
    ------
    ArgumentTypeError
        `indices` is not a sequence of whole numbers.
    ChainError
        An index is named twice, is unknown, or its slash was applied or cancelled already.
    """
    chosen = tuple(require_sequence("indices", indices, int))
    if not chosen or len(dict.fromkeys(chosen)) != len(chosen):
        raise ChainError(f"indices is {list(chosen)}, allowed: one or more, each named once")
    for place, index in enumerate(chosen):
        require_int(f"indices[{place}]", index, 0)
        if index not in state.pending:
            known = state.slashes[index].state if index < len(state.slashes) else "unknown"
            raise ChainError(
                f"indices[{place}] is slash {index}, which is {known}; only pending ones can be cancelled: "
                f"{list(state.pending)[:12]}"
            )
    for index in chosen:
        del state.pending[index]
        state.slashes[index] = replace(state.slashes[index], state=SlashState.CANCELLED)

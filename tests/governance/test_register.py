"""A register equals a plain dictionary, its hash follows from what is in it, and an earlier one stays as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridlab.governance.purse import Hold
from gridlab.governance.register import Register

# Close together and far apart, so that pages are shared and are not.
numbers = st.one_of(st.integers(0, 5), st.integers(250, 260), st.integers(0, 2**32 - 1))
changes = st.lists(st.dictionaries(numbers, st.one_of(st.none(), st.integers(1, 3)), max_size=4), max_size=8)


def holds(amounts):
    return {number: None if amount is None else Hold(1, 2, amount) for number, amount in amounts.items()}


@given(changes)
def test_a_register_is_a_dictionary_with_a_hash(steps):
    register, plain, seen = Register(), {}, []
    for step in map(holds, steps):
        seen.append((register, dict(plain), register.hash))
        register = register.changed(step)
        plain = {number: hold for number, hold in (plain | step).items() if hold is not None}
        assert list(register.items()) == sorted(plain.items())
        assert len(register) == len(plain)
        assert all(register.get(number) == plain.get(number) for number in step)
        assert register.hash == Register().changed(dict(reversed(plain.items()))).hash
    for before, held, digest in seen:
        assert dict(before.items()) == held
        assert (before.hash == register.hash) is (held == plain)
        assert before.hash == digest

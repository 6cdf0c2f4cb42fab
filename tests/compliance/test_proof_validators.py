"""Proofs under PBFT: 14 of 21, never 13, no one twice, no stranger, and hand-overs followed from genesis."""

import json
import subprocess
import sys

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.authority import CHECKPOINT_INTERVAL, pack_validators
from gridlab.chain.encoding import blob, compact, u32, u64
from gridlab.chain.pbft.certificates import certificate_message, sealed_header
from gridlab.chain.pbft_ordering import PbftOrdering, unpack_certificate
from gridlab.compliance import prove_trade, prove_transaction
from gridlab.compliance.verifying import check_bytes

VALIDATORS = [keys.sandbox(0, f"validator {place}") for place in range(21)]
NEXT = [keys.sandbox(1, f"validator {place}") for place in range(4)]


def check(content):
    return check_bytes(json.dumps(content).encode())


@pytest.fixture(scope="module")
def town21(make):
    chain = make.chain(PbftOrdering(VALIDATORS))
    make.deposit(chain)
    make.trade_some(chain)
    return chain


@pytest.fixture(scope="module")
def proof(town21):
    return prove_trade(town21, town21.height, 0, 0)


@pytest.fixture(scope="module")
def message(town21):
    return certificate_message(sealed_header(town21.head.to_bytes(), 0))


def certificate(entries, view=0):
    bodies = [u32(place) + signature for place, signature in entries]
    return "0x" + b"".join([u64(view), blob(b""), compact(len(bodies)), *bodies]).hex()


def signed_by(message, places, pairs=VALIDATORS):
    return [(place, pairs[place].sign(message)) for place in places]


def test_a_trade_under_pbft_is_proved_with_its_signers(town21, proof):
    verdict = proof.verdict
    assert verdict
    assert verdict.validators == 21
    assert len(verdict.signers) >= 14
    assert set(verdict.signers) <= {"0x" + pair.public_key.hex() for pair in VALIDATORS}
    assert "of 21 validators signed it" in verdict.proved
    assert "at most 6 of the 21 validators lie" in verdict.trusted
    content = json.loads(proof.to_json())
    _, _, signatures = unpack_certificate(town21.block(town21.height).certificate, [p.public_key for p in VALIDATORS])
    assert verdict.signers == tuple("0x" + key.hex() for key in signatures)
    assert content["ordering"] == "pbft"


def test_14_signatures_are_enough_and_13_are_not(proof, message):
    content = json.loads(proof.to_json())
    for places in (range(14), range(7, 21), [0, 2, 3, 5, 6, 8, 9, 11, 12, 13, 15, 17, 19, 20]):
        assert check({**content, "certificate": certificate(signed_by(message, places))})
        thirteen = certificate(signed_by(message, list(places)[:13]))
        assert "header: the certificate" in check({**content, "certificate": thirteen}).reason
    assert check({**content, "certificate": certificate(signed_by(message, range(21)))})


def test_a_signer_counts_once_and_strangers_not_at_all(proof, message):
    content = json.loads(proof.to_json())
    thirteen = signed_by(message, range(13))
    stranger = keys.sandbox(9, "stranger").sign(message)
    for extra in (thirteen[-1], thirteen[0], (13, stranger), (21, stranger), (2**32 - 1, stranger)):
        for entries in ([*thirteen, extra], sorted([*thirteen, extra]), [extra, *thirteen]):
            assert not check({**content, "certificate": certificate(entries)})
    # One bad signature spoils a certificate that would do without it.
    assert not check({**content, "certificate": certificate([*signed_by(message, range(14)), (14, stranger)])})


def test_signatures_of_several_views_make_no_certificate(town21, proof, message):
    content = json.loads(proof.to_json())
    other = certificate_message(sealed_header(town21.head.to_bytes(), 1))
    mixed = [*signed_by(message, range(7)), *signed_by(other, range(7, 14))]
    for view in (0, 1):
        assert not check({**content, "certificate": certificate(mixed, view)})
    assert check({**content, "certificate": certificate(signed_by(other, range(14)), 1)})
    assert not check({**content, "certificate": certificate(signed_by(other, range(14)), 0)})


def test_signatures_over_another_block_or_without_the_tag_make_no_certificate(town21, proof):
    content = json.loads(proof.to_json())
    before = town21.block(town21.height - 1)
    assert not check({**content, "certificate": "0x" + before.certificate.hex()})
    bare = certificate(signed_by(sealed_header(town21.head.to_bytes(), 0), range(14)))
    assert not check({**content, "certificate": bare})


def test_other_validators_do_not_pass_for_those_of_genesis(proof, message):
    content = json.loads(proof.to_json())
    strangers = [keys.sandbox(5, f"validator {place}") for place in range(21)]
    forged = {
        **content,
        "authority": "0x" + pack_validators([pair.public_key for pair in strangers]).hex(),
        "certificate": certificate(signed_by(message, range(14), strangers)),
    }
    assert "authority is not the one" in check(forged).reason
    shuffled = pack_validators([pair.public_key for pair in VALIDATORS[::-1]])
    assert not check({**content, "authority": "0x" + shuffled.hex()})


@pytest.mark.parametrize("name", ["single-sequencer", "Pbft", "", "proof-of-work", None, 0])
def test_another_ordering_does_not_pass(proof, name):
    assert not check({**json.loads(proof.to_json()), "ordering": name})


@pytest.fixture(scope="module")
def handed_over(make):
    """A chain whose four validators are replaced after the first checkpoint, and a fifth comes after the second."""
    sets = [VALIDATORS[:4], NEXT, [*NEXT, VALIDATORS[0]]]
    ordering = PbftOrdering(sets[0])
    for pair in NEXT:
        ordering.admit(pair)
    chain = make.chain(ordering)
    make.deposit(chain)
    for following in sets[1:]:
        new = pl.DataFrame({"public_key": [pair.public_key for pair in following]})
        chain.send(make.pairs["regulator"], "validators", new)
        for _ in range(CHECKPOINT_INTERVAL):
            assert chain.seal(make.start).rejected == 0
    make.trade_some(chain)
    return chain


@pytest.fixture(scope="module")
def late(handed_over):
    return prove_trade(handed_over, handed_over.height, 0, 0)


def test_hand_overs_are_followed_from_genesis(handed_over, late):
    verdict = late.verdict
    assert verdict
    assert (verdict.validators, verdict.handovers, verdict.descends) == (5, 2, True)
    assert "nor too many of any set in the 2 before" in verdict.trusted
    assert {f"0x{pair.public_key.hex()}" for pair in [*NEXT, VALIDATORS[0]]} >= set(verdict.signers)
    heights = [each["header"]["height"] for each in late.content["handovers"]]
    assert heights == [CHECKPOINT_INTERVAL, 2 * CHECKPOINT_INTERVAL]
    assert prove_trade(handed_over, handed_over.height, 0, 0, ancestry=False).verdict.handovers == 2


def test_every_transaction_is_proved_under_the_validators_of_its_height(handed_over):
    for height in range(1, handed_over.height + 1):
        if handed_over.block(height).transactions:
            verdict = prove_transaction(handed_over, height, 0).verdict
            assert verdict
            assert verdict.validators == (4 if height <= 2 * CHECKPOINT_INTERVAL else 5)


def test_every_field_of_a_hand_over_changed_dropped_or_swapped_makes_it_false(late, trees):
    content = json.loads(late.to_json())
    count = 0
    for mutant in trees.mutations(content, under=("handovers",)):
        assert not check(mutant)
        count += 1
    assert count > 500


@pytest.mark.parametrize("ancestry", [True, False])
def test_hand_overs_dropped_repeated_or_out_of_order_are_false(handed_over, ancestry):
    content = json.loads(prove_trade(handed_over, handed_over.height, 0, 0, ancestry=ancestry).to_json())
    first, second = content["handovers"]
    for wrong in ([], [first], [second], [second, first], [first, first, second], [first, second, second]):
        assert not check({**content, "handovers": wrong})
    assert check(content)


def test_a_hand_over_without_a_quorum_of_those_before_is_false(handed_over, late):
    content = json.loads(late.to_json())
    header = handed_over.block(CHECKPOINT_INTERVAL).header
    message = certificate_message(sealed_header(header.to_bytes(), 0))
    for entries, good in (
        (signed_by(message, range(3)), True),
        (signed_by(message, range(2)), False),
        (signed_by(message, range(3), NEXT), False),
    ):
        swapped = json.loads(json.dumps(content))
        swapped["handovers"][0]["certificate"] = certificate(entries)
        assert bool(check(swapped)) is good


def test_the_validators_of_before_do_not_certify_after(handed_over, late):
    """The old set signs the newest block, and the proof leaves out that it was replaced."""
    content = json.loads(late.to_json())
    message = certificate_message(sealed_header(handed_over.head.to_bytes(), 0))
    old = {**content, "handovers": [], "certificate": certificate(signed_by(message, range(4)))}
    assert "validators changed at heights [16, 32]" in check(old).reason
    short = {**old, "ancestry": "none", "ancestors": []}
    verdict = check(short)
    # Without the headers nothing shows the change, which is why the verdict then names what is trusted.
    assert verdict
    assert verdict.validators == 4
    assert "for none once replaced" in verdict.trusted
    assert "at most 1 of the 4 validators lie" in verdict.trusted


def test_a_validator_set_that_nobody_appointed_is_false(late):
    content = json.loads(late.to_json())
    forged = pack_validators([keys.sandbox(6, f"{place}").public_key for place in range(4)])
    content["handovers"][0]["authority"] = "0x" + forged.hex()
    assert "handovers[0].authority is not the one" in check(content).reason


OUTSIDER = """
import sys
import gridlab
from gridlab.compliance import verify
verdict = verify(sys.argv[1])
heavy = {"numba", "scipy", "pandas", "panel", "holoviews", "bokeh", "ipywidgets", "holidays", "matplotlib"}
print(bool(verdict), verdict.height, sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_an_outsider_checks_the_file_in_a_fresh_process_and_loads_nothing_heavy(late, tmp_path):
    path = late.save(tmp_path / "proof.json")
    command = [sys.executable, "-W", "error", "-c", OUTSIDER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert (done.stdout, done.stderr) == (f"True {late.verdict.height} []\n", "")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"energy": 1000', '"energy": 1001'), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.stdout.startswith("False ")

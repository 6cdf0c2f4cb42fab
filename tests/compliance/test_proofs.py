"""Proofs: what is true is proved, and whatever is changed, dropped, swapped or borrowed makes it false."""

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import SingleSequencer, keys
from gridlab.chain.blocks import Header
from gridlab.chain.trades import NO_ACCOUNT, TRADES
from gridlab.compliance import Proof, prove_trade, prove_transaction, verify
from gridlab.compliance.proof_reading import LARGEST_PROOF, header_json
from gridlab.compliance.verifying import check_bytes
from gridlab.errors import ArgumentError, ArgumentTypeError, MissingProofError, ReportError


def place_of(chain, row):
    return tuple(chain.trades.row(row, named=True)[name] for name in ("height", "index", "place"))


def check(content):
    return check_bytes(json.dumps(content).encode())


@pytest.fixture(scope="module")
def proof(town):
    return prove_trade(town, *place_of(town, 1))


@pytest.fixture(scope="module")
def payment(town):
    return prove_transaction(town, town.height - 1, 2)


@pytest.fixture(scope="module")
def elsewhere(make):
    """Another chain of the same name, members and sequencer, with other money in it."""
    chain = make.chain()
    make.deposit(chain, amount=60_000_000)
    make.trade_some(chain)
    return chain


def test_every_trade_of_the_chain_is_proved_with_and_without_ancestry(town, tmp_path):
    for row in range(town.trades.height):
        for ancestry in (True, False):
            path = prove_trade(town, *place_of(town, row), ancestry=ancestry).save(tmp_path / "proof.json")
            verdict = verify(path, genesis=town.block(0).hash)
            assert verdict
            assert verdict.descends is ancestry
            assert verdict.reason == ""
            own = town.trades.row(row, named=True)
            assert verdict.trade["energy_kwh"] == Decimal(own["energy"]) / 1_000
            assert verdict.trade["price_thb_per_kwh"] == Decimal(own["price"]) / 1_000
            assert verdict.trade["gross_thb"] == Decimal(own["gross"]) / 1_000_000
            assert (verdict.trade["buyer"], verdict.trade["seller"]) == (own["buyer"], own["seller"])


def test_every_transaction_of_the_chain_is_proved_refused_ones_too(town):
    codes = []
    for height in range(1, town.height + 1):
        block = town.block(height)
        for index, transaction in enumerate(block.transactions):
            verdict = prove_transaction(town, height, index).verdict
            assert verdict
            assert verdict.transaction["id"] == "0x" + transaction.id.hex()
            assert verdict.transaction["signed_by_sender"]
            assert (verdict.height, verdict.chain_id) == (height, town.chain_id)
            codes.append(verdict.transaction["code"])
    assert codes.count("accepted") == len(codes) - 1


def test_a_payment_shows_what_was_paid(payment, make):
    verdict = payment.verdict
    assert verdict.payload["amount"].to_list() == [200]
    assert verdict.payload["credit_account"].to_list() == [make.account["alice"]]
    assert verdict.proved.startswith("block")
    assert "'accepted'" in verdict.proved


def test_the_verdict_says_what_must_be_trusted(town, proof):
    open_, checked = proof.verdict, check_bytes(proof.to_json().encode(), town.block(0).hash)
    genesis = "0x" + town.block(0).hash.hex()
    assert f"{genesis} is the genesis you know" in open_.trusted
    assert "pass genesis=" in open_.trusted
    assert (open_.genesis, open_.genesis_checked, checked.genesis_checked) == (genesis, False, True)
    assert "genesis" not in checked.trusted
    assert "one chain of this name" not in open_.trusted
    short = prove_trade(town, *place_of(town, 1), ancestry=False).verdict
    assert "one chain of this name" in short.trusted
    assert (open_.validators, len(open_.signers), open_.handovers) == (1, 1, 0)


def test_the_file_is_the_same_each_time_and_readable(town, proof, tmp_path):
    again = prove_trade(town, *place_of(town, 1))
    assert again.to_json() == proof.to_json()
    content = json.loads(proof.to_json())
    assert content["trade"]["slot"] == "2026-04-30T20:00:00+07:00"
    assert content["header"]["height"] == proof.verdict.height


def test_repr_and_html_say_what_it_is(proof):
    assert repr(proof) == f"Proof(trade in block {proof.verdict.height} of 'gridlab-consortium')"
    assert repr(proof.verdict).startswith("Verdict(true: trade in block")
    assert "energy_kwh" in proof.verdict._repr_html_()
    assert "proves" in proof._repr_html_()
    bad = check({})
    assert repr(bad).startswith("Verdict(false: ")
    assert "does not hold" in bad._repr_html_()


@pytest.mark.parametrize("which", ["proof", "payment"])
def test_every_field_changed_dropped_renamed_or_swapped_makes_it_false(which, request, trees):
    content = json.loads(request.getfixturevalue(which).to_json())
    assert check(content)
    count = 0
    for mutant in trees.mutations(content):
        verdict = check(mutant)
        assert not verdict, mutant
        assert verdict.reason
        count += 1
    assert count > 1_000


def test_no_part_of_another_proof_fits(town, elsewhere, proof, payment, trees):
    content = json.loads(proof.to_json())
    strangers = [
        prove_trade(town, *place_of(town, 0)),
        prove_trade(town, *place_of(town, 2)),
        prove_trade(elsewhere, *place_of(elsewhere, 1)),
        prove_transaction(town, *place_of(town, 1)[:2]),
        payment,
    ]
    tried = 0
    for stranger in strangers:
        other = json.loads(stranger.to_json())
        for path in trees.places(content):
            try:
                piece = trees.at(other, path)
            except (KeyError, IndexError, TypeError):
                continue
            if piece != trees.at(content, path):
                mutant = trees.changed(content, path, lambda parent, key, piece=piece: parent.__setitem__(key, piece))
                assert not check(mutant), path
                tried += 1
    assert tried > 40


def test_headers_of_a_fork_do_not_pass_for_those_below_the_block(town, elsewhere):
    assert elsewhere.block(0).hash == town.block(0).hash
    own = json.loads(prove_trade(town, *place_of(town, 1)).to_json())
    other = json.loads(prove_trade(elsewhere, *place_of(elsewhere, 1)).to_json())
    assert check({**own, "ancestors": other["ancestors"]}).reason.startswith("ancestors")


def test_ancestry_is_all_there_or_said_not_to_be(town, proof):
    content = json.loads(proof.to_json())
    assert "line from genesis is there" in check({**content, "ancestry": "none"}).reason
    assert "allowed below height" in check({**content, "ancestors": []}).reason
    weaker = check({**content, "ancestry": "none", "ancestors": []})
    assert weaker
    assert not weaker.descends
    first = json.loads(prove_transaction(town, 1, 0).to_json())
    assert (first["ancestry"], first["ancestors"]) == ("full", [])
    assert "line from genesis is there" in check({**first, "ancestry": "none"}).reason
    assert prove_transaction(town, 1, 0, ancestry=False).verdict.descends


def test_the_genesis_of_another_chain_is_found_where_the_line_of_headers_is_shown(make, town):
    from gridlab.chain.terms import ChainTerms

    other = make.chain(terms=ChainTerms(block_transactions=99))
    make.deposit(other)
    make.trade_some(other)
    content = json.loads(prove_trade(other, *place_of(other, 1)).to_json())
    spliced = {
        **content,
        "genesis": "0x" + town.block(0).hash.hex(),
        "genesis_header": header_json(town.block(0).header),
    }
    assert check(content)
    assert "height 1 is not the child" in check(spliced).reason
    known = check_bytes(json.dumps(content).encode(), town.block(0).hash)
    assert not known
    assert "yours is" in known.reason


def test_a_leaf_is_not_a_node_and_a_node_is_not_a_leaf(proof):
    """Cutting the path and giving the node above as the leaf must not work: prefixes keep them apart."""
    content = json.loads(proof.to_json())
    assert len(content["trade_path"]) == 2
    for cut in (content["trade_path"][1:], content["trade_path"][:1], [], content["trade_path"] * 2):
        assert "trade_path leads to another root" in check({**content, "trade_path": cut}).reason


def test_a_trade_that_never_was_has_no_proof(proof):
    content = json.loads(proof.to_json())
    for column in TRADES.columns:
        if column.name not in ("slot", "zone"):
            forged = copy.deepcopy(content)
            forged["trade"][column.name] += 1
            assert "trade_path" in check(forged).reason
    forged = copy.deepcopy(content)
    forged["trade"]["buyer"] = NO_ACCOUNT
    assert not check(forged)


def test_a_forger_with_his_own_sequencer_gets_as_far_as_his_own_genesis(make, town):
    """A whole chain of one's own is true of that chain, and false for whoever knows the genesis."""
    forger = make.chain(SingleSequencer(keys.sandbox(66, "forger")))
    make.deposit(forger)
    make.trade_some(forger)
    data = prove_trade(forger, *place_of(forger, 0)).to_json().encode()
    assert check_bytes(data)
    assert not check_bytes(data, town.block(0).hash)


def test_an_uncertified_header_is_refused(proof):
    content = json.loads(proof.to_json())
    header = Header(
        **{name: bytes.fromhex(v[2:]) if str(v).startswith("0x") else v for name, v in content["header"].items()}
    )
    assert "0x" + header.receipts_root.hex() == content["header"]["receipts_root"]
    forged = keys.sandbox(66, "forger").sign(b"anything")
    assert "certificate" in check({**content, "certificate": "0x" + forged.hex()}).reason
    assert "certificate" in check({**content, "certificate": "0x"}).reason


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "allowed: an object"),
        (b"null", "allowed: an object"),
        (b"{}", "kind"),
        (b'{"kind": "trade"}', "no field 'format'"),
        (b'{"kind": "gift"}', "allowed: 'trade' or 'transaction'"),
        (b'{"kind": ["trade"]}', "kind is not a text"),
        (b'{"kind": "trade", "kind": "trade"}', "stands there twice"),
        (b'{"kind": NaN}', "NaN"),
        (b'{"kind": 1e999}', "fraction"),
        (b"[" * 100_000, "not JSON"),
        (b'{"kind": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b" " * (LARGEST_PROOF + 1), "more than"),
    ],
)
def test_what_is_no_proof_at_all_is_false_with_the_reason(data, words, tmp_path):
    path = tmp_path / "proof.json"
    path.write_bytes(data)
    verdict = verify(path)
    assert not verdict
    assert words in verdict.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_false_and_raise_nothing(data):
    assert not check_bytes(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data(), value=JSON)
def test_any_value_anywhere_is_false_and_raises_nothing(proof, trees, data, value):
    content = json.loads(proof.to_json())
    path = data.draw(st.sampled_from(list(trees.places(content))))
    if type(trees.at(content, path)) is type(value) and trees.at(content, path) == value:
        return
    assert not check(trees.changed(content, path, lambda parent, key: parent.__setitem__(key, value)))


@given(st.data())
def test_any_byte_of_the_file_changed_is_false_or_says_the_same(proof, data):
    text = bytearray(proof.to_json().encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    try:
        same = json.loads(text.decode()) == json.loads(proof.to_json())
    except ValueError:
        same = False
    assert bool(check_bytes(bytes(text))) == same


def test_missing_files_and_wrong_arguments_are_errors(proof, tmp_path):
    path = proof.save(tmp_path / "proof.json")
    with pytest.raises(MissingProofError, match="no such file"):
        verify(tmp_path / "nothing.json")
    with pytest.raises(FileNotFoundError):
        verify(str(tmp_path / "nothing.json"))
    with pytest.raises(ArgumentTypeError, match="proof is a int"):
        verify(3)
    with pytest.raises(ArgumentError, match="genesis has 31 bytes"):
        verify(path, genesis=bytes(31))
    with pytest.raises(ArgumentError, match="0x"):
        verify(path, genesis="genesis")
    with pytest.raises(ArgumentTypeError, match="genesis is a int"):
        verify(path, genesis=0)
    assert "cannot be read" in verify(tmp_path).reason
    with pytest.raises(ReportError, match="cannot be written"):
        proof.save(tmp_path / "no" / "folder.json")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ReportError, match="cannot be written"):
        proof.save(tmp_path / "taken")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["proof.json", "taken"]
    with pytest.raises(ArgumentTypeError, match="path is a"):
        proof.save(None)


def test_what_cannot_be_proved_is_refused_by_name(town):
    with pytest.raises(ArgumentTypeError, match="chain is a str"):
        prove_trade("chain", 1, 0, 0)
    with pytest.raises(ArgumentError, match="height is 0"):
        prove_trade(town, 0, 0, 0)
    with pytest.raises(ArgumentError, match="made no trades"):
        prove_trade(town, 1, 0, 0)
    height, index, _ = place_of(town, 0)
    with pytest.raises(ArgumentError, match="place is 3"):
        prove_trade(town, height, index, 3)
    with pytest.raises(ArgumentError, match="index is 9"):
        prove_transaction(town, 1, 9)
    with pytest.raises(ArgumentTypeError, match="ancestry is 1"):
        prove_transaction(town, 1, 0, ancestry=1)


def test_an_empty_block_has_nothing_to_prove(make):
    chain = make.chain()
    chain.seal(make.start)
    with pytest.raises(ArgumentError, match="holds no transactions"):
        prove_transaction(chain, 1, 0)


def test_a_proof_object_that_was_made_by_hand_proves_nothing(proof):
    hollow = Proof({**proof.content, "certificate": "0x"})
    assert not hollow.verdict

"""What a public chain shows in a notebook: pictures, summaries and controls, in both languages."""

from __future__ import annotations

import re

import holoviews as hv
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.chain import ConsortiumChain, channels, keys, npos
from gridlab.chain.bridge import Bridge
from gridlab.chain.ledger import Ledger
from gridlab.chain.public import PublicChain, PublicTerms, simulate_public
from gridlab.chain.swaps import Swap
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.ui.deal_plots import ChannelPlots, SwapPlots
from gridlab.ui.fork_layout import edges, fork_picture, placed
from gridlab.ui.public_controls import public_controls
from gridlab.ui.public_plots import PublicChainPlots, PublicTracePlots
from gridlab.ui.stake_plots import StakePlots, stake_bars

TRACE = {
    "finality": "(s)",
    "finality_distribution": "number of blocks",
    "forks": "blocks of one slot",
    "slots": "blocks written",
}
CHAIN = {"blocks": "transactions per block", "fees": "(GRID)", "fullness": "(%)", "stake": "(%)", **TRACE}


@pytest.fixture(scope="module")
def trace():
    return simulate_public(9, slots=40, partitions=[(60, 120, [[0, 1, 2, 3], [4, 5, 6, 7, 8]])], equivocators=[0])


@pytest.fixture
def public_chain():
    made = PublicChain(terms=PublicTerms(validators=7))
    made.run(3)
    made.pay(keys.sandbox(0, "attester"), keys.sandbox(0, "governance"), 1_000_000, tip=500)
    made.run(5)
    return made


@pytest.fixture(scope="module")
def election():
    votes = [("a", 10, ["n", "s"]), ("b", 20, ["n", "e"]), ("c", 30, ["s", "e"])]
    return npos.seq_phragmen(["n", "s", "<e>"], [(who, units, [x.replace("e", "<e>") for x in named])
                                                 for who, units, named in votes], 2)  # fmt: skip


@pytest.fixture(scope="module")
def payments():
    ledger = Ledger(3, issuers={"WATT": [0]})
    mint = {"transfer_id": [1], "debit_account": [0], "credit_account": [1], "asset": ["WATT"], "amount": [5_000_000]}
    ledger.apply(pl.DataFrame(mint | {"code": ["mint"]}))
    pairs = [keys.sandbox(0, "meter"), keys.sandbox(0, "seller")]
    book, channel = channels.open_channel(channels.ChannelBook("demo"), ledger, pairs, (1, 2), (4_000_000, 0))
    both = channels.PaymentChannel("demo", channel, pairs, book[channel])
    both.pay_many([900] * 2_500)
    return both


def drawn(element):
    return hv.render(element, backend="bokeh")


def thai(words):
    return any("\u0e00" <= letter <= "\u0e7f" for letter in words)


def pictures(trace, chain, election, payments):
    yield from ((getattr(trace.plot, kind)(), label) for kind, label in TRACE.items())
    yield from ((getattr(chain.plot, kind)(), label) for kind, label in CHAIN.items())
    yield election.plot.stake(), "share of the stake (%)"
    yield Swap(seed=1).run().plot.timeline(), "chain"
    yield payments.plot.balances(), "balance (smallest unit)"


def test_every_picture_renders_with_title_and_unit(trace, public_chain, election, payments):
    for element, label in pictures(trace, public_chain, election, payments):
        figure = drawn(element)
        assert label in figure.yaxis[0].axis_label
        assert figure.xaxis[0].axis_label
        assert figure.title.text
        assert figure.select(GlyphRenderer)


def test_pictures_speak_thai(trace, public_chain, election, payments):
    gl.config(language="th")
    for element, _ in pictures(trace, public_chain, election, payments):
        figure = drawn(element)
        assert all(map(thai, (figure.title.text, figure.yaxis[0].axis_label, figure.xaxis[0].axis_label)))


def test_the_tree_holds_every_block_once_and_the_best_branch_lies_on_the_base_line(trace):
    blocks = placed(trace, trace.slots)
    assert sorted(blocks["block"].to_list()) == trace.blocks["block"].to_list()
    assert not blocks.select("slot", "lane").is_duplicated().any()
    best = trace.blocks.filter("best")["block"].to_list()
    assert blocks.filter(lane=0)["block"].to_list() == best
    assert blocks.filter(pl.col("fate").is_in(["final", "best"]))["block"].to_list() == best
    # Every block but those upon genesis hangs on its parent.
    assert edges(blocks).height == trace.blocks.filter(pl.col("parent") > 0).height


def test_the_last_slots_alone_are_drawn_where_asked(trace):
    assert placed(trace, 5)["slot"].min() > trace.slots - 5
    with pytest.raises(gl.errors.GridlabError, match="slots"):
        trace.plot.forks(slots=0)


def test_conflicting_final_blocks_are_marked():
    sides = [[0, 1, 2, 3, 4, 5, 7], [6, 8]]
    broken = simulate_public(9, slots=30, partitions=[(6, 170, sides)], equivocators=[0, 1, 2, 3, 4])
    marked = placed(broken, 30).filter(fate="conflict")["block"].to_list()
    assert broken.forked
    assert sorted(marked) == sorted({block for pair in broken.conflicts for block in pair})
    assert "Finality is broken" in broken._repr_html_()


def test_slots_count_kept_lost_and_missed(trace):
    parts = list(trace.plot.slots())
    kept, lost = (part.dimension_values("amount").sum() for part in parts[:2])
    assert kept == trace.blocks["best"].sum()
    assert kept + lost == trace.blocks.height
    assert parts[2].label.endswith(str(trace.missed_slots))


def test_finality_is_that_of_the_trace(trace):
    points = [part for part in trace.plot.finality() if isinstance(part, hv.Scatter)]
    seconds = sorted(value for part in points for value in part.dimension_values(1).tolist())
    assert seconds == sorted(lag / 1000 for lag in trace.finality_ms)


def test_bars_are_the_chains_own_figures(public_chain):
    frame = public_chain.blocks
    fees = {part.label: part.dimension_values("amount").sum() for part in public_chain.plot.fees()}
    assert fees["fees"] == pytest.approx(frame["fees"].sum() / 1e6)
    assert fees["tips"] == pytest.approx(0.0005)
    done = {part.label: part.dimension_values("amount").sum() for part in public_chain.plot.blocks()}
    assert done["done"] == 1
    assert "3 together hold more than a third (Nakamoto coefficient 3)" in [p.label for p in public_chain.plot.stake()]


def test_a_channel_of_many_versions_keeps_its_ends(payments):
    curve = payments.plot.balances().get(0)
    assert len(curve) == 2_000
    assert curve.dimension_values(1)[[0, -1]].tolist() == [4_000_000, payments.balances[0]]


def test_locks_of_a_swap_last_as_long_as_they_did():
    outcome = Swap(responder="griefing", seed=3).run()
    bars = [part for part in outcome.plot.timeline() if isinstance(part, hv.Segments)]
    lasted = [float(b - a) for part in bars for a, b in zip(part.dimension_values(0), part.dimension_values(2),
                                                            strict=True)]  # fmt: skip
    assert lasted == outcome.locked["seconds"].to_list()


def test_nothing_to_draw_is_said():
    stuck = simulate_public(6, slots=4, offline=[0, 1])
    with pytest.raises(ChainError, match="no block is final yet"):
        stuck.plot.finality()
    with pytest.raises(ChainError, match="nobody holds any stake"):
        stake_bars(["a"], [0])


@pytest.mark.parametrize("make", [PublicChainPlots, PublicTracePlots, StakePlots, SwapPlots, ChannelPlots])
def test_only_their_own_are_plotted(make):
    with pytest.raises(ArgumentTypeError, match="expected"):
        make("chain")


def test_accessors_list_their_kinds(public_chain, trace, election):
    assert all(f".{kind}()" in repr(public_chain.plot) for kind in CHAIN)
    assert all(f".{kind}()" in repr(trace.plot) for kind in TRACE)
    assert ".stake()" in repr(election.plot)


def test_summaries_are_static_escaped_and_in_both_languages(public_chain, trace, election):
    for shown in (public_chain, trace, election):
        english = shown._repr_html_()
        assert english == shown._repr_html_()
        assert not re.search(r"<script|\bid=", english)
        gl.config(language="th")
        assert thai(shown._repr_html_())
        gl.config(language="en")
    assert "&lt;e&gt;" in election._repr_html_()
    assert f">{public_chain.height}<" in public_chain._repr_html_()
    assert "Seats caught equivocating" in trace._repr_html_()


def test_a_bridge_shows_both_sides_in_both_languages():
    roles = ("reserve_bank", "watt_issuer", "regulator", "trader")
    pairs = [keys.sandbox(0, role) for role in roles]
    members = {"account": [0, 1, 2, 3], "name": roles, "role": roles, "public_key": [p.public_key for p in pairs]}
    bridge = Bridge(ConsortiumChain(pl.DataFrame(members)), regulator=pairs[2], relayer=pairs[3], vault=1)
    assert "opens with the next block" in bridge._repr_html_()
    gl.config(language="th")
    assert "สะพานเชื่อมเชน" in bridge._repr_html_()


def test_a_chain_from_bytes_shows_what_it_holds(public_chain):
    read = PublicChain.from_bytes(public_chain.to_bytes())
    assert "Final height, certified" in read._repr_html_()
    assert "Finality and forks" not in read._repr_html_()
    panel = read.controls()
    assert "read from bytes" in panel.told.value
    assert all(button.disabled for button in panel.buttons.values())
    panel.close()


def test_the_fork_picture_marks_slots_without_a_block(trace):
    picture = fork_picture(trace, trace.slots)
    assert picture.count(">×<") == trace.missed_slots
    assert picture == fork_picture(trace, trace.slots)


def test_controls_run_fail_lie_cut_and_pay(public_chain):
    panel = public_chain.controls()
    panel.buttons["cut"].click()
    assert "First choose validators" in panel.told.value
    panel.chosen.value, panel.lasting.value = (4, 5, 6), 8
    panel.buttons["cut"].click()
    assert f"Validators 4–6 are cut off from all others until slot {public_chain.slot + 8}." in panel.told.value
    assert "the network is cut here" in panel.picture.value
    panel.chosen.value = (0,)
    panel.buttons["equivocate"].click()
    panel.buttons["offline"].click()
    assert public_chain.seats.row(0, named=True)["lies"]
    panel.buttons["pay"].click()
    assert public_chain.waiting.height == 1
    stood, panel.slots.value = public_chain.height, 3
    panel.buttons["run"].click()
    panel.slots.value = 14
    panel.buttons["run"].click()
    assert public_chain.height > stood + 4
    assert public_chain.waiting.is_empty()
    assert "blocks became final" in panel.told.value
    assert "the network is cut here" not in panel.picture.value
    panel.language.value = "th"
    assert panel.buttons["run"].description == "เดินเวลา"
    assert "เป็นที่สิ้นสุด" in panel.told.value
    assert gl.config().language == "en"
    panel.close()


def test_only_public_chains_have_these_controls(chain):
    with pytest.raises(ArgumentTypeError, match="expected a PublicChain"):
        public_controls(chain)

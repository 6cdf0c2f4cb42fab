"""HoloViews pictures of a chain and of a trace: they render, with units and titles, in both languages."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from gridlab.chain import keys, pbft
from gridlab.chain.ordering import SingleSequencer
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError
from gridlab.ui.chain_plots import ChainPlots
from gridlab.ui.consensus_plots import distribution
from gridlab.ui.trace_plots import TracePlots

CHAIN = {
    "blocks": "transactions per block",
    "bytes": "(B)",
    "finality": "(s)",
    "finality_distribution": "number of blocks",
    "views": "view",
    "messages": "messages per block",
    "message_kinds": "kind of message",
}
TRACE = {"finality": "(s)", "finality_distribution": "number of blocks", "views": "view", "messages": "kind of message"}


@pytest.fixture
def busy_chain(chain):
    """Four calm blocks, then one whose primary and the next are silent: two view changes."""
    for height in range(5):
        if height == 4:
            chain.ordering.corrupt(0, "silent")
            chain.ordering.corrupt(1, "silent")
        panel = chain.controls()
        panel.buttons["seal"].click()
        panel.close()
    return chain


@pytest.fixture(scope="module")
def trace():
    return pbft.simulate(n=7, blocks=8, byzantine={0: "silent"})


def drawn(element):
    return hv.render(element, backend="bokeh")


@pytest.mark.parametrize("kind", CHAIN)
def test_every_picture_of_a_chain_renders_with_title_and_unit(busy_chain, kind):
    figure = drawn(getattr(busy_chain.plot, kind)())
    assert CHAIN[kind] in figure.yaxis[0].axis_label
    assert figure.xaxis[0].axis_label
    assert figure.title.text
    assert figure.select(GlyphRenderer)


@pytest.mark.parametrize("kind", TRACE)
def test_every_picture_of_a_trace_renders_with_title_and_unit(trace, kind):
    figure = drawn(getattr(trace.plot, kind)())
    assert TRACE[kind] in figure.yaxis[0].axis_label
    assert figure.title.text


@pytest.mark.usefixtures("thai")
def test_pictures_speak_thai(busy_chain, trace):
    for plots, names in ((busy_chain.plot, CHAIN), (trace.plot, TRACE)):
        for name in names:
            figure = drawn(getattr(plots, name)())
            for words in (figure.title.text, figure.yaxis[0].axis_label, figure.xaxis[0].axis_label):
                assert any("\u0e00" <= letter <= "\u0e7f" for letter in words)


def test_the_accessors_list_their_kinds(chain, trace):
    assert all(f".{name}()" in repr(chain.plot) for name in CHAIN)
    assert all(f".{name}()" in repr(trace.plot) for name in TRACE)


def test_bars_hold_accepted_and_rejected_transactions(busy_chain):
    blocks = busy_chain.plot.blocks()
    counts = {part.label: part.dimension_values("count").sum() for part in blocks}
    frame = busy_chain.blocks
    assert counts["rejected"] == frame["rejected"].sum() == 5
    assert counts.get("accepted", 0) == frame["transactions"].sum() - frame["rejected"].sum()
    assert busy_chain.plot.bytes().dimension_values(1).tolist() == frame["bytes"].to_list()


def test_finality_holds_every_block_and_marks_view_changes(busy_chain):
    rounds = busy_chain.rounds
    points = [part for part in busy_chain.plot.finality() if isinstance(part, hv.Scatter)]
    values = {part.label: part.dimension_values(1) for part in points}
    changed = rounds.filter(rounds["view_changes"] > 0)
    assert values["after a view change"].tolist() == (changed["finality_ms"] / 1000).to_list()
    assert sum(map(len, values.values())) == rounds.height
    lines = {
        part.label: part.dimension_values(1)[0] for part in busy_chain.plot.finality() if isinstance(part, hv.Curve)
    }
    median = float(np.median(rounds["finality_ms"].to_numpy())) / 1000
    assert lines[f"p50: {median:.3f} s"] == pytest.approx(median)


def test_views_and_messages_are_those_of_the_rounds(busy_chain):
    rounds = busy_chain.rounds
    views = next(part for part in busy_chain.plot.views() if isinstance(part, hv.Curve))
    assert views.dimension_values(1).tolist() == rounds["view"].to_list()
    sent = next(part for part in busy_chain.plot.messages() if isinstance(part, hv.Scatter))
    assert sent.dimension_values(1).tolist() == rounds["messages"].to_list()
    assert "without faults: 840" in [part.label for part in busy_chain.plot.messages()]
    assert busy_chain.plot.message_kinds().dimension_values(1).sum() == sum(
        busy_chain.ordering.cluster.messages.values()
    )


def test_kinds_of_a_trace_are_its_messages(trace):
    bars = trace.plot.messages()
    told = dict(zip(bars.dimension_values(0), bars.dimension_values(1), strict=True))
    assert told["pre-prepare"] == trace.messages["pre_prepare"]
    assert sum(told.values()) == sum(trace.messages.values())


@pytest.mark.parametrize("values", [[40.0], [40.0, 40.0], [40.0] * 30 + [4000.0]])
def test_a_distribution_counts_every_block(values):
    bars = distribution(np.array(values))
    assert bars.dimension_values(1).sum() == len(values)
    assert drawn(bars)


@pytest.mark.parametrize("kind", ["finality", "finality_distribution", "views", "messages", "message_kinds"])
def test_a_chain_on_which_nobody_agreed_says_so(new_chain, kind):
    chain = new_chain(ordering=SingleSequencer(keys.sandbox(0, "sequencer")))
    chain.seal(0)
    assert drawn(chain.plot.blocks())
    with pytest.raises(ChainError, match="no block of this chain was sealed here"):
        getattr(chain.plot, kind)()


def test_a_trace_without_a_final_block_says_so():
    stuck = pbft.simulate(n=4, blocks=1, crashed=[0, 1], limit_ms=5_000)
    with pytest.raises(ArgumentError, match="no block of this trace"):
        stuck.plot.finality()


@pytest.mark.parametrize("make", [ChainPlots, TracePlots])
def test_only_chains_and_traces_are_plotted(make):
    with pytest.raises(ArgumentTypeError):
        make({"blocks": 1})

"""What bare chains, blocks, traces and decisions show: static, equal for equal data, in both languages."""

from __future__ import annotations

import re

import pytest

from gridlab.chain import ConsortiumChain, pbft
from gridlab.chain.encoding import text, u64
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import sandbox
from gridlab.chain.pbft import Cluster, Proposal
from gridlab.ui.consensus_words import MESSAGES

HOSTILE = "<script>alert(1)</script>"


class OneBlock:
    """An application that has one block for each height."""

    def propose(self, height):
        return Proposal(text("summary") + u64(height) + bytes(32), b"")

    def rival(self, _proposal):
        return None

    def check(self, _proposal):
        return None


@pytest.fixture
def decision():
    validators = [sandbox(0, f"validator {number}") for number in range(4)]
    return Cluster(validators, chain_id="summary", application=OneBlock()).decide(1)


@pytest.fixture(scope="module")
def fork():
    return pbft.simulate(blocks=1, byzantine=dict.fromkeys(range(6), "collude"), quorum=13, message_log=1)


def test_a_chain_shows_its_figures_and_how_it_became_final(chain):
    assert "running" in chain._repr_html_()
    chain.seal(0)
    chain.ordering.crash(20)
    chain.ordering.corrupt(3, "silent")
    html = chain._repr_html_()
    assert hexadecimal(chain.head.hash) in html
    assert hexadecimal(chain.state_root) in html
    assert f"{chain.rounds['finality_ms'][0]:.1f} ms" in html
    assert "Liars 3: say nothing" in html
    assert "honest 19, lies 1, down 1" in html


def test_a_stopped_chain_and_one_without_keys_say_so(chain):
    chain.ordering.stop()
    assert "stopped; resume goes on" in chain._repr_html_()
    chain.ordering.resume()
    chain.seal(0)
    read = ConsortiumChain.from_bytes(chain.to_bytes())._repr_html_()
    assert "their secret keys are not here" in read
    assert "<svg" not in read  # nothing is known of who lies or is down


def test_a_block_shows_its_hashes_and_its_certificate(chain):
    block = chain.seal(0)
    html = block._repr_html_()
    assert hexadecimal(block.hash) in html
    assert hexadecimal(block.header.parent) in html
    assert f"{len(block.certificate):,} bytes" in html


def test_a_decision_shows_its_quorum(decision):
    html = decision._repr_html_()
    assert f"{len(decision.signatures)} of 4 (quorum 3)" in html
    assert "Decision at height 1" in html
    assert repr(decision).startswith("Decision(height 1, view 0, 3 of 4 signatures, ")


def test_a_trace_shows_messages_evidence_and_its_pictures(fork):
    html = fork._repr_html_()
    assert "A fork: two blocks of one height are final" in html
    assert html.count("<svg") == 2
    assert f"Messages: {sum(fork.messages.values()):,}" in html
    assert all(str(MESSAGES[kind]) in html for kind in fork.messages)
    first = fork.evidence[0]
    assert f"validator {first.validator} signed two {MESSAGES[first.kind]} messages at height 1, view 0" in html
    assert fork.fingerprint in html


def test_a_trace_without_a_log_shows_its_figures():
    trace = pbft.simulate(n=4, blocks=2, crashed=[3])
    html = trace._repr_html_()
    assert "No fork, all blocks final" in html
    assert "down: 3" in html
    assert "<svg" not in html
    stuck = pbft.simulate(n=4, blocks=1, crashed=[0, 1], limit_ms=3_000)
    assert "not all blocks final" in stuck._repr_html_()


@pytest.mark.usefixtures("thai")
def test_summaries_speak_thai(chain, fork, decision):
    block = chain.seal(0)
    for thing, words in ((chain, "คอนซอร์เทียมเชน"), (block, "บล็อก"), (fork, "เกิดการแยกสาย"), (decision, "มติที่ความสูง")):
        assert words in thing._repr_html_()


def test_summaries_are_equal_for_equal_data_without_ids_or_scripts(new_chain, fork, decision):
    pages = []
    for _ in range(2):
        chain = new_chain(chain_id="twice")
        block = chain.seal(0)
        again = pbft.simulate(blocks=1, byzantine=dict.fromkeys(range(6), "collude"), quorum=13, message_log=1)
        pages.append([thing._repr_html_() for thing in (chain, block, again)])
    assert pages[0] == pages[1]
    assert pages[0][2] == fork._repr_html_()
    for html in [*pages[0], decision._repr_html_()]:
        assert not re.search(r"\sid=|<script|<style", html)


def test_names_are_shown_letter_by_letter(new_chain):
    chain = new_chain(chain_id=HOSTILE)
    for html in (chain._repr_html_(), chain.seal(0)._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;alert" in html


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
def test_summaries_fit_phones_and_screens(page, console_errors, chain, fork, width):
    chain.seal(0)
    page.set_viewport_size({"width": width, "height": 900})
    html = chain._repr_html_() + chain.block(1)._repr_html_() + fork._repr_html_()
    page.set_content(f'<!doctype html><meta charset="utf-8"><body>{html}</body>')
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert console_errors == []

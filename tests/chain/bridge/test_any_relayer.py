"""Whatever a relayer does: nothing happens twice, nothing executed is paid back, the supply is constant."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.inclusion import inclusion_of
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof
from gridlab.chain.bridge.proving import prove_sent, prove_unreceived
from gridlab.chain.bridge.relaying import Relay, relay, relays_due
from gridlab.chain.bridge.tokens import in_flight
from gridlab.errors import GridlabError

ACTIONS = [
    *("send", "send", "both_know", "both_know", "observe", "observe", "lie", "lie", "lie"),
    *("forge", "forge", "seal", "header", "forged_header", "repeat_or_reorder", "repeat_everything_backwards"),
    *("a_proof_of_absence_before_the_timeout", "a_proof_that_it_was_sent_after_the_timeout"),
]
LIES = ["cut", "other", "code", "packet", "act", "height"]
SIDES, MINUTES = st.integers(0, 1), st.integers(0, 5)


def make_machine(tools):  # noqa: C901 - one machine, of which hypothesis runs the rules
    class Relayer(RuleBasedStateMachine):
        """Two chains, and a relayer that keeps everything it ever saw and uses it as it likes."""

        @initialize(ordered=st.booleans())
        def start(self, ordered):
            self.chains = tools.world(ordered=ordered, drift=tools.DAY)
            self.seen = []  # (origin, relay)
            self.executed, self.refunded = Counter(), Counter()
            self.headers = [[], []]

        def channel(self, side):
            return f"to-{'ba'[side]}"

        @rule(action=st.sampled_from(ACTIONS), side=SIDES, number=st.integers(0, 99), data=st.data())
        def turn(self, action, side, number, data):
            # One rule for all, since hypothesis leaves some rules out of each run, and every one is needed.
            getattr(self, action)(side, number, data)

        def send(self, side, number, data):
            asset, amount, minutes = ("WATT", "GRID")[number % 2], 1 + 6 * number, data.draw(MINUTES)
            chain = self.chains[side]
            sender = tools.ALICE if side == 0 else tools.BOB
            recipient = tools.BOB if side == 0 else tools.ALICE
            timeout = self.chains[1 - side].now + minutes * 60 * tools.SECOND
            tokens = TokenMove(asset, amount, sender, recipient)
            self.attempt(lambda: chain.send_tokens(self.channel(side), timeout, tokens))

        def seal(self, side, number, _data):
            chain = self.chains[side]
            chain.seal(chain.now + number * tools.SECOND)
            self.headers[side].append(chain.signed(chain.height))

        def header(self, side, _number, data):
            if self.headers[side]:
                chosen = data.draw(st.sampled_from(self.headers[side]))
                self.attempt(lambda: self.chains[1 - side].update("client", chosen))

        def forged_header(self, side, height, data):
            signers = data.draw(st.integers(0, 2))
            chain, other = self.chains[side], self.chains[1 - side]
            forged = chain.header(height=max(height, 1), state_root=bytes([height]) * 32)
            # The last three seats have 60 of 100, which is not more than two thirds.
            before = other.end
            with pytest.raises(GridlabError):
                other.update("client", chain.certify(forged, chain.authority_pairs[3 - signers :]))
            assert other.end is before

        def both_know(self, _side, number, _data):
            for chain, other in (self.chains, self.chains[::-1]):
                other.seal(other.now + number % 40 * tools.SECOND)
                chain.update("client", other.signed(other.height))

        def observe(self, side, number, _data):
            origin, destination = self.chains[side], self.chains[1 - side]
            due = [(side, each) for each in relays_due(origin, destination, self.channel(side))]
            self.seen += due
            for chosen in due[: number % 4]:
                self.perform(*chosen)

        def a_proof_of_absence_before_the_timeout(self, side, _number, _data):
            # An honest relayer would not make it; what was not received yet is not what never will be.
            origin, destination = self.chains[side], self.chains[1 - side]
            own, height = origin.end.channel(self.channel(side)), origin.end.client("client").newest.height
            end, state = destination.at(height)
            received = end.channel(own.counterpart).received if end.channels else ()
            for packet in own.open_packets[:3]:
                if end.channels and packet.sequence not in received:
                    proof = prove_unreceived(end, state, own.counterpart, packet.sequence)
                    self.seen.append((side, Relay("time_out", packet, 0, height, proof)))
                    self.perform(side, self.seen[-1][1])

        def a_proof_that_it_was_sent_after_the_timeout(self, side, _number, _data):
            origin, destination = self.chains[side], self.chains[1 - side]
            own, height = origin.end.channel(self.channel(side)), destination.end.client("client").newest.height
            end, state = origin.at(height)
            known = end.channels[own.name].sent.count if end.channels else 0
            for packet in own.open_packets[-2:]:
                if packet.sequence < known:
                    proof = prove_sent(end, state, own.name, packet.sequence)
                    self.seen.append((side, Relay("receive", packet, 0, height, proof)))
                    self.perform(side, self.seen[-1][1])

        def forge(self, side, _number, _data):
            # True proofs of the two states, attached to what they do not say.
            origin, destination = self.chains[side], self.chains[1 - side]
            own = origin.end.channel(self.channel(side))
            height, far_height = (chain.end.client("client").newest.height for chain in (origin, destination))
            (far, far_state), (near, near_state) = destination.at(height), origin.at(far_height)
            if not (far.channels and near.channels):
                return
            answers, sent = far.channel(own.counterpart).answers, near.channel(own.name).sent
            base = BridgeProof(far_state, inclusion_of(far.leaves, 1))
            said = [base, *(replace(base, entries=(answers.prove(place),)) for place in range(answers.count)[-2:])]
            for sequence in range(own.sent.count)[-4:]:
                for proof in said:
                    packet = own.packet(sequence)
                    for act, code in (("time_out", 0), ("acknowledge", 0), ("acknowledge", 1)):
                        self.perform(side, Relay(act, packet, code, height, proof))
            tokens = TokenMove(("WATT", "GRID")[side], 500, tools.ALICE, tools.BOB).to_bytes()
            invented = Packet(own.name, own.counterpart, sent.count, destination.now + 9, tokens)
            base = BridgeProof(near_state, inclusion_of(near.leaves, 1))
            for place in range(sent.count)[-1:]:
                for sequence in (place, sent.count):
                    packet, proof = replace(invented, sequence=sequence), replace(base, entries=(sent.prove(place),))
                    self.perform(side, Relay("receive", packet, 0, far_height, proof))

        def repeat_everything_backwards(self, _side, _number, _data):
            for side, chosen in self.seen[-12:][::-1]:
                self.perform(side, chosen)

        def repeat_or_reorder(self, _side, _number, data):
            if self.seen:
                side, chosen = data.draw(st.sampled_from(self.seen))
                self.perform(side, chosen)

        def lie(self, _side, number, data):
            if not self.seen:
                return
            how = LIES[number % len(LIES)]
            side, chosen = data.draw(st.sampled_from(self.seen))
            _, other = data.draw(st.sampled_from(self.seen))
            forged = {
                "cut": lambda: replace(chosen, proof=replace(chosen.proof, entries=chosen.proof.entries[1:])),
                "other": lambda: replace(chosen, proof=other.proof),
                "code": lambda: replace(chosen, code=1 - chosen.code),
                "packet": lambda: replace(chosen, packet=other.packet),
                "act": lambda: replace(chosen, act=other.act),
                "height": lambda: replace(chosen, height=other.height),
            }[how]()
            # Some such lies are true by chance (the other proof may be the same one); the invariants hold all the same.
            self.perform(data.draw(SIDES), forged)
            self.perform(side, forged)

        def perform(self, side, chosen):
            origin, destination = self.chains[side], self.chains[1 - side]
            host = destination if chosen.act == "receive" else origin
            step = self.attempt(lambda: chosen.perform(host))
            if step is None:
                return
            name = (side, chosen.packet.sequence)
            if chosen.act == "receive":
                self.executed[name] += step.code == 0
            elif step.code == 1:
                self.refunded[name] += 1

        def attempt(self, act):
            before = [(chain.end, dict(chain.balances)) for chain in self.chains]
            try:
                return act()
            except GridlabError:
                # Refused: nothing has changed.
                assert all(chain.end is end for chain, (end, _) in zip(self.chains, before, strict=True))
                assert [chain.balances for chain in self.chains] == [kept for _, kept in before]
                return None

        @invariant()
        def nothing_twice(self):
            if hasattr(self, "chains"):
                assert all(count == 1 for count in self.executed.values() if count)
                assert all(count == 1 for count in self.refunded.values())
                assert not {name for name, count in self.executed.items() if count} & set(self.refunded)

        @invariant()
        def supply_is_constant(self):
            if not hasattr(self, "chains"):
                return
            ends = [chain.end.channels[self.channel(side)] for side, chain in enumerate(self.chains)]
            for asset, home in (("WATT", 0), ("GRID", 1)):
                locked = ends[home].held.get(asset, 0)
                free = self.chains[home].supply(asset) - locked
                minted = self.chains[1 - home].supply(asset)
                flying = in_flight(ends[0], ends[1], asset) + in_flight(ends[1], ends[0], asset)
                assert free + minted + flying == 1_000
                assert locked == minted + flying
                assert minted == ends[1 - home].held.get(asset, 0)

        @invariant()
        def bytes_say_everything(self):
            if hasattr(self, "chains"):
                for chain in self.chains:
                    again = BridgeEnd.from_bytes(chain.end.to_bytes())
                    assert again.root == chain.end.root

        def teardown(self):
            if not hasattr(self, "chains"):
                return
            # From here on one honest relayer works: every packet is settled, one way or the other.
            late = max(each.now for each in self.chains) + 600 * tools.SECOND
            for chain in self.chains:
                chain.seal(late)
            for _ in range(4):
                for chain, other in (self.chains, self.chains[::-1]):
                    other.seal()
                    chain.update("client", other.signed(other.height))
                for side, (origin, destination) in enumerate((self.chains, self.chains[::-1])):
                    for done in relay(origin, destination, self.channel(side)):
                        name = (side, done.packet.sequence)
                        self.refunded[name] += done.act == "time_out" or (done.act == "acknowledge" and done.code == 1)
            for side, chain in enumerate(self.chains):
                assert chain.end.channels[self.channel(side)].open_packets == []
            self.refunded = Counter({name: count for name, count in self.refunded.items() if count})
            self.nothing_twice()
            self.supply_is_constant()

    return Relayer


def test_any_relayer(tools):
    from hypothesis.stateful import run_state_machine_as_test

    quiet = settings(max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(make_machine(tools), settings=quiet)


def test_proofs_come_back_from_bytes(pair, tools):
    origin, destination = pair
    origin.send_tokens("to-b", 2 * tools.DAY, tools.move())
    tools.tell(destination, origin)
    tools.tell(origin, destination)
    (due,) = relays_due(origin, destination, "to-b")
    data = due.proof.to_bytes()
    assert BridgeProof.from_bytes(data) == due.proof
    for end in range(len(data)):
        with pytest.raises(GridlabError):
            BridgeProof.from_bytes(data[:end])

"""The chain checks reports itself: providers appointed, medians recomputed, liars slashed, everything replayed."""

from datetime import timedelta

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.encoding import blob
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.oracle import ProviderSet, read_report_payload, report_payload, reports_of
from gridlab.chain.reports import OracleReports
from gridlab.errors import GridlabError, OracleError

PROVIDERS = ProviderSet.sandbox(15, seed=7)
STAKE = 2_000_000
FIRST = 10  # account of the first provider's stake


@pytest.fixture
def world(members, pairs, account, make):
    """A chain with an oracle, a bridge operator, a treasury, and fifteen stakes where nobody can sign."""
    names = ["oracle", "bridge", "treasury", *(f"stake {number}" for number in range(15))]
    further = pl.DataFrame(
        {
            "account": range(7, 25),
            "name": names,
            "role": ["oracle", "bridge_operator", "treasury", *["oracle"] * 15],
            "public_key": [keys.sandbox(7, name).public_key for name in names],
            "active": [True] * 3 + [False] * 15,
        }
    )
    everybody = pl.concat([members.with_columns(active=pl.lit(True)), further], how="vertical_relaxed")
    chain = ConsortiumChain(everybody, ordering=PbftOrdering.of(4))
    chain.send(
        pairs["bank"], "reserve", make.transfers((1, account["bank"], account["issuer"], "THB", 10**9, "reserve"))
    )
    minted = [(2 + n, account["issuer"], FIRST + n, "WATT", STAKE, "mint") for n in range(15)]
    chain.send(pairs["issuer"], "mint", make.transfers(*minted))
    assert chain.seal(make.start).rejected == 0
    return chain


def appointment(**changes):
    frame = pl.DataFrame(
        {
            "network": [PROVIDERS.network] * 15,
            "epoch": [1] * 15,
            "provider": range(15),
            "public_key": list(PROVIDERS.keys),
            "account": range(FIRST, FIRST + 15),
            "stake": [STAKE] * 15,
            "slash": [250_000_000] * 15,
        }
    )
    return frame.with_columns(**changes)


@pytest.fixture
def appointed(world, pairs, make):
    assert make.sealed(world, world.sign(pairs["regulator"], "oracle_providers", appointment())).accepted
    return world


def round_of(make, number=1, honest=range(10), **changes):
    return make.observations({provider: 3_000 + provider for provider in honest}, number=number, **changes)


def test_the_chain_takes_the_median_itself(appointed, make):
    oracle = keys.sandbox(7, "oracle")
    said = pl.concat([round_of(make), round_of(make, feed="fx/usd", honest=range(15))])
    assert make.sealed(appointed, appointed.sign(oracle, "oracle_report", said)).accepted
    shown = appointed.reports.select("feed", "epoch", "round", "value", "observations").rows()
    assert shown == [("fx/usd", 1, 1, 3_007, 15), ("price/MAC", 1, 1, 3_005, 10)]
    assert appointed.reports["observed"][0] == said["observed"][0]
    assert appointed.replay().state_root == appointed.state_root


def test_reports_of_a_feed_come_in_strictly_increasing_rounds_and_time_goes_on(appointed, make):
    oracle = keys.sandbox(7, "oracle")

    def code(number, **changes):
        said = round_of(make, number, **changes)
        return make.sealed(appointed, appointed.sign(oracle, "oracle_report", said)).code

    steps = [
        (2, {}, True),
        (2, {}, False),
        (1, {}, False),
        (4, {}, True),
        (3, {}, False),
        (1, {"feed": "fx/usd"}, True),
    ]
    steps += [(5, {"observed": make.start - timedelta(seconds=1)}, False), (5, {"epoch": 2}, False), (5, {}, True)]
    for number, changes, accepted in steps:
        assert code(number, **changes) == ("accepted" if accepted else "rule_broken"), (number, changes)


def test_one_round_too_few_refuses_the_whole_transaction(appointed, make):
    said = pl.concat([round_of(make), round_of(make, number=2, honest=range(9))])
    receipt = make.sealed(appointed, appointed.sign(keys.sandbox(7, "oracle"), "oracle_report", said))
    assert receipt.code == "rule_broken"
    assert "at least 10 signatures" in receipt.reason
    assert appointed.reports.is_empty()


def test_only_an_oracle_sends_reports_and_only_a_regulator_appoints(appointed, pairs, make):
    assert (
        make.sealed(appointed, appointed.sign(pairs["alice"], "oracle_report", round_of(make))).code == "not_permitted"
    )
    sent = appointed.sign(keys.sandbox(7, "oracle"), "oracle_providers", appointment(epoch=2))
    assert make.sealed(appointed, sent).code == "not_permitted"


def test_before_providers_are_appointed_nobody_reports(world, make):
    receipt = make.sealed(world, world.sign(keys.sandbox(7, "oracle"), "oracle_report", round_of(make)))
    assert "knows no providers yet" in receipt.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stake": pl.lit(STAKE + 1)}, "a stake is not there yet"),
        ({"account": pl.col("account") - 9}, "no oracle's licence or one in force"),
        ({"account": pl.col("account") - 3}, "no oracle's licence or one in force"),
        ({"account": pl.lit(FIRST)}, "the same account stands there twice"),
        ({"public_key": pl.col("public_key").first()}, "the same public key stands there twice"),
        ({"provider": pl.col("provider") + 1}, "number them 0, 1, 2"),
        ({"epoch": pl.col("provider").cast(pl.UInt64)}, "epoch is"),
        ({"slash": pl.col("provider")}, "slash is"),
    ],
)
def test_a_set_of_providers_that_does_not_fit_is_refused(world, pairs, make, changes, reason):
    frame = appointment().cast({"provider": pl.UInt32, "epoch": pl.UInt64, "stake": pl.Int64}).with_columns(**changes)
    receipt = make.sealed(world, world.sign(pairs["regulator"], "oracle_providers", frame))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_another_set_needs_a_later_epoch_and_the_same_network(appointed, pairs, make):
    def code(**changes):
        return make.sealed(
            appointed, appointed.sign(pairs["regulator"], "oracle_providers", appointment(**changes))
        ).code

    assert code() == "rule_broken"
    assert code(epoch=pl.lit(2), network=pl.lit("elsewhere")) == "rule_broken"
    oracle = keys.sandbox(7, "oracle")
    assert make.sealed(appointed, appointed.sign(oracle, "oracle_report", round_of(make, 5))).accepted
    assert code(epoch=pl.lit(2)) == "accepted"
    # Rounds may begin again: an epoch counts before a round.
    assert make.sealed(appointed, appointed.sign(oracle, "oracle_report", round_of(make, 1))).code == "rule_broken"
    assert make.sealed(appointed, appointed.sign(oracle, "oracle_report", round_of(make, 1, epoch=2))).accepted


def test_two_values_in_a_round_cost_stake_once_and_the_seat(appointed, pairs, make):
    pair = pl.concat([make.observations({4: 3_000}), make.observations({4: 9_000})])
    # Whoever has the proof may show it.
    assert make.sealed(appointed, appointed.sign(pairs["alice"], "oracle_evidence", pair)).accepted
    ledger = appointed.ledger
    assert [ledger.balance(FIRST + n, "WATT") for n in (3, 4)] == [STAKE, STAKE - STAKE // 4]
    assert ledger.balance(9, "WATT") == STAKE // 4
    again = pl.concat([make.observations({4: 1}, number=2), make.observations({4: 2}, number=2)])
    receipt = make.sealed(appointed, appointed.sign(pairs["bob"], "oracle_evidence", again))
    assert "has been struck off" in receipt.reason
    receipt = make.sealed(appointed, appointed.sign(keys.sandbox(7, "oracle"), "oracle_report", round_of(make)))
    assert "a provider was struck off" in receipt.reason
    others = round_of(make, honest=[n for n in range(11) if n != 4])
    assert make.sealed(appointed, appointed.sign(keys.sandbox(7, "oracle"), "oracle_report", others)).accepted
    assert appointed.replay().state_root == appointed.state_root


def two_values(make, provider=4, **changes):
    return pl.concat([make.observations({provider: value}, **changes) for value in (3_000, 9_000)])


def turned_round(epoch):
    """Return the same keys in the opposite order, each with another account, and a smaller share to lose."""
    return appointment().with_columns(
        epoch=pl.lit(epoch, pl.UInt64),
        public_key=pl.col("public_key").reverse(),
        stake=pl.lit(1),
        slash=pl.lit(100_000_000),
    )


def test_evidence_of_an_earlier_epoch_costs_the_stake_of_then_and_the_seat_of_now(appointed, pairs, make):
    regulator = pairs["regulator"]
    assert make.sealed(appointed, appointed.sign(regulator, "oracle_providers", turned_round(2))).accepted
    sent = appointed.sign(pairs["alice"], "oracle_evidence", two_values(make))
    assert make.sealed(appointed, sent).accepted
    # Provider 4 of epoch 1 loses the quarter of epoch 1; in epoch 2 it is provider 10, and has no seat any more.
    left = [appointed.ledger.balance(FIRST + n, "WATT") for n in range(15)]
    assert left == [STAKE - STAKE // 4 if n == 4 else STAKE for n in range(15)]
    assert appointed.oracle_providers.struck == (10,)
    # Nor has it one in the set after that, and nobody convicts it again for either epoch.
    third = appointment(epoch=pl.lit(3), stake=pl.lit(1))
    assert make.sealed(appointed, appointed.sign(regulator, "oracle_providers", third)).accepted
    assert appointed.oracle_providers.struck == (4,)
    for again in (two_values(make, number=2), two_values(make, epoch=3)):
        receipt = make.sealed(appointed, appointed.sign(pairs["bob"], "oracle_evidence", again))
        assert "has been struck off and slashed before" in receipt.reason
    assert appointed.replay().state_root == appointed.state_root


def test_four_earlier_sets_are_kept_and_evidence_against_older_ones_is_void(make):
    register = OracleReports()
    for epoch in range(1, 6):
        register = register.appoint(ProviderSet.sandbox(15, seed=7, epoch=epoch))
    after, judging, provider = register.convict(two_values(make))
    assert (judging.epoch, provider) == (1, 4)
    assert {each.struck for each in (*after.earlier, after.providers)} == {(4,)}
    register = register.appoint(ProviderSet.sandbox(15, seed=7, epoch=6))
    assert [each.epoch for each in register.earlier] == [2, 3, 4, 5]
    with pytest.raises(OracleError, match=r"the epoch is 1, allowed: \[2, 3, 4, 5, 6\]"):
        register.convict(two_values(make))
    mixed = pl.concat([make.observations({4: 1}, epoch=2), make.observations({4: 2}, epoch=3)])
    with pytest.raises(OracleError, match="the same in both"):
        register.convict(mixed)
    with pytest.raises(OracleError, match="0 observations"):
        register.convict(mixed.clear())


def test_who_was_struck_off_stays_so_by_its_key(make):
    struck, _, _ = OracleReports().appoint(PROVIDERS).convict(two_values(make))
    others = ProviderSet.sandbox(15, seed=8, epoch=2)
    back = (*ProviderSet.sandbox(4, seed=8, epoch=3).keys, PROVIDERS.keys[4])
    after = struck.appoint(others)
    assert after.providers.struck == ()
    assert after.appoint(ProviderSet(back, epoch=3)).providers.struck == (4,)


def test_reports_of_an_earlier_epoch_do_not_count(make):
    register = OracleReports().appoint(PROVIDERS).appoint(ProviderSet.sandbox(15, seed=7, epoch=2))
    with pytest.raises(OracleError, match="not that of the providers"):
        register.add(round_of(make))


def test_evidence_that_proves_nothing_costs_nothing(appointed, pairs, make):
    same = pl.concat([make.observations({4: 3_000})] * 2)
    forged = pl.concat(
        [make.observations({4: 3_000}), make.observations({4: 3_000}).with_columns(value=pl.lit(9_000, pl.Int64))]
    )
    for pair in (same, forged, round_of(make)):
        assert make.sealed(appointed, appointed.sign(pairs["alice"], "oracle_evidence", pair)).code == "rule_broken"


def test_a_report_goes_to_another_chain_as_a_packet(appointed, make):
    report = reports_of(round_of(make), PROVIDERS)[0]
    packet = pl.DataFrame(
        {
            "channel": ["public"],
            "sequence": [0],
            "timeout": [make.start + timedelta(hours=1)],
            "payload": [report_payload(report)],
        }
    )
    sent = appointed.sign(keys.sandbox(7, "bridge"), "bridge_packet", packet)
    assert make.sealed(appointed, sent).accepted
    assert read_report_payload(packet["payload"][0], PROVIDERS).value == 3_005


def test_an_empty_register_has_the_hash_it_had_before_there_were_providers():
    empty = encode_frame(OracleReports().frame.drop("observations"))
    assert OracleReports().hash == tagged_hash("gridlab/oracle-reports/1", blob(empty))
    assert OracleReports().is_empty


def test_the_register_comes_back_from_bytes_and_a_damaged_one_does_not(make):
    said = pl.concat([round_of(make), round_of(make, feed="fx/usd")])
    register = OracleReports().appoint(PROVIDERS.strike(14)).add(said)
    later = register
    for epoch in (2, 5):
        later = later.appoint(ProviderSet.sandbox(15, seed=7, epoch=epoch))
    assert [each.epoch for each in later.earlier] == [1, 2]
    for each in (OracleReports(), register, later):
        data = each.to_bytes()
        assert OracleReports.from_bytes(data) == each
        for end in range(len(data)):
            with pytest.raises(GridlabError):
                OracleReports.from_bytes(data[:end])


def test_every_part_of_the_register_is_under_its_hash(make):
    register = OracleReports().appoint(PROVIDERS)
    some = [register, register.add(round_of(make)), register.add(round_of(make, honest=range(11)))]
    some += [OracleReports().appoint(PROVIDERS.strike(3)), OracleReports()]
    second, third = (ProviderSet.sandbox(15, seed=7, epoch=epoch) for epoch in (2, 3))
    some += [register.appoint(third), register.appoint(second).appoint(third)]
    assert len({each.hash for each in some}) == len(some)
    with pytest.raises(OracleError, match="count on"):
        register.appoint(PROVIDERS)


def test_earlier_sets_that_cannot_have_been_are_not_read():
    sets = [ProviderSet.sandbox(4, epoch=epoch) for epoch in range(1, 8)]
    elsewhere = ProviderSet.sandbox(4, epoch=5, network="elsewhere")
    for earlier in ((sets[5],), (sets[1], sets[0]), (elsewhere,), tuple(sets[:5])):
        data = OracleReports(providers=sets[5], earlier=earlier).to_bytes()
        with pytest.raises(GridlabError, match=r"rising ones of one network|at most 4"):
            OracleReports.from_bytes(data)

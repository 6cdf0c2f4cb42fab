"""Contracts on the chain: all parties sign, one changed byte breaks it, and only what the contract says is paid."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain
from gridlab.chain.contract_terms import (
    MOST_PRICE,
    TEMPLATES,
    ContractTerms,
    GridIntegration,
    SettlementTerms,
    TradingRules,
)
from gridlab.chain.senders import CONTRACT_SENDER
from gridlab.chain.sharing import PPB
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError
from gridlab.market.agreements.contracts import EnergyTradingContract

START = datetime(2026, 4, 1)
SLOT = timedelta(minutes=15)


def p2p(account, **changes):
    given_ = {"price": 3.2, "start": START, "end": START + 4 * SLOT}
    return EnergyTradingContract.p2p(seller=account["alice"], buyer=account["bob"], **(given_ | changes))


def signed(contract, pairs, account):
    names = {number: name for name, number in account.items()}
    for party in contract.terms.parties:
        contract = contract.sign(pairs[names[party]], party)
    return contract


def meters(account, exports, imports):
    """One slot per pair: what alice feeds in and what bob takes (Wh)."""
    count = len(exports)
    return pl.DataFrame(
        {
            "slot": [START + place * SLOT for place in range(count)] * 2,
            "account": [account["alice"]] * count + [account["bob"]] * count,
            "load": [0] * count + list(imports),
            "generation": [*exports] + [0] * count,
        }
    )


@pytest.fixture
def trade(pairs, account):
    return signed(p2p(account), pairs, account)


@pytest.fixture
def registered(chain, make, pairs, trade):
    """A chain on which the trade is registered and the parties' first two slots are read."""
    assert make.sealed(chain, chain.sign(pairs["alice"], "contract", trade.registration())).accepted
    return chain


def read(chain, make, pairs, frame):
    assert make.sealed(chain, chain.sign(pairs["grid"], "meter_readings", frame)).accepted


# Registering


def test_a_contract_signed_by_all_is_registered_and_changes_the_state(chain, make, pairs, trade):
    before = chain.state_root
    receipt = make.sealed(chain, chain.sign(pairs["bob"], "contract", trade.registration()))
    assert receipt.accepted
    assert chain.state_root != before
    row = chain.contracts.row(0, named=True)
    assert (row["contract_id"], row["template"], row["slots"], row["executed"]) == (trade.terms.id, "p2p", 4, 0)
    assert row["start"].isoformat() == "2026-04-01T00:00:00+07:00"


def test_a_contract_without_all_signatures_is_refused(chain, make, pairs, account, trade):
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract", trade.registration().head(1)))
    assert (receipt.code, f"{[account['alice'], account['bob']]}" in receipt.reason) == ("rule_broken", True)
    with pytest.raises(ChainError, match="lacks the signatures"):
        p2p(account).sign(pairs["alice"], account["alice"]).registration()


def test_a_signature_of_somebody_else_is_refused(chain, make, pairs, account):
    forged = p2p(account).sign(pairs["alice"], account["alice"]).sign(pairs["grid"], account["bob"])
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract", forged.registration()))
    assert "the signature of account 6" in receipt.reason


def test_a_contract_for_another_chain_is_refused(chain, make, pairs, account):
    foreign = signed(p2p(account, chain_id="elsewhere"), pairs, account)
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract", foreign.registration()))
    assert "'gridlab-consortium'" in receipt.reason


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999])
def test_one_changed_bit_of_the_terms_breaks_the_contract(chain, make, pairs, trade, share):
    data = bytearray(trade.terms.to_bytes())
    data[int(share * len(data))] ^= 1
    frame = trade.registration().with_columns(terms=pl.lit(bytes(data)))
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract", frame))
    assert receipt.code == "rule_broken"
    assert chain._state.contracts.is_empty


def test_the_same_contract_counts_once(registered, make, pairs, trade):
    receipt = make.sealed(registered, registered.sign(pairs["bob"], "contract", trade.registration()))
    assert "registered already" in receipt.reason


def test_a_stranger_does_not_register_a_contract(chain, make, pairs, trade):
    receipt = make.sealed(chain, chain.sign(pairs["grid"], "contract", trade.registration()))
    assert "is no party" in receipt.reason


def test_wheeling_goes_to_a_grid_operator_only(chain, make, pairs, account):
    crooked = signed(p2p(account, wheeling=0.5, grid_operator=account["operator"]), pairs, account)
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract", crooked.registration()))
    assert "grid_operator" in receipt.reason


# Executing


def test_what_the_meters_say_is_paid_to_the_micro_thb(registered, make, pairs, account, trade):
    frame = meters(account, [1_001, 500], [700, 900])
    read(registered, make, pairs, frame)
    before = registered.ledger.balance(account["alice"], "WATT")
    claim = trade.payments(frame)
    assert claim["energy"].to_list() == [700, 500]
    assert make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", claim)).accepted
    assert registered.ledger.balance(account["alice"], "WATT") - before == 3_200 * (700 + 500)
    moved = registered.ledger.transfers.filter(pl.col("sender") == CONTRACT_SENDER)
    assert moved["code"].to_list() == ["energy", "energy"]
    assert registered.contracts["executed"].to_list() == [2]


def test_a_slot_is_paid_once(registered, make, pairs, account, trade):
    frame = meters(account, [1_000], [1_000])
    read(registered, make, pairs, frame)
    claim = trade.payments(frame)
    assert make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", claim)).accepted
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", claim))
    assert "was executed before" in receipt.reason


@pytest.mark.parametrize(
    ("column", "change"), [("amount", 1), ("amount", -1), ("energy", 1), ("reference", 5), ("debit_account", -1)]
)
def test_a_claim_that_differs_anywhere_is_refused(registered, make, pairs, account, trade, column, change):
    frame = meters(account, [1_000, 0], [1_000, 400])
    read(registered, make, pairs, frame)
    claim = trade.payments(frame)
    claim = claim.with_columns((pl.col(column) + change).cast(claim.schema[column]))
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", claim))
    assert "not what the contract says" in receipt.reason


def test_readings_that_the_chain_never_accepted_pay_nothing(registered, make, pairs, account, trade):
    invented = meters(account, [9_000], [9_000])
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", trade.payments(invented)))
    assert "was not read" in receipt.reason
    read(registered, make, pairs, meters(account, [1_000], [1_000]))
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", trade.payments(invented)))
    assert "not what the contract says" in receipt.reason


def test_readings_from_before_the_registration_do_not_count(chain, make, pairs, account, trade):
    frame = meters(account, [1_000], [1_000])
    read(chain, make, pairs, frame)
    assert make.sealed(chain, chain.sign(pairs["alice"], "contract", trade.registration())).accepted
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract_execution", trade.payments(frame)))
    assert "since a contract of its was registered" in receipt.reason


def test_an_unregistered_contract_and_a_stranger_are_refused(registered, make, pairs, account, trade):
    frame = meters(account, [1_000], [1_000])
    read(registered, make, pairs, frame)
    other = signed(p2p(account, name="another"), pairs, account)
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", other.payments(frame)))
    assert "is not registered" in receipt.reason
    receipt = make.sealed(registered, registered.sign(pairs["grid"], "contract_execution", trade.payments(frame)))
    assert "is executed by" in receipt.reason


def test_a_slot_outside_the_contract_and_an_empty_claim_are_refused(registered, make, pairs, account, trade):
    frame = meters(account, [1_000], [1_000])
    read(registered, make, pairs, frame)
    late = trade.payments(frame).with_columns(pl.col("slot") + pl.duration(days=1))
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", late))
    assert "is not a slot of it" in receipt.reason
    receipt = make.sealed(registered, registered.sign(pairs["alice"], "contract_execution", late.clear()))
    assert "is empty" in receipt.reason


def test_a_payment_beyond_the_balance_moves_nothing(registered, make, pairs, account, trade):
    frame = meters(account, [1_000, 10**9], [1_000, 10**9])
    read(registered, make, pairs, frame)
    receipt = make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", trade.payments(frame)))
    assert receipt.code == "ledger_refused"
    assert registered._state.contracts.transfers == 0


def test_reference_prices_come_from_the_operator_alone(chain, make, pairs, account):
    cfd = EnergyTradingContract.ppa(
        seller=account["alice"], buyer=account["bob"], price=3, start=START, end=START + 4 * SLOT, kind="cfd"
    )
    cfd = signed(cfd, pairs, account)
    assert make.sealed(chain, chain.sign(pairs["alice"], "contract", cfd.registration())).accepted
    frame = meters(account, [1_000, 2_000], [0, 0])
    read(chain, make, pairs, frame)
    index = pl.DataFrame({"slot": [START, START + SLOT], "price": [2_500, 3_600]})
    claim = cfd.payments(frame, reference=index)
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract_execution", claim))
    assert "the market operator or an oracle" in receipt.reason
    before = chain.ledger.balance(account["alice"], "WATT")
    assert make.sealed(chain, chain.sign(pairs["operator"], "contract_execution", claim)).accepted
    assert chain.ledger.balance(account["alice"], "WATT") - before == 500 * 1_000 - 600 * 2_000


def test_wheeling_reaches_the_grid_operator(chain, make, pairs, account):
    contract = signed(p2p(account, wheeling=0.35, grid_operator=account["grid"]), pairs, account)
    assert make.sealed(chain, chain.sign(pairs["alice"], "contract", contract.registration())).accepted
    frame = meters(account, [1_000], [800])
    read(chain, make, pairs, frame)
    claim = contract.payments(frame)
    assert make.sealed(chain, chain.sign(pairs["operator"], "contract_execution", claim)).accepted
    assert chain.ledger.balance(account["grid"], "WATT") == 350 * 800
    assert chain.ledger.transfers.tail(2)["code"].to_list() == ["energy", "wheeling"]


def test_nobody_makes_money_by_a_contract_with_an_issuer(chain, make, pairs, account):
    block = EnergyTradingContract.block_trade(
        seller=account["alice"], buyer=account["issuer"], price=3, energy=1, start=START, end=START + SLOT
    )
    block = signed(block, pairs, account)
    assert make.sealed(chain, chain.sign(pairs["alice"], "contract", block.registration())).accepted
    claim = block.payments(meters(account, [0], [0]))
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "contract_execution", claim))
    assert "would make new money" in receipt.reason


def test_two_contracts_execute_in_one_transaction_or_not_at_all(registered, make, pairs, account, trade):
    other = signed(p2p(account, name="second", price=1), pairs, account)
    assert make.sealed(registered, registered.sign(pairs["bob"], "contract", other.registration())).accepted
    frame = meters(account, [1_000], [1_000])
    read(registered, make, pairs, frame)
    both = pl.concat([trade.payments(frame), other.payments(frame)])
    wrong = both.with_columns(amount=pl.Series([3_200_000, 1_000_001]))
    assert not make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", wrong)).accepted
    before = registered.ledger.balance(account["bob"], "WATT")
    assert make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", both)).accepted
    assert before - registered.ledger.balance(account["bob"], "WATT") == 4_200_000


def test_a_chain_with_contracts_replays_to_the_same_root(registered, make, pairs, account, trade):
    frame = meters(account, [1_000, 10], [1_000, 20])
    read(registered, make, pairs, frame)
    claim = trade.payments(frame)
    assert make.sealed(registered, registered.sign(pairs["bob"], "contract_execution", claim)).accepted
    assert registered.replay().state_root == registered.state_root
    assert ConsortiumChain.from_bytes(registered.to_bytes()).state_root == registered.state_root


# Terms as data

SIDES = st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=5, unique=True)
GRIDS = st.just(GridIntegration()) | st.builds(
    GridIntegration, st.just(2**32 - 1), st.integers(1, MOST_PRICE), st.sampled_from(["buyer", "seller"])
)


@st.composite
def terms(draw):
    template = draw(st.sampled_from(list(TEMPLATES)))
    volume = draw(st.sampled_from(TEMPLATES[template]))
    accounts = [account for account in draw(SIDES) if account != 2**32 - 1]
    sellers, buyers = accounts[:1] or [1], accounts[1:] or [0]
    if volume != "shared":
        buyers = buyers[:1]
    if sellers == buyers:
        buyers = [sellers[0] + 1]
    return ContractTerms(
        draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)),
        template,
        tuple(sellers),
        tuple(buyers),
        START,
        START + draw(st.integers(1, 10**5)) * SLOT,
        TradingRules(volume, draw(st.integers(1, 10**10)), (PPB,) if volume == "shared" and len(buyers) == 1 else ()),
        SettlementTerms(draw(st.sampled_from(["fixed", "difference"])), draw(st.integers(-MOST_PRICE, MOST_PRICE))),
        draw(GRIDS),
    )


@settings(max_examples=100, deadline=None)
@given(made=terms())
def test_terms_have_one_encoding_that_reads_back(made):
    data = made.to_bytes()
    assert ContractTerms.from_bytes(data) == made
    assert ContractTerms.from_bytes(data).to_bytes() == data


@settings(max_examples=60, deadline=None)
@given(made=terms(), share=st.floats(0, 1, exclude_max=True), tail=st.binary(min_size=1, max_size=4))
def test_bytes_that_are_cut_short_or_left_over_are_refused(made, share, tail):
    data = made.to_bytes()
    for broken in (data[: int(share * len(data))], data + tail):
        with pytest.raises(GridlabError):
            ContractTerms.from_bytes(broken)


@pytest.mark.parametrize(
    ("error", "match", "make_it"),
    [
        (ArgumentError, "did you mean", lambda: TradingRules("as_producd")),
        (ArgumentError, "at least 1", lambda: TradingRules("fixed", 0)),
        (ArgumentError, "sum to 999", lambda: TradingRules("shared", 0, (999,))),
        (ArgumentTypeError, "int", lambda: TradingRules("fixed", 1.5)),
        (ArgumentError, "at most", lambda: SettlementTerms("fixed", MOST_PRICE + 1)),
        (ArgumentError, "grid operator that is paid", lambda: GridIntegration(None, 5)),
        (ArgumentTypeError, "int", lambda: GridIntegration("PEA", 5)),
    ],
)
def test_parts_that_do_not_fit_are_named(error, match, make_it):
    with pytest.raises(error, match=match):
        make_it()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sellers": (1, 3)}, "2 sellers"),
        ({"buyers": (1,)}, "party twice"),
        ({"template": "p2p"}, "volume of a p2p"),
        ({"end": START}, "not after start"),
        ({"start": START + timedelta(minutes=1)}, "start of a slot"),
        ({"name": ""}, "name is empty"),
        ({"trading": TradingRules("as_produced", 0, (PPB // 2, PPB // 2))}, "2 shares for 1"),
        ({"grid": GridIntegration(1, 100)}, "party too"),
    ],
)
def test_terms_that_do_not_go_together_are_refused(change, match):
    good = {
        "name": "a",
        "template": "ppa",
        "sellers": (1,),
        "buyers": (2,),
        "start": START,
        "end": START + SLOT,
        "trading": TradingRules("as_produced"),
        "settlement": SettlementTerms("fixed", 1),
    }
    ContractTerms(**good)
    with pytest.raises(ArgumentError, match=match):
        ContractTerms(**(good | change))

"""The border adjustment: a slow reference good by good, what the law counts and does not, and what is refused."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab import settings as session
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError
from gridlab.market.green.cbam import SECTORS, Cbam, free_allocation_in

BIG = st.integers(0, 100) | st.integers(0, 10**13)
GOOD = st.fixed_dictionaries(
    {
        "sector": st.sampled_from(SECTORS.categories.to_list()),
        "mass": st.integers(0, 10**11),
        "benchmark": st.integers(0, 5000),
        **dict.fromkeys(("electricity", "direct", "direct_line", "ppa", "certificates", "paid_at_origin"), BIG),
    }
)
TERMS = st.fixed_dictionaries(
    {
        "certificate_price": st.integers(0, 20_000).map(lambda cents: cents / 100),
        "free_allocation": st.integers(0, 1000).map(lambda tenths: tenths / 10),
        "correction": st.integers(0, 1000).map(lambda tenths: tenths / 10),
        "electricity_factor": st.integers(0, 20_000).map(lambda steps: steps / 10_000),
        "indirect_scope": st.sampled_from(["law", "all_goods"]),
        "ppa_accepted": st.booleans(),
        "certificates_accepted": st.booleans(),
    }
)


def goods(*rows):
    frame = pl.DataFrame(rows).with_row_index("number")
    return frame.with_columns(good=pl.format("good {}", "number")).drop("number")


def clinker(**changes):
    row = {"sector": "cement", "mass": 1_000_000, "electricity": 60_000_000, "direct": 850_000_000, "benchmark": 693}
    return row | changes


def half_up(value):
    return int(value + Fraction(1, 2))


def slow_good(row, terms):
    exact = {name: Fraction(str(value)) for name, value in terms.items() if isinstance(value, float)}
    clean = (
        row["direct_line"] + terms["ppa_accepted"] * row["ppa"] + terms["certificates_accepted"] * row["certificates"]
    )
    default = max(row["electricity"] - clean, 0)
    counted = terms["indirect_scope"] == "all_goods" or row["sector"] in {"cement", "fertilisers"}
    indirect = half_up(default * exact["electricity_factor"]) if counted else 0
    full = row["mass"] * row["benchmark"]
    free = half_up(half_up(full * exact["free_allocation"] / 100) * exact["correction"] / 100)
    due = max(row["direct"] + indirect - free, 0)
    value = exact["certificate_price"] * 38
    deducted = min(due, int(row["paid_at_origin"] / value)) if value else 0
    return default, indirect, row["direct"] + indirect, free, due, deducted, due - deducted


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(GOOD, min_size=1, max_size=4), terms=TERMS)
def test_equals_the_slow_reference(rows, terms):
    made = Cbam(**terms).statement(goods(*rows))
    expected = [slow_good(row, terms) for row in rows]
    names = ("default_energy", "indirect", "embedded", "free", "due", "deducted", "payable")
    assert made.frame.select(names).rows() == expected
    assert made.certificates == -(-sum(row[-1] for row in expected) // 1_000_000)
    assert made.cost_eur == made.certificates * Decimal(str(terms["certificate_price"]))
    assert made.cost == made.certificates * Fraction(str(terms["certificate_price"])) * 38 * 1_000_000


def test_indirect_emissions_count_for_cement_and_fertilisers_alone_regulation_2023_956_annex_ii():
    rows = [clinker(sector=sector) for sector in SECTORS.categories]
    made = Cbam().statement(goods(*rows)).frame
    assert dict(made.select("sector", "indirect").rows()) == {
        "cement": 28_500_000, "fertilisers": 28_500_000, "iron_and_steel": 0, "aluminium": 0, "hydrogen": 0,
    }  # fmt: skip
    everywhere = Cbam(indirect_scope="all_goods").statement(goods(*rows)).frame
    assert set(everywhere["indirect"]) == {28_500_000}


def test_a_direct_line_and_a_ppa_count_and_certificates_do_not_regulation_2023_956_annex_iv():
    covered = [clinker(**{name: 40_000_000}) for name in ("direct_line", "ppa", "certificates")]
    made = Cbam().statement(goods(*(clinker(direct_line=0, ppa=0, certificates=0) | row for row in covered)))
    assert made.frame["default_energy"].to_list() == [20_000_000, 20_000_000, 60_000_000]
    what_if = Cbam(certificates_accepted=True, ppa_accepted=False)
    made = what_if.statement(goods(*(clinker(direct_line=0, ppa=0, certificates=0) | row for row in covered)))
    assert made.frame["default_energy"].to_list() == [20_000_000, 60_000_000, 20_000_000]


def test_free_allocation_by_year_directive_2003_87_article_10a():
    years = {2026: 97.5, 2027: 95, 2028: 90, 2029: 77.5, 2030: 51.5, 2031: 39, 2032: 26.5, 2033: 14, 2034: 0, 2050: 0}
    assert {year: free_allocation_in(year) for year in years} == years
    assert Cbam().free_allocation == free_allocation_in(2026)
    with pytest.raises(ArgumentError, match="2026 or later"):
        free_allocation_in(2025)
    with pytest.raises(ArgumentTypeError, match="whole number"):
        free_allocation_in("2026")


def test_the_statement_shows_itself_in_both_languages_and_says_why_certificates_do_not_count():
    made = Cbam().statement(goods(clinker(certificates=40_000_000)).with_columns(good=pl.lit("<clinker>")))
    try:
        session.config(language="en")
        english = made._repr_html_()
        session.config(language="th")
        thai = made._repr_html_()
    finally:
        session.config(language="en")
    assert "&lt;clinker&gt;" in english
    assert "40 MWh of retired certificates" in english
    assert "203 CBAM certificates" in english
    assert "ใบรับรอง CBAM 203 ใบ" in thai
    assert "retired" not in Cbam().statement(goods(clinker()))._repr_html_()
    assert repr(made) == "CbamStatement(1 goods, 203 certificates, 15298.08 EUR)"


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (3, ArgumentTypeError, "polars"),
        (goods(clinker(sector="paper")), CertificateError, "sector"),
        (goods(clinker(mass=-1)), CertificateError, "mass is not"),
        (goods(clinker(direct=10**15 + 1)), CertificateError, "direct is not"),
        (goods(clinker(benchmark=50_001)), CertificateError, "benchmark"),
        (goods(clinker(mass=10**15, benchmark=50_000)), CertificateError, "wrong unit"),
        (goods(clinker()).drop("electricity"), CertificateError, "'electricity' is missing"),
        (goods(clinker(), clinker()).with_columns(good=pl.lit("a")), CertificateError, "stands there twice"),
        (goods(*[clinker()] * 1001), CertificateError, "several statements"),
    ],
)
def test_bad_goods_are_refused_with_what_is_allowed(frame, error, words):
    with pytest.raises(error, match=words):
        Cbam().statement(frame)

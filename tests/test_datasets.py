"""The tables, their cards, and that the scripts beside them make every file."""

import importlib
import importlib.util
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from gridlab.datasets import card, dataset, datasets
from gridlab.errors import ArgumentTypeError, DatasetError, GridlabError
from gridlab.frames import SLOT

FOLDER = Path(__file__).resolve().parents[1] / "datasets"
# The package's attribute of this name is the function.
rooms = importlib.import_module("gridlab.datasets")
NAMES = datasets()["name"].to_list()
MARKS = {"V", "V2", "D", "G", "S"}


@pytest.fixture(scope="module")
def build():
    """Return the script that writes the tables, imported as it runs: with its own folder on the path."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        # By its path: another package is called build too.
        spec = importlib.util.spec_from_file_location("build_of_the_tables", FOLDER / "build.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(FOLDER))
        for name in set(sys.modules) - before:
            if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def test_scripts_make_every_file_byte_for_byte(build):
    assert [line for table in build.all_tables() for line in build.check(table)] == []


def test_every_table_of_the_scripts_is_in_the_catalogue_and_no_other(build):
    assert sorted(table.name for table in build.all_tables()) == NAMES


def test_check_notices_a_changed_digit(build, tmp_path):
    table = next(table for table in build.all_tables() if table.name == "vat_rates")
    build.write(table, tmp_path)
    assert build.check(table, tmp_path) == []
    path = tmp_path / "vat_rates.csv"
    path.write_text(path.read_text().replace("0.0700", "0.0701", 1))
    assert build.check(table, tmp_path) == ["vat_rates.csv differs from what its script makes"]
    path.unlink()
    assert "is missing" in build.check(table, tmp_path)[0]


def test_check_notices_a_changed_value_in_the_parquet_table(build, tmp_path):
    table = next(table for table in build.all_tables() if table.form == "parquet")
    build.write(table, tmp_path)
    changed = table.data().with_columns(kw_per_kwp=pl.col("kw_per_kwp") + 0.001)
    changed.write_parquet(tmp_path / table.file)
    assert build.check(table, tmp_path) == [f"{table.file} differs from what its script makes"]


def test_catalogue_has_the_promised_columns():
    catalogue = datasets()
    promised = ["name", "title", "title_th", "rows", "synthetic", "source", "as_of", "licence", "confidence", "file"]
    assert catalogue.columns == promised
    assert catalogue.schema["synthetic"] == pl.Boolean
    assert catalogue.schema["as_of"] == pl.Date
    assert catalogue.null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("name", NAMES)
def test_table_is_as_its_card_says(name):
    about, table = card(name), dataset(name)
    assert table.columns == [column.name for column in about.columns]
    assert table.height == about.rows > 0
    assert all(column.meaning for column in about.columns)
    assert (FOLDER / about.file).is_file()
    assert ("synthetic" in about.file) == about.synthetic


@pytest.mark.parametrize("name", NAMES)
def test_every_mark_and_every_source_of_a_row_is_explained_in_the_card(name):
    about, table = card(name), dataset(name)
    assert set(about.confidence.split(", ")) == set(about.marks) <= MARKS
    if "confidence" in table.columns:
        assert set(table["confidence"]) == set(about.marks)
    if "source" in table.columns:
        keys = {key for cell in table["source"] for key in cell.split("; ")}
        assert keys == set(about.sources)


@pytest.mark.parametrize("name", [name for name in NAMES if not card(name).synthetic])
def test_unverified_rows_name_no_source_as_if_it_said_so(name):
    table = dataset(name)
    unverified = table.filter(pl.col("confidence") == "G")
    assert unverified["source"].str.contains("unverified").all()
    assert not table.filter(pl.col("confidence").is_in(["V", "V2"]))["source"].str.contains("unverified").any()


def test_thai_titles_are_in_thai_script():
    assert datasets()["title_th"].str.contains("[\u0e00-\u0e7f]{3}").all()


def test_table_and_card_cannot_be_spoiled_by_a_caller():
    table = dataset("vat_rates")
    table[0, "valid_from"] = "1900-01"
    assert dataset("vat_rates")["valid_from"][0] == "2015-11"
    with pytest.raises(TypeError):
        card("vat_rates").sources["x"] = "y"


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(DatasetError, match="there is no dataset 'tarifs'; did you mean 'tariffs'"):
        dataset("tarifs")
    assert issubclass(DatasetError, (KeyError, FileNotFoundError))


@pytest.mark.parametrize("name", [None, 3, ["tariffs"], Path("tariffs")])
def test_name_that_is_not_text_is_refused(name):
    with pytest.raises(ArgumentTypeError):
        dataset(name)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("broken.csv", "a\n1\n2\n"),
        ("broken.csv", "b\n1\n"),
        ("broken.csv", "a\nx\n"),
        ("broken.toml", "name = 3 4"),
        ("broken.toml", "name = 'x'"),
        ("broken.toml", None),
    ],
)
def test_damaged_file_or_card_is_named(file, text, tmp_path, monkeypatch):
    good = (
        'name="broken"\ntitle=""\ntitle_th=""\ndescription=""\nfile="broken.csv"\nrows=1\nas_of="2026-01-01"\n'
        'licence=""\nconfidence="V"\nsynthetic=false\n[marks]\n[sources]\n'
        '[[columns]]\nname="a"\ndtype="Int64"\nunit=""\nmeaning="a"\n'
    )
    (tmp_path / "broken.toml").write_text(good)
    (tmp_path / "broken.csv").write_text("a\n1\n")
    (tmp_path / file).write_text(text or good.replace("Int64", "Int65"))
    monkeypatch.setattr(rooms, "_folder", lambda: tmp_path)
    caches = (rooms._names, rooms._read_card, rooms._read)
    for cache in caches:
        cache.cache_clear()
    try:
        with pytest.raises(DatasetError, match=file):
            dataset("broken")
    finally:
        for cache in caches:
            cache.cache_clear()


def test_tables_of_a_wheel_are_found_inside_the_package_and_a_foreign_package_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "__file__", str(tmp_path / "gridlab" / "datasets.py"))
    find = rooms._folder.__wrapped__
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").touch()
    with pytest.raises(DatasetError, match="the tables of gridlab are missing"):
        find()
    inside = tmp_path / "gridlab" / "_datasets"
    inside.mkdir(parents=True)
    (inside / "tariffs.toml").touch()
    assert find() == inside


def test_money_rates_are_decimal_and_times_are_bangkok_time():
    assert dataset("tariffs").schema["rate"] == pl.Decimal(18, 4)
    assert dataset("regions").schema["peak_time"] == SLOT
    assert dataset("regions").filter(region="NEC")["peak_time"].item().isoformat() == "2019-06-22T20:54:00+07:00"


def test_reading_tables_loads_no_heavy_library():
    code = (
        "import sys; from gridlab.datasets import dataset, datasets; "
        "import gridlab.calendar, gridlab.market.charges.retail; "
        "[dataset(n) for n in datasets()['name']]; "
        "print(sorted({'pandas', 'pvlib', 'holidays', 'scipy', 'numba', 'panel', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What the tables must say, by their sources.


def test_tariff_components_sum_to_the_published_rate_mea_page_259():
    parts = dataset("tariff_components").group_by("tariff", "voltage").agg(pl.col("rate").sum())
    billed = dataset("tariffs").filter(component="energy").select("tariff", "voltage", billed="rate")
    joined = parts.join(billed, on=("tariff", "voltage"))
    assert joined.height == 2
    assert (joined["rate"] == joined["billed"]).all()


def test_service_charges_before_and_after_the_cut_of_2023_pea_news():
    service = dataset("tariffs").filter(component="service", voltage="<22 kV")
    for tariff, before, after in (("1.1.2", "38.22", "24.62"), ("1.2", "38.22", "24.62"), ("2.1", "46.16", "33.29")):
        rows = service.filter(tariff=tariff).sort("valid_from")
        assert rows["rate"].to_list() == [Decimal(before), Decimal(after)]
        assert rows["valid_to"].to_list() == ["2022-12", None]
        assert rows["valid_from"].to_list() == ["2015-11", "2023-01"]


def test_blocks_of_a_tariff_leave_no_gap_and_do_not_overlap():
    energy = dataset("tariffs").filter(component="energy").sort("tariff", "voltage", "period", "from_kwh")
    key = ("tariff", "voltage", "period")
    following = energy.with_columns(next_from=pl.col("from_kwh").shift(-1).over(key))
    assert following.filter(pl.col("to_kwh").ne_missing(pl.col("next_from"))).height == 0
    assert energy.group_by(key).agg(pl.col("from_kwh").min())["from_kwh"].to_list() == [0] * energy.n_unique(key)


def test_ft_periods_follow_one_another_for_both_groups():
    history = dataset("ft_history").filter(status="applied")
    for group in ("residential", "other"):
        rows = history.filter(pl.col("group").is_in([group, "all"])).sort("period_start")
        starts = pl.concat([rows["period_start"][1:], pl.Series(["2026-09"])]).str.to_date("%Y-%m")
        ends = rows["period_end"].str.to_date("%Y-%m").dt.offset_by("1mo")
        assert (starts == ends).all()


def test_provinces_are_77_and_74_of_pea_in_areas_of_6_8_6_8_8_4_7_5_4_6_6_6():
    provinces = dataset("provinces")
    assert provinces["province"].n_unique() == provinces["province_th"].n_unique() == 77
    assert provinces["utility"].value_counts().sort("count")["count"].to_list() == [3, 74]
    areas = provinces.drop_nulls("pea_area").group_by("pea_area", maintain_order=True).len()
    assert areas["len"].to_list() == [6, 8, 6, 8, 8, 4, 7, 5, 4, 6, 6, 6]
    assert set(provinces["egat_region"]) == set(dataset("regions")["region"])


def test_region_shares_of_egat_requirement_2019_lfe():
    regions = dataset("regions")
    assert [round(float(share) * 100, 1) for share in regions["share_energy"]] == [32.9, 37.9, 11.0, 9.1, 9.0]
    assert [round(float(share) * 100, 1) for share in regions["share_peak"]] == [33.9, 34.9, 12.2, 8.4, 10.6]
    hours = regions["energy_gwh"].cast(pl.Float64) * 1000 / (regions["peak_mw"].cast(pl.Float64) * 8760)
    assert ((hours - regions["load_factor"].cast(pl.Float64)).abs() < 0.0002).all()


def test_vspp_fleet_by_fuel_falls_two_plants_and_0_3_mw_short_of_the_list_as_its_card_says():
    fleet = dataset("vspp_fleet_2022").sum()
    assert fleet["plants"].item() == 907
    assert fleet["installed_mw"].item() == Decimal("5340.6")
    assert fleet["contracted_mw"].item() == Decimal("3984.3")
    assert "909 plants" in card("vspp_fleet_2022").description


def test_synthetic_limits_have_both_directions():
    limits = dataset("corridors_synthetic")
    back = limits.select("scenario", from_region="to_region", to_region="from_region", back="limit_mw")
    both = limits.join(back, on=("scenario", "from_region", "to_region"))
    assert both.height == limits.height
    assert (both["limit_mw"] == both["back"]).all()


def test_load_shapes_are_whole_days_that_peak_at_one_on_weekdays():
    shapes = dataset("load_shapes_synthetic")
    days = shapes.group_by("kind", "day_type").agg(pl.col("hour").n_unique(), pl.col("load").max(), pl.len())
    assert days.filter((pl.col("hour") != 24) | (pl.col("len") != 24)).height == 0
    assert (days.filter(day_type="weekday")["load"] == 1.0).all()
    assert shapes["load"].is_between(0.1, 1.0).all()
    assert {"household", "condominium", "school", "mall", "factory"} <= set(shapes["kind"])


def test_solar_days_are_complete_dark_at_night_and_below_the_clear_sky_in_sum():
    days = dataset("solar_day_synthetic")
    counts = days.group_by("city", "month", "variant").agg(pl.col("slot").n_unique(), pl.len())
    assert counts.height == dataset("cities").height * 12 * 5
    assert (counts["len"] == 96).all()
    assert (counts["slot"] == 96).all()
    assert (days.filter(~pl.col("slot").is_between(22, 77))["kw_per_kwp"] == 0).all()
    sums = days.group_by("city", "month", "variant").agg(pl.col("kw_per_kwp").sum()).sort("city", "month", "variant")
    steps = sums.with_columns(step=pl.col("kw_per_kwp").diff().over("city", "month"))
    assert (steps["step"].drop_nulls() <= 0).all(), "variants run from the clear sky to the most overcast day"


def test_solar_days_yield_the_1300_to_1500_kwh_per_kwp_quoted_by_thai_vendors():
    drawn = dataset("solar_day_synthetic").filter(pl.col("variant") > 0)
    yields = drawn.group_by("city").agg(kwh=pl.col("kw_per_kwp").mean() * 8760)
    assert yields["kwh"].is_between(1300, 1500).all()


def test_errors_of_this_room_are_gridlab_errors():
    for wrong in ("", "tariffs.csv", "../tariffs"):
        with pytest.raises(GridlabError):
            card(wrong)

"""Write every table of the datasets with its card, or check that the files are what the scripts make.

Run as ``python datasets/build.py`` to write, ``python datasets/build.py --check`` to compare. Text files must agree to
the byte; the Parquet file to the row, since its bytes depend on the version of the writer.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import build_adjustments
import build_calendar
import build_consortium
import build_corridors
import build_green
import build_places
import build_shapes
import build_solar
import build_system
import build_tariffs
import build_weather
import numpy as np
import polars as pl
from tables import Table

__all__ = ["all_tables", "check", "main", "write"]

FOLDER = Path(__file__).resolve().parent
FAMILIES = (
    build_tariffs,
    build_adjustments,
    build_calendar,
    build_system,
    build_corridors,
    build_places,
    build_green,
    build_shapes,
    build_solar,
    build_consortium,
    build_weather,
)
# The clear sky passes through mathematical functions whose last digit differs between machines; the files hold four.
TOLERANCE = 2e-4


def all_tables() -> list[Table]:
    """Return every table, in the order of the families."""
    return [table for family in FAMILIES for table in family.tables()]


def _csv(table: Table) -> bytes:
    return table.data().write_csv().encode()


def write(table: Table, folder: Path = FOLDER) -> None:
    """Write the data file and the card of `table` into `folder`."""
    if table.form == "parquet":
        table.data().write_parquet(folder / table.file, compression="zstd", compression_level=19)
    else:
        (folder / table.file).write_bytes(_csv(table))
    (folder / f"{table.name}.toml").write_bytes(table.card().encode())


def check(table: Table, folder: Path = FOLDER) -> list[str]:
    """Return what differs between the files in `folder` and `table`; an empty list where nothing does."""
    wrong = []
    path, card = folder / table.file, folder / f"{table.name}.toml"
    if not path.is_file() or not card.is_file():
        return [f"{table.name}: {table.file} or {card.name} is missing"]
    if card.read_bytes() != table.card().encode():
        wrong.append(f"{card.name} differs from what its script makes")
    if not (_same_rows(path, table) if table.form == "parquet" else path.read_bytes() == _csv(table)):
        wrong.append(f"{table.file} differs from what its script makes")
    return wrong


def _same_rows(path: Path, table: Table) -> bool:
    stored, made = pl.read_parquet(io.BytesIO(path.read_bytes())), table.data()
    if stored.schema != made.schema or stored.height != made.height:
        return False
    exact = [name for name, dtype in made.schema.items() if not dtype.is_float()]
    close = [
        np.allclose(stored[name].to_numpy(), made[name].to_numpy(), rtol=0.0, atol=TOLERANCE)
        for name, dtype in made.schema.items()
        if dtype.is_float()
    ]
    return stored.select(exact).equals(made.select(exact)) and all(close)


def main(arguments: list[str] | None = None) -> int:
    """Write or check all tables; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the tables of gridlab.")
    parser.add_argument("--check", action="store_true", help="compare instead of write; fails where a file differs")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    for table in all_tables():
        if options.check:
            wrong += check(table)
        else:
            write(table)
            print(f"{table.file}: {table.data().height} rows")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Live controls of a run on WATT: the levers of issuer and holders, and the run that follows from them."""

from __future__ import annotations

from gridlab.errors import ArgumentTypeError
from gridlab.stablecoin.run import WattRun
from gridlab.stablecoin.run import run as run_on
from gridlab.stablecoin.terms import SLOTS_PER_HOUR, HolderTerms, WattTerms
from gridlab.ui.html import scrolled, tiles
from gridlab.ui.lever_panel import LeverPanel
from gridlab.ui.watt_pictures import funds_picture, ratio_picture
from gridlab.ui.watt_summary import group_table, order_table, watt_figures
from gridlab.ui.word import Word

__all__ = ["WattControls", "watt_controls"]

_HEIGHT = "960px"
_ISSUER = Word("Reserve and rules (issuer)", "เงินสำรองและกติกา (ผู้ออกเหรียญ)")
_HOLDERS = Word("News and fear (holders)", "ข่าวและความกลัว (ผู้ถือเหรียญ)")


class WattControls(LeverPanel):
    """The controls of a run on WATT: the same holders and the same seed under other levers.

    Parameters
    ----------
    run : WattRun
        Where the controls begin; it stays as it is.

    Attributes
    ----------
    watt : WattTerms
    terms : HolderTerms
        The levers that are moved, copies of the run's own.
    run : WattRun
        What is shown.
    """

    def __init__(self, run: WattRun) -> None:
        self.run = run
        self.watt = WattTerms(**run.watt.values())
        self.terms = HolderTerms(**run.holders.terms.values())
        super().__init__({"issuer": (_ISSUER, self.watt), "holders": (_HOLDERS, self.terms)}, height=_HEIGHT)
        self.arrange([], [], fold=0)

    def _compute(self) -> None:
        before = self.run
        # Copies, since a run keeps the levers that it was made with.
        self.run = run_on(
            WattTerms(**self.watt.values()),
            HolderTerms(**self.terms.values()),
            holders=len(before.holders),
            circulation=before.circulation,
            hours=before.slots.height / SLOTS_PER_HOUR,
            seed=before.holders.seed,
        )

    def _figure(self) -> str:
        return "".join([
            tiles(watt_figures(self.run), least_width=110, size=15), scrolled(funds_picture(self.run), 420),
            scrolled(ratio_picture(self.run), 420), group_table(self.run), order_table(self.run),
        ])  # fmt: skip


def watt_controls(run: WattRun) -> WattControls:
    """Return live controls that begin where `run` stands.

    Raises
    ------
    ArgumentTypeError
        `run` is not a `WattRun`.
    """
    if not isinstance(run, WattRun):
        raise ArgumentTypeError(f"controls: expected a WattRun, got {type(run).__name__}")
    return WattControls(run)

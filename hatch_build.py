"""What a wheel carries beside the package: a copy of ``datasets/`` as ``gridlab/_datasets``."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DatasetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Put the data files into a wheel; an editable install reads them from the tree, where they are edited."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the tables and their cards to a standard wheel."""
        if version == "standard":
            build_data["force_include"]["datasets"] = "gridlab/_datasets"

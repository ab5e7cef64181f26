"""Builds the dashboard into what is distributed; somebody who works on a clone has `make dashboard` do it."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface[Any]):
    """What hatchling calls before it packs a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless what is installed is the clone itself."""
        del build_data
        if version != "editable":
            sys.path.insert(0, str(Path(self.root) / "dashboard"))
            from build import build  # noqa: PLC0415 - it is only there from here on

            build()

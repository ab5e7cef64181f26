"""The command line as its users run it: a process of its own, its output and its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.buildatlas.prefork import prefork

CATALOGUE = """\
{"name":"app","version":"1.0","dependencies":[{"package":"lib","constraint":">=1"},{"package":"tool","kinds":["BUILD"]}]}
{"name":"lib","version":"1.0"}
{"name":"lib","version":"2.0","dependencies":[{"package":"base"}]}
{"name":"base","version":"1.0","releasedAt":"2024-01-01T00:00:00Z"}
{"name":"tool","version":"3.0"}
"""


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """A folder with a database in it."""

    folder: Path
    database: str | None = None
    """Its URL; None for a file in the folder."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BUILDATLAS_DATABASE_URL": self.database or str(self.folder / "catalogue.db"),
            "COLUMNS": "60",
            "NO_COLOR": "1",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "buildatlas.cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.folder,
        )

    def run(self, *arguments: str, input: str = "") -> Run:
        return Run(*prefork().run(arguments, environment=self.environment, folder=self.folder, input=input))

    def write(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content)
        return name

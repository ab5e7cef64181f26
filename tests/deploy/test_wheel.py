"""What is distributed."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = {"buildatlas", "graph", "resolvers", "schema", "storage"}


def test_the_wheel_has_the_five_rooms_and_the_pages_that_browsers_are_given(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == ROOMS
    pages = {name for name in names if name.startswith("buildatlas/dashboard/")}
    assert {"buildatlas/dashboard/index.html", "buildatlas/dashboard/graphql.html"} < pages
    assert {Path(name).suffix for name in pages} >= {".js", ".css"}
    assert [name for name in names if name.endswith((".tsx", ".map"))] == []

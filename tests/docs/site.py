"""The documentation as it is published: built in a folder of its own, and what is on its pages."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urldefrag

from reference.pages import write

REPOSITORY: Final = Path(__file__).parents[2]

_CONFIGURATION: Final = "zensical.toml"
# What the browser fetches by itself to show a page.
_LOADED: Final = {"script": "src", "img": "src", "iframe": "src", "link": "href"}


@dataclass(frozen=True, slots=True)
class Built:
    """What came of building a site."""

    exit_code: int
    said: str


@dataclass(slots=True)
class Page(HTMLParser):
    """One page: where it leads, what can be led to on it, and what it loads."""

    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    loaded: list[str] = field(default_factory=list)
    schemes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take in one element."""
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _LOADED and _LOADED[tag] in given:
            self.loaded.append(given[_LOADED[tag]])
        if "data-md-color-scheme" in given:
            self.schemes.add(given["data-md-color-scheme"])


def copy_sources(folder: Path) -> None:
    """Put what the site is built from into `folder`, the reference freshly written."""
    shutil.copy(REPOSITORY / _CONFIGURATION, folder)
    shutil.copytree(REPOSITORY / "docs", folder / "docs")
    write(folder / "docs" / "reference")


def build(folder: Path) -> Built:
    """Build what is in `folder`, taking warnings for errors."""
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        check=False,
        cwd=folder,
        env={"PATH": "", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return Built(done.returncode, re.sub(r"\x1b\[[\d;]*m", "", done.stdout))


def read_site(folder: Path) -> dict[Path, Page]:
    """Return each page of the site that was built in `folder`, but for the one that says that there is none."""
    found = {}
    for path in sorted((folder / "site").rglob("*.html")):
        if path.name != "404.html":
            found[path] = Page()
            found[path].feed(path.read_text(encoding="utf-8"))
    return found


def dead_links(site: dict[Path, Page]) -> Iterator[tuple[str, str]]:
    """Yield each link to a page or a place of this site that is not there, with the page that it is on."""
    for path, page in site.items():
        for link in page.links:
            address, anchor = urldefrag(link)
            if "://" in address or address.startswith("mailto:"):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            if not target.is_file() or (anchor and not _has(site, target, unquote(anchor))):
                yield path.name, link


def navigation() -> list[str]:
    """Return the sources that the navigation leads to, in its order."""
    project = tomllib.loads((REPOSITORY / _CONFIGURATION).read_text(encoding="utf-8"))["project"]
    return list(_leaves(project["nav"]))


def sources(folder: Path) -> list[str]:
    """Return the sources of all pages in `folder`, as the navigation names them."""
    docs = folder / "docs"
    return [path.relative_to(docs).as_posix() for path in docs.rglob("*.md")]


def _has(site: dict[Path, Page], target: Path, anchor: str) -> bool:
    return target in site and anchor in site[target].anchors


def _leaves(entries: list[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            if isinstance(value, list):
                yield from _leaves(value)
            else:
                yield value

"""The documentation builds without a warning, hangs together, and needs nothing from elsewhere."""

import re
import shutil
from pathlib import Path

import pytest

from reference.pages import write
from tests.docs.site import (
    REPOSITORY,
    Built,
    build,
    copy_sources,
    dead_links,
    navigation,
    read_site,
    sources,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the site can be built."""
    made = tmp_path_factory.mktemp("site")
    copy_sources(made)
    return made


@pytest.fixture(scope="module")
def built(folder: Path) -> Built:
    """What came of building it there."""
    return build(folder)


def test_the_site_builds_without_a_warning(built: Built) -> None:
    assert built.exit_code == 0, built.said
    assert "No issues found" in built.said


def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(folder: Path, built: Built) -> None:
    assert built.exit_code == 0
    site = read_site(folder)

    assert sum(len(page.links) for page in site.values()) > 1_000
    assert list(dead_links(site)) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "zensical.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[gone](gone.md) and [nowhere](#nowhere)\n")

    built = build(tmp_path)

    assert built.exit_code != 0
    assert "page does not exist" in built.said
    assert "anchor does not exist" in built.said
    assert {("index.html", "#nowhere"), ("index.html", "gone.html")} <= set(dead_links(read_site(tmp_path)))


def test_what_the_readme_links_to_is_there_and_the_documentation_comes_first() -> None:
    links = re.findall(r"\]\(([^):]+)\)", (REPOSITORY / "README.md").read_text(encoding="utf-8"))

    assert links[:2] == ["docs/tutorial.md", "docs/index.md"]
    assert [link for link in links if not (REPOSITORY / link).is_file()] == []


def test_the_first_page_says_how_to_get_what_it_links_to_and_a_clone_lacks(tmp_path: Path) -> None:
    home = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    write(tmp_path / "reference")

    assert [link for link in re.findall(r"\]\(([^)]+)\)", home) if (tmp_path / link).is_file()]
    assert "`make docs`" in home


def test_every_page_is_in_the_navigation_once_and_the_navigation_has_no_other(folder: Path) -> None:
    assert sorted(navigation()) == sorted(sources(folder))


def test_a_page_loads_nothing_from_elsewhere(folder: Path, built: Built) -> None:
    assert built.exit_code == 0
    loaded = [(path.name, what) for path, page in read_site(folder).items() for what in page.loaded]

    assert loaded
    assert [each for each in loaded if "//" in each[1]] == []


def test_a_page_can_be_read_in_the_light_and_in_the_dark(folder: Path, built: Built) -> None:
    assert built.exit_code == 0
    home = read_site(folder)[folder / "site" / "index.html"]

    assert {"default", "slate"} <= home.schemes

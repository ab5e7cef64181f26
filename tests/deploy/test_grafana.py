"""The Grafana dashboard asks for what `/metrics` has, and by labels that it has."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from buildatlas.prometheus import FAMILIES, Exposition
from resolvers.measurements import MEASUREMENTS

DASHBOARD: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "buildatlas.json"

# What Prometheus adds to what it reads, and what there is only of several processes.
ADDED: Final = frozenset({"instance", "job", "pid"})

# Words of PromQL that no bracket follows.
KEYWORDS: Final = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})

_MATCHERS: Final = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]*)\s*\{(?P<matchers>[^}]*)\}")
_GROUPING: Final = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\((?P<labels>[^)]*)\)")


def exported() -> Mapping[str, set[str]]:
    """Return the labels of each series that there is once everything was measured."""
    exposition = Exposition()
    for name in FAMILIES:
        exposition.observe(name, 1.0, dict.fromkeys(MEASUREMENTS[name].labels, "x"))
    text, _ = exposition.text("", alerts={("FIRING", "CRITICAL"): 1})
    found: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[sample.name] |= sample.labels.keys()
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Yield each query with the title of its panel, or the name of its variable."""
    dashboard: Mapping[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
            assert match is not None
            yield variable["name"], f"count by ({match[2]}) ({match[1]})"


def metrics_of(query: str) -> set[str]:
    """Return the names of the series that a query asks for."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    bare = _GROUPING.sub(" ", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    words = re.finditer(r"(?<![\w$.])[a-zA-Z_:][\w:]*(?!\w)(?P<called>\s*\()?", bare)
    return {word[0] for word in words if not word["called"] and word[0] not in KEYWORDS}


def labels_of(query: str) -> set[str]:
    """Return the labels that a query tells series apart by."""
    grouped = {name.strip() for match in _GROUPING.finditer(query) for name in match["labels"].split(",")}
    matched = {
        name
        for match in _MATCHERS.finditer(query)
        for name in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", match["matchers"])
    }
    return (grouped | matched) - {""}


def test_a_query_is_read_as_prometheus_reads_it() -> None:
    query = (
        'topk(10, sum by (le, a) (rate(m_bucket{b="x_y", c=~"$z"}[$__rate_interval]))) / on (d) n > bool 0.5'
    )

    assert metrics_of(query) == {"m_bucket", "n"}
    assert labels_of(query) == {"le", "a", "b", "c", "d"}


@pytest.mark.parametrize(("title", "query"), list(queries()))
def test_every_query_asks_for_what_is_exported(title: str, query: str) -> None:
    known = exported()
    asked = metrics_of(query)

    assert asked, f"{title} asks for nothing"
    assert asked <= known.keys(), f"{title}: not at /metrics: {asked - known.keys()}"
    allowed = set.union(*(known[name] for name in asked)) | ADDED
    assert labels_of(query) <= allowed, f"{title}: not a label: {labels_of(query) - allowed}"


def test_every_family_is_shown_by_some_panel() -> None:
    shown = {name for _, query in queries() for name in metrics_of(query)}

    missing = {
        name
        for name in exported()
        if not shown
        & {name, *(re.sub(r"(_bucket|_sum|_count)$", "", name) + end for end in ("_bucket", "_count"))}
    }
    assert missing == set()


def test_panels_have_ids_titles_units_and_places_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies upon another"
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]

"""What is measured, in Prometheus's form."""

import math
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from buildatlas.prometheus import FAMILIES, PREFIX, Distribution, Exposition, Level, Total
from resolvers import measurements
from resolvers.measurements import MEASUREMENTS
from resolvers.measuring import Measurer

# Units that Prometheus's conventions have a name end in, by those of what is measured.
ENDINGS = {measurements.SECONDS: "_seconds", measurements.BYTES: "_bytes"}


def values(
    exposition: Exposition, alerts: Mapping[tuple[str, str], int] | None = None
) -> Mapping[str, float]:
    """Return each value by its name and labels, as they are written."""
    text, _ = exposition.text("", alerts=alerts or {})
    return {
        f"{sample.name}{dict(sorted(sample.labels.items())) or ''}": sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_what_a_measurer_records_is_exposed_under_the_name_that_stands_for_it() -> None:
    exposition = Exposition()
    measurer = Measurer(observers=(exposition.observe,))
    for seconds, conclusion in ((2.0, "SUCCESS"), (4.0, "SUCCESS"), (3.0, "FAILURE")):
        measurer.record(measurements.BUILD, seconds, package="p", worker="w", conclusion=conclusion)
    measurer.record(measurements.RECOVERED, 3)
    measurer.record(measurements.RECOVERED, 4)
    measurer.record(measurements.QUEUE, 7)
    measurer.record(measurements.QUEUE, 5)
    measurer.record("of.somebody.else", 1, unit="1")

    found = values(exposition, {("FIRING", "CRITICAL"): 2})

    of_success = "{'conclusion': 'SUCCESS'}"
    assert found[f"buildatlas_build_seconds_count{of_success}"] == 2
    assert found[f"buildatlas_build_seconds_sum{of_success}"] == 6
    assert found[f"buildatlas_builds_total{of_success}"] == 2
    assert found["buildatlas_builds_total{'conclusion': 'FAILURE'}"] == 1
    assert found["buildatlas_recovered_builds_total"] == 7
    assert found["buildatlas_queued_builds"] == 5
    assert found["buildatlas_alerts{'severity': 'CRITICAL', 'state': 'FIRING'}"] == 2
    assert not any("somebody" in name for name in found)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_spoils_no_sum(value: float) -> None:
    exposition = Exposition()

    exposition.observe(measurements.PLAN, 1.0, {"outcome": "OK"})
    exposition.observe(measurements.PLAN, value, {"outcome": "OK"})

    assert values(exposition)["buildatlas_plan_seconds_sum{'outcome': 'OK'}"] == 1


def test_a_label_has_so_many_values_and_then_other() -> None:
    exposition = Exposition()
    for number in range(1_000):
        exposition.observe(measurements.OPERATION, 1.0, {"operation": f"o{number}", "outcome": "OK"})
    exposition.observe(measurements.OPERATION, 1.0, {"operation": "o1", "outcome": "OK"})
    exposition.observe(measurements.OPERATION, 1.0, {"operation": "x" * 1_000, "outcome": "OK"})

    counts = {
        name: value
        for name, value in values(exposition).items()
        if name.startswith("buildatlas_operation_seconds_count")
    }

    assert len(counts) == 101
    assert counts["buildatlas_operation_seconds_count{'operation': 'other', 'outcome': 'OK'}"] == 901
    assert counts["buildatlas_operation_seconds_count{'operation': 'o1', 'outcome': 'OK'}"] == 2


def test_everything_that_is_measured_is_exposed_but_what_others_tell_already() -> None:
    # Of whatever; by `builds_total`; and by whoever evaluates to the others.
    told = {measurements.OTHER, measurements.BUILD_FAILED, measurements.EVALUATED}

    assert MEASUREMENTS.keys() - FAMILIES.keys() == told


@pytest.mark.parametrize(
    ("measured", "family"), [(name, family) for name, families in FAMILIES.items() for family in families]
)
def test_names_and_labels_are_as_prometheus_has_them(
    measured: str, family: Distribution | Total | Level
) -> None:
    measurement = MEASUREMENTS[measured]

    match family:
        case Total():
            assert family.name.endswith("_total")
            assert set(family.labels) <= set(measurement.labels)
        case Distribution():
            assert family.name.endswith(ENDINGS[measurement.unit])
            assert set(family.labels) <= set(measurement.labels)
            assert list(family.buckets) == sorted(set(family.buckets))
        case Level():
            assert family.name.endswith(ENDINGS.get(measurement.unit, ""))
            # Prometheus tells processes apart by itself.
            assert set(measurement.labels) <= {measurements.PROCESS}
    assert not {"package", "worker"} & set(getattr(family, "labels", ()))


def test_each_family_has_a_name_and_a_help_text_of_its_own() -> None:
    exposition = Exposition()
    text, _ = exposition.text("", alerts={})

    families = list(text_string_to_metric_families(text.decode()))

    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.name.startswith(PREFIX)
        assert family.documentation.endswith(".")
        assert family.documentation[0].isupper() or family.documentation[0].isdigit()

"""The night's quality by the size of the support, and the calibration of expected ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.report.night import Night, Part, Row
from schemas.tables.columns import Table
from schemas.tables.evaluation import CALIBRATION, QUALITY_BY_SUPPORT
from schemas.tables.lake import SCENARIOS


@dataclass(frozen=True, kw_only=True)
class SupportBin:
    """Tasks whose support has about as many interactions, written `3-5` or `41+`."""

    sizes: str
    n_tasks: int
    metric: str
    value: float
    before: float
    baseline: float


@dataclass(frozen=True, kw_only=True)
class RatingBin:
    """Ratings that the model expected to be about alike."""

    predicted: float
    observed: float
    n_ratings: int


Supports = Mapping[str, tuple[SupportBin, ...]]  # by scenario
Calibration = Mapping[str, tuple[RatingBin, ...]]


def by_support(night: Night) -> Part[Supports]:
    """Metrics by scenario and size of the support, in ascending order of size."""
    return _found(night, QUALITY_BY_SUPPORT).then(
        lambda rows: {
            scenario: tuple(_support_bin(row) for row in of_scenario)
            for scenario, of_scenario in _by_scenario(rows, "n_support_from").items()
        }
    )


def calibration(night: Night) -> Part[Calibration]:
    """Mean predicted and observed ratings by scenario and bin of the scale, in ascending order."""
    return _found(night, CALIBRATION).then(
        lambda rows: {
            scenario: tuple(
                RatingBin(
                    predicted=row["predicted_mean"],
                    observed=row["observed_mean"],
                    n_ratings=row["n_ratings"],
                )
                for row in of_scenario
            )
            for scenario, of_scenario in _by_scenario(rows, "bin").items()
        }
    )


def _found(night: Night, table: Table) -> Part[list[Row]]:
    found = night.rows(table)
    if found.content == []:
        return Part(note="Nothing to show: there were no held-out tasks that day.")
    return found


def _by_scenario(rows: list[Row], order: str) -> dict[str, list[Row]]:
    """The rows of each scenario that has some, in order."""
    grouped = {
        scenario: sorted((r for r in rows if r["scenario"] == scenario), key=lambda r: r[order])
        for scenario in SCENARIOS
    }
    return {scenario: found for scenario, found in grouped.items() if found}


def _support_bin(row: Row) -> SupportBin:
    least, most = row["n_support_from"], row["n_support_to"]
    several = f"{least}+" if most is None else f"{least}-{most}"
    return SupportBin(
        sizes=str(least) if most == least else several,
        n_tasks=row["n_tasks"],
        metric=row["metric"],
        value=row["value"],
        before=row["before"],
        baseline=row["baseline"],
    )

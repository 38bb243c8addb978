"""A night of three users and four items: every table of the lake in a few literal rows."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import warehouse
from jobs.steps import gate, publish
from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema
from schemas.run import decision, journal
from schemas.run.artefact import Provenance
from schemas.run.decision import Decision
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables import products
from schemas.tables.columns import Table
from schemas.tables.evaluation import STRATIFIED
from schemas.warehouse.uri import WarehouseUri

Row = dict[str, Any]

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
TABLES = {t.name: t for t in (*tables.lake_tables(SPEC), *products.PRODUCTS, *STRATIFIED)}
DS = date(1998, 3, 31)
AT = datetime(1998, 3, 30, 12, tzinfo=UTC)
MODEL = "melu"  # named in each command: the default learner may change
RUN = {"model": MODEL, "model_version": "0123456789ab", "run_id": f"{DS}.{MODEL}.0123456789ab"}


def _user(n: int, **changed: Any) -> Row:
    features = {"age": 1, "gender": 1, "occupation": 1, "zip_region": 0}
    seen = {"n_interactions": 2, "first_seen": AT, "last_seen": AT}
    flags = {"is_new": False, "is_cold": True}
    return {"user_id": f"u{n}", "user_index": n, **seen, **flags, **features, **changed}


def _item(n: int) -> Row:
    about = {"item_id": f"i{n}", "item_index": n, "title": f"Film {n}"}
    seen = {"n_interactions": 2, "first_seen": AT, "rating_mean": 4.0, "is_new": False}
    training = {"train_n_ratings": 1, "train_rating_sum": 4.0}
    recent = {"recent_interactions": 1.5, "train_recent": 0.5}
    return {**about, **seen, **training, **recent, "release_year": 1, "genres": [1]}


def _task(user: int, split: str, support: list[int], query: list[int]) -> Row:
    return {
        "task_id": f"u{user}/warm/{split}",
        "user_index": user,
        "scenario": "warm",
        "split": split,
        "earlier_that_day": 0,
        "support_items": support,
        "support_ratings": [4.0] * len(support),
        "support_days": [10_000] * len(support),
        "query_items": query,
        "query_ratings": [3.0] * len(query),
        "query_days": [10_001] * len(query),
    }


def _evidence(rank: int) -> Row:
    values = {"evidence_score": 0.25, "discriminative_value": 0.5, "popularity_value": 0.5}
    item = {"item_id": f"i{rank}", "title": f"Film {rank}", "n_interactions": 2}
    adds = {"expected_gain": 0.01 * rank, "answer_rate": 0.25, "redundancy": 0.1 * (rank - 1)}
    return {"segment": "all", "rank": rank, **item, **values, **RUN, **adds, "same_as_all": True}


def _quality(name: str, mae: float) -> Row:
    """Of the list, in the one length of the small night."""
    worth = {"n_users": 30, "n_revealed_mean": 1.5, "mae": mae, "rmse": mae + 0.1}
    worth["ndcg5"] = 0.8
    interval = {"mae_minus_popularity_low": mae - 0.82, "mae_minus_popularity_high": mae - 0.78}
    return {"segment": "all", "list": name, "length": 10, **worth, **interval, **RUN, **after(mae)}


def after(mae: float) -> Row:
    """What recommendations are worth after a list, the more the less the error."""
    worth = {"ndcg10_after": 1 - mae, "recall20_after": (1 - mae) / 2}
    ends = {"low": 0.78 - mae, "high": 0.82 - mae}
    return worth | {
        f"ndcg10_after_minus_{other}_{end}": value
        for other in ("popularity", "nothing")
        for end, value in ends.items()
    }


def _score(user: int, rank: int, item: int, n_support: int) -> Row:
    about = {"user_id": f"u{user}", "rank": rank, "item_id": f"i{item}", "score": 5.0 - rank}
    listed = {"p_like": 0.5 / rank, "p_choice": 0.1 / rank, "ranked_by": "p_like"}
    ends = {"score_low": 4.0 - rank, "score_high": 5.5 - rank}
    known = {"n_support": n_support, "adapted": n_support >= 3, "is_new": n_support < 3}
    return {**about, **RUN, **listed, **ends, **known}


def of_lists(
    run_id: str = RUN["run_id"], n_users: int = 30, scenario: str = "user_cold", **ndcg10: float
) -> list[Row]:
    """What lists are worth to users, by method; every interval has the width 0.02."""
    own = ndcg10["melu"]
    rows = []
    for model, value in ndcg10.items():
        about = {"model": model, "scenario": scenario, "n_users": n_users}
        about |= {"run_id": RUN["run_id"] if model == "champion" else run_id}
        lead = [None, None] if model == "melu" else [own - value - 0.01, own - value + 0.01]
        for known in ("3", "all", "1 to all"):
            interval = {"low": value - 0.01, "high": value + 0.01}
            ends = {"lead_low": lead[0], "lead_high": lead[1], **interval}
            rows.append({**about, "known": known, "metric": "ndcg10", "value": value, **ends})
        nothing = dict.fromkeys(("low", "high", "lead_low", "lead_high"))
        of_all = {"coverage20": 0.75, "overlap10": 0.25, "novelty20": 8.5}
        rows += [
            {**about, "known": "all", "metric": metric, "value": of_lists, **nothing}
            for metric, of_lists in of_all.items()
        ]
    return rows


def _metrics(model: str, mae: float, run_id: str = RUN["run_id"]) -> list[Row]:
    values = {"mae": mae, "rmse": mae + 0.1, "ndcg5": 0.8}
    if model == "melu":
        values |= {"mae_of_expected": mae, "adaptation_gain": 0.02}
    return [
        {
            "model": model,
            "scenario": "user_cold",
            "metric": metric,
            "value": value,
            "baseline": 0.9 if metric == "mae" else None,
            "n_tasks": 12,
            "run_id": run_id,
        }
        for metric, value in values.items()
    ]


def _of_support(least: int, most: int | None, value: float) -> Row:
    sizes = {"n_support_from": least, "n_support_to": most, "n_tasks": 6}
    figures = {"metric": "mae", "value": value, "before": value + 0.05, "baseline": 0.9}
    return {"scenario": "user_cold", **sizes, **figures, **_trained()}


def _calibrated(part: int, predicted: float, observed: float) -> Row:
    means = {"predicted_mean": predicted, "observed_mean": observed, "n_ratings": 20}
    return {"scenario": "user_cold", "bin": part, **means, **_trained()}


def _trained() -> Row:
    return {name: RUN[name] for name in ("model", "run_id")}


def implicit_metrics() -> list[Row]:
    """What an evaluation of implicit feedback says of a good model, popularity and chance."""
    ranks = {
        "melu": {"auc": 0.8, "hr10": 0.5, "ndcg10": 0.3, "logloss": 0.4, "adaptation_gain": 0.05},
        "popularity": {"auc": 0.7, "hr10": 0.4, "ndcg10": 0.2},
        "chance": {"auc": 0.5, "hr10": 0.1, "ndcg10": 0.05},
    }
    return [
        {
            "model": model,
            "scenario": "user_cold",
            "metric": metric,
            "value": value,
            "baseline": ranks["popularity"].get(metric),
            "n_tasks": 12,
            "run_id": RUN["run_id"],
        }
        for model, values in ranks.items()
        for metric, value in values.items()
    ]


NIGHT: dict[str, list[Row]] = {
    "interactions": [
        {"user_id": f"u{u}", "item_id": f"i{i}", "rating": 4.0, "event_time": AT}
        for u in (1, 2, 3)
        for i in (1, 2)
    ],
    "interactions_quarantine": [
        {
            **{"user_id": "u9", "item_id": None, "rating": "x", "event_time": "0"},
            **{"reason": reason, "source_file": "ratings.csv", "source_line": "u9,,x,0"},
        }
        for reason in ("unknown_user", "missing_item_id", "unknown_user")
    ],
    "item_links": [],
    "vocabulary": [{"feature": "user.gender", "value": "F", "index": 1}],
    "user_profiles": [_user(1), _user(2), _user(3)],
    "item_profiles": [_item(n) for n in (1, 2, 3, 4)],
    "episodes": [
        _task(1, "train", [1, 2], [3]),
        _task(1, "test", [1, 2], [3, 4]),
        _task(2, "serve", [1, 2], []),
        _task(3, "serve", [1], []),
    ],
    "metapath_neighbours": [
        {"item_index": item, "metapath": path, "neighbours": sorted({1, 2, 3, 4} - {item})}
        for path in ("UMUM", "UMGM")
        for item in (1, 2, 3, 4)
    ],
    "evidence_items": [_evidence(1), _evidence(2)],
    "evidence_quality": [_quality("evidence", 0.75), _quality("popularity", 0.8)],
    "cold_user_scores": [_score(2, 1, 3, 3), _score(2, 2, 4, 3), _score(3, 1, 2, 1)],
    "model_metrics": [*_metrics("melu", 0.8), *_metrics("damped_bias", 0.9)],
    "list_quality": of_lists(melu=0.2, popularity=0.1, item_knn=0.15),
    "quality_by_support": [_of_support(3, 5, 0.85), _of_support(41, None, 0.75)],
    "calibration": [_calibrated(5, 2.8, 2.9), _calibrated(8, 4.1, 4.0)],
}


@dataclass
class Night:
    """The lake of a small night; tests change `rows` before they `write` them."""

    settings: Settings
    ds: date = DS
    rows: dict[str, list[Row]] = field(default_factory=lambda: deepcopy(NIGHT))
    version: str = RUN["model_version"]  # of the day's model

    def table(self, name: str) -> Table:
        return TABLES[name]

    def write(self, *names: str) -> None:
        """Write the named tables, or all; nulls go where a fault wants them."""
        for name in names or self.rows:
            schema = arrow_schema(TABLES[name])
            nullable = pa.schema([f.with_nullable(True) for f in schema])
            rows = pa.Table.from_pylist(self.rows[name], schema=nullable)
            with Lake(root=self.settings.lake).replacing(name, self.ds) as draft:
                pq.write_table(rows, draft.path / "part-0.parquet")
                draft.rows = len(rows)
        if not names:
            self.write_model()

    def write_model(self) -> None:
        """What publishing needs to know of the artefact of the day's model."""
        with Lake(root=self.settings.models).replacing("melu", self.ds) as draft:
            Provenance(
                ds=str(self.ds),
                model=MODEL,
                model_version=self.version,
                vocabulary_checksum="0" * 64,
                best_epoch=2,
                train_tasks=1958,
            ).write(draft.path)
            draft.rows = 1

    def decide(self) -> None:
        """Let the day's own model pass, whatever its metrics."""
        run_id = RUN["run_id"]
        passed = Decision(challenger=run_id, verdict="challenger", run_id=run_id, reasons=())
        decision.write(self.settings, self.ds, passed)

    def next_day(self, *, mae: float, champions: float = 0.8) -> None:
        """The day after, whose own model has another version and this MAE; products are as before.

        champions: the MAE of the model published before, which the products are still of
        """
        self.ds += timedelta(days=1)
        run_id = f"{self.ds}.melu.fedcba987654"
        self.rows["model_metrics"] = [
            *_metrics("melu", mae, run_id),
            *_metrics("damped_bias", 0.9, run_id),
            *_metrics("champion", champions),
        ]
        lists = {"melu": 0.2, "popularity": 0.1, "item_knn": 0.15, "champion": 0.2}
        self.rows["list_quality"] = of_lists(run_id, **lists)

    def publish(self) -> None:
        """Write the night, pass the gate and publish."""
        self.write()
        gate.run(self.settings, self.ds, self.record("gate"), MODEL)
        publish.run(self.settings, self.ds, self.record("publish"), MODEL)

    def ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the warehouse answers to whom it lets read."""
        with warehouse.open_reader(self.settings.warehouse) as connection:
            return connection.rows(sql, *parameters)

    def record(self, name: str) -> journal.Step:
        return journal.Step(name=name, ds=self.ds, file=self.settings.home / "journal.jsonl")


def new_night(home: Path, uri: WarehouseUri) -> Night:
    """A lake that is bound to its data set; nothing is written yet."""
    variables = {"COLDSTART_HOME": str(home), "COLDSTART_WAREHOUSE": uri.text}
    settings = Settings.from_environment(variables)
    dataset_choice.bind(settings.lake, dataset_spec.BUNDLED / "ml-100k.toml")
    return Night(settings)


def environment_of(night: Night) -> dict[str, str]:
    """What a process needs to know to work on the night."""
    uri = night.settings.warehouse.text
    return {"COLDSTART_HOME": str(night.settings.home), "COLDSTART_WAREHOUSE": uri}

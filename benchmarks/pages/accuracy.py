"""The page of accuracy: errors of ratings beside baselines, variants and published figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.pages.markdown import by_scenario, page, table
from benchmarks.records import Record
from schemas.tables.lake import SCENARIOS

# MAE as published, each on its own data split: shown beside ours, not compared with it.
PUBLISHED = (
    ("MeLU (Lee et al. 2019)", (0.757, 0.785, 0.928, 0.924)),
    ("MetaHIN (Lu et al. 2020)", (0.800, 0.787, 0.868, 0.859)),
)


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/accuracy.md in Markdown, a section for each dataset."""
    parts = []
    for dataset in dict.fromkeys(record["dataset"] for record in found):
        of_dataset = [record for record in found if record["dataset"] == dataset]
        parts += [f"## {dataset}", *_accuracy_tables(of_dataset)]
        if dataset == "ml-1m":
            parts += [
                "MAE as published, each on its own split (so not comparable digit by digit):",
                table(
                    ("", *SCENARIOS),
                    [[name, *(f"{value:.3f}" for value in maes)] for name, maes in PUBLISHED],
                ),
            ]
        parts.append(f"![MAE beside the damped bias](accuracy-{dataset}.svg)")
    return page(
        "Accuracy",
        "`python -m benchmarks.accuracy --data DIR --dataset NAME --ablations --seeds 2 --json "
        "docs/benchmarks/accuracy-NAME.json`: trained on `train` alone for the configuration's "
        "epochs, adapted to each test task on its support, means over tasks. The splits' "
        "development halves; the configuration was chosen on them, so that the figures are "
        "somewhat too good, and the two seeds show how far chance moves them.",
        found,
        *parts,
    )


def _accuracy_tables(found: Sequence[Record]) -> Iterable[str]:
    own = [record for record in found if record["variant"] != "baseline"]
    full = [record for record in own if record["variant"] == "full"]
    tasks = ", ".join(f"{r['scenario']} {r['n_tasks']:,}" for r in full)
    yield f"Tasks: {tasks}."
    yield (
        "The model's MAE is that of its median rating, a whole level; so the damped bias is also "
        "shown rounded to a level, which alone lowers its MAE. The expected rating, whose RMSE and "
        "nDCG are shown, is to be compared with the damped bias as it is."
    )
    lines = (
        ("MAE", "mae", ".4f"),
        ("MAE before adaptation", "mae_before_adaptation", ".4f"),
        ("MAE, damped bias", "damped_bias_mae", ".4f"),
        ("MAE, damped bias rounded", "damped_bias_rounded_mae", ".4f"),
        ("MAE of the expected rating", "mae_of_expected", ".4f"),
        ("RMSE", "rmse", ".4f"),
        ("RMSE, damped bias", "damped_bias_rmse", ".4f"),
        ("nDCG@5", "ndcg5", ".4f"),
        ("nDCG@5, damped bias", "damped_bias_ndcg5", ".4f"),
    )
    yield table(
        ("full configuration", *SCENARIOS),
        [[title, *(f"{r[key]:{form}}" for r in full)] for title, key, form in lines]
        + [
            ["MAE against the damped bias", *_against(full, "damped_bias_mae")],
            ["MAE against it rounded", *_against(full, "damped_bias_rounded_mae")],
        ],
    )
    yield "Baselines, MAE / RMSE / nDCG@5:"
    baselines = [record for record in found if record["variant"] == "baseline"]
    yield by_scenario("baseline", "learner", baselines, ("mae", "rmse", "ndcg5"))
    yield "Variants, MAE / RMSE / nDCG@5:"
    yield by_scenario("variant", "variant", own, ("mae", "rmse", "ndcg5"))


def _against(found: Sequence[Record], key: str) -> list[str]:
    return [f"{record['mae'] / record[key] - 1:+.1%}" for record in found]

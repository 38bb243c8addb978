"""The page of nights: what lists and evidence are worth, and whether p_like is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.pages.markdown import page, table
from benchmarks.records import Record
from schemas.tables.metrics import NDCG10

_PUBLISHED = "published"
_SHOWN_LENGTH = 10  # of the lists that are asked
_TITLES = {"user_cold": "New users", "warm": "Existing users who come back"}


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/nights.md, a section for each data set."""
    parts: list[str] = []
    for dataset in dict.fromkeys(record["dataset"] for record in found):
        parts += _of_dataset([record for record in found if record["dataset"] == dataset])
    return page(
        "Nights",
        "`python -m benchmarks.nights --data DIR --dataset toys --json "
        "docs/benchmarks/nights-toys.json`, and the same of ml-100k: the lists of several nights, "
        "judged as a night judges them, the users of all nights taken together. nDCG@10, by known "
        "interactions; in brackets the 95% interval of how far the published lists are ahead of "
        "the method, paired over users. toys has purchases, and no ratings. The order of a user's "
        "purchases is real, and the days are made up: each purchase is of a day of its own.\n\n"
        "`p_like and the intervals of scores` is of the items in published lists: the mean of "
        "`p_like`, the share of items that the user chose next and liked, and the expected "
        "calibration error in ten bins. The last column is the share of the ratings that follow "
        "which the 80% intervals of `score` hold.\n\n"
        "`Evidence`: new users say how they rated the items of a list, and that they do not know "
        "the others. nDCG@10 of the recommendations that follow, less the items of all lists of "
        "that length. In brackets: how many items were rated, and the 95% interval of the "
        "difference from asking nothing. With ten questions, `lead` is the 95% interval of how far "
        "`evidence`, the published list, is ahead, and MAE that of the other ratings.",
        found,
        *parts,
    )


def _of_dataset(found: Sequence[Record]) -> Iterator[str]:
    """Headings and tables."""
    n_nights = found[0]["nights"]
    yield f"## {found[0]['dataset']}, {n_nights} {'night' if n_nights == 1 else 'nights'}"
    of_lists = [each for each in found if each["metric"] == NDCG10.name]
    for scenario in dict.fromkeys(record["scenario"] for record in of_lists):
        yield f"### {_TITLES[scenario]}"
        yield _by_method([record for record in of_lists if record["scenario"] == scenario])
    yield "### p_like and the intervals of scores"
    yield _of_p_like([r for r in found if "known" not in r and "list" not in r])
    if evidence := [record for record in found if "list" in record]:
        yield "### Evidence"
        yield _of_evidence(evidence)


def _by_method(found: Sequence[Record]) -> str:
    known = list(dict.fromkeys(record["known"] for record in found))
    by_method: dict[str, dict[str, Record]] = {}
    for record in found:
        by_method.setdefault(record["method"], {})[record["known"]] = record
    rows = [
        [method.replace("_", " "), *(_cell(of_known[each]) for each in known)]
        for method, of_known in by_method.items()
    ]
    users = [f"{by_method[_PUBLISHED][each]['n_users']:,}" for each in known]
    return table(("known interactions", *known), [*rows, ["users", *users]])


def _cell(record: Record) -> str:
    value = f"{record['value']:.3f}"
    if record["method"] == _PUBLISHED:
        return value
    return f"{value} ({record['lead_low']:+.3f} to {record['lead_high']:+.3f})"


def _of_p_like(found: Sequence[Record]) -> str:
    by_scenario: dict[str, dict[str, float]] = {}
    for record in found:
        by_scenario.setdefault(record["scenario"], {})[record["metric"]] = record["value"]
    metrics = ("mean_p_like", "liked", "ece", "coverage")
    rows = [
        [_TITLES[scenario], *(f"{values[m]:.4f}" if m in values else "-" for m in metrics)]
        for scenario, values in by_scenario.items()
    ]
    header = ("", "mean p_like", "share liked", "expected calibration error", "within intervals")
    return table(header, rows)


def _of_evidence(found: Sequence[Record]) -> str:
    """A line for each list, the best with ten questions first."""
    by_list: dict[str, dict[int, Record]] = {}
    for record in found:
        by_list.setdefault(record["list"], {})[record["length"]] = record
    ranked = sorted(by_list.items(), key=lambda of: -of[1][_SHOWN_LENGTH]["value"])
    lengths = list(next(iter(by_list.values()), ()))
    rows = []
    for name, of_length in ranked:
        shown = of_length[_SHOWN_LENGTH]
        cells = [
            f"{r['value']:.3f} ({r['rated']:.1f}, {r['gain_low']:+.3f} to {r['gain_high']:+.3f})"
            for r in of_length.values()
        ]
        lead = f"{shown['lead_low']:+.3f} to {shown['lead_high']:+.3f}"
        rows.append([name, *cells, lead, f"{shown['mae']:.3f}"])
    users = [f"{by_list['evidence'][length]['n_users']:,}" for length in lengths]
    return table(
        ("questions", *map(str, lengths), "lead", "MAE"), [*rows, ["users", *users, "", ""]]
    )

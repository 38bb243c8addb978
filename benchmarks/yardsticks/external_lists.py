"""Lists by LensKit's and implicit's own code, made in an environment of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import Tensor

from meta_model.choice.interactions import Interactions
from meta_model.data.tasks import Tasks
from meta_model.evaluation.lists import KNOWN, Ranker
from schemas.dataset.spec import Feedback
from schemas.errors import UserError

_SCRIPT = Path(__file__).parents[1] / "peers" / "rank.py"
_KNOWN = [known for known in KNOWN if known != 0]  # of nobody they know nothing


def rankers(
    python: Path,
    interactions: Interactions,
    tasks: Sequence[Tasks],
    feedback: Feedback,
    scratch: Path,
) -> Iterator[tuple[str, int | None, Ranker]]:
    """A method, a number of known interactions, and the method's lists for that number.

    Raises `UserError` when the environment of `python` does not run them.
    """
    train, queries, lists = (scratch / f"{name}.parquet" for name in ("train", "queries", "lists"))
    pairs = {"user_index": interactions.users, "item_index": interactions.items}
    pq.write_table(pa.table({name: pa.array(x.numpy()) for name, x in pairs.items()}), train)
    pq.write_table(pa.Table.from_pylist(list(queries_of(tasks, feedback))), queries)
    if subprocess.run([str(python), str(_SCRIPT), *map(str, (train, queries, lists))]).returncode:
        raise UserError(
            f"{_SCRIPT} failed with {python}; expected the Python of an environment that holds "
            f"{_SCRIPT.parent / 'requirements.txt'}. Make one, and name it with --peers."
        )
    made = pq.read_table(lists)
    names: list[str] = [str(name) for name in pc.unique(made["method"]).to_pylist()]
    for name in names:
        of_method = made.filter(pc.equal(made["method"], pa.scalar(name)))
        keys: list[str] = [str(key) for key in of_method["query"].to_pylist()]
        by_query: dict[str, Any] = dict(zip(keys, of_method["items"].to_pylist(), strict=True))
        for known in _KNOWN:
            yield name, known, _Given(by_query, known, interactions.n_items)


def queries_of(tasks: Sequence[Tasks], feedback: Feedback) -> Iterator[dict[str, object]]:
    """What each user is known to have chosen, and all that no list may hold.

    Sampled negatives are neither: nobody chose them.
    """
    for batch in (each.chosen(feedback) for each in tasks):
        for known in _KNOWN:
            shown = batch.showing(known)
            for row, user in enumerate(batch.users.tolist()):
                yield {
                    "query": _query(user, known),
                    "known_items": _items(shown, row),
                    "excluded_items": _items(batch, row),
                }


def _items(tasks: Tasks, row: int) -> list[int]:
    places = tasks.support.rows[row][tasks.support.mask[row]]
    items: list[int] = tasks.items[places].tolist()
    return items


def _query(user: int, known: int | None) -> str:
    return f"{user}/{'all' if known is None else known}"


class _Given:
    """Lists that were made elsewhere, as scores: minus the rank."""

    def __init__(
        self, by_query: Mapping[str, Sequence[int]], known: int | None, n_items: int
    ) -> None:
        self.by_query, self.known, self.n_items = by_query, known, n_items

    def scores(self, tasks: Tasks) -> Tensor:
        scores = torch.full((len(tasks), self.n_items + 1), -torch.inf)
        for row, user in enumerate(tasks.users.tolist()):
            items = self.by_query[_query(user, self.known)]
            scores[row, list(items)] = -torch.arange(len(items), dtype=scores.dtype)
        return scores

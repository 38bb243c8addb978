"""Lists by LensKit's and implicit's own code: run by the environment of requirements.txt.

    python benchmarks/peers/rank.py TRAIN QUERIES LISTS

TRAIN holds the pairs user_index, item_index. QUERIES holds a row for each user and number of known
interactions: query, known_items, excluded_items. LISTS gets a row for each method and query:
method, query, items, the best 20 of all items of TRAIN but the excluded. This script knows nothing
of what is relevant, and imports nothing of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from lenskit.als import ImplicitMFScorer
from lenskit.data import ItemList, RecQuery, from_interactions_df
from lenskit.knn import EASEScorer, ItemKNNScorer
from lenskit.training import TrainingOptions

RANKS = 20
Scores = Callable[[np.ndarray], np.ndarray]  # of all items, from the numbers of the known ones


def main(train_file: str, queries_file: str, lists_file: str) -> None:
    """Rank the catalogue for every query by LensKit's and implicit's methods; files are Parquet."""
    train = pd.read_parquet(train_file)[["user_index", "item_index"]].drop_duplicates()
    queries = pd.read_parquet(queries_file)
    catalogue = np.sort(train["item_index"].unique())
    number = pd.Series(np.arange(len(catalogue)), index=catalogue)
    rows = []
    for method, scores in _methods(train, catalogue, number):
        for query, known, excluded in queries.itertuples(index=False):
            of_all = scores(number.reindex(known).dropna().astype(int).to_numpy())
            of_all[number.reindex(excluded).dropna().astype(int)] = -np.inf
            best = np.argsort(-of_all, kind="stable")[:RANKS]
            best = best[np.isfinite(of_all[best])]
            rows.append((method, query, catalogue[best].tolist()))
    lists = pd.DataFrame(rows, columns=["method", "query", "items"])
    lists.to_parquet(Path(lists_file))


def _methods(
    train: pd.DataFrame, catalogue: np.ndarray, number: pd.Series
) -> Iterator[tuple[str, Scores]]:
    pairs = train.rename(columns={"user_index": "user_id", "item_index": "item_id"})
    data = from_interactions_df(pairs)
    items = ItemList(item_ids=catalogue)
    scorers = {
        "lenskit_item_knn": ItemKNNScorer(feedback="implicit", max_nbrs=100, min_sim=1e-6),
        "lenskit_implicit_als": ImplicitMFScorer(
            embedding_size=64, epochs=10, weight=10, regularization=0.1
        ),
    }
    if len(catalogue) <= 20_000:
        scorers["lenskit_ease"] = EASEScorer(regularization=200)
    for method, scorer in scorers.items():
        scorer.train(data, TrainingOptions())

        def scores(known: np.ndarray, scorer: object = scorer) -> np.ndarray:
            query = RecQuery(user_id="nobody", user_items=ItemList(item_ids=catalogue[known]))
            found = scorer(query=query, items=items).scores()  # type: ignore[operator]
            scored: np.ndarray = np.nan_to_num(np.asarray(found, dtype=float), nan=-np.inf)
            return scored

        yield method, scores

    users = pd.factorize(train["user_index"])[0]
    columns = number[train["item_index"]].to_numpy()
    chosen = sp.csr_matrix((np.ones(len(train), dtype=np.float32), (users, columns)))
    model = AlternatingLeastSquares(
        factors=64, iterations=15, alpha=10.0, regularization=0.1, random_state=1, num_threads=1
    )
    model.fit(chosen, show_progress=False)

    def folded_in(known: np.ndarray) -> np.ndarray:
        ones = np.ones(len(known), dtype=np.float32)
        row = sp.csr_matrix((ones, (np.zeros_like(known), known)), shape=(1, len(catalogue)))
        return np.asarray(model.recalculate_user(0, row) @ model.item_factors.T, dtype=float)

    yield "implicit_als", folded_in


if __name__ == "__main__":
    main(*sys.argv[1:])

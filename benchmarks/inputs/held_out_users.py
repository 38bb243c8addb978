"""Users held out in turns: every user of a data set is new once, to a model of all the others.

A published split has a few hundred new users, and lists to ask them about differ by a hundredth of
a star: it takes more of them to tell. Each trial holds out one part of the users; statistics come
from the others' ratings alone, and their tasks train. All that a held-out user rated, of items that
the others rated too, is there to be asked about or predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.inputs import lake_inputs, public_split, split_tasks
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.metapaths import NO_METAPATHS

_STATISTICS = ("train_n_ratings", "train_rating_sum", "n_interactions")
_RECENT = ("recent_interactions", "train_recent")  # of everyone, and in an order of time


def trials(
    data: Path, dataset: str, folds: int, scratch: Path, seeds: Sequence[int], query: int = 0
) -> Iterator[tuple[int, Inputs]]:
    """For each seed, the inputs of a trial for each of `folds` parts of the users, 2 or more.

    A split gives its `train`; a data set without one is read as the night reads it.
    query: how many ratings of a new user, drawn at random, are their query; the rest is support
    """
    if dataset in public_split.SPLITS:
        split = public_split.SPLITS[dataset]
        inputs = public_split.load(data / dataset, split, scratch, windows=True, seed=seeds[0])
        ratings = public_split.train_ratings(data / dataset)
    else:
        inputs = lake_inputs.prepare(data / dataset, dataset, scratch)
        interactions = lake_inputs.interactions(scratch, dataset)
        known = (inputs.user_profiles, inputs.item_profiles)
        ratings = public_split.numbered(interactions, *known, dataset)
    users = ratings["user_index"].to_numpy()
    for seed in seeds:
        part = np.random.default_rng(seed).permutation(users.max() + 1) % folds
        for number in range(folds):
            folder = scratch / f"seed-{seed}-fold-{number}"
            folder.mkdir()
            yield seed, held_out(inputs, ratings, part[users] == number, folder, seed, query)


def held_out(
    inputs: Inputs, ratings: pa.Table, is_new: np.ndarray, scratch: Path, seed: int, query: int = 0
) -> Inputs:
    """The inputs where the ratings [R] that are of new users are those to test on.

    Without the network, whose neighbours were made of everyone's ratings.
    """
    new, train = ratings.filter(pa.array(is_new)), ratings.filter(pa.array(~is_new))
    new = new.filter(pc.is_in(new["item_index"], pc.unique(train["item_index"])))
    found = inputs.item_profiles
    items = found.drop_columns([n for n in (*_STATISTICS, *_RECENT) if n in found.column_names])
    tasks = split_tasks.train_tasks(train, windows=True, seed=seed)
    asked = split_tasks.drawn_tasks(new, query, seed) if query else split_tasks.whole_tasks(new)
    files = (
        split_tasks.episodes_file(scratch, "train", "warm", tasks),
        split_tasks.episodes_file(scratch, "test", "user_cold", asked),
    )
    return replace(
        inputs,
        item_profiles=public_split.with_statistics(items, train),
        episodes=Episodes(files=files, is_ordered=False),
        metapaths=NO_METAPATHS,
    )

"""The list of one user after the answers so far: `python -m meta_model recommend`.

The lists of a night know what a user rated. In a session the user has also said which items they
do not know, which the model takes in, too (`choice.posterior`).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.tasks import Tasks
from meta_model.session import answers
from meta_model.session.answers import Answers
from meta_model.steps.night import Night


def run(night: Night, file: Path, user_id: str | None, length: int) -> None:
    """Print the first `length` items of the user's list, in the order of published lists."""
    given = answers.read(file, night.inputs)
    rates = answers.existing(night, given).answer_rates.cpu()
    user = answers.user_index(night.inputs, user_id)
    recommender = night.loaded.recommender.at_ds(night.inputs)
    usual = 1.0 if night.inputs.is_implicit else float(recommender.choice.mean_rating)
    ranked = recommender.ranked(_tasks(given, user, usual, rates), length)
    items = [item for item in ranked.items[0].tolist() if item]
    print("rank  p_like  score  item")
    names = answers.names(night.inputs, items)
    lines = zip(names, ranked.likes[0].sigmoid().tolist(), ranked.scores[0].tolist(), strict=False)
    for rank, (name, p_like, score) in enumerate(lines, start=1):
        print(f"{rank:>4}  {p_like:.4f}  {score:>5.2f}  {name}")


def _tasks(given: Answers, user: int, usual: float, rates: Tensor) -> Tasks:
    """One task, whose support is what the user knows of what they were asked about."""
    known = {item: answer for item, answer in given.items() if answer is not None}
    # The last position is padding: without an answer it is all there is.
    rows = torch.tensor([[*range(1, len(known) + 1), 0]])
    ratings = [*(answers.rating(answer, usual) for answer in known.values()), 0.0]
    support = InteractionSet(
        rows=rows,
        ratings=torch.tensor([ratings]),
        days=torch.zeros_like(rows),
        mask=rows > 0,
    )
    asked = torch.tensor([[*given]], dtype=torch.int64)
    return Tasks(
        users=torch.tensor([user]),
        items=torch.tensor([0, *known]),
        support=support,
        query=support.hidden(),
        in_statistics=torch.zeros(1, dtype=torch.bool),
        day=torch.zeros(1, dtype=torch.int64),
        earlier_that_day=torch.zeros(1, dtype=torch.int64),
        is_ordered=False,
        asked=Asked(items=asked, rates=rates[asked]),
    )

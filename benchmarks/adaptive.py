"""Questions chosen after each answer, beside the published list: what are they worth?

    python -m benchmarks.adaptive --data DIR --dataset ml-1m --json FILE
    python -m benchmarks.adaptive --data DIR --dataset ml-100k --folds 3 --json FILE

New users answer by their ratings, as in `benchmarks.evidence`, and the model of choices recommends.
For each user none of the items is recommended that either way of asking has asked about. Intervals
are of the mean difference per user, 95%, by a paired bootstrap.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.inputs import new_users
from benchmarks.records import Record, write_json
from meta_model.choice.model import ChoiceModel
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.evaluation import list_metrics
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.lists import top
from meta_model.evidence.existing import existing_users
from meta_model.evidence.next_question import Questions
from meta_model.evidence.selection import forward_selection
from schemas.run import command_line

log = logging.getLogger("benchmarks.adaptive")

LENGTHS = (1, 3, 5, 10, 20)
ADAPTIVE, LIST = "next_question", "evidence"


def main(arguments: list[str] | None = None) -> int:
    """Write the records of the adaptive questions to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptive", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    new_users.add_arguments(parser)
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for each number of questions: nDCG@10 of adaptive and of listed ones, paired."""
    found: dict[tuple[int, str], list[Tensor]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for config, inputs in new_users.trials(options, Config(), Path(scratch)):
            model = new_users.choice_model(options, config, inputs)
            for length, name, values in _asked(model, inputs, config):
                found.setdefault((length, name), []).append(values)
    for length in LENGTHS:
        adaptive, of_list = (torch.cat(found[length, name]) for name in (ADAPTIVE, LIST))
        low, high = Bootstrap(n_users=len(adaptive)).interval(adaptive - of_list)
        record: Record = {
            "dataset": options.dataset,
            "new_users": new_users.named(options),
            "length": length,
            "n_users": len(adaptive),
            "ndcg10_of_list": round(of_list.mean().item(), 4),
            "ndcg10_of_next_question": round(adaptive.mean().item(), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
        log.info("%s", record)
        yield record


@torch.no_grad()
def _asked(model: ChoiceModel, inputs: Inputs, config: Config) -> Iterator[tuple[int, str, Tensor]]:
    """nDCG@10 of each new user [U], by length and way of asking."""
    existing = existing_users(inputs, model, config)
    questions = Questions.of(model, existing, inputs.liked_from)
    chosen = forward_selection(model, existing, max(LENGTHS))
    users, ratings = _new_users(inputs)
    of_list = (existing.candidates == chosen.unsqueeze(1)).long().argmax(1)
    of_list = of_list.expand(len(users), -1)
    adaptive = _by_turns(questions, users, ratings, max(LENGTHS))
    for length in LENGTHS:
        asked = {ADAPTIVE: adaptive[:, :length], LIST: of_list[:, :length]}
        left = model.is_trained.expand_as(ratings).clone()
        left[:, 0] = False
        for columns in asked.values():
            left.scatter_(1, existing.candidates[columns], value=False)
        relevant = left & (ratings >= inputs.liked_from)
        for name, columns in asked.items():
            means = _after(questions, users, ratings, columns)
            scores = model.logits(means, model.items()).masked_fill(~left, -torch.inf)
            hits = relevant.gather(1, top(scores, 10))
            values = list_metrics.ndcg(hits, relevant.sum(1), 10)
            yield length, name, values[relevant.any(1)]


def _new_users(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Users [U], and their ratings of all items [U, N + 1], 0 where there is none."""
    users, ratings = [], []
    for batch in batches(inputs.episodes.split("test", scenario="user_cold"), 512):
        past = batch.whole().support
        of_batch = torch.zeros(len(batch), len(inputs.item_profiles) + 1)
        of_batch.scatter_(1, batch.items[past.rows] * past.mask, past.ratings)
        of_batch[:, 0] = 0
        users.append(batch.users)
        ratings.append(of_batch)
    return torch.cat(users), torch.cat(ratings)


def _by_turns(questions: Questions, users: Tensor, ratings: Tensor, k: int) -> Tensor:
    """The columns of the candidates that each user is asked about, [U, k], one after the other."""
    session = questions.unknown(users)
    is_asked = torch.zeros(len(users), len(questions.candidates), dtype=torch.bool)
    turns = []
    for _ in range(k):
        worth = questions.worth(session).masked_fill(is_asked, -torch.inf)
        columns = worth.argmax(1)
        is_asked.scatter_(1, columns.unsqueeze(1), value=True)
        given = ratings.gather(1, questions.candidates[columns].unsqueeze(1)).squeeze(1)
        session = questions.answered(session, columns, given, given > 0)
        turns.append(columns)
    return torch.stack(turns, dim=1)


def _after(questions: Questions, users: Tensor, ratings: Tensor, columns: Tensor) -> Tensor:
    """The users' posterior means [U, F] after the answers about the candidates [U, K]."""
    session = questions.unknown(users)
    for of_turn in columns.unbind(1):
        given = ratings.gather(1, questions.candidates[of_turn].unsqueeze(1)).squeeze(1)
        session = questions.answered(session, of_turn, given, given > 0)
    return session.posterior.means


if __name__ == "__main__":
    sys.exit(main())

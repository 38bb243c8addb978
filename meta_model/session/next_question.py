"""What to ask one user next, given the answers so far: `python -m meta_model next_question`."""

from __future__ import annotations

from pathlib import Path

import torch

from meta_model.evidence.next_question import Questions, Session
from meta_model.session import answers
from meta_model.session.answers import Answers
from meta_model.steps.night import Night

_SHOWN = 5  # the next question, and what comes close to it


def run(night: Night, file: Path, user_id: str | None) -> None:
    """Print the next question and the best ones after it, with what each is worth."""
    given = answers.read(file, night.inputs)
    existing = answers.existing(night, given)
    questions = Questions.of(night.loaded.recommender.choice, existing, night.inputs.liked_from)
    user = torch.tensor([answers.user_index(night.inputs, user_id)], device=existing.users.device)
    worth = questions.worth(_after(questions, questions.unknown(user), given))[0]
    worth[torch.isin(existing.candidates.cpu(), torch.tensor([*given]).long())] = -torch.inf
    best = worth.argsort(descending=True, stable=True)[:_SHOWN].tolist()
    best = [column for column in best if worth[column] > -torch.inf]
    print("rank  worth   item")
    names = answers.names(night.inputs, existing.candidates[best].tolist())
    for rank, (column, name) in enumerate(zip(best, names, strict=True), start=1):
        print(f"{rank:>4}  {worth[column]:.4f}  {name}")


def _after(questions: Questions, session: Session, given: Answers) -> Session:
    """What is known of the user after the answers; one about an item nobody knows says nothing."""
    device = questions.candidates.device
    for item, answer in given.items():
        column = (questions.candidates == item).nonzero().flatten()
        if len(column):
            rating = answers.rating(answer, usual=float(questions.model.mean_rating))
            ratings = torch.tensor([rating], device=device)
            knows = torch.tensor([answer is not None], device=device)
            session = questions.answered(session, column, ratings, knows)
    return session

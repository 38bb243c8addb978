"""A step of the night: what it is called, reads and makes, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the night; it runs for one `ds` and replaces what it makes of that day.

    does: in one sentence, for people
    run: `module:function`, imported when the step runs, as libraries take seconds to load
    reads, makes: tables of the lake
    also_reads, also_makes: what else it reads and makes, in words
    after: the steps that have to end well before it begins
    takes_model: whether it is about one learner, and has the option `--model`
    pool: the scarce resource of a machine that it needs
    even_if_failed: whether it also runs after a failure; the night's success does not depend on it
    """

    name: str
    does: str
    run: str
    reads: tuple[str, ...] = ()
    also_reads: str = ""
    makes: tuple[str, ...] = ()
    also_makes: str = ""
    after: tuple[Step, ...] = field(default=(), repr=False)  # else each holds all before it
    takes_model: bool = False
    pool: Literal["spark", "gpu"] | None = None
    even_if_failed: bool = False

    @property
    def program(self) -> str:
        """The package whose command line has the step: `python -m <program> <name>`."""
        return self.run.partition(".")[0]

    @property
    def stage(self) -> int:
        """How many steps, at most, have to end one after the other before this one begins."""
        return 1 + max((step.stage for step in self.after), default=-1)

    def function(self) -> Callable[..., Any]:
        """The function that `run` names; imports its module, and so Spark or PyTorch."""
        module, _, function = self.run.partition(":")
        loaded: Callable[..., Any] = getattr(import_module(module), function)
        return loaded

    def command(self, ds: date, model: str = "NAME") -> str:
        """What a person types to run it; without a model known, NAME stands for the learner's."""
        words = f"python -m {self.program} {self.name} --ds {ds}"
        return f"{words} --model {model}" if self.takes_model else words

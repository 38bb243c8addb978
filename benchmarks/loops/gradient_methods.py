"""MeLU, MAML and MAMO, a task at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from benchmarks.loops.loop import PerTaskLoop, Task, linear_layers, steps
from meta_model.learners.mamo import MAMO

Named = Mapping[str, Tensor]


class MeLULoop(PerTaskLoop):
    """Its decision layers are adapted; `nn.Linear` has its weight as [O, I]."""

    def fit(self, task: Task, second_order: bool) -> dict[str, Tensor]:
        """The adapted weights of the decision layers, by name, after the local steps."""
        items, ratings = task.support
        return steps(
            lambda weights: self.loss(self.forecast(task, weights, items), ratings),
            self.named("decision.layers"),
            self.rate,
            self.config.local_update.steps,
            second_order,
        )

    def forecast(self, task: Task, fitted: Named, items: Tensor) -> Tensor:
        """Scores [N] by the adapted decision layers (eq. 4 and 5)."""
        x = torch.cat([self.users(task.user.expand(len(items))), self.items(items)], dim=1)
        tensors = list(fitted.values())
        for number in range(0, len(tensors), 2):
            x = F.linear(F.relu(x) if number else x, tensors[number], tensors[number + 1])
        return x.squeeze(-1)


class MAMLLoop(PerTaskLoop):
    """All is adapted: the layers, and the whole tables of the attributes' embeddings."""

    def fit(self, task: Task, second_order: bool) -> dict[str, Tensor]:
        """All adapted weights by name: attribute tables (`users/`, `items/`) and layers."""
        items, ratings = task.support
        tables = {f"users/{name}": table for name, table in self.users.named_parameters()}
        tables |= {f"items/{name}": table for name, table in self.items.named_parameters()}
        return steps(
            lambda weights: self.loss(self.forecast(task, weights, items), ratings),
            {**tables, **self.named("layers")},
            self.rate,
            self.config.local_update.steps,
            second_order,
        )

    def forecast(self, task: Task, fitted: Named, items: Tensor) -> Tensor:
        """Scores [N] by adapted tables and layers."""

        def of(side: str) -> dict[str, Tensor]:
            start = side + "/"
            return {n.removeprefix(start): w for n, w in fitted.items() if n.startswith(start)}

        users = functional_call(self.users, of("users"), (task.user.expand(len(items)),))
        vectors = functional_call(self.items, of("items"), (items,))
        layers = {name: weight for name, weight in fitted.items() if "/" not in name}
        return linear_layers(layers, torch.cat([users, vectors], dim=1)).squeeze(-1)


class MAMOLoop(PerTaskLoop):
    """With memories of its own, written after each batch with the mean over its tasks."""

    def __init__(self, learner: MAMO) -> None:
        super().__init__(learner)
        self.method, memories = learner.method, learner.memory
        self.profiles, self.preferences = memories.profiles.clone(), memories.preferences.clone()
        self.gradients_of_users = [gradient.clone() for gradient in memories.gradients]
        self.usage = memories.usage.clone()

    def memories(self) -> list[Tensor]:
        """The memories that `write_memories` changes in place, in the learner's order."""
        return [self.profiles, *self.gradients_of_users, self.preferences, self.usage]

    def fit(self, task: Task, second_order: bool) -> dict[str, Any]:
        """Attention [K], profile, first gradients and adapted weights of the task, by name."""
        items, ratings = task.support
        [profile] = self.users(task.user)
        cosines = torch.stack([F.cosine_similarity(profile, row, dim=0) for row in self.profiles])
        attention = cosines.softmax(0)
        of_users = self.named("of_users")
        for (name, weight), memory in zip(of_users.items(), self.gradients_of_users, strict=True):
            bias = torch.tensordot(attention, memory, dims=1)
            of_users[name] = weight - self.method.memory_bias_rate * bias
        preference = torch.tensordot(attention, self.preferences, dims=1)
        weights: dict[str, Tensor] = {f"of_users/{name}": w for name, w in of_users.items()}
        for network in ("of_items", "of_ratings"):
            weights |= {f"{network}/{name}": w for name, w in self.named(network).items()}
        weights |= {"preference": preference}

        def loss(moved: Named) -> Tensor:
            return self.loss(self.forecast(task, {"weights": moved}, items), ratings)

        first = torch.autograd.grad(loss(weights), list(weights.values())[:2], retain_graph=True)
        moved = steps(loss, weights, self.rate, self.config.local_update.steps, second_order)
        return {"weights": moved, "attention": attention, "profile": profile, "first": first}

    def forecast(self, task: Task, fitted: dict[str, Any], items: Tensor) -> Tensor:
        """Scores [N] by the adapted user, item and rating layers and the preference matrix."""

        def of(network: str) -> dict[str, Tensor]:
            found = fitted["weights"].items()
            return {name: weight for name, weight in found if name.startswith(network)}

        users = F.relu(linear_layers(of("of_users"), self.users(task.user.expand(len(items)))))
        vectors = F.relu(linear_layers(of("of_items"), self.items(items)))
        taste = torch.cat([users, vectors], dim=1) @ fitted["weights"]["preference"].T
        return linear_layers(of("of_ratings"), taste).squeeze(-1)

    def write_memories(self, fitted: list[dict[str, Any]]) -> None:
        """Equations (5), (6) and (8), one kind of user after the other."""
        alpha, beta = self.method.profile_mix, self.method.gradient_mix
        attention = torch.stack([of_task["attention"] for of_task in fitted]).detach()
        rows = [(self.profiles, alpha, [of_task["profile"] for of_task in fitted])]
        for number, memory in enumerate(self.gradients_of_users):
            rows.append((memory, beta, [of_task["first"][number] for of_task in fitted]))
        preferences = [of_task["weights"]["preference"] for of_task in fitted]
        rows.append((self.preferences, self.method.preference_mix, preferences))
        for memory, rate, new in rows:
            for kind in range(len(memory)):
                share = attention[:, kind]
                written = torch.stack([a * x for a, x in zip(share, new, strict=True)]).mean(0)
                is_whole = self.method.memory_decay == "whole"
                fading = rate * (1.0 if is_whole else share.mean())
                memory[kind] = rate * written.detach() + (1 - fading) * memory[kind]
        self.usage += alpha * (attention.mean(0) - self.usage)

"""MetaHIN, a task at a time, and a meta-path at a time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.loops.loop import PerTaskLoop, Task, linear_layers, steps

Named = Mapping[str, Tensor]


class MetaHINLoop(PerTaskLoop):
    """Fits phi, omega and the attention of each path."""

    def fit(self, task: Task, second_order: bool) -> list[tuple[Named, Named, Tensor]]:
        """Adapted phi and omega, and the attention, of each meta-path: (6) to (8) and (10)."""
        fitted = [
            self._fit_path(task, path, self._contexts(task, path, task.support[0]), second_order)
            for path in range(self.learner.n_paths)
        ]
        inverse_temperature = self.weights["log_inverse_temperature"].exp()
        attention = torch.stack([-inverse_temperature * loss for _, _, loss in fitted]).softmax(0)
        paths = zip(fitted, attention, strict=True)
        return [(phi, omega, share) for (phi, omega, _), share in paths]

    def forecast(
        self, task: Task, fitted: list[tuple[Named, Named, Tensor]], items: Tensor
    ) -> Tensor:
        """Scores [N]: the paths' scores, weighted by their attention (9)."""
        support, ratings = task.support
        of_paths = []
        for path, (phi, omega, share) in enumerate(fitted):
            contexts = self._contexts(task, path, items)
            memory = self._contexts(task, path, support)
            propagated = self._propagated(path, contexts, memory, ratings)
            of_paths.append(share * self._residual(task, phi, omega, items, contexts, propagated))
        return torch.stack(of_paths).sum(0)

    def _fit_path(
        self, task: Task, path: int, contexts: Tensor, second_order: bool
    ) -> tuple[Named, Named, Tensor]:
        """phi, omega and the support's loss with them."""
        items, ratings = task.support
        omega, w = self.named("rating"), self.weights

        propagated = self._propagated(path, contexts, contexts, ratings, is_support=True)

        def loss(phi: Named, omega: Named) -> Tensor:
            return self.loss(self._residual(task, phi, omega, items, contexts, propagated), ratings)

        start = self.named("semantic")
        phi = steps(lambda phi: loss(phi, omega), start, self.rate, 1, second_order)
        x = F.relu(linear_layers(phi, contexts)).mean(0)
        scales = 2 * F.linear(x, w["kappa.weight"], w["kappa.bias"]).sigmoid()
        prior, used = {}, 0
        for (weight_name, weight), (bias_name, bias) in _layers(omega):
            scale = scales[used : used + len(bias)]
            prior[weight_name], prior[bias_name] = weight * scale, bias * scale
            used += len(bias)
        n_steps = self.config.local_update.steps
        own = steps(lambda omega: loss(phi, omega), prior, self.rate, n_steps, second_order)
        return phi, own, loss(phi, own)

    def _propagated(
        self, path: int, contexts: Tensor, memory: Tensor, ratings: Tensor, is_support: bool = False
    ) -> Tensor:
        """[N, 2]: the propagated ratings, and the logarithm of the kernel sum."""
        inverse_temperature = self.weights["propagation.log_inverse_temperature"][path].exp()
        damping = self.weights["propagation.log_damping"][path].exp()
        is_propagated = contexts.any(1).unsqueeze(1) & memory.any(1) & (path > 0)
        if is_support:
            is_propagated &= ~torch.eye(len(contexts), dtype=torch.bool, device=contexts.device)
        cosines = F.normalize(contexts, dim=1) @ F.normalize(memory, dim=1).T
        weights = torch.exp(inverse_temperature * (cosines - 1)) * is_propagated
        amount = weights.sum(1)
        return torch.stack([weights @ ratings / (damping + amount), amount.log1p() / 4], dim=1)

    def _residual(
        self,
        task: Task,
        phi: Named,
        omega: Named,
        items: Tensor,
        contexts: Tensor,
        propagated: Tensor,
    ) -> Tensor:
        x = F.relu(linear_layers(phi, contexts))
        w = self.weights
        users = F.linear(self.users(task.user), w["of_users.weight"], w["of_users.bias"])
        vectors = F.linear(self.items(items), w["of_items.weight"], w["of_items.bias"])
        parts = [users.expand(len(items), -1), vectors, x, propagated]
        return linear_layers(omega, torch.cat(parts, dim=1)).squeeze(-1)

    def _contexts(self, task: Task, path: int, items: Tensor) -> Tensor:
        """[N, C]: of the path UM, number 0, the support's mean; else each item's neighbours'."""
        support, _ = task.support
        if path == 0:
            return self._messages(support).mean(0).expand(len(items), -1)
        neighbours = self.learner.contexts.neighbours[path - 1][items]
        is_own = torch.isin(neighbours, torch.cat([support, task.query[0]]))
        is_kept = ((neighbours != 0) & ~is_own).unsqueeze(-1)
        messages = self._messages(neighbours.flatten()).unflatten(0, neighbours.shape)
        contexts: Tensor = (messages * is_kept).sum(1) / is_kept.sum(1).clamp(min=1)
        return contexts

    def _messages(self, items: Tensor) -> Tensor:
        w = self.weights
        return F.linear(self.items(items), w["contexts.message.weight"], w["contexts.message.bias"])


def _layers(weights: Named) -> list[tuple[tuple[str, Tensor], tuple[str, Tensor]]]:
    pairs = list(weights.items())
    return list(zip(pairs[::2], pairs[1::2], strict=True))

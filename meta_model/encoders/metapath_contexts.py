"""What an item's neighbours on each meta-path say of it: the semantic contexts of MetaHIN.

A neighbour speaks by its vector and by what is known of its ratings; a context is the mean over an
item's neighbours (Lu et al., KDD 2020, eq. 1, with the mean before the adapted layer, so that it is
the same for all tasks). The lists are shared by all tasks, and training users are part of the
network they come from: so a task's own items are taken out of its contexts again, at each place.

Shapes: B tasks, N positions, M items of a catalogue, J items and neighbours of it, P meta-paths, C
the size of a context, T items of a task.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.item_statistics import ItemStatistics
from meta_model.data.metapaths import Metapaths
from meta_model.encoders.embedding import weighted_sum
from meta_model.encoders.item_encoder import ItemEncoder
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """A catalogue's items and neighbours.

    speaking: [J + 1, C], what each says, none in row 0; row_of: [items in all + 1], each one's row
    in it, or 0; neighbours: [P, M, K], rows of `speaking`
    """

    speaking: Tensor
    row_of: Tensor
    neighbours: Tensor


class MetapathContexts(nn.Module):
    """`size` is C."""

    neighbours: Tensor
    over_users: Tensor

    def __init__(
        self, items: ItemEncoder, statistics: ItemStatistics, metapaths: Metapaths, config: Config
    ) -> None:
        super().__init__()
        self.size = config.embedding_size
        kept = _some(metapaths.neighbours, config.context_size, config.seed)
        self.register_buffer("neighbours", kept, persistent=False)
        over_users = torch.tensor(metapaths.over_users, dtype=torch.bool)
        self.register_buffer("over_users", over_users, persistent=False)
        self.voice = nn.Linear(items.vector_size + items.n_side_features, self.size)
        self._sources = (items, statistics)  # in a tuple: they are the learner's own, not ours

    def neighbourhood(self, items: Tensor) -> Neighbourhood:
        """Of the items [M]."""
        reached = self.neighbours[:, items]
        is_there = torch.zeros(self.neighbours.shape[1], dtype=torch.bool, device=items.device)
        is_there[reached.flatten()] = True
        is_there[items] = True
        is_there[0] = False
        row_of = is_there.cumsum(0) * is_there
        said = self._say(is_there.nonzero()[:, 0])
        speaking = torch.cat([said.new_zeros(1, self.size), said])
        return Neighbourhood(speaking=speaking, row_of=row_of, neighbours=row_of[reached])

    def contexts(self, around: Neighbourhood, rows: Tensor, own: Tensor) -> Tensor:
        """The contexts at places, [P, B, N, C], from catalogue rows [B, N] or [1, N].

        own: [B, T], the tasks' own items, which are left out of their contexts
        """
        n_paths, n_items, _ = around.neighbours.shape
        weights = (around.neighbours > 0).any(-1).to(around.speaking.dtype)
        sums = weighted_sum(around.speaking, around.neighbours.flatten(0, 1), weights.flatten())
        sums = sums.view(n_paths, n_items, self.size)
        counts = (around.neighbours > 0).sum(-1)
        at = rows % n_items  # a cold item has the neighbours it has
        placed, n = sums[:, at], counts[:, at].unsqueeze(-1)
        leaving, n_leaving = self._own(around, at.expand(len(own), -1), own)
        placed, n = placed - leaving, n - n_leaving
        # Shown as cold, an item has met no user, whoever else it is like.
        is_cut = (rows >= n_items) & self.over_users.view(-1, 1, 1)
        return (placed / n.clamp(min=1)).masked_fill(is_cut.unsqueeze(-1), 0)

    def mean(self, around: Neighbourhood, items: Tensor, weight: Tensor) -> Tensor:
        """The weighted sum [B, C] of what items [B, S] say: the context of the path UM."""
        said = at_rows(around.speaking, around.row_of[items])
        return (said * weight.unsqueeze(-1)).sum(1)

    def _say(self, items: Tensor) -> Tensor:
        """[J, C] of items [J]."""
        encoder, statistics = self._sources
        embedded = encoder(items)
        none_cold = torch.zeros(1, 1, dtype=torch.bool, device=items.device)
        known, bias = encoder.known(embedded, statistics.of_all(items), none_cold)
        inputs = [embedded.vectors[: len(items)], encoder.side_features(known, bias)[0]]
        said: Tensor = self.voice(torch.cat(inputs, dim=1))
        return said

    def _own(self, around: Neighbourhood, rows: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Of the neighbours at rows [B, N] that are the task's own: the sum [P, B, N, C], count."""
        n_paths, shape = len(around.neighbours), rows.shape
        is_own = torch.zeros(len(own), len(around.speaking), dtype=torch.bool, device=own.device)
        is_own.scatter_(1, around.row_of[own], value=True)
        is_own[:, 0] = False
        reached = around.neighbours[:, rows].transpose(0, 1).flatten(1)  # [B, P * N * K]
        tasks, places = is_own.gather(1, reached).nonzero(as_tuple=True)
        found = around.speaking.index_select(0, reached[tasks, places])
        cells = tasks * (n_paths * shape[1]) + places // around.neighbours.shape[-1]
        size = shape[0] * n_paths * shape[1]
        sums = found.new_zeros(size, self.size).index_add(0, cells, found)
        counts = torch.zeros(size, device=own.device).index_add(
            0, cells, torch.ones_like(cells).float()
        )
        view = (shape[0], n_paths, shape[1])
        placed = sums.view(*view, self.size), counts.view(*view, 1)
        return placed[0].transpose(0, 1), placed[1].transpose(0, 1)


def _some(neighbours: Tensor, n: int, seed: int) -> Tensor:
    """At most n of each item's neighbours [P, N, K], drawn once: lists are in order of index."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(neighbours.shape, generator=generator).masked_fill(neighbours == 0, 2.0)
    return neighbours.gather(-1, draws.argsort(dim=-1)[..., :n])

"""The semantic contexts of MetaHIN: messages of an item's neighbours on each meta-path, averaged.

A message is a linear function of a neighbour's vector and side features; a context is the mean of
the messages (Lu et al., KDD 2020, eq. 1, with the mean before the adapted layer, so that it is the
same for all tasks). All tasks share the neighbour lists, which training interactions are part of:
a task's items are therefore left out of its contexts, at each position.

Shapes: B tasks, N positions, M items of a catalogue, J items and neighbours of it, P meta-paths, C
the size of a context, T items of a task.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.data.item_statistics import ItemStatistics
from meta_model.data.metapaths import Metapaths
from meta_model.encoders.embedding import weighted_sum
from meta_model.encoders.item_encoder import ItemEncoder
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class ItemGraph:
    """The items of a catalogue and their neighbours on each meta-path: the nodes of a graph.

    messages: [J + 1, C], of each node; row 0 is padding, and zero
    node_index: [items in all + 1], the row of each item in `messages`; 0 for items that are no node
    neighbours: [P, M, K], rows of `messages`
    """

    messages: Tensor
    node_index: Tensor
    neighbours: Tensor


class MetapathContexts(nn.Module):
    """`size` is C."""

    neighbours: Tensor
    over_users: Tensor

    def __init__(
        self,
        items: ItemEncoder,
        statistics: ItemStatistics,
        metapaths: Metapaths,
        *,
        size: int,
        n_neighbours: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.size = size
        kept = _some(metapaths.neighbours, n_neighbours, seed)
        self.register_buffer("neighbours", kept, persistent=False)
        over_users = torch.tensor(metapaths.over_users, dtype=torch.bool)
        self.register_buffer("over_users", over_users, persistent=False)
        self.message = nn.Linear(items.vector_size + items.n_side_features, self.size)
        self._sources = (items, statistics)  # a tuple, as both are modules of the learner

    def graph(self, items: Tensor) -> ItemGraph:
        """The item graph of a catalogue's items [M]."""
        reached = self.neighbours[:, items]
        is_node = torch.zeros(self.neighbours.shape[1], dtype=torch.bool, device=items.device)
        is_node[reached.flatten()] = True
        is_node[items] = True
        is_node[0] = False
        node_index = is_node.cumsum(0) * is_node
        messages = self._messages(is_node.nonzero()[:, 0])
        messages = torch.cat([messages.new_zeros(1, self.size), messages])
        return ItemGraph(messages=messages, node_index=node_index, neighbours=node_index[reached])

    def contexts(self, graph: ItemGraph, rows: Tensor, task_items: Tensor) -> Tensor:
        """The contexts [P, B, N, C] at positions, from catalogue rows [B, N] or [1, N].

        task_items: [B, T], the items of each task, which its contexts leave out
        """
        n_paths, n_items, _ = graph.neighbours.shape
        weights = (graph.neighbours > 0).any(-1).to(graph.messages.dtype)
        sums = weighted_sum(graph.messages, graph.neighbours.flatten(0, 1), weights.flatten())
        sums = sums.view(n_paths, n_items, self.size)
        counts = (graph.neighbours > 0).sum(-1)
        at = rows % n_items  # a cold item has the neighbours it has
        placed, n = sums[:, at], counts[:, at].unsqueeze(-1)
        of_task, n_of_task = self._of_task(graph, at.expand(len(task_items), -1), task_items)
        placed, n = placed - of_task, n - n_of_task
        # A cold item has no neighbours over users.
        is_cut_off = (rows >= n_items) & self.over_users.view(-1, 1, 1)
        return (placed / n.clamp(min=1)).masked_fill(is_cut_off.unsqueeze(-1), 0)

    def of_paths(self, graph: ItemGraph, rows: Tensor, task_items: Tensor, taste: Tensor) -> Tensor:
        """The contexts of all paths [B * (1 + P), N, C], the paths of a task one after the other.

        taste: [B, C], the user's context, the same at all positions: that of UM, the first path
        """
        of_items = self.contexts(graph, rows, task_items).transpose(0, 1)
        of_user = taste[:, None, None].expand(-1, 1, rows.shape[1], -1)
        return torch.cat([of_user, of_items], dim=1).flatten(0, 1)

    def mean(self, graph: ItemGraph, items: Tensor, weight: Tensor) -> Tensor:
        """The weighted sum [B, C] of the messages of items [B, S]: the context of the path UM."""
        messages = at_rows(graph.messages, graph.node_index[items])
        return (messages * weight.unsqueeze(-1)).sum(1)

    def _messages(self, items: Tensor) -> Tensor:
        """The messages [J, C] of items [J]; in training of some of them as cold ones."""
        encoder, statistics = self._sources
        embedded = encoder(items)
        no_task = torch.zeros(1, 1, dtype=torch.bool, device=items.device)
        known, bias = encoder.known(embedded, statistics.of_all(items), no_task)
        vectors = at_rows(embedded.vectors, known.rows[0])  # of a cold item those of its cold copy
        inputs = [vectors, encoder.side_features(known, bias)[0]]
        messages: Tensor = self.message(torch.cat(inputs, dim=1))
        return messages

    def _of_task(self, graph: ItemGraph, rows: Tensor, task_items: Tensor) -> tuple[Tensor, Tensor]:
        """Sum [P, B, N, C] and number [P, B, N, 1] of the neighbours that are items of the task."""
        n_paths, shape = len(graph.neighbours), rows.shape
        is_of_task = torch.zeros(
            len(task_items), len(graph.messages), dtype=torch.bool, device=task_items.device
        )
        is_of_task.scatter_(1, graph.node_index[task_items], value=True)
        is_of_task[:, 0] = False
        reached = graph.neighbours[:, rows].transpose(0, 1).flatten(1)  # [B, P * N * K]
        tasks, columns = is_of_task.gather(1, reached).nonzero(as_tuple=True)
        found = graph.messages.index_select(0, reached[tasks, columns])
        cells = tasks * (n_paths * shape[1]) + columns // graph.neighbours.shape[-1]
        size = shape[0] * n_paths * shape[1]
        sums = found.new_zeros(size, self.size).index_add(0, cells, found)
        counts = torch.zeros(size, device=task_items.device).index_add(
            0, cells, torch.ones_like(cells).float()
        )
        view = (shape[0], n_paths, shape[1])
        return sums.view(*view, self.size).transpose(0, 1), counts.view(*view, 1).transpose(0, 1)


def _some(neighbours: Tensor, n: int, seed: int) -> Tensor:
    """At most n of each item's neighbours [P, N, K], drawn once: lists are in order of index."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(neighbours.shape, generator=generator).masked_fill(neighbours == 0, 2.0)
    return neighbours.gather(-1, draws.argsort(dim=-1)[..., :n])

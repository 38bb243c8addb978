"""MAMO's equations 3 to 8, by numbers computed by hand."""

from __future__ import annotations

import pytest
import torch

from meta_model.layers.memories import Memories

# cos((3, 4), (1, 0)) = .6 and cos((3, 4), (0, 1)) = .8; softmax: 1 / (1 + e^.2) and the rest.
A0, A1 = 0.450166, 0.549834


@pytest.fixture
def memories() -> Memories:
    made = Memories(2, 2, [torch.Size([1])], 1)
    made.profiles.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    made.gradients[0].copy_(torch.tensor([[10.0], [20.0]]))
    made.preferences.copy_(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]))
    return made


def _written(memories: Memories, is_whole: bool) -> None:
    profiles, attention = torch.tensor([[3.0, 4.0]]), torch.tensor([[A0, A1]])
    gradients, preference = [torch.tensor([[8.0]])], torch.tensor([[[5.0, 6.0]]])
    writes = memories.writes(attention, profiles, gradients, preference)
    memories.write(writes, (0.5, 0.25, 0.1), is_whole=is_whole)


def test_what_a_user_reads(memories: Memories) -> None:
    attention = memories.attention(torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(attention, torch.tensor([[A0, A1]]), rtol=0, atol=1e-5)  # (3)
    [bias] = memories.bias(attention)
    assert bias.item() == pytest.approx(15.49834, abs=1e-4)  # (4): 10 a0 + 20 a1
    expected = torch.tensor([[[2.099668, 3.099668]]])  # (7): (1, 2) a0 + (3, 4) a1
    torch.testing.assert_close(memories.preference(attention), expected, rtol=0, atol=1e-4)


def test_what_a_user_writes_where_fading_is_by_attention(memories: Memories) -> None:
    _written(memories, is_whole=False)
    # (5): .5 a (3, 4) + (1 - .5 a) of the old
    expected = torch.tensor([[1.450166, 0.900332], [0.824751, 1.824751]])
    torch.testing.assert_close(memories.profiles, expected, rtol=0, atol=1e-5)
    # (6): .25 a 8 + (1 - .25 a) of the old
    expected = torch.tensor([[9.774917], [18.350498]])
    torch.testing.assert_close(memories.gradients[0], expected, rtol=0, atol=1e-5)
    # (8): .1 a (5, 6) + (1 - .1 a) of the old
    expected = torch.tensor([[[1.180066, 2.180066]], [[3.109967, 4.109967]]])
    torch.testing.assert_close(memories.preferences, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(memories.usage, torch.tensor([0.475083, 0.524917]))


def test_what_a_user_writes_as_in_the_paper(memories: Memories) -> None:
    _written(memories, is_whole=True)
    # (5): .5 a (3, 4) + .5 of the old; (6): .25 a 8 + .75 of the old; (8): .1 a (5, 6) + .9
    expected = torch.tensor([[1.175249, 0.900332], [0.824751, 1.599668]])
    torch.testing.assert_close(memories.profiles, expected, rtol=0, atol=1e-5)
    expected = torch.tensor([[8.400332], [16.099668]])
    torch.testing.assert_close(memories.gradients[0], expected, rtol=0, atol=1e-5)
    expected = torch.tensor([[[1.125083, 2.070100]], [[2.974917, 3.929900]]])
    torch.testing.assert_close(memories.preferences, expected, rtol=0, atol=1e-5)


def test_a_batch_writes_the_mean_over_its_tasks(memories: Memories) -> None:
    attention = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    profiles = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    writes = memories.writes(attention, profiles, [torch.zeros(2, 1)], torch.zeros(2, 1, 2))
    memories.write([write / 2 for write in writes], (0.5, 0.0, 0.0), is_whole=False)
    # Row 0: .5 (2, 2) / 2 + (1 - .5 * .75) (1, 0); row 1: .5 (0, 2) / 2 + (1 - .5 * .25) (0, 1)
    expected = torch.tensor([[1.125, 0.5], [0.0, 1.375]])
    torch.testing.assert_close(memories.profiles, expected)

"""The soft labels of three support items, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import torch

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.layers.metric_encoder import Encoded
from meta_model.learners.matching import EncodedSupport, MatchingNetwork


def test_soft_labels_of_three_items(inputs: Inputs, config: Config, tasks_of) -> None:
    learner = MatchingNetwork(config.having({"network.hidden_sizes": (4, 2)}), inputs).eval()
    with torch.no_grad():
        for parameter in (*learner.item_prior.parameters(), *learner.user_prior.parameters()):
            parameter.zero_()  # the prior is then the same for all five levels
        learner.log_inverse_temperature.fill_(torch.tensor(2.0).log())
        learner.prior_logit.fill_(0.0)
    directions = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    levels = torch.eye(5)[[4, 2, 0]].unsqueeze(0)  # rated 5, 3 and 1
    mask = torch.ones(1, 3, dtype=torch.bool)
    encoded_support = EncodedSupport(directions=directions, levels=levels, mask=mask)
    state = replace(learner.unadapted(tasks_of("train")[:1]), method_state=encoded_support)
    points = torch.tensor([[[2.0, 0.0]]])  # like the first, unlike the last
    found = learner._matched(state, Encoded(points=points, hidden=points), mask[:, None])
    total = 1 + exp(2) + 1 + exp(-2)  # the prior, and cosines 1, 0 and -1 times two
    prior = 0.2 / total
    by_hand = [exp(-2) / total + prior, prior, 1 / total + prior, prior, exp(2) / total + prior]
    torch.testing.assert_close(found.exp(), torch.tensor([[by_hand]]))
    assert learner.expected(state, found).item() > 4

"""The page trains what the command line trains."""

import time

import torch

from vlm_core import TrainConfig, train
from vlm_core.app.runs import Runs


def test_a_run_on_the_page_ends_with_the_weights_of_one_pulled_directly():
    config = TrainConfig(steps=8, level=1, style="clean", batch_size=8, evaluations=2, evaluation_scenes=8, seed=5)
    *_, direct = train(config)
    runs = Runs()
    run = runs.start(config, None)
    end = time.monotonic() + 60
    while run.live and time.monotonic() < end:
        time.sleep(0.05)
    assert run.state == "finished"
    assert run.step == direct.step == 8
    for name, tensor in direct.vlm.state_dict().items():
        assert torch.equal(run.vlm.state_dict()[name], tensor), name

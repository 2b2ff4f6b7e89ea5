"""What tests of more than one folder are given."""

import pytest
import torch

from vlm_core import VLM, ModelConfig


@pytest.fixture(scope="module", params=["lecture", "classic"])
def vlm(request):
    """An untrained model of either kind, whose words and maps differ from place to place all the same."""
    torch.manual_seed(5)
    model = VLM(ModelConfig.preset(request.param, ModelConfig.lecture().vocab_size)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
        # Captions end as soon as another word is only a little likelier, so that they are short.
        model.decoder.projection.bias[model.tokenizer.end_id] += 4.0
    return model

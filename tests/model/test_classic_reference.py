"""The classic preset is the tutorial's architecture: same parameters, same logits, same maps as PyTorch's modules."""

import torch
from torch import nn
from torch.nn import functional as F

from vlm_core import VLM, ModelConfig
from vlm_core.model.vision import patchify


class Reference(nn.Module):
    """The recipe written with PyTorch's own encoder layer and multi-head attention."""

    def __init__(self, vocabulary: int = 29):
        super().__init__()
        self.embed = nn.Linear(768, 64)
        self.patch_positions = nn.Parameter(torch.randn(196, 64))
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(64, 4, 256, activation="relu", batch_first=True) for _ in range(2)
        )
        self.encoder_norm = nn.LayerNorm(64)
        self.tokens = nn.Embedding(vocabulary, 64)
        self.text_positions = nn.Parameter(torch.randn(64, 64))
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "self": nn.MultiheadAttention(64, 4, batch_first=True),
                    "cross": nn.MultiheadAttention(64, 4, batch_first=True),
                    "up": nn.Linear(64, 256),
                    "down": nn.Linear(256, 64),
                    "norm1": nn.LayerNorm(64),
                    "norm2": nn.LayerNorm(64),
                    "norm3": nn.LayerNorm(64),
                }
            )
            for _ in range(2)
        )
        self.out = nn.Linear(64, vocabulary)

    def forward(self, pixels, text):
        image = self.embed(F.unfold(pixels, 16, stride=16).transpose(1, 2)) + self.patch_positions
        for layer in self.encoder:
            image = layer(image)
        image = self.encoder_norm(image)
        length = text.shape[1]
        x = self.tokens(text) + self.text_positions[:length]
        causal = torch.ones(length, length, dtype=torch.bool).triu(1)
        maps = []
        for block in self.blocks:
            x = block["norm1"](x + block["self"](x, x, x, attn_mask=causal)[0])
            looked, weights = block["cross"](x, image, image, need_weights=True, average_attn_weights=False)
            maps.append(weights)
            x = block["norm2"](x + looked)
            x = block["norm3"](x + block["down"](F.relu(block["up"](x))))
        return self.out(x), maps

    def weights_for_classic(self) -> dict[str, torch.Tensor]:
        """The same numbers under this project's names."""
        weights = {
            "encoder.patch_embedding.weight": self.embed.weight,
            "encoder.patch_embedding.bias": self.embed.bias,
            "encoder.positions": self.patch_positions,
            "encoder.norm.weight": self.encoder_norm.weight,
            "encoder.norm.bias": self.encoder_norm.bias,
            "decoder.token_embedding.weight": self.tokens.weight,
            "decoder.positions": self.text_positions,
            "decoder.projection.weight": self.out.weight,
            "decoder.projection.bias": self.out.bias,
        }

        def attention(prefix: str, module: nn.MultiheadAttention):
            for name, weight, bias in zip(
                ("query", "key", "value"), module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3), strict=True
            ):
                weights.update({f"{prefix}.{name}.weight": weight, f"{prefix}.{name}.bias": bias})
            linear(f"{prefix}.output", module.out_proj)

        def linear(prefix: str, module: nn.Module):
            weights.update({f"{prefix}.weight": module.weight, f"{prefix}.bias": module.bias})

        for i, layer in enumerate(self.encoder):
            prefix = f"encoder.blocks.{i}"
            attention(f"{prefix}.attention", layer.self_attn)
            linear(f"{prefix}.feed_forward.0", layer.linear1)
            linear(f"{prefix}.feed_forward.2", layer.linear2)
            linear(f"{prefix}.attention_norm", layer.norm1)
            linear(f"{prefix}.feed_forward_norm", layer.norm2)
        for i, block in enumerate(self.blocks):
            prefix = f"decoder.blocks.{i}"
            attention(f"{prefix}.self_attention", block["self"])
            attention(f"{prefix}.cross_attention", block["cross"])
            linear(f"{prefix}.feed_forward.0", block["up"])
            linear(f"{prefix}.feed_forward.2", block["down"])
            for ours, theirs in (("self_norm", "norm1"), ("cross_norm", "norm2"), ("feed_forward_norm", "norm3")):
                linear(f"{prefix}.{ours}", block[theirs])
        return weights


def paired_models():
    torch.manual_seed(0)
    reference = Reference().eval()
    for parameter in reference.parameters():  # no zero biases or unit norms that could hide a mix-up
        nn.init.normal_(parameter, std=0.2)
    classic = VLM(ModelConfig.classic(vocab_size=29)).eval()
    classic.load_state_dict(reference.weights_for_classic())
    return reference, classic, torch.rand(2, 3, 224, 224), torch.randint(0, 29, (2, 20))


def test_classic_has_the_tutorials_parameters():
    assert VLM(ModelConfig.classic(vocab_size=29)).num_parameters == 303_197


def test_classic_gives_the_references_logits_and_maps():
    reference, classic, pixels, text = paired_models()
    with torch.no_grad():
        expected, expected_maps = reference(pixels, text)
        image_tokens, _ = classic.encoder(patchify(pixels, 16))
        logits, maps = classic.decoder(text, classic.decoder.remember(image_tokens), need_weights=True)
        assert torch.allclose(classic(pixels, text), expected, atol=1e-5)
    assert torch.allclose(logits, expected, atol=1e-5)
    assert expected.std() > 0.1, "a constant reference would agree with anything"
    for ours, theirs in zip(maps, expected_maps, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)

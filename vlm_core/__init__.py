"""Simple VLM: a vision-language model of about 300,000 parameters that learns to see in a minute.

    from vlm_core import VLM, ModelConfig, TrainConfig, train, sample_scene

The names are resolved on first use, so that `import vlm_core` stays instant and only what needs PyTorch loads it.
"""

import importlib

_HOME = {
    "ModelConfig": "vlm_core.config",
    "TrainConfig": "vlm_core.config",
    "UserError": "vlm_core.errors",
    "VLM": "vlm_core.model.vlm",
    "sample_scene": "vlm_core.scenes",
    "train": "vlm_core.learning.trainer",
}
__all__ = ["VLM", "ModelConfig", "TrainConfig", "UserError", "sample_scene", "train"]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'vlm_core' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)

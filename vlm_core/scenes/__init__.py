"""The synthetic world: scenes, their pictures and masks, their captions. NumPy and Pillow only."""

from vlm_core.scenes.scene import Scene, SceneObject, sample_scene

__all__ = ["Scene", "SceneObject", "sample_scene"]

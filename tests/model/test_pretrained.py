"""A saved model comes back as it was; a file that is not one is refused in a sentence."""

import json

import pytest
import torch

from vlm_core import VLM, ModelConfig, UserError
from vlm_core.model.pretrained import write_atomically


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    VLM(ModelConfig.lecture(), run={"steps": 3}).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_saved_and_loaded_models_are_equal(folder):
    first, second = VLM.from_pretrained(folder), VLM.from_pretrained(folder / "model.safetensors")
    torch.manual_seed(0)
    original = VLM(ModelConfig.lecture())
    for name, tensor in original.state_dict().items():
        assert torch.equal(first.state_dict()[name], tensor)
        assert torch.equal(second.state_dict()[name], tensor)
    assert first.trained_steps == 3
    assert first.config == second.config == original.config
    assert first.tokenizer.to_dict() == original.tokenizer.to_dict()


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_cut_off_file_is_called_damaged(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="damaged"):
        VLM.from_pretrained(folder)


def test_weights_of_another_shape_are_named(folder):
    card = json.loads((folder / "model.json").read_text())
    card["config"]["feed_forward"] = 128
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match=r"feed_forward.*256"):
        VLM.from_pretrained(folder)


@pytest.mark.parametrize("source", ["nowhere", "./no/such/folder", "nowhere.safetensors"])
def test_a_missing_checkpoint_is_called_missing(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="missing"):
        VLM.from_pretrained(source)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "file"
    write_atomically(target, b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

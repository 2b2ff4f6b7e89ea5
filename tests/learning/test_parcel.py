"""A run taken home comes back as it was, and what is no run is refused in a sentence before anything is built of it."""

import io
import json
import zipfile

import pytest
import torch

from vlm_core.config import ModelConfig, TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.parcel import MOST_BYTES, Parcel, pack, unpack
from vlm_core.model.vlm import VLM
from vlm_core.scenes import sample_scene

CONFIG = TrainConfig(seconds=None, steps=7, level=1, style="clean", seed=3)


@pytest.fixture(scope="module")
def parcel():
    story = {"config": CONFIG.to_dict(), "steps": 7, "seconds": 1.5, "metrics": []}
    vlm = VLM(ModelConfig.lecture(), run=json.loads(json.dumps(story))).eval()
    scores = [{"share": 0.5, "step": 3, "exact_match": {"en": 0.25, "zh": 0.5}, "slots": {"color": 0.75}, "hit": 0.5}]
    return Parcel(vlm, [(0.1, 4.0), (1.0, 0.5)], scores)


def files(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(contents):
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return sheet.getvalue()


def changed(parcel, name, change):
    """The parcel with one JSON file changed."""
    contents = files(pack(parcel))
    value = json.loads(contents[name])
    change(value)
    return zipped({**contents, name: json.dumps(value)})


def test_a_run_comes_back_as_it_was(parcel):
    back = unpack(pack(parcel))
    assert (back.losses, back.scores, back.config) == (parcel.losses, parcel.scores, CONFIG)
    assert back.vlm.run == parcel.vlm.run and back.vlm.trained_steps == 7
    picture = sample_scene(3, 1, "clean").image
    ours, theirs = (vlm.caption(picture, "zh") for vlm in (parcel.vlm, back.vlm))
    assert ours.text == theirs.text
    assert all((a.attention == b.attention).all() for a, b in zip(ours.tokens, theirs.tokens, strict=True))


def test_its_folder_is_a_checkpoint_and_its_tables_can_be_read(parcel, tmp_path):
    for name, content in files(pack(parcel)).items():
        (tmp_path / name).write_bytes(content)
    assert VLM.from_pretrained(tmp_path).run["steps"] == 7
    assert (tmp_path / "losses.csv").read_text().split() == ["share,loss", "0.1,4.0", "1.0,0.5"]
    assert (tmp_path / "scores.csv").read_text().split() == [
        "step,share,exact_match_en,exact_match_zh,color,hit,mass,chance,new_pairs", "3,0.5,0.25,0.5,0.75,0.5,,,",
    ]  # fmt: skip


def refusal(content):
    with pytest.raises(UserError) as told:
        unpack(content)
    sentence = str(told.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.mark.parametrize("cut", [0, 10, 5000, -30])
def test_a_file_that_was_cut_off_is_refused(parcel, cut):
    refusal(pack(parcel)[:cut])


def test_bytes_changed_on_the_way_are_noticed(parcel):
    content = bytearray(pack(parcel))
    content[len(content) // 2] ^= 255
    refusal(bytes(content))


@pytest.mark.parametrize("name", ["../../evil.py", "/etc/passwd", "model/model.json", "..\\evil", "run.pkl", "a" * 900])
def test_names_that_no_run_has_are_refused(parcel, name):
    assert "no run has" in refusal(zipped({**files(pack(parcel)), name: b"x"}))


def test_a_file_that_unpacks_to_far_more_than_a_run_is_refused(parcel):
    bomb = zipped({**files(pack(parcel)), "model.json": b" " * (MOST_BYTES["model.json"] + 1)})
    assert len(bomb) < 2_000_000
    assert "larger" in refusal(bomb)


@pytest.mark.parametrize("missing", list(MOST_BYTES))
def test_what_is_missing_is_named(parcel, missing):
    contents = files(pack(parcel))
    del contents[missing]
    assert missing in refusal(zipped(contents))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.json", lambda card: card["config"].update(width=128)),
        ("model.json", lambda card: card["config"].update(width=10**6, heads=1)),
        ("model.json", lambda card: card["config"].update(encoder_layers=10**9)),
        ("model.json", lambda card: card["config"].update(heads=True)),
        ("model.json", lambda card: card["config"].update(image_size=32)),
        ("model.json", lambda card: card["config"].update(surprise=1)),
        ("model.json", lambda card: card["tokenizer"].update(vocabulary=["<pad>"])),
        ("model.json", lambda card: card["tokenizer"].update(kind="pickle")),
        ("model.json", lambda card: card["run"].update(steps="<b>many</b>")),
        ("model.json", lambda card: card["run"].update(config={"style": "oil"})),
        ("model.json", lambda card: card["run"].update(seconds=float("nan"))),
        ("curves.json", lambda curves: curves.update(losses=[[0.5, float("inf")]])),
        ("curves.json", lambda curves: curves.update(losses=[[0.5]])),
        ("curves.json", lambda curves: curves["scores"][0].update(exact_match={"en": 7})),
        ("curves.json", lambda curves: curves["scores"][0].update(step="three")),
        ("curves.json", lambda curves: curves.clear()),
    ],
    ids=range(16),
)
def test_what_no_run_could_say_of_itself_is_refused(parcel, name, change):
    refusal(changed(parcel, name, change))


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"[]", b"null", b"7"])
def test_what_is_no_card_is_refused(parcel, content):
    refusal(zipped({**files(pack(parcel)), "model.json": content}))


def test_weights_that_are_no_numbers_are_refused(parcel):
    from safetensors.torch import save

    weights = {name: tensor.clone() for name, tensor in parcel.vlm.state_dict().items()}
    next(iter(weights.values())).fill_(torch.nan)
    refusal(zipped({**files(pack(parcel)), "model.safetensors": save(weights)}))

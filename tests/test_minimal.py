import pytest
import torch

from vlm_core import minimal


@pytest.fixture(scope="module")
def model():
    return minimal.train()


def test_it_learns_to_caption_unseen_pictures_and_looks_at_the_object(model):
    score = minimal.evaluate(model, minimal.unseen(500))
    assert score.exact_match >= 0.95
    assert score.color_inside > 2 * score.chance
    assert score.shape_inside > 2 * score.chance


def test_an_untrained_model_scores_nothing_and_looks_at_chance():
    torch.manual_seed(0)
    score = minimal.evaluate(minimal.TinyVLM(), minimal.unseen(500))
    assert score.exact_match < 0.05
    assert score.color_inside == pytest.approx(score.chance, abs=0.1)


def test_the_map_follows_the_object_when_it_moves(model):
    pictures = minimal.unseen(1)
    moved = pictures.pixels.roll((24, 24), dims=(2, 3))  # half a picture down and right, around the edges
    for pixels, masks in (
        (pictures.pixels, pictures.masks),
        (moved, pictures.masks.roll((24, 24), dims=(1, 2))),
    ):
        _, maps = minimal.caption(model, pixels)
        patches = minimal.patches_of(masks)
        assert (maps[0, 1] * patches[0]).sum() > 2 * patches.mean()


def test_every_map_sums_to_one_and_words_to_come_change_nothing(model):
    pictures = minimal.unseen(8)
    _, maps = minimal.caption(model, pictures.pixels)
    torch.testing.assert_close(maps.sum(dim=(2, 3)), torch.ones(8, minimal.CAPTION_LENGTH))
    image = model.encode(pictures.pixels)
    whole, _ = model(pictures.ids[:, :-1], image)
    begun, _ = model(pictures.ids[:, :3], image)
    torch.testing.assert_close(whole[:, :3], begun)


def test_patches_are_the_squares_of_the_picture():
    picture = minimal.unseen(1).pixels
    size = minimal.PATCH_SIZE
    row, column = 2, 5
    square = picture[0, :, row * size : (row + 1) * size, column * size : (column + 1) * size]
    assert torch.equal(minimal.patchify(picture)[0, row * minimal.GRID + column], square.flatten())


def test_it_prints_the_figures_it_measured(model, monkeypatch, capsys):
    monkeypatch.setattr(minimal, "train", lambda: model)
    minimal.main()
    printed = capsys.readouterr().out
    score = minimal.evaluate(model, minimal.unseen(1000))
    assert f"{score.exact_match:.1%}" in printed
    assert f"chance {score.chance:.0%}" in printed
    assert printed.count("it looked here") == minimal.CAPTION_LENGTH

"""Whatever a person opens becomes a 224 × 224 RGB picture or one sentence, never a traceback."""

import contextlib
import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core.errors import UserError
from vlm_core.pictures import is_blank, open_picture
from vlm_core.scenes import sample_scene

RED, BLUE, WHITE = (200, 30, 30), (20, 40, 220), (255, 255, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of_declared_size(width: int, height: int) -> bytes:
    """A PNG whose header promises this many pixels; its data would unpack to width × height zeros."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def halves(size=(224, 224), left=RED, right=BLUE) -> Image.Image:
    image = Image.new("RGB", size, right)
    image.paste(left, (0, 0, size[0] // 2, size[1]))
    return image


def close_to(pixel, colour, tolerance=3) -> bool:
    return all(abs(int(a) - int(b)) <= tolerance for a, b in zip(pixel, colour, strict=True))


def refusal(source) -> str:
    """The sentence a picture is refused with, checked to be one sentence that a person can read."""
    with pytest.raises(UserError) as caught:
        open_picture(source)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "Error" not in sentence
    return sentence


# What passes unchanged


def test_a_scene_passes_pixel_by_pixel_however_it_is_handed_in(tmp_path):
    scene = sample_scene(seed=3, style="drawn")
    path = tmp_path / "scene.png"
    scene.image.save(path)
    content = path.read_bytes()
    for source in (scene.image, scene.pixels, path, str(path), content, io.BytesIO(content)):
        picture = open_picture(source)
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), scene.pixels)


def test_the_callers_picture_is_left_as_it_was():
    source = halves((100, 60)).convert("RGBA")
    before = source.tobytes()
    open_picture(source)
    assert source.mode == "RGBA" and source.size == (100, 60) and source.tobytes() == before


# What is put right


@pytest.mark.parametrize("size", [(400, 200), (200, 400), (90, 30), (30, 90), (1000, 3), (225, 224)])
def test_a_picture_that_is_not_square_keeps_its_shapes_on_its_own_border_colour(size):
    ground = (240, 225, 200)
    image = Image.new("RGB", size, ground)
    centre, radius = (size[0] / 2, size[1] / 2), min(size) / 3
    ImageDraw.Draw(image).ellipse([c + sign * radius for sign in (-1, 1) for c in centre], fill=BLUE)
    pixels = np.asarray(open_picture(image)).astype(int)
    assert pixels.shape == (224, 224, 3)
    for corner in (pixels[0, 0], pixels[0, -1], pixels[-1, 0], pixels[-1, -1]):
        assert close_to(corner, ground)
    rows, columns = np.nonzero(pixels[..., 0] < 130)
    if len(rows) > 100:  # a circle stays a circle: as tall as wide
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 4


@pytest.mark.parametrize("colour", [WHITE, RED, (0, 0, 0)])
def test_one_pixel_becomes_a_picture_of_its_colour(colour):
    picture = open_picture(encoded(Image.new("RGB", (1, 1), colour)))
    assert picture.getextrema() == tuple((value, value) for value in colour)
    assert is_blank(picture)


def test_cmyk_shows_the_colours_it_stands_for():
    pixels = np.asarray(open_picture(encoded(halves().convert("CMYK"), "TIFF")))
    assert close_to(pixels[100, 30], RED, 8) and close_to(pixels[100, 190], BLUE, 8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    ramp = np.linspace(0, 65535, 224).astype(np.uint16)
    image = Image.fromarray(np.broadcast_to(ramp, (224, 224)).copy())
    assert image.mode == "I;16"
    row = np.asarray(open_picture(encoded(image, kind)))[100, :, 0].astype(int)
    assert np.abs(row - ramp / 257).max() <= 1


def test_a_palette_shows_its_colours():
    palette = halves().convert("P", palette=Image.Palette.ADAPTIVE)
    pixels = np.asarray(open_picture(encoded(palette)))
    assert close_to(pixels[100, 30], RED) and close_to(pixels[100, 190], BLUE)


def test_what_is_transparent_becomes_white_in_every_way_a_file_can_say_so():
    glass = Image.new("RGBA", (224, 224), (0, 0, 0, 0))
    glass.paste((*RED, 255), (60, 60, 160, 160))
    keyed = Image.new("P", (224, 224), 0)
    keyed.putpalette([0, 0, 0, *RED])
    keyed.paste(1, (60, 60, 160, 160))
    grey = Image.new("LA", (224, 224), (0, 0))
    for content in (encoded(glass), encoded(glass, "WEBP", lossless=True), encoded(keyed, transparency=0)):
        pixels = np.asarray(open_picture(content))
        assert close_to(pixels[5, 5], WHITE) and close_to(pixels[100, 100], RED)
    assert close_to(np.asarray(open_picture(encoded(grey)))[5, 5], WHITE)


def test_half_transparent_paint_is_mixed_with_white():
    veil = Image.new("RGBA", (224, 224), (0, 0, 0, 128))
    assert close_to(np.asarray(open_picture(veil))[9, 9], (127, 127, 127))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind):
    frames = [Image.new("RGB", (224, 224), colour) for colour in (RED, BLUE, WHITE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert close_to(np.asarray(open_picture(moving))[100, 100], RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_the_camera_held_it(orientation):
    # Where the corner that is stored first belongs, by the EXIF standard's table of orientations.
    upper = {1: "left", 2: "right", 6: "right", 5: "left"}.get(orientation)
    lower = {3: "right", 4: "left", 8: "left", 7: "right"}.get(orientation)
    image = Image.new("RGB", (224, 224), WHITE)
    image.paste(RED, (0, 0, 112, 112))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.asarray(open_picture(encoded(image, "JPEG", exif=exif, quality=95)))
    row = 40 if upper else 180
    column = 40 if (upper or lower) == "left" else 180
    assert close_to(pixels[row, column], RED, 12)
    assert close_to(pixels[220 - row, 220 - column], WHITE, 12)


def test_grey_and_black_and_white_pictures_are_read():
    half = halves(left=WHITE, right=(0, 0, 0))
    for mode in ("L", "1"):
        pixels = np.asarray(open_picture(encoded(half.convert(mode))))
        assert close_to(pixels[100, 30], WHITE) and close_to(pixels[100, 190], (0, 0, 0))


# What is refused


def test_a_file_that_is_no_picture_is_called_by_its_name(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("a large red circle at the top left")
    assert "notes.png" in refusal(path)
    assert "not a picture" in refusal(b"%PDF-1.7 nothing to see")


def test_formats_that_start_another_program_are_not_opened():
    postscript = encoded(halves(), "EPS")
    assert "not a picture" in refusal(postscript)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_truncated_picture_is_refused_wherever_it_was_cut(kind):
    content = encoded(sample_scene(seed=5).image, kind)
    for share in (0.02, 0.3, 0.6, 0.9):
        refusal(content[: int(len(content) * share)])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_picture_never_ends_in_another_error():
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    originals = [encoded(halves((60, 40)), kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    for content in originals:
        for _ in range(100):
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[rng.integers(8, len(damaged), size=4)] = rng.integers(0, 256, size=4)
            with contextlib.suppress(UserError):  # Any other error fails the test.
                assert open_picture(damaged.tobytes()).size == (224, 224)


def test_a_truncated_picture_that_was_opened_elsewhere_is_refused_too():
    content = encoded(sample_scene(seed=5).image)
    refusal(Image.open(io.BytesIO(content[: len(content) // 2])))


def test_a_missing_file_is_called_by_its_name(tmp_path):
    assert "cat.png" in refusal(tmp_path / "cat.png")
    assert "could not be opened" in refusal(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert "empty" in refusal(path) and "empty" in refusal(b"")


@pytest.mark.parametrize("side", [8_000, 20_000])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(side):
    content = png_of_declared_size(side, side)
    tracemalloc.start()
    begin = time.perf_counter()
    assert "pixels" in refusal(content)
    seconds = time.perf_counter() - begin
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 1 and peak < 5_000_000  # Unpacked it would be 64 or 400 million bytes.


def test_a_file_of_more_than_50_megabytes_is_refused_without_reading_it_all(tmp_path):
    path = tmp_path / "huge.png"
    with open(path, "wb") as file:
        file.write(encoded(halves()))
        file.truncate(2_000_000_000)  # Sparse: takes no room on the disk.
    assert "50 MB" in refusal(path)


@pytest.mark.parametrize(
    "array",
    [np.zeros((224, 224, 3)), np.zeros((0, 5, 3), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros(9, np.uint8)],
    ids=["floats", "no pixels", "two channels", "a line"],
)
def test_an_array_that_is_no_picture_is_refused_with_its_shape(array):
    assert str(array.shape) in refusal(array)


# What shows nothing


def test_blank_is_one_colour_and_a_scene_is_not():
    for colour in (WHITE, RED, (0, 0, 0)):
        assert is_blank(Image.new("RGB", (224, 224), colour))
    assert not any(is_blank(sample_scene(seed, level=1, style="drawn").image) for seed in range(50))


def test_a_small_faint_mark_is_not_blank():
    image = Image.new("RGB", (224, 224), WHITE)
    image.paste((235, 235, 235), (100, 100, 104, 104))
    assert not is_blank(image)

"""A vision-language model in one file: look at a picture, write a sentence, show where you looked.

    python -m vlm_core.minimal

It draws its own pictures, trains a small Vision Transformer with a text decoder on them for some 20 seconds,
and then captions pictures it has never seen. Nothing but PyTorch and the standard library; the rest of
`vlm_core` is the same idea with more shapes, two languages and a page.

Letters in shape comments: B batch, T text, N patches, H heads, D width, V vocabulary.
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

# ---------------------------------------------------------------- the world: every picture, and its sentence

COLORS = {"red": (0.9, 0.1, 0.1), "green": (0.1, 0.7, 0.2), "blue": (0.1, 0.2, 0.9), "yellow": (1, 0.8, 0)}
SHAPES = ("circle", "square", "triangle", "cross")
VERTICAL, HORIZONTAL = ("top", "bottom"), ("left", "right")
VOCABULARY = ("<begin>", "<end>", "a", *COLORS, *SHAPES, *VERTICAL, *HORIZONTAL)
BEGIN, END = 0, 1
IMAGE_SIZE, PATCH_SIZE = 48, 8
GRID = IMAGE_SIZE // PATCH_SIZE  # 6 × 6 patches, so N = 36
WIDTH, HEADS = 64, 4
CAPTION_LENGTH = 6  # a + color + shape + top/bottom + left/right + <end>


@dataclass(frozen=True)
class Pictures:
    """B pictures of one object each, and what there is to say about them."""

    pixels: Tensor  # (B, 3, 48, 48), 0 black to 1 white
    masks: Tensor  # (B, 48, 48), True where the object is
    ids: Tensor  # (B, 7): <begin> a COLOR SHAPE top/bottom left/right <end>


def draw(count: int, random: torch.Generator) -> Pictures:
    """Objects of random shape, color, size and position on noisy light grounds."""

    def pick(options: int) -> Tensor:
        return torch.randint(options, (count,), generator=random)

    def between(low: float, high: float) -> Tensor:  # (B, 1, 1), to meet the pixels (B, 48, 48)
        return low + (high - low) * torch.rand(count, 1, 1, generator=random)

    color, shape, vertical, horizontal = pick(len(COLORS)), pick(len(SHAPES)), pick(2), pick(2)
    axis = torch.arange(IMAGE_SIZE) + 0.5
    center_y = 12 + 24 * vertical[:, None, None] + between(-3, 3)
    center_x = 12 + 24 * horizontal[:, None, None] + between(-3, 3)
    down, right = axis[:, None] - center_y, axis[None, :] - center_x  # each pixel's way from the center
    radius = between(6, 8)
    far, near = torch.maximum(down.abs(), right.abs()), torch.minimum(down.abs(), right.abs())
    drawn = {
        "circle": down**2 + right**2 < radius**2,
        "square": far < 0.9 * radius,
        "triangle": (down.abs() < radius) & (2 * right.abs() < down + radius),
        "cross": (far < radius) & (near < radius / 3),
    }
    masks = torch.stack([drawn[name] for name in SHAPES])[shape, torch.arange(count)]  # (B, 48, 48)
    paint = torch.tensor(list(COLORS.values()))[color][:, :, None, None]  # (B, 3, 1, 1)
    pixels = torch.where(masks[:, None], paint, between(0.75, 1.0)[:, None])  # (B, 3, 48, 48)
    noise = 0.03 * torch.randn(pixels.shape, generator=random)
    first = {word: VOCABULARY.index(word) for word in ("a", "red", "circle", "top", "left")}
    words = (
        first["red"] + color,
        first["circle"] + shape,
        first["top"] + vertical,
        first["left"] + horizontal,
    )
    begin, a, end = (torch.full((count,), token) for token in (BEGIN, first["a"], END))
    return Pictures(pixels + noise, masks, torch.stack([begin, a, *words, end], dim=1))


def words_of(ids: Tensor) -> str:
    return " ".join(VOCABULARY[i] for i in ids.tolist() if i not in (BEGIN, END))


# ---------------------------------------------------------------- the model


def patchify(pictures: Tensor) -> Tensor:
    """Cut a picture into squares and lay each one out as a row of numbers: (B, 3, 48, 48) → (B, N, 192)."""
    patches = functional.unfold(pictures, kernel_size=PATCH_SIZE, stride=PATCH_SIZE)  # (B, 192, N)
    return patches.transpose(1, 2)


class Attention(nn.Module):
    """Each query gathers values where its keys match. `source`: itself (self-) or the image (cross-)."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor, source: Tensor, causal: bool = False) -> tuple[Tensor, Tensor]:
        def heads(vectors: Tensor) -> Tensor:  # (B, T, D) → (B, H, T, D/H)
            return vectors.unflatten(-1, (HEADS, -1)).transpose(1, 2)

        query, key, value = heads(self.query(x)), heads(self.key(source)), heads(self.value(source))
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (B, H, T, source)
        if causal:  # a word may look at the words before it, never at the ones it has yet to say
            scores = scores.masked_fill(torch.ones_like(scores[0, 0]).triu(1).bool(), float("-inf"))
        weights = scores.softmax(dim=-1)  # every row sums to 1
        gathered = (weights @ value).transpose(1, 2).flatten(2)  # (B, H, T, D/H) → (B, T, D)
        return self.output(gathered), weights


def feed_forward(size: int = WIDTH) -> nn.Module:
    """Think about each token by itself."""
    widen, narrow = nn.Linear(size, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
    return nn.Sequential(nn.LayerNorm(size), widen, nn.GELU(), narrow)


class TinyVLM(nn.Module):
    """Vision encoder: patches look at patches. Decoder: words look at earlier words, then at patches."""

    def __init__(self):
        super().__init__()
        self.patch_embedding = feed_forward(3 * PATCH_SIZE**2)
        self.patch_position = nn.Parameter(0.5 * torch.randn(GRID**2, WIDTH))
        self.word_embedding = nn.Embedding(len(VOCABULARY), WIDTH)
        self.word_position = nn.Parameter(0.5 * torch.randn(CAPTION_LENGTH, WIDTH))
        self.image_attention, self.text_attention, self.cross_attention = (Attention() for _ in range(3))
        self.image_thought, self.text_thought = feed_forward(), feed_forward()
        self.image_norm, self.encoder_norm, self.text_norm, self.cross_norm, self.final_norm = (
            nn.LayerNorm(WIDTH) for _ in range(5)
        )
        self.to_vocabulary = nn.Linear(WIDTH, len(VOCABULARY))

    def encode(self, pictures: Tensor) -> Tensor:
        """(B, 3, 48, 48) → image tokens (B, N, D): one vector for each patch, aware of the others."""
        x = self.patch_embedding(patchify(pictures)) + self.patch_position  # (B, N, D)
        normed = self.image_norm(x)
        x = x + self.image_attention(normed, normed)[0]
        x = x + self.image_thought(x)
        return self.encoder_norm(x) + self.patch_position  # what is there, and where it is

    def forward(self, ids: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """ids (B, T), image (B, N, D) → logits of each next word (B, T, V), where it looked (B, H, T, N)."""
        x = self.word_embedding(ids) + self.word_position[: ids.shape[1]]  # (B, T, D)
        normed = self.text_norm(x)
        x = x + self.text_attention(normed, normed, causal=True)[0]
        seen, weights = self.cross_attention(self.cross_norm(x), image)
        x = x + seen
        x = x + self.text_thought(x)
        return self.to_vocabulary(self.final_norm(x)), weights


# ---------------------------------------------------------------- learning and speaking


def train(steps: int = 1200, batch: int = 32, seed: int = 0) -> TinyVLM:
    """Learn to predict each next word. Every picture is new, so there is nothing to memorize."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    model = TinyVLM()
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for step in range(1, steps + 1):
        pictures = draw(batch, random)
        said, to_say = pictures.ids[:, :-1], pictures.ids[:, 1:]  # (B, 6) each: one word apart
        logits, _ = model(said, model.encode(pictures.pixels))  # (B, 6, V)
        loss = functional.cross_entropy(logits.flatten(0, 1), to_say.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step:4d}   loss {loss.item():.3f}")
    return model


@torch.no_grad()
def caption(model: TinyVLM, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Say the likeliest word, append it, look again.

    Pictures (B, 3, 48, 48) → ids (B, 7) from <begin> on, and where the model looked for each word after it
    (B, 6, 6, 6), every map summing to 1.
    """
    image = model.encode(pixels)
    ids, maps = torch.full((len(pixels), 1), BEGIN), []
    for _ in range(CAPTION_LENGTH):
        logits, weights = model(ids, image)
        ids = torch.cat([ids, logits[:, -1:].argmax(dim=-1)], dim=1)
        maps.append(weights[:, :, -1].mean(dim=1).unflatten(-1, (GRID, GRID)))  # mean of the heads
    return ids, torch.stack(maps, dim=1)


def patches_of(masks: Tensor) -> Tensor:
    """(B, 48, 48) → (B, 6, 6): 1 where the object touches the patch, else 0."""
    return functional.max_pool2d(masks.float(), PATCH_SIZE)


@dataclass(frozen=True)
class Score:
    """Shares, 0 to 1."""

    exact_match: float  # captions right in every word
    color_inside: float  # the color word's attention that fell on the object's patches
    shape_inside: float  # the same for the shape word
    chance: float  # what attention spread evenly over the picture would score


def evaluate(model: TinyVLM, pictures: Pictures) -> Score:
    ids, maps = caption(model, pictures.pixels)
    patches = patches_of(pictures.masks)
    inside = (maps * patches[:, None]).sum(dim=(2, 3)).mean(dim=0).tolist()  # for each word: a COLOR SHAPE …
    exact = (ids == pictures.ids).all(dim=1).float().mean().item()
    return Score(exact, color_inside=inside[1], shape_inside=inside[2], chance=patches.mean().item())


def unseen(count: int) -> Pictures:
    """Pictures that training never draws: their positions, sizes, shades and noise come from another seed."""
    return draw(count, torch.Generator().manual_seed(2**40))


def as_text(attention: Tensor, patches: Tensor) -> str:
    """One map as percent of the word's attention on each patch; brackets mark the object."""
    cells = zip(attention.flatten().tolist(), patches.flatten().tolist(), strict=True)
    texts = [f"[{100 * share:3.0f}]" if touched else f" {100 * share:3.0f} " for share, touched in cells]
    return "\n".join("".join(texts[start : start + GRID]) for start in range(0, GRID**2, GRID))


def main() -> None:
    begun = time.perf_counter()
    model = train()
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count:,} parameters learned from random weights in {time.perf_counter() - begun:.0f} s\n")
    pictures = unseen(1000)
    score = evaluate(model, pictures)
    print(f"exact match on 1000 unseen pictures: {score.exact_match:.1%}")
    print(f"attention inside the object: color word {score.color_inside:.0%}, ", end="")
    print(f"shape word {score.shape_inside:.0%}, chance {score.chance:.0%}\n")
    ids, maps = caption(model, pictures.pixels[:1])
    print(f"drawn:   {words_of(pictures.ids[0])}\ncaption: {words_of(ids[0])}")
    for token, attention in zip(ids[0, 1:], maps[0], strict=True):
        print(f"\nfor “{VOCABULARY[token]}” it looked here (percent; [ ] is the object):")
        print(as_text(attention, patches_of(pictures.masks[:1])[0]))


if __name__ == "__main__":
    main()

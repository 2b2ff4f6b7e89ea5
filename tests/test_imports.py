"""The architecture as a test: imports run one way, and importing costs and does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*(ROOT / "vlm_core").rglob("*.py"), ROOT / "demo_app.py"])

# A module may import from its own layer and from those before it; the command line does not import the page.
LAYERS = [
    {"errors"},
    {"config"},
    {"scenes", "pictures"},
    {"model"},
    {"learning"},
    {"insight", "explain"},
    {"app", "benchmark", "outcomes"},
    {"cli", "__main__"},
]
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
STANDS_ALONE = "minimal"


def part_of(module: str) -> str:
    """The part a dotted name belongs to: "vlm_core.scenes.world" → "scenes"."""
    return module.split(".")[1]


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file, as absolute dotted names."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # "from vlm_core import cli" names a module, too.
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "vlm_core" else {module}
    return found


def project_parts(path: Path) -> set[str]:
    return {part_of(name) for name in imports(path) if name.startswith("vlm_core.")}


def names_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "demo_app.py"], ids=names_of)
def test_imports_run_one_way(path):
    relative = path.relative_to(ROOT / "vlm_core")
    own = relative.parts[0].removesuffix(".py")
    if own in ("__init__", STANDS_ALONE):
        assert not project_parts(path), "is to be read by itself"
        return
    assert own in RANK, f"give {own} a place in LAYERS"
    for other in project_parts(path):
        assert RANK[other] <= RANK[own], f"{relative} imports {other}, which comes after {own}"
        assert (own, other) != ("cli", "app")


def test_the_page_alone_imports_gradio():
    importers = {names_of(path) for path in SOURCES if any(name.split(".")[0] == "gradio" for name in imports(path))}
    assert importers
    assert all(name.startswith("vlm_core/app/") or name == "demo_app.py" for name in importers)


def test_scenes_and_pictures_are_free_of_torch():
    for path in SOURCES:
        own = path.relative_to(ROOT).parts[1:2]
        if own in (("scenes",), ("pictures.py",), ("config.py",), ("errors.py",)):
            assert not any(name.split(".")[0] == "torch" for name in imports(path)), names_of(path)


def fresh(code: str) -> str:
    """What a new interpreter prints when it runs `code` in the project's folder."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["", ".config", ".scenes", ".pictures", ".cli"])
def test_light_modules_load_neither_torch_nor_the_page(module):
    heavy = "('torch', 'gradio', 'matplotlib')"
    printed = fresh(f"import vlm_core{module}, sys; print([n for n in {heavy} if n in sys.modules])")
    assert printed == "[]\n"


def test_training_loads_neither_the_page_nor_what_only_figures_need():
    heavy = "('gradio', 'matplotlib', 'torchvision')"
    printed = fresh(f"from vlm_core import train, VLM; import sys; print([n for n in {heavy} if n in sys.modules])")
    assert printed == "[]\n"


def test_importing_prints_nothing_and_leaves_the_random_numbers_alone():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in SOURCES
        if "app" not in path.parts and path.name not in ("__main__.py", "__init__.py", "demo_app.py")
    ]
    printed = fresh(
        "import random, numpy, torch\n"
        "state = lambda: (random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist())\n"
        "random.seed(1), numpy.random.seed(1), torch.manual_seed(1)\n"
        "before = state()\n"
        f"import {', '.join(modules)}\n"
        "assert state() == before, 'an import seeds or draws'\n"
    )
    assert printed == ""


def test_every_public_name_is_there():
    fresh("import vlm_core\nfor name in vlm_core.__all__: getattr(vlm_core, name)\n")

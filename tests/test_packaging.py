"""What is in the files that users install, and the plugin's manifest; nothing is computed here."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from configparser import ConfigParser
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import npe2
import pytest

TOP = Path(__file__).parents[1]
SOURCE = TOP / "src" / "shiftfield"
MANIFEST = SOURCE / "napari.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree and the wheel that was built from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(TOP)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> ZipFile:
    (path,) = built.glob("*.whl")
    return ZipFile(path)


def files_of_the_package() -> set[str]:
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_nothing_else(wheel: ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == files_of_the_package()


def test_every_folder_of_samples_brings_its_licence(wheel: ZipFile) -> None:
    names = wheel.namelist()
    folders = {
        name.rpartition("/")[0]
        for name in names
        if name.startswith("shiftfield/data/") and name.endswith(".png")
    }
    assert len(folders) == 2
    for folder in folders:
        text = wheel.read(f"{folder}/LICENSE.txt").decode()
        assert text.startswith("MIT License")
        assert any(name.endswith(f"licenses/src/{folder}/LICENSE.txt") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_tells_napari_where_the_manifest_is(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points = ConfigParser()
    points.read_string(wheel.read(name).decode())
    module, _, file = points["napari.manifest"]["shiftfield"].partition(":")
    assert f"{module}/{file}" in wheel.namelist()


def test_the_library_alone_needs_neither_napari_nor_qt(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    needs = HeaderParser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist") or []
    always = {need.split(">")[0] for need in needs if "extra ==" not in need}
    assert always == {"h5py", "numba", "numpy", "pillow", "scipy"}


def test_the_sdist_has_what_a_packager_needs(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in files_of_the_package()} <= inside
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= inside
    assert "tests/test_packaging.py" in inside
    assert not [name for name in inside if name.startswith((".venv", "site/", "build/", "dist/"))]


def test_the_manifest_is_valid_and_names_what_exists() -> None:
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.contributions.widgets is not None
    known = {command.id for command in manifest.contributions.commands or ()}
    assert {widget.command for widget in manifest.contributions.widgets} <= known


def test_the_manifest_at_the_top_is_the_one_in_the_package() -> None:
    link = TOP / "napari.yaml"
    if link.is_symlink():
        assert link.resolve() == MANIFEST.resolve()
    else:  # Git on Windows writes a link as a file that holds its target
        assert link.read_text(encoding="utf-8").strip() == "src/shiftfield/napari.yaml"


@pytest.mark.slow
def test_a_consumer_is_type_checked_and_runs(tmp_path: Path) -> None:
    """`py.typed` is there and the public names have types that a strict checker accepts."""
    assert (SOURCE / "py.typed").is_file()
    program = tmp_path / "use.py"
    program.write_text((TOP / "tests" / "consumer" / "use.py").read_text(encoding="utf-8"))
    for command in (["-m", "mypy", "--strict", "use.py"], ["use.py"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

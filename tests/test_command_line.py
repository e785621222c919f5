"""The command line finds what the library finds, says what is wrong in one line, and can be stopped."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from PIL import Image
from scenes import moved, same_bits

import shiftfield
from shiftfield.__main__ import main
from shiftfield.cli.bar import Bar
from shiftfield.settings import Settings, parameters

REF, SAM = moved((60, 50), (1.3, -0.7), frames=3)

STOPPABLE = [sys.executable, "-c", (
    "import signal, sys; from shiftfield.__main__ import main; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main(sys.argv[1:]))"
)]  # fmt: skip  # as a terminal starts it: one that runs in the background ignores Ctrl-C, and so do its children


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    np.save(tmp_path / "ref.npy", REF)
    np.save(tmp_path / "sam.npy", SAM)
    return str(tmp_path / "ref.npy"), str(tmp_path / "sam.npy")


@pytest.mark.parametrize(("command", "options", "same"), [
    ("local", [], {}),
    ("local", ["--search", "1d", "--peak", "poly_fit", "--peak-size", "5"],
     {"search": "1d", "peak": "poly_fit", "peak_size": 5}),
    ("umpa", ["--step", "2"], {"method": "umpa", "step": 2}),
    ("umpa", ["--dark-field", "--weight", "none"], {"method": "umpa_dark"}),
])  # fmt: skip
def test_fields(
    files: tuple[str, str], tmp_path: Path, command: str, options: list[str], same: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "field.h5"
    assert main([command, *files, "--margin", "3", "--out", str(out), *options]) == 0
    expected = shiftfield.find_shift_field(REF, SAM, margin=3, **same)
    same_bits(shiftfield.ShiftField.load(out), expected)
    said = capsys.readouterr()
    *_, median, written = said.out.splitlines()
    assert median == expected.summary().splitlines()[-1]
    assert written.split() == ["written", str(out)]
    assert said.err == ""


def test_json_and_a_picture(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "field.png"
    assert main(["local", *files, "--margin", "3", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["median_x"] == pytest.approx(1.3, abs=0.05)
    assert told["median_y"] == pytest.approx(-0.7, abs=0.05)
    assert told["settings"]["margin"] == 3
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_dry_run_tells_and_writes_nothing(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "field.h5"
    for options in ([], ["--search", "1d"]):
        command = ["local", *files, "--margin", "3", "--device", "cpu", "--dry-run", *options]
        assert main([*command, "--out", str(out)]) == 0
        assert "pearson: window" in capsys.readouterr().out
        assert main([*command, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        searches = 2 if options else 1
        assert len(told["plan"]) == searches
        assert told["read_bytes"] == REF.nbytes + SAM.nbytes
        assert told["seconds"] > 0
    assert not out.exists()


def test_a_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = np.stack([SAM, SAM[:, ::-1]])
    np.save(tmp_path / "ref.npy", REF)
    np.save(tmp_path / "sam.npy", samples)
    out = tmp_path / "scan.h5"
    command = ["scan", "--references", str(tmp_path / "ref.npy"), "--samples", str(tmp_path / "sam.npy"),
               "--out", str(out), "--margin", "3", "--json"]  # fmt: skip
    assert main([*command, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["projections"], told["finished"]) == (2, 0)
    assert told["read_bytes"] == REF.nbytes + samples.nbytes
    assert told["seconds"] > 0
    assert not out.exists()
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["projections"] == 2
    for number, found in enumerate(shiftfield.Scan(out)):
        same_bits(found, shiftfield.find_shift_field(REF, samples[number], margin=3))
    assert main([*command, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] == 2
    assert main([*command[:-1], "--window", "9"]) == 2
    assert "other settings: window" in capsys.readouterr().err
    samples[1] = np.nan
    np.save(tmp_path / "sam.npy", samples)
    assert main([*command, "--overwrite"]) == 1
    assert "1 of 2 projections have no field" in capsys.readouterr().err
    assert shiftfield.Scan(out).done.tolist() == [True, False]


def test_settings_are_written_and_read(files: tuple[str, str], tmp_path: Path) -> None:
    toml, one, two = tmp_path / "s.toml", tmp_path / "1.h5", tmp_path / "2.h5"
    first = ["--margin", "3", "--window", "9", "--dark-field", "--save-settings", str(toml)]
    assert main(["umpa", *files, *first, "--out", str(one)]) == 0
    assert main(["umpa", *files, "--settings", str(toml), "--out", str(two)]) == 0
    same_bits(shiftfield.ShiftField.load(one), shiftfield.ShiftField.load(two))
    assert 'method = "umpa_dark"' in toml.read_text()
    options = ["--settings", str(toml), "--window", "5", "--out", str(two)]
    assert main(["umpa", *files, *options]) == 0
    assert shiftfield.ShiftField.load(two).settings.window == 5


def test_maps_and_shifts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template, out = str(tmp_path / "template.npy"), str(tmp_path / "map.npy")
    np.save(template, SAM[0, 10:50, 10:40])
    np.save(tmp_path / "one.npy", REF[0])
    np.save(tmp_path / "other.npy", SAM[0])
    pair = str(tmp_path / "one.npy"), str(tmp_path / "other.npy")
    assert main(["map", pair[0], template, "--out", out]) == 0
    np.testing.assert_array_equal(
        np.load(out), shiftfield.generate_correlation_map(REF[0], SAM[0, 10:50, 10:40])
    )
    capsys.readouterr()
    assert main(["peak", out, "--json"]) == 0
    peak = json.loads(capsys.readouterr().out)
    assert (peak["x"], peak["y"]) == shiftfield.locate_peak(np.load(out))
    for command, expected in (
        (["shift", *pair, "--margin", "5"], shiftfield.find_shift_based_correlation_map(REF[0], SAM[0], 5)),
        (["global", *pair, "--margin", "5", "--window", "15"],
         shiftfield.find_global_shift_based_local_shifts(REF[0], SAM[0], 15, 5)),
    ):  # fmt: skip
        assert main([*command, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["x"], told["y"]) == pytest.approx(expected)
        assert main(command) == 0
        assert capsys.readouterr().out == f"x {told['x']:+.4f} px, y {told['y']:+.4f} px\n"


def test_what_is_wrong_is_one_line(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.toml").write_text("windows = 3")
    (tmp_path / "broken.toml").write_text("window")
    (tmp_path / "wide.toml").write_text('window = "wide"')
    (tmp_path / "umpa.toml").write_text('method = "umpa"')
    for arguments, words in (
        (["local", "nowhere.npy", files[1]], "nowhere.npy does not exist"),
        (["local", *files, "--out", "field.txt"], "must end in .h5 or .png"),
        (["local", *files, "--out", str(tmp_path / "no" / "f.h5")], "does not exist"),
        (["local", *files, "--settings", str(tmp_path / "bad.toml")], "sets windows; settings are"),
        (["local", *files, "--settings", str(tmp_path / "broken.toml")], "is no TOML file"),
        (
            ["local", *files, "--settings", str(tmp_path / "wide.toml")],
            "wide.toml: window is 'wide'; it must",
        ),
        (["local", *files, "--settings", str(tmp_path / "umpa.toml")], "use shiftfield umpa"),
        (["local", *files, "--memory", "much"], "memory is 'much'"),
        (["local", *files, "--margin", "50"], "needs at least"),
        (["map", *files, "--out", "map.txt"], "must end in .npy"),
    ):
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert said.err.startswith("shiftfield: ")
        assert words in said.err
        assert said.out == ""
    for arguments, words in (
        (
            ["local", *files, "--window", "0"],
            "window is 0; it must be a whole number of at least 1 px",
        ),
        (["local", *files, "--device", "tpu"], "allowed are 'auto', 'cpu'"),
        (["local", *files, "--colour"], "local does not know --colour"),
        ([], "COMMAND"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert words in capsys.readouterr().err


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, the current one, with an input of every kind."""
    monkeypatch.chdir(tmp_path)
    np.save("ref.npy", REF)
    np.save("sam.npy", SAM)
    np.save("one.npy", REF[0])
    np.save("t.npy", SAM[0, 9:50, 9:40])
    Path("raw").mkdir()
    for n in range(3):
        Image.fromarray(np.full((60, 50), n, np.uint8)).save(f"raw/{n}.png")
    with h5py.File("raw.h5", "w") as file:
        file["i"], file["j"] = REF, SAM
    with h5py.File("virtual.h5", "w") as file:
        layout = h5py.VirtualLayout(REF.shape, REF.dtype)
        layout[:] = h5py.VirtualSource("raw.h5", "i", REF.shape)
        file.create_virtual_dataset("i", layout)
    zarr.create_array("raw.zarr", data=REF)
    Path("link.npy").symlink_to("one.npy")
    Path("hard.npy").hardlink_to("one.npy")
    Path("s.h5").write_text("margin = 3")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize(("command", "out"), [
    ("map one.npy t.npy --out", "one.npy"),
    ("map one.npy t.npy --out", "t.npy"),
    ("map one.npy t.npy --out", "link.npy"),
    ("map one.npy t.npy --out", "hard.npy"),
    ("map link.npy t.npy --out", "one.npy"),
    ("map [a-z]*.npy t.npy --out", "one.npy"),
    ("map [a-z]*.npy t.npy --out", "new.npy"),
    ("local raw.h5::i raw.h5::j --out", "raw.h5"),
    ("local virtual.h5 sam.npy --out", "raw.h5"),
    ("local raw sam.npy --out", "raw/1.png"),
    ("local raw sam.npy --out", "raw/new.png"),
    ("local ref.npy sam.npy --sample-mask raw.h5::i --out", "raw.h5"),
    ("umpa ref.npy sam.npy --settings s.h5 --out", "s.h5"),
    ("scan --references ref.npy --samples sam.npy --dark raw.h5::i --out", "raw.h5"),
    ("local ref.npy sam.npy --out", "raw.h5"),  # which is none of its inputs, nor a field
    ("local ref.npy sam.npy --save-settings", "sam.npy"),
    ("local raw.zarr sam.npy --save-settings", "raw.zarr/zarr.json"),
    ("umpa ref.npy sam.npy --reference-mask one.npy --save-settings", "hard.npy"),
    ("global one.npy one.npy --save-settings", "one.npy"),
    ("peak one.npy --save-settings", "one.npy"),
    ("scan --references ref.npy --samples sam.npy --out x.h5 --save-settings", "ref.npy"),
    ("local ref.npy sam.npy --out x.h5 --save-settings", "x.h5"),
])  # fmt: skip
def test_no_command_writes_over_what_it_reads(
    inputs: Path, command: str, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whatever name: a link, one inside a folder, a pattern or a store, the source of a dataset."""
    before = {path: path.read_bytes() for path in inputs.rglob("*") if path.is_file()}
    assert main([*command.split(), out]) == 2
    said = capsys.readouterr().err
    assert said.startswith("shiftfield: ")
    assert said.count("\n") == 1
    assert out in said
    assert "choose another name" in said
    assert {path: path.read_bytes() for path in inputs.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("inputs")
def test_a_scan_has_the_thresholds_that_are_given() -> None:
    command = [
        "scan",
        "--references",
        "ref.npy",
        "--samples",
        "sam.npy",
        "--axes",
        "frame y x",
        "--margin",
        "3",
    ]
    assert main([*command, "--quality", "--threshold-score", "1", "--out", "x.h5"]) == 1
    found = shiftfield.find_shift_field(REF, SAM, margin=3, quality=True)
    assert main([*command, "--quality", "--threshold-score", "0", "--out", "y.h5"]) == 0
    assert shiftfield.Scan("y.h5")[0].valid.sum() >= found.valid.sum() > 0


def test_settings_replace_no_file_of_another_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [str(tmp_path / name) for name in ("r.npy", "s.npy")]
    for path in images:
        np.save(path, np.random.default_rng(0).random((30, 30)))
    (tmp_path / "notes.txt").write_text("measured on Monday")
    line = ["local", *images, "--margin", "3", "--out", str(tmp_path / "f.h5")]
    assert main([*line, "--save-settings", str(tmp_path / "notes.txt")]) == 2
    assert "notes.txt holds something else than settings" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "measured on Monday"
    assert not (tmp_path / "f.h5").exists()


@pytest.mark.usefixtures("inputs")
def test_settings_may_go_back_to_their_file() -> None:
    given = ["local", "ref.npy", "sam.npy", "--settings", "s.h5", "--save-settings", "s.h5"]
    assert main([*given, "--out", "raw.zarr/field.h5"]) == 0
    assert "window = 7" in Path("s.h5").read_text()


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("place", ["nowhere/s.toml", "raw", ""])
def test_settings_that_cannot_be_written_are_told_before_any_work(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--save-settings", "--out"):
        assert main(["local", "ref.npy", "sam.npy", option, place]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"shiftfield: {option} is ")
        assert said.endswith(".\n")


@pytest.mark.usefixtures("inputs")
@pytest.mark.skipif(sys.platform == "win32", reason="a pipe ends otherwise there")
def test_it_ends_quietly_when_nobody_reads() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "shiftfield", "peak", "one.npy"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, b"")


def test_warnings_are_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat = REF[0].copy()
    flat[20:40, 20:40] = 1
    np.save(tmp_path / "flat.npy", flat)
    path = str(tmp_path / "flat.npy")
    assert main(["local", path, path, "--margin", "3"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: ")
    assert "pixels have no answer" in said


def test_help_tells_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["local", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for name in parameters(Settings).keys() - {"method", "weight"}:
        assert "--" + name.replace("_", "-") in said
    assert "Largest shift that is tried, in each direction. (default: 10 px)" in said


def test_the_bar_shows_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, shown in ((Terminal(), True), (io.StringIO(), False)):
        bar = Bar(out)
        bar(10, 10)
        assert ("100 %" in out.getvalue()) == shown
        bar.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_ctrl_c_stops_it(tmp_path: Path) -> None:
    """On a terminal the bar shows; stopped in the middle, nothing is left behind."""
    import pty

    np.save(tmp_path / "large.npy", np.random.default_rng(0).random((3000, 3000), np.float32))
    path, out = str(tmp_path / "large.npy"), tmp_path / "field.h5"
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [*STOPPABLE, "local", path, path, "--margin", "60", "--out", str(out),
         "--device", "cpu"],
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"left" not in said:
        said += os.read(ours, 1000)
    run.send_signal(signal.SIGINT)
    while b"nothing was written" not in said:
        said += os.read(ours, 1000)
    assert run.wait(30) == 130
    os.close(ours)
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_ctrl_c_leaves_a_scan_that_goes_on(tmp_path: Path) -> None:
    np.save(tmp_path / "ref.npy", REF)
    np.save(tmp_path / "sam.npy", np.stack([SAM] * 300))
    out = tmp_path / "scan.h5"
    command = [*STOPPABLE, "scan", "--references", str(tmp_path / "ref.npy"),
               "--samples", str(tmp_path / "sam.npy"), "--out", str(out), "--margin", "3"]  # fmt: skip
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out.exists() and shiftfield.Scan(out).done.sum() > 3):
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert said.endswith("Stopped; what is finished is kept, and the same command goes on.\n")
    before = shiftfield.Scan(out).done.sum()
    assert 3 < before < 300
    assert main(command[len(STOPPABLE) :]) == 0
    scan = shiftfield.Scan(out)
    assert scan.done.all()
    same_bits(scan[299], shiftfield.find_shift_field(REF, SAM, margin=3))

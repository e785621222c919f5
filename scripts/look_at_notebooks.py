"""Open docs/notebooks/*.ipynb in JupyterLab in a real browser, run them, use the viewer, and save what is seen.

Wants jupyterlab, playwright and a Chromium (`--browser`, or one in the path). Pictures go into a folder to be
looked at; what can be checked by numbers (the picture changes when the wheel turns) is checked.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
SECONDS = 1000  # ms


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start JupyterLab for this machine alone, and wait until it answers."""
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.password=",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2)
            return server
        except OSError:
            time.sleep(0.5)
    server.kill()
    raise RuntimeError("JupyterLab does not answer.")


def run_all(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".jp-Notebook", timeout=60 * SECONDS)
    page.wait_for_timeout(3 * SECONDS)
    page.click("text=Run", timeout=20 * SECONDS)
    page.click("text=Run All Cells")
    page.wait_for_timeout(2 * SECONDS)
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.innerText.includes('[*]'))",
        timeout=180 * SECONDS,
    )
    page.wait_for_timeout(2 * SECONDS)


def use_viewer(page: Any, out: Path) -> None:
    """Zoom and drag in the embedded viewer; each must change the picture."""
    canvas = page.locator(".renderview-view").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    seen = [canvas.screenshot(path=out / "canvas-1.png")]
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(
        box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    )  # else the page scrolls
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(2 * SECONDS)
    seen.append(canvas.screenshot(path=out / "canvas-2-zoomed.png"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + box["height"] / 2 + 40, steps=8)
    page.mouse.up()
    page.wait_for_timeout(2 * SECONDS)
    seen.append(canvas.screenshot(path=out / "canvas-3-dragged.png"))
    if page.locator(".jp-Dialog").count():
        raise RuntimeError("The kernel has died.")
    if len(set(seen)) != len(seen):
        raise RuntimeError("The embedded viewer does not follow the mouse.")


def draw(page: Any, what: str, name: str, folder: Path) -> None:
    """Write a picture of the documentation."""
    part = page.locator(what).first
    part.scroll_into_view_if_needed()
    page.wait_for_timeout(SECONDS)
    part.screenshot(path=folder / f"{name}.png")
    with Image.open(folder / f"{name}.png") as picture:
        picture.convert("RGB").quantize(128).save(folder / f"{name}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("looked-at"))
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("chrome"))
    parser.add_argument("--pictures", type=Path, default=FOLDER.parent / "pictures")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        for path in FOLDER.glob("*.ipynb"):
            shutil.copy(path, folder)
        port = free_port()
        server = serve(Path(folder), port)
        browser = engine.chromium.launch(executable_path=given.browser, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        try:
            for path in sorted(FOLDER.glob("*.ipynb")):
                run_all(
                    page, f"http://127.0.0.1:{port}/lab/workspaces/{path.stem}/tree/{path.name}"
                )
                outputs = page.locator(".jp-OutputArea-output:visible")
                for number in range(outputs.count()):
                    outputs.nth(number).scroll_into_view_if_needed()
                    page.wait_for_timeout(300)
                    page.screenshot(path=given.out / f"{path.stem}-{number}.png")
                if page.locator(".jp-RenderedText[data-mime-type*=stderr]").count():
                    raise RuntimeError(f"{path.name} shows an error.")
                if path.stem == "viewer":
                    draw(
                        page,
                        ".widget-vbox:has(.renderview-wrapper)",
                        "notebook-viewer",
                        given.pictures,
                    )
                    draw(
                        page,
                        ".widget-hbox:has(.widget-dropdown)",
                        "notebook-chooser",
                        given.pictures,
                    )
                    use_viewer(page, given.out)
                print(path.stem, "looked at")
        finally:
            browser.close()
            server.terminate()


if __name__ == "__main__":
    main()

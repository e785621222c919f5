"""find_shift_field: from two pictures of a flow to a file, a picture and viewer layers."""

from pathlib import Path

from shiftfield import ShiftField, find_shift_field, samples

reference, sample = samples.cylinder_flow()


def progress(done: int, total: int) -> None:
    print(f"\r{100 * done // total:3d} %", end="\n" if done == total else "")


# Every second pixel; the numbers are the same as those of the full field.
field = find_shift_field(reference, sample, window=31, margin=5, step=2, progress=progress)
print(field.summary())

out = Path("out")
out.mkdir(exist_ok=True)
field.save(out / "field.h5")
field.picture().save(out / "field.png")
print("saved in", out.resolve())

again = ShiftField.load(out / "field.h5")
for _, arguments, kind in again.to_layers():
    print(f"layer for napari: {kind:8} {arguments['name']}")

"""A napari session from a script: open images, run the plugin's dock, look at what it made."""

import napari

from shiftfield import find_shift_field, samples

reference, sample = samples.cylinder_flow()
viewer = napari.Viewer()
viewer.add_image(reference, name="reference", colormap="gray")
viewer.add_image(sample, name="sample", colormap="gray")

# The dock as a person opens it from the Plugins menu; its fields have the names of the settings.
_, dock = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")
dock.window.value = 31
dock.margin.value = 5
dock.step.value = 4
dock.run()
for layer in dock.wait():
    print(f"{layer.name}: {layer.metadata['shiftfield']['quantity']}")

# The same without the dock: the library computes, the viewer shows.
field = find_shift_field(reference, sample, window=21, margin=5, step=4)
for data, arguments, kind in field.to_layers(length=4, score=False):
    arguments["name"] = f"window 21: {arguments['name']}"
    viewer.add_layer(napari.layers.Layer.create(data, arguments, kind))

if __name__ == "__main__":
    napari.run()

"""
Diehl & Cook 2015: columns that learn features without labels
=============================================================

Neurons that see the same few pixels compete: of those over threshold only one fires, and only it
learns. So each becomes a feature of its own (Diehl & Cook 2015, Frontiers in Computational
Neuroscience 9:99). A `FeatureLayer` learns 16 features on patches of made-up gestures, sets them
at every place of the plane, and a linear readout names the gesture. Nobody is on both sides of
the split; labels are seen by the readout alone.

    python examples/feature_columns.py
"""

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.learning import FeatureLayer, Readout

gestures = hr.make_gestures(n_subjects=6, n_repeats=1, seed=0)
train, test = gestures.split(n_test=2)
encoder = hr.EventEncoder(64, 64)  # 32 x 32 pixels, ON and OFF
events = [encoder(clip) for clip, _ in gestures]
labels = np.asarray(gestures.labels)
print(f"{len(train)} clips to learn on, {len(test)} of other persons")

# %%
# Learned without labels
# ----------------------
# Of each feature the field that it sees, before and after: ON in red, OFF in green.

layer = FeatureLayer(n_features=16, n_patches=1000, spikes=1500.0, seed=0)
features = layer.fit_transform([events[k] for k in train])
print(f"{layer.network_.n_neurons:,} neurons share {layer.n_features} fields")
as_drawn = hr.plotting.receptive_fields(layer.fields_before_, "as drawn")

# %%

# sphinx_gallery_thumbnail_number = 2
learned = hr.plotting.receptive_fields(layer.fields_, "learned")

# %%
# What they are worth
# -------------------
# The same layer with fields as drawn is the control.

truth = labels[test]
for name, one in {
    "learned": layer,
    "drawn": FeatureLayer(n_features=16, spikes=1500.0, filters="drawn", seed=0),
}.items():
    if one is not layer:
        features = one.fit_transform([events[k] for k in train])
    readout = Readout(scaling="common").fit(features, labels[train])
    said = readout.predict(one.transform([events[k] for k in test]))
    print(f"{name:<8} {np.mean(said == truth):.2f} of {len(truth)} clips; by chance {1 / 11:.2f}")

# %%
# So few clips of so few persons cannot tell the two apart; :doc:`the page on learning
# </learning>` has recorded clips enough, and intervals.

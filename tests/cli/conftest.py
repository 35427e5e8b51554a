"""What all tests of commands share."""

import pytest
from hrsnn_rs.learning import default_layer, feature_systems


@pytest.fixture(autouse=True)
def few_features(monkeypatch):
    """Compare and the demo take feature layers that learn little, in little time."""

    def small(*arguments, **settings):
        return default_layer(
            *arguments, **{"n_features": 4, "n_patches": 60, "spikes": 50.0, **settings}
        )

    monkeypatch.setattr(feature_systems, "default_layer", small)

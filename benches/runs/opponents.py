"""Networks trained by backpropagation, for `backprop.py`; torch and snnTorch are needed."""

import snntorch
import torch
from snntorch import surrogate
from torch import nn

#: Pixels of a side and polarities of what they see.
SIDE, POLARITIES = 16, 2
#: Windows whose counts of spikes are read out.
WINDOWS = 4


class RecurrentLif(nn.Module):
    """Leaky integrate-and-fire neurons with full recurrence and learned time constants.

    The gradient of a spike is that of a fast sigmoid (Zenke & Ganguli 2018). What is read out are
    counts of spikes in four windows, as from the feature layer.
    """

    def __init__(self, n_classes: int, n_neurons: int) -> None:
        super().__init__()
        self.n_neurons = n_neurons
        self.inputs = nn.Linear(POLARITIES * SIDE**2, n_neurons)
        self.lif = snntorch.RLeaky(
            beta=torch.empty(n_neurons).uniform_(0.5, 0.98),
            linear_features=n_neurons,
            learn_beta=True,
            spike_grad=surrogate.fast_sigmoid(slope=25),
            reset_mechanism="subtract",
        )
        # Recurrence begins weak, so that rates neither die nor run away before anything is learned.
        nn.init.normal_(self.lif.recurrent.weight, std=0.2 / n_neurons**0.5)
        self.out = nn.Linear(WINDOWS * n_neurons, n_classes)

    def spikes(self, frames: torch.Tensor) -> torch.Tensor:
        """Spikes of shape (steps, clips, neurons) for frames (clips, steps, polarities, y, x)."""
        currents = self.inputs(frames.flatten(2)).transpose(0, 1)
        spike, potential = self.lif.init_rleaky()
        found = []
        for current in currents:
            spike, potential = self.lif(current, spike, potential)
            found.append(spike)
        return torch.stack(found)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        spikes = self.spikes(frames)
        steps, clips, neurons = spikes.shape
        counts = spikes.reshape(WINDOWS, steps // WINDOWS, clips, neurons).mean(1)
        return self.out(counts.transpose(0, 1).flatten(1))

    @torch.no_grad()
    def operations(self, frames: torch.Tensor) -> float:
        """Synaptic operations a clip: of inputs that are not 0, and of spikes, each to all."""
        active = float((frames != 0).sum()) + float(self.spikes(frames).sum())
        return active * self.n_neurons / len(frames)


class ConvGru(nn.Module):
    """A small convolutional network for each frame, and a gated recurrent unit over frames."""

    def __init__(self, n_classes: int, n_neurons: int) -> None:
        super().__init__()
        del n_neurons
        self.see = nn.Sequential(
            nn.Conv2d(POLARITIES, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
        )
        self.gru = nn.GRU(32 * (SIDE // 4) ** 2, 128, batch_first=True)
        self.out = nn.Linear(128, n_classes)
        self.n_neurons = 16 * SIDE**2 + 32 * (SIDE // 2) ** 2 + 128

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        clips, steps = frames.shape[:2]
        seen = self.see(frames.flatten(0, 1)).reshape(clips, steps, -1)
        return self.out(self.gru(seen)[0].mean(1))

    def operations(self, frames: torch.Tensor) -> float:
        """Multiplications a clip; a network without spikes does all of them."""
        first = 16 * POLARITIES * 9 * SIDE**2
        second = 32 * 16 * 9 * (SIDE // 2) ** 2
        gru = 3 * 128 * (32 * (SIDE // 4) ** 2 + 128)
        return float(frames.shape[1] * (first + second + gru))

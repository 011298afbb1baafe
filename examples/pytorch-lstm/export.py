"""Trains a small nn.LSTM to continue a wave, and exports it for the page beside this file.

    pip install torch safetensors && python export.py
"""

import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
STEPS = 96

torch.manual_seed(0)
lstm = nn.LSTM(input_size=1, hidden_size=16, batch_first=True)
adam = torch.optim.Adam(lstm.parameters(), lr=0.01)


def waves(count: int) -> torch.Tensor:
    """`[count, STEPS + 1, 1]`: a tone and its octave, of any pitch and phase."""
    t = torch.arange(STEPS + 1).float()
    pitch = torch.empty(count, 1).uniform_(0.15, 0.45)
    phase = torch.empty(count, 1).uniform_(0, 2 * math.pi)
    angle = pitch * t + phase
    return (0.5 * angle.sin() + 0.25 * (2 * angle).sin()).unsqueeze(-1)


# The first column of the output is the guess at the next value.
for step in range(1500):
    wave = waves(32)
    output, _ = lstm(wave[:, :-1])
    loss = (output[..., :1] - wave[:, 1:]).square().mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
print(f"mean squared error {loss.item():.5f}")

save_file(lstm.state_dict(), HERE / "lstm.safetensors")  # the export: this line is all there is to it

# What PyTorch computes, for the page to compare.
with torch.no_grad():
    x = waves(1)[:, :-1]
    output, _ = lstm(x)
answer = {"x": x.flatten().tolist(), "guess": output[..., 0].flatten().tolist()}
(HERE / "pytorch.json").write_text(json.dumps(answer) + "\n")

"""Skim-RNN (Seo, Min, Farhadi, Hajishirzi 2018) for PyTorch, whose state_dict `Skim.fromSafetensors` opens.

    layer = Skim(input_size=100, hidden_size=100, small_size=10)
    output, decision, p_skim = layer(x)                       # x: [time, batch, input]
    loss = task_loss + gamma * -p_skim.clamp_min(1e-6).log().mean()      # Eq. 8: prefer to skim
    safetensors.torch.save_file(layer.state_dict(), "skim.safetensors")

In training both branches run and are mixed by a Gumbel-softmax (Eq. 5, 6), so that the decision has a gradient; lower
`temperature` step by step, as `max(0.5, exp(-rate * step))`. In evaluation every token takes one branch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GATES = {"lstm": 4, "gru": 3}


class Weights(nn.Module):
    """A cell's parameters, gates in PyTorch's order."""

    def __init__(self, gates: int, input_size: int, width: int, reads: int):
        super().__init__()
        bound = width**-0.5

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.weight_ih = uniform(gates * width, input_size)
        self.weight_hh = uniform(gates * width, reads)
        self.bias_ih = uniform(gates * width)
        self.bias_hh = uniform(gates * width)


class Skim(nn.Module):
    """Reads a token with its whole state, or skims it with the first `small_size` values."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        small_size: int,
        cell: str = "lstm",
        small_reads: str = "slice",
        threshold: float = 0.5,
    ):
        super().__init__()
        if not 0 <= small_size < hidden_size:
            raise ValueError(f"small_size: expected 0 to {hidden_size - 1}, found {small_size}")
        self.cell, self.small_size, self.hidden_size = cell, small_size, hidden_size
        self.small_reads = small_size if small_reads == "slice" else hidden_size
        self.threshold, self.temperature = threshold, 1.0
        self.big = Weights(GATES[cell], input_size, hidden_size, hidden_size)
        if small_size > 0:
            self.small = Weights(GATES[cell], input_size, small_size, self.small_reads)
        self.decision = nn.Linear(input_size + hidden_size, 2)

    def step(self, w: Weights, x: Tensor, seen: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step of a cell over the part `h`, `c` of the state that it updates; its gates read `seen`."""
        from_x = F.linear(x, w.weight_ih, w.bias_ih)
        from_h = F.linear(seen, w.weight_hh, w.bias_hh)
        if self.cell == "lstm":
            i, f, g, o = (from_x + from_h).chunk(4, dim=-1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.chunk(3, dim=-1), from_h.chunk(3, dim=-1)
        z = (z_x + z_h).sigmoid()
        n = (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
        return (1 - z) * n + z * h, c

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`[time, batch, input]` to outputs `[time, batch, hidden]`, weights of skimming and probabilities `[time, batch]`."""
        d = self.small_size
        h, c = state or (x.new_zeros(x.shape[1], self.hidden_size), x.new_zeros(x.shape[1], self.hidden_size))
        outputs, decisions, probabilities = [], [], []
        for x_t in x:
            logits = self.decision(torch.cat([x_t, h], dim=-1))
            p_skim = logits.softmax(dim=-1)[:, 1]
            if self.training:
                skim = F.gumbel_softmax(logits.log_softmax(dim=-1), tau=self.temperature)[:, 1]
            else:
                skim = (p_skim > self.threshold).to(x.dtype)
            read_h, read_c = self.step(self.big, x_t, h, h, c)
            skim_h, skim_c = h, c
            if d > 0:
                small_h, small_c = self.step(self.small, x_t, h[:, : self.small_reads], h[:, :d], c[:, :d])
                skim_h = torch.cat([small_h, h[:, d:]], dim=-1)
                skim_c = torch.cat([small_c, c[:, d:]], dim=-1)
            weight = skim.unsqueeze(-1)
            h = weight * skim_h + (1 - weight) * read_h
            c = weight * skim_c + (1 - weight) * read_c
            outputs.append(h)
            decisions.append(skim)
            probabilities.append(p_skim)
        return torch.stack(outputs), torch.stack(decisions), torch.stack(probabilities)

"""Training steps of language models through PyTorch beside this engine, one thread each, in turns.

    cargo build --release -p saccade-bench
    python bench/native/lm_peers.py target/release/saccade-bench DATA [rounds] [part of a workload's name]

DATA holds tiny/shakespeare.txt, ptb/ptb.train.txt and novels/train/*.txt. Needs numpy, safetensors and PyTorch; for SRU the
package `sru`, with a C++ compiler and ninja. Both sides begin with the same weights, read the same words in the same order and
carry the state from step to step; a step is forward, backward and gradient descent without momentum or clipping. Prints
milliseconds a step and how many times as long as this engine PyTorch takes, by the processor's time that each process used and by
the clock (medians of the rounds, quartiles), with both losses after the same words.
"""

import collections
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

# The same as WORKLOADS in src/lm.rs: words, cut-offs, width, layers, lanes, steps, step size, steps of training in a turn.
WORKLOADS = {
    "characters": (65, [], 128, 1, 32, 64, 1.0, 10),
    "wide": (65, [], 512, 1, 32, 64, 1.0, 2),
    "treebank": (10_000, [], 200, 2, 20, 20, 1.0, 4),
    "full": (44_000, [], 256, 1, 20, 20, 1.0, 1),
    "adaptive": (44_000, [2000, 10_000], 256, 1, 20, 20, 0.25, 10),
}
CELLS = ["Lstm", "Gru", "Sru"]


def by_count(words, most):
    """Ids by decreasing count, from 1; 0 stands for all words that are too rare."""
    counts = collections.Counter(words)
    ids = {word: i + 1 for i, (word, _) in enumerate(counts.most_common(most - 1))}
    return [ids.get(word, 0) for word in words]


def text(workload, data):
    if workload in ("characters", "wide"):
        letters = (data / "tiny/shakespeare.txt").read_text()
        ids = {letter: i for i, letter in enumerate(sorted(set(letters)))}
        return [ids[letter] for letter in letters]
    if workload == "treebank":
        return by_count((data / "ptb/ptb.train.txt").read_text().replace("\n", " <eos> ").split(), 10_000)
    novels = (path.read_text(errors="replace") for path in sorted((data / "novels/train").glob("*.txt")))
    words = itertools.chain.from_iterable(re.findall(r"\w+|[^\w\s]", novel.lower()) for novel in novels)
    return by_count(list(words), 44_000)


class Torch(nn.Module):
    """The same model in PyTorch."""

    def __init__(self, workload, cell, weights):
        super().__init__()
        words, cutoffs, width, layers, lanes, self.steps, rate, self.turn = WORKLOADS[workload]
        # The gradient of a row that no word has is left out here too.
        self.embedding = nn.Embedding(words, width, sparse=True)
        if cell == "Sru":
            from sru import SRU

            self.encoder = SRU(width, width, layers)
        else:
            self.encoder = {"Lstm": nn.LSTM, "Gru": nn.GRU}[cell](width, width, layers)
        if cutoffs:
            self.head = nn.AdaptiveLogSoftmaxWithLoss(width, words, cutoffs)
        else:
            self.head = nn.Linear(width, words, bias=False)

        def renamed(name):
            name = name if cutoffs else name.replace("head.head.", "head.")
            name = re.sub(r"^encoder\.(\d+)\.(\w+)_l0$", r"encoder.\2_l\1", name)
            return re.sub(r"^encoder\.0\.rnn_lst", "encoder.rnn_lst", name)

        self.load_state_dict({renamed(name): values for name, values in load_file(weights).items()})
        self.optimizer = torch.optim.SGD(self.parameters(), lr=rate)
        self.state, self.words, self.at = None, 0, 0

    def lanes(self, ids, lanes):
        """`[words + 1, lanes]`: the last word of a lane is the first of the next."""
        length = (len(ids) - 1) // lanes
        self.text = torch.tensor([ids[lane * length : (lane + 1) * length + 1] for lane in range(lanes)]).t().contiguous()

    def step(self):
        if self.at + self.steps >= len(self.text):
            self.state, self.at = None, 0
        x, y = (self.text[first : first + self.steps] for first in (self.at, self.at + 1))
        rows, state = self.encoder(self.embedding(x), self.state)
        rows, y = rows.flatten(0, 1), y.flatten()
        if isinstance(self.head, nn.Linear):
            loss = functional.cross_entropy(self.head(rows), y)
        else:
            loss = self.head(rows, y).loss
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        self.at += self.steps
        self.words += y.numel()
        return loss.item()

    def take_turn(self):
        begun = time.process_time(), time.perf_counter()
        for _ in range(self.turn):
            loss = self.step()
        ended = time.process_time(), time.perf_counter()
        return [(e - b) / self.turn * 1e3 for b, e in zip(begun, ended)], loss, self.words


class Ours:
    """This engine, in a process of its own that takes a turn for every line that it is sent."""

    def __init__(self, binary, name, ids, weights, turn):
        command = [binary, "lm-turns", name, ids, weights]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", "the engine is ready"
        self.turn = turn

    def used(self):
        """Milliseconds that its only thread ran."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e6

    def take_turn(self):
        begun = self.used()
        print(file=self.process.stdin, flush=True)
        wall, loss, words = self.process.stdout.readline().split()
        return [(self.used() - begun) / self.turn, float(wall)], float(loss), int(words)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def compare(binary, workload, cell, ids, rounds, folder):
    _, _, _, _, lanes, steps, _, turn = WORKLOADS[workload]
    # Whole steps, so that both cut the text alike.
    ids = ids[: (len(ids) - 1) // (lanes * steps) * lanes * steps + 1]
    files = folder / "text", folder / "weights"
    np.array(ids, dtype="<u4").tofile(files[0])
    ours = Ours(binary, f"{workload} {cell}", *files, turn)
    theirs = Torch(workload, cell, files[1])
    theirs.lanes(ids, lanes)
    times = []
    for round in range(rounds + 1):
        # Whoever is first changes from round to round.
        sides = [ours, theirs] if round % 2 == 0 else [theirs, ours]
        taken = [side.take_turn() for side in sides]
        (ours_took, ours_loss, words), (theirs_took, theirs_loss, theirs_words) = taken if sides[0] is ours else taken[::-1]
        assert words == theirs_words, "both have read the same words"
        if round > 0:  # The first warms up.
            times.append([ours_took, theirs_took])
    ours.close()
    times = np.array(times)
    ratios = times[:, 1] / times[:, 0]
    (ours_ms, theirs_ms), (low, ratio, high) = np.median(times[:, :, 0], axis=0), np.percentile(ratios[:, 0], [25, 50, 75])
    least = times.min(axis=0)
    clock = np.percentile(ratios[:, 1], [25, 50, 75])
    print(
        f"{workload:10} {cell:4} ours {ours_ms:8.2f} ms ({least[0, 0]:.2f}), PyTorch {theirs_ms:8.2f} ({least[1, 0]:.2f}): "
        f"{ratio:5.2f}x ({low:.2f}-{high:.2f}), least {least[1, 0] / least[0, 0]:.2f}x; by the clock {clock[1]:.2f}x "
        f"({clock[0]:.2f}-{clock[2]:.2f}); loss {ours_loss:.4f} and {theirs_loss:.4f} after {words} words",
        flush=True,
    )


def main():
    binary, data = sys.argv[1], Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    torch.set_num_threads(1)
    # The package warns at every step that it is meant for a GPU.
    warnings.filterwarnings("ignore")
    print(f"PyTorch {torch.__version__}, load {os.getloadavg()[0]:.1f}", flush=True)
    texts = {}
    with tempfile.TemporaryDirectory() as folder:
        for workload, cell in itertools.product(WORKLOADS, CELLS):
            if only not in f"{workload} {cell}":
                continue
            source = "novels" if workload in ("full", "adaptive") else workload
            if source not in texts:
                # As many words as a run may need.
                texts[source] = text(workload, data)[:2_000_000]
            compare(binary, workload, cell, texts[source], rounds, Path(folder))


if __name__ == "__main__":
    main()

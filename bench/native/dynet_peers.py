"""Loops over single examples through DyNet beside this engine, one thread each, in turns.

    python3.11 -m venv dynet && dynet/bin/pip install dynet38
    cargo build --release -p saccade-bench
    dynet/bin/python bench/native/dynet_peers.py target/release/saccade-bench DATA [rounds] [part of a network's name]

DATA holds sst/trees/train.txt and ud_ewt/en_ewt-ud-train.conllu. Both sides take the same minibatches of 64 sentences in the same
order: a Tree-LSTM with a loss at every node, and taggers that read rare words (seen five times or fewer) letter by letter or not.
A greedy arc-standard parser, whose transitions are read from its scores, is forward only: in DyNet one sentence at a time, or all in
lock step by hand.
Training is forward, backward and Adam; reading is forward only. DyNet runs without batching (0), by agenda (1) and by depth
(2), in Python as its users do; this engine under each of its strategies, its Tree-LSTM also of cells, its taggers with whole sequences as one node.
Reading, the package's graphs take part as well, in Node and in Chromium (`loops.mjs`, `loops-page.mjs`): after `npm run package`,
and if there is a `node`, or one that NODE names, and a `chromium`, or one that CHROMIUM names.
Every contestant is a process of its own and takes a minibatch of each round; who begins changes. Prints sentences a second by the
processor's time that all threads of each process used, in Chromium those of the page's process (medians of the rounds, quartiles), and how many times as fast as DyNet's
best each is, by medians of ratios within rounds, by the processor's time and by the clock.
"""

import collections
import itertools
import os
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 64
WORDS, LETTERS = 20_000, 300
WORD, TREE, STATE, HIDDEN, LETTER, TAGS, LABELS, PARSER = 128, 128, 50, 32, 20, 17, 5, 64
INNER = 2**32 - 1
# Minibatches that nobody counts: JavaScript is compiled again as it is used.
WARM = 8
HERE = Path(__file__).resolve().parent
STRATEGIES = ["Unbatched", "Depth", "Agenda", "Levels"]
# Of each kind of network: this engine's forms of it.
FORMS = {"tree": ["tree", "tree-cells"], "tagger": ["tagger", "tagger-whole"], "letters": ["letters", "letters-whole"], "parser": ["parser"]}
# DyNet's ways: of batching, and of a parser how many sentences it takes in lock step.
DYNET = {network: [(autobatch, BATCH) for autobatch in range(3)] for network in FORMS}
DYNET["parser"] += [(autobatch, 1) for autobatch in range(3)]
# Where JavaScript runs, and what runs it there.
PLACES = {"Node": "loops.mjs", "Chromium": "loops-page.mjs"}


class Numbers(dict):
    """Numbers by name, in the order of their first use."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def __missing__(self, name):
        self[name] = len(self) % self.most
        return self[name]


def trees(data, count):
    """Label and word of every node, children before their parent."""
    words = Numbers(WORDS)
    lines = random.Random(7).sample((data / "sst/trees/train.txt").read_text().splitlines(), count)
    read = []
    for line in lines:
        nodes, open_labels = [], []
        for token in re.findall(r"\(|\)|[^ ()]+", line):
            if token == "(":
                open_labels.append(None)
            elif token == ")":
                label, word = open_labels.pop()
                nodes.append((label, INNER if word is None else words[word]))
            elif open_labels[-1] is None:
                open_labels[-1] = (int(token), None)
            else:
                open_labels[-1] = (open_labels[-1][0], token)
        read.append(nodes)
    return read


def sentences(data, count, letters):
    """Number, tag and letters (if the word is read by them) of every word."""
    text = (data / "ud_ewt/en_ewt-ud-train.conllu").read_text()
    blocks = [[line.split("\t") for line in block.splitlines() if re.match(r"\d+\t", line)] for block in text.split("\n\n")]
    every = [[(fields[1], fields[3]) for fields in block] for block in blocks if block]
    seen = collections.Counter(word for sentence in every for word, _ in sentence)
    words, tags, alphabet = Numbers(WORDS), Numbers(TAGS), Numbers(LETTERS)

    def spelled(word):
        return [alphabet[letter] for letter in f"<{word}>"] if letters and seen[word] <= 5 else []

    drawn = random.Random(7).sample(every, count)
    return [[(words[word], tags[tag], spelled(word)) for word, tag in sentence] for sentence in drawn]


def examples(network, data, count):
    return trees(data, count) if network == "tree" else sentences(data, count, network == "letters")


def write(network, drawn, file):
    numbers = []
    for example in drawn:
        numbers.append(len(example))
        for node in example:
            if network == "tree":
                numbers += node
            else:
                numbers += [*node[:2], len(node[2]), *node[2]]
    file.write_bytes(struct.pack(f"<{len(numbers)}I", *numbers))


def parse(dy, words, there, back, weights, sentences):
    """Parses sentences in lock step; how many transitions it took."""
    hidden, bias, output, nobody = weights
    taken, waiting = 0, []
    for sentence in sentences:
        rows = [words[word] for word, _, _ in sentence]
        both = zip(there.initial_state().transduce(rows), back.initial_state().transduce(rows[::-1])[::-1])
        waiting.append(([dy.concatenate(list(pair)) for pair in both], [], 0))
    while waiting := [(rows, stack, first) for rows, stack, first in waiting if first < len(rows) or len(stack) > 1]:
        scores = []
        for rows, stack, first in waiting:
            two = [nobody, nobody, *(rows[word] for word in stack[-2:])][-2:]
            slots = dy.concatenate([*two, rows[first] if first < len(rows) else nobody])
            scores.append(output * dy.tanh(dy.affine_transform([bias, hidden, slots])))
        dy.forward(scores)
        for at, score in enumerate(scores):
            rows, stack, first = waiting[at]
            allowed = [first < len(rows), len(stack) > 1, len(stack) > 1]
            values = score.npvalue()
            best = max((each for each in range(3) if allowed[each]), key=lambda each: values[each])
            if best == 0:
                stack.append(first)
                waiting[at] = (rows, stack, first + 1)
            else:
                stack.pop(-2 if best == 1 else -1)
        taken += len(scores)
    return taken


def play_dynet(network, autobatch, together, learns, data, count):
    """DyNet's side, in a process of its own: a minibatch for every number on standard input."""
    import dynet_config

    dynet_config.set(mem=2048, random_seed=1, autobatch=autobatch)
    import dynet as dy

    model = dy.ParameterCollection()
    trainer = dy.AdamTrainer(model)
    words = model.add_lookup_parameters((WORDS, WORD))

    def weight(*shape):
        return model.add_parameters(shape)

    if network == "tree":
        leaf, inner = ([weight(TREE, columns) for _ in "iou"] for columns in (WORD, 2 * TREE))
        forget, bias, output = [weight(TREE, TREE) for _ in "lr"], [weight(TREE) for _ in "iouf"], weight(LABELS, TREE)

        def losses(example):
            states, found = [], []
            for label, word in example:
                children = [] if word != INNER else [states.pop(), states.pop()][::-1]
                gates, x = (leaf, words[word]) if not children else (inner, dy.concatenate([h for h, _ in children]))
                i, o, u = (dy.affine_transform([bias[k], gates[k], x]) for k in range(3))
                c = dy.cmult(dy.logistic(i), dy.tanh(u))
                for (h, memory), w in zip(children, forget):
                    c = c + dy.cmult(dy.logistic(dy.affine_transform([bias[3], w, h])), memory)
                h = dy.cmult(dy.logistic(o), dy.tanh(c))
                found.append(dy.pickneglogsoftmax(output * h, label))
                states.append((h, c))
            return found

    elif network == "parser":
        there, back = (dy.VanillaLSTMBuilder(1, WORD, STATE, model) for _ in range(2))
        weights = [weight(PARSER, 6 * STATE), weight(PARSER), weight(3, PARSER), weight(2 * STATE)]

    else:
        letters = model.add_lookup_parameters((LETTERS, LETTER))
        hidden, output = weight(HIDDEN, 2 * STATE), weight(TAGS, HIDDEN)
        there, back = (dy.VanillaLSTMBuilder(1, WORD, STATE, model) for _ in range(2))
        spell_there, spell_back = (dy.VanillaLSTMBuilder(1, LETTER, WORD // 2, model) for _ in range(2))

        def losses(example):
            begin = [lstm.initial_state() for lstm in (there, back, spell_there, spell_back)]

            def row(word, spelling):
                if not spelling:
                    return words[word]
                read = [letters[letter] for letter in spelling]
                return dy.concatenate([begin[2].transduce(read)[-1], begin[3].transduce(read[::-1])[-1]])

            rows = [row(word, spelling) for word, _, spelling in example]
            both = zip(begin[0].transduce(rows), begin[1].transduce(rows[::-1])[::-1])
            scores = (output * dy.tanh(hidden * dy.concatenate(list(pair))) for pair in both)
            return [dy.pickneglogsoftmax(score, tag) for score, (_, tag, _) in zip(scores, example)]

    drawn = examples(network, data, count)
    print("ready", flush=True)
    for line in sys.stdin:
        first = int(line) * BATCH
        begun = time.perf_counter()
        if network == "parser":
            taken = 0
            for at in range(first, first + BATCH, together):
                dy.renew_cg()
                taken += parse(dy, words, there, back, weights, drawn[at : at + together])
            print((time.perf_counter() - begun) * 1e3, taken, flush=True)
            continue
        dy.renew_cg()
        loss = dy.esum([loss for example in drawn[first : first + BATCH] for loss in losses(example)])
        value = loss.value()
        if learns:
            loss.backward()
            trainer.update()
        print((time.perf_counter() - begun) * 1e3, value, flush=True)


def renderers(process):
    """The processes of pages below one that started a browser."""
    children = collections.defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # What is in brackets, the program's name, may have blanks in it.
        children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
    below = [process]
    for parent in below:
        below += children[parent]
    return [each for each in below if b"--type=renderer" in Path(f"/proc/{each}/cmdline").read_bytes()]


class Contestant:
    """A process that takes a minibatch for every number that it is sent."""

    def __init__(self, name, command):
        self.name, self.seconds, self.clock = name, [], []
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | threads
        )
        assert self.process.stdout.readline() == "ready\n", f"{name} is ready"
        self.computing = renderers(self.process.pid) or [self.process.pid]

    def used(self):
        """Seconds that the threads ran of the processes that compute."""
        stats = (stat for process in self.computing for stat in Path(f"/proc/{process}/task").glob("*/schedstat"))
        return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9

    def take(self, minibatch):
        """Seconds by the processor's time, and by the clock."""
        begun = self.used()
        print(minibatch, file=self.process.stdin, flush=True)
        milliseconds, _ = self.process.stdout.readline().split()
        return self.used() - begun, float(milliseconds) / 1e3

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(binary, data, network, learns, rounds, minibatches):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "examples"
        write(network, examples(network, data, BATCH * minibatches), file)
        mode = "learn" if learns else "read"
        node = shutil.which(os.environ.get("NODE", "node")) if (HERE / "../../js/dist/graph/node.js").exists() else None
        has_browser = shutil.which(os.environ.get("CHROMIUM", "chromium"))
        places = {place: script for place, script in PLACES.items() if place != "Chromium" or has_browser}
        contestants = [
            Contestant(
                f"DyNet {autobatch}" + (", one by one" if together == 1 else ""),
                [sys.executable, __file__, "dynet", network, str(autobatch), str(together), mode, str(data), str(minibatches)],
            )
            for autobatch, together in DYNET[network]
        ] + [
            Contestant(f"{form} {strategy}", [binary, "loops-turns", form, strategy, mode, str(file)])
            for form, strategy in itertools.product(FORMS[network], STRATEGIES)
        ] + [
            Contestant(f"{form} in {place}", [node, str(HERE / script), form, "Levels", str(file)])
            for form, (place, script) in itertools.product(FORMS[network], places.items())
            if node and not learns and form not in ("tree", "parser")
        ]
        for round in range(rounds + WARM):
            at = round % len(contestants)
            for contestant in contestants[at:] + contestants[:at]:
                taken = contestant.take(round % minibatches)
                if round >= WARM:
                    contestant.seconds.append(taken[0])
                    contestant.clock.append(taken[1])
        for contestant in contestants:
            contestant.close()
    best = min(contestants[: len(DYNET[network])], key=lambda dynet: statistics.median(dynet.seconds))
    print(f"{network}, {mode}: best of DyNet's is {best.name}")
    for contestant in contestants:
        low, middle, high = statistics.quantiles((BATCH / seconds for seconds in contestant.seconds), n=4)
        ratio = statistics.median(b / c for b, c in zip(best.seconds, contestant.seconds))
        by_clock = statistics.median(b / c for b, c in zip(best.clock, contestant.clock))
        rates = f"{middle:7.0f} sentences/s ({low:.0f}-{high:.0f})"
        print(f"  {contestant.name:24} {rates}, {ratio:5.2f}x; by the clock {by_clock:.2f}x", flush=True)


def main():
    if sys.argv[1] == "dynet":
        _, _, network, autobatch, together, mode, data, minibatches = sys.argv
        # DyNet reads the arguments of the command line itself.
        sys.argv = sys.argv[:1]
        return play_dynet(network, int(autobatch), int(together), mode == "learn", Path(data), BATCH * int(minibatches))
    binary, data = sys.argv[1], Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    for network, learns in itertools.product(FORMS, (True, False)):
        if only in f"{network} {'learn' if learns else 'read'}" and not (network == "parser" and learns):
            compare(binary, data, network, learns, rounds, min(rounds + WARM, 20))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Classifies IMDb's test set with Ray Data: each worker has a `saccade` of its own for a child, and gives it batches of texts.

    python3 corpus.py [--data test.tsv] [--texts N] [--workers 2] [--out FOLDER] [--kill]

makes a virtual environment beside this file the first time, writes Parquet, and holds the records against those of one process,
byte for byte. `--kill` ends a worker while it reads: Ray starts another, and the result is the same. Exit status: 0 equal, 1 not.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = ["ray[data]==2.*"]


def environment():
    """Goes on in this example's own virtual environment, made if it is not there."""
    folder = Path(os.environ.get("SACCADE_VENV", HERE / ".venv"))
    python = folder / "bin" / "python"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (folder / "complete").touch()
    os.execv(python, [python, *sys.argv])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = os.environ.get("SACCADE_DATA", ROOT.parent / "shared" / "data")
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--data", type=Path, default=Path(shared) / "imdb" / "test.tsv")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "imdb-skim-lstm.safetensors")
    parser.add_argument("--saccade", type=Path, default=built / "release" / "saccade")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true")
    given = parser.parse_args()
    # Before anything is installed.
    for option, path, advice in [
        ("--data", given.data, "a line a text: label, number, stars and text, with tabs between them"),
        ("--model", given.model, "a classifier's file"),
        ("--saccade", given.saccade, "cargo build --release --package saccade-cli makes it"),
    ]:
        if not path.is_file():
            parser.error(f"{option}: {path} is no file ({advice})")
    # Ray adds its files to those that it finds.
    if given.out and given.out.exists() and not (given.out.is_dir() and not any(given.out.iterdir())):
        parser.error(f"--out: {given.out} is no empty folder")
    return given


def command(saccade, model):
    return [str(saccade), "read", "--model", str(model), "--lines=json"]


def question(number, text):
    return json.dumps({"id": int(number), "text": text}).encode() + b"\n"


def record(line):
    """A record without the number of its line, which each process counts for itself; its `id` says which text it is."""
    return "{" + line.decode().rstrip("\n").split(",", 1)[1]


class Reader:
    """A worker: a child that reads lines until this process ends, and with it the child's input."""

    def __init__(self, command, present):
        self.command = command
        self.mark = Path(present) / str(os.getpid())
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, lines):
        # Written beside reading: the pipes have room for neither all questions nor all answers.
        def write():
            try:
                self.child.stdin.write(b"".join(lines))
                self.child.stdin.flush()
            except BrokenPipeError:
                pass

        writer = threading.Thread(target=write)
        writer.start()
        answers = [self.child.stdout.readline() for _ in lines]
        writer.join()
        return answers if all(answer.endswith(b"\n") for answer in answers) else None

    def __call__(self, batch):
        lines = [question(number, text) for number, text in zip(batch["number"], batch["text"])]
        for _ in range(3):
            answers = self.ask(lines)
            if answers is not None:
                self.mark.touch()
                records = [record(answer) for answer in answers]
                labels = [json.loads(one).get("label") for one in records]
                return {"number": batch["number"], "label": labels, "record": records}
            self.child.kill()
            self.start()
        raise RuntimeError("saccade ends on these texts again and again")


def kill_one(present, killed):
    """Ends the worker that answers first, in the midst of its second batch."""
    while not (workers := list(present.iterdir())):
        time.sleep(0.01)
    os.kill(int(workers[0].name), signal.SIGKILL)
    killed.set()


def main(given):
    import pyarrow.parquet
    import ray

    with given.data.open(encoding="utf-8") as file:
        texts = [line.rstrip("\n").split("\t")[3] for line in file][: given.texts]
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder) / "out"
        present = Path(folder) / "workers"
        present.mkdir()
        killed = threading.Event()
        ray.init(num_cpus=given.workers, include_dashboard=False, log_to_driver=False)
        if given.kill:
            threading.Thread(target=kill_one, args=(present, killed), daemon=True).start()
        begun = time.monotonic()
        rows = ray.data.from_items([{"number": number, "text": text} for number, text in enumerate(texts)])
        answered = rows.map_batches(
            Reader,
            fn_constructor_args=[command(given.saccade, given.model), str(present)],
            batch_size=64,
            concurrency=given.workers,
        )
        answered.write_parquet(str(out))
        seconds = time.monotonic() - begun
        ray.shutdown()
        table = pyarrow.parquet.read_table(out).sort_by("number")
        many = table.column("record").to_pylist()

        lines = b"".join(question(number, text) for number, text in enumerate(texts))
        begun = time.monotonic()
        one = subprocess.run(command(given.saccade, given.model), input=lines, stdout=subprocess.PIPE)
        # 3: a record for each line, of which some say why they have no answer.
        if one.returncode not in (0, 3):
            sys.exit(f"saccade ended with status {one.returncode}")
        alone = time.monotonic() - begun
        one = [record(line) for line in one.stdout.splitlines()]

    tokens = sum(json.loads(line).get("tokenCount", 0) for line in one)
    digest = hashlib.sha256("\n".join(many).encode()).hexdigest()
    equal = many == one
    told = {
        "texts": len(texts),
        "tokens": tokens,
        "workers": given.workers,
        "killed": killed.is_set(),
        "equal": equal,
        "sha256": digest,
        "seconds": round(seconds, 2),
        "seconds_of_one_process": round(alone, 2),
    }
    print(json.dumps(told))
    sys.exit(0 if equal and killed.is_set() == given.kill else 1)


if __name__ == "__main__":
    given = arguments()
    environment()
    main(given)

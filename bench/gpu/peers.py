"""What others take for the cases of `saccade-bench gpu` on the same device: cuDNN through PyTorch, and the `sru` package's kernel.

    saccade-bench gpu OURS.json
    python3 bench/gpu/peers.py OURS.json PEERS.json [seconds]

Every peer computes what the case names, from random weights and an input that already lies on the device: an LSTM or a GRU by
cuDNN, in f32 and with TF32, which PyTorch allows by default; an SRU by the package and, at the same size, cuDNN's LSTM; for a
Skim-LSTM cuDNN's LSTM of that shape; for an adaptive softmax PyTorch's own. Training is forward and backward of the sum of the
outputs down to the weights, without an optimiser.

`milliseconds` are clock samples of single calls on an idle device until it is idle again. `queued_milliseconds` is a call's share
of several that are queued at once, between events on the device; `profile` has the kernels of one call and their
sum, by PyTorch's profiler; cuDNN runs some of them side by side. A peer that fails is recorded with its reason. Without CUDA all
of it runs on the CPU, to be tried, and says so.
"""

import contextlib
import datetime
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
SECONDS_A_PEER = 0.4
LEAST_SAMPLES, MOST_SAMPLES = 3, 200
SEED = 1


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


@contextlib.contextmanager
def tf32(allowed):
    """Whether products inside may round their factors to TF32's 10 bits; what was set returns."""
    flags = [torch.backends.cudnn, torch.backends.cuda.matmul]
    before = [flag.allow_tf32 for flag in flags]
    try:
        for flag in flags:
            flag.allow_tf32 = allowed
        yield
    finally:
        for flag, value in zip(flags, before):
            flag.allow_tf32 = value


# Networks: each builds its module and input for a case and gives a function of no arguments that runs it once.


def call(module, x, training, result):
    """One call of `module(x)`, whose `result` is differentiated with respect to all parameters if it trains."""
    if not training:
        module.eval()

        def infer():
            with torch.no_grad():
                result(module(x))

        return infer
    wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]

    def train():
        y = result(module(x))
        torch.autograd.grad(y, wanted, torch.ones_like(y))

    return train


def sequence(case, module):
    x = torch.randn(case["steps"], case["batch"], case["input"], device=DEVICE)
    return call(module.to(DEVICE), x, case.get("training", False), lambda output: output[0])


def recurrent(kind):
    return lambda case: sequence(case, kind(case["input"], case["hidden"], case["layers"]))


def sru(package):
    def build(case):
        return sequence(case, package.SRU(case["input"], case["hidden"], case["layers"], rescale=False, layer_norm=False, dropout=0))

    return build


def adaptive(case):
    """Log-likelihoods of words drawn by Zipf's law, the most frequent first."""
    module = nn.AdaptiveLogSoftmaxWithLoss(case["hidden"], case["words"], case["cutoffs"]).to(DEVICE)
    frequency = 1 / torch.arange(1, case["words"] + 1, dtype=torch.float64)
    words = torch.multinomial(frequency, case["rows"], replacement=True).to(DEVICE)
    x = torch.randn(case["rows"], case["hidden"], device=DEVICE)
    bound = Bound(module, words)
    return call(bound, x, case.get("training", False), lambda output: output.output)


class Bound(nn.Module):
    """A module of two arguments whose second one is fixed."""

    def __init__(self, module, second):
        super().__init__()
        self.module, self.second = module, second

    def forward(self, x):
        return self.module(x, self.second)


def peers_of(case, package):
    """Of every peer's name: what builds it, and whether it may use TF32."""
    network = case["network"]
    if network == "adaptive":
        return {"PyTorch f32": (adaptive, False), "PyTorch TF32": (adaptive, True)}
    kind = recurrent(nn.GRU if network == "gru" else nn.LSTM)
    peers = {"cuDNN f32": (kind, False), "cuDNN TF32": (kind, True)}
    if network == "sru":
        peers["sru f32"] = (sru(package), False)
    return peers


# Measuring.


def elapsed_on_device(run, calls):
    """Milliseconds a call of several queued at once, by events; without a device's events nothing."""
    if not CUDA:
        return None
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(calls):
        run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / calls


def timed(run):
    synchronize()
    start = time.perf_counter()
    run()
    synchronize()
    return (time.perf_counter() - start) * 1e3


def measure(run, seconds):
    """Two calls warm up, so that plans are made and memory is taken; the second tells how many samples there is time for."""
    timed(run)
    expected = timed(run) / 1e3
    samples = int(min(MOST_SAMPLES, max(LEAST_SAMPLES, 0.7 * seconds / expected)))
    return {
        "milliseconds": [timed(run) for _ in range(samples)],
        "queued_milliseconds": elapsed_on_device(run, max(1, min(50, samples // 3))),
    }


def kernels(run):
    """Launches of one call and the sum of their milliseconds, as the profiler sees them."""
    timed(run)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        timed(run)
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace.json")
        profile.export_chrome_trace(trace)
        with open(trace) as file:
            durations = [event["dur"] for event in json.load(file)["traceEvents"] if event.get("cat") == "kernel"]
    if not durations:
        raise RuntimeError("the profiler saw no kernel")
    return {"launches": len(durations), "milliseconds": sum(durations) / 1e3}


def attempt(build, case, allowed, observe):
    """What `observe` says of the peer that `build` makes for the case, or why it cannot be asked."""
    torch.manual_seed(SEED)
    try:
        with tf32(allowed):
            return observe(build(case))
    except Exception as error:  # whatever a peer cannot do is a finding, the rest goes on
        return {"skipped": f"{type(error).__name__}: {error}".splitlines()[0]}
    finally:
        gc.collect()
        if CUDA:
            torch.cuda.empty_cache()


def ceilings():
    """The fastest copy within the device's memory, bytes read and written, and the fastest f32 product of square matrices."""
    elements, size, rounds = (1 << 29, 8192, 10) if CUDA else (1 << 25, 1024, 5)
    source, target = torch.ones(elements, device=DEVICE), torch.empty(elements, device=DEVICE)
    a, b = torch.randn(size, size, device=DEVICE), torch.randn(size, size, device=DEVICE)

    def fastest(run):
        timed(run)
        return min(elapsed_on_device(run, 1) if CUDA else timed(run) for _ in range(rounds)) / 1e3

    with tf32(False), torch.no_grad():
        return {
            "bytes_per_second": 2 * source.nbytes / fastest(lambda: target.copy_(source)),
            "flops_per_second": 2 * size**3 / fastest(lambda: a @ b),
        }


def driver():
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return None


class Absent:
    """Stands for a package that could not be imported: whoever uses it is told why."""

    __version__ = None

    def __init__(self, reason):
        self.reason = reason

    def SRU(self, *_, **__):
        raise ImportError(self.reason)


def sru_package():
    try:
        import mended_sru

        return mended_sru.load()
    except Exception as error:
        return Absent(str(error))


def write(record, path):
    """At once, so that a run which is stopped leaves whole what it had."""
    with open(f"{path}.part", "w") as file:
        json.dump(record, file, indent=1)
    os.replace(f"{path}.part", path)


def facts(package):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "device": torch.cuda.get_device_name() if CUDA else "CPU",
        "cuda": CUDA,
        "driver": driver() if CUDA else None,
        "versions": {
            "torch": torch.__version__,
            "cuDNN": torch.backends.cudnn.version() if CUDA else None,
            "sru": package.__version__,
        },
        "ceilings": ceilings(),
    }


def told(answer):
    return f"{statistics.median(answer['milliseconds']):.3f} ms" if "milliseconds" in answer else answer["skipped"]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    end = time.monotonic() + (float(sys.argv[3]) if len(sys.argv) == 4 else 170)
    with open(sys.argv[1]) as file:
        cases = json.load(file)["cases"]
    package = sru_package() if any(case["network"] == "sru" for case in cases) else Absent("no case asks for it")
    answers = [{"name": case["name"], "group": case["group"], "peers": {}} for case in cases]
    record = {**facts(package), "cases": answers}
    print(f"{record['device']}, PyTorch {torch.__version__}, sru {package.__version__ or package.reason}", file=sys.stderr)
    turns = [
        (case, answer["peers"], name, *peer)
        for case, answer in zip(cases, answers)
        for name, peer in peers_of(case, package).items()
    ]
    for done, (case, of_case, name, build, allowed) in enumerate(turns):
        share = (end - time.monotonic()) / (len(turns) - done)
        if share > 0:
            of_case[name] = attempt(build, case, allowed, lambda run: measure(run, min(SECONDS_A_PEER, share)))
        else:
            of_case[name] = {"skipped": "no time was left"}
        print(f"{case['group']}: {case['name']}: {name} {told(of_case[name])}", file=sys.stderr)
        write(record, sys.argv[2])
    # Last, since a profiler that was used once may slow what comes after.
    for case, of_case, name, build, allowed in turns if CUDA else []:
        if "milliseconds" in of_case[name] and time.monotonic() < end:
            of_case[name]["profile"] = attempt(build, case, allowed, kernels)
    write(record, sys.argv[2])


if __name__ == "__main__":
    main()

"""The table and the record of one run on a GPU, from what `saccade-bench gpu` and `peers.py` wrote.

    python3 bench/gpu/table.py OURS.json PEERS.json TABLE.md RECORD.json

PEERS.json may be missing: then what needs it is a dash. A figure that was not measured is always a dash, and a target that cannot
be judged for want of one is called so. Needs nothing but Python.
"""

import datetime
import json
import statistics
import sys

DASH = "–"
GROUPS = {
    "forward": "Forward",
    "training": "Training: forward and backward",
    "skim": "Skim-LSTM",
    "softmax": "Adaptive softmax",
}
LSTM_BATCHES, LSTM_MOST = (32, 256), 1.5
SRU_LEAST = 3
SKIM_BATCH, SKIM_LEAST = 256, 0.8


def number(value, unit=""):
    """Three figures that count, or a dash."""
    if value is None:
        return DASH
    digits = f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"
    return digits + unit


def times(value):
    return DASH if value is None else f"**{number(value)} ×**"


def percent(value):
    return DASH if value is None else number(100 * value, " %")


def median(measured):
    """Of a case or a peer; None if it was not timed, or its answer is wrong."""
    samples = (measured or {}).get("milliseconds")
    return statistics.median(samples) if samples and "wrong" not in measured else None


def spread(measured):
    """Median and quartiles, or why there are none."""
    if median(measured) is None:
        return next((f"{word}: {measured[word]}" for word in ("wrong", "skipped") if word in (measured or {})), DASH)
    samples = measured["milliseconds"]
    if len(samples) < 3:
        return number(median(measured))
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return f"{number(median(measured))} ({number(low)}{DASH}{number(high)})"


def kernels(peer):
    """Their sum and number."""
    profile = (peer or {}).get("profile", {})
    return f"{number(profile['milliseconds'])} in {profile['launches']}" if "launches" in profile else DASH


def quotient(a, b):
    return None if a is None or not b else a / b


class Run:
    """Both files together."""

    def __init__(self, ours, peers):
        self.ours, self.peers = ours, peers or {}
        self.of_case = {(case["group"], case["name"]): case["peers"] for case in self.peers.get("cases", [])}
        self.ceilings = self.peers.get("ceilings", {})

    def peer(self, case, name):
        return self.of_case.get((case["group"], case["name"]), {}).get(name)

    def ratio(self, case, name):
        """How many times as long as the peer we take."""
        return quotient(median(case), median(self.peer(case, name)))

    def roofline(self, case):
        """The least milliseconds that this device's measured ceilings allow."""
        limits = [(case.get(amount), self.ceilings.get(f"{amount}_per_second")) for amount in ("flops", "bytes")]
        if any(amount is None or not ceiling for amount, ceiling in limits):
            return None
        return max(amount / ceiling for amount, ceiling in limits) * 1e3

    def whole(self, case):
        """The Skim-LSTM of the same size that skims nothing."""

        def size(other):
            return [other.get(key) for key in ("batch", "steps", "input", "hidden", "layers")]

        reading = (other for other in self.ours["cases"] if other.get("network") == "skim" and other.get("skimmed") == 0)
        return next((other for other in reading if size(other) == size(case)), {})

    def saving(self, case):
        """Shares of the FLOPs and of the time that skimming saves."""
        whole = self.whole(case)
        return tuple(
            None if part is None else 1 - part
            for part in (quotient(case.get("flops"), whole.get("flops")), quotient(median(case), median(whole)))
        )


# Columns: a head, and what stands in it for a case.


def columns(group, run):
    library = "PyTorch" if run.peers.get("cuda") is False else "cuDNN"

    def peer(head, name):
        return [
            (f"{head} ms", lambda case: spread(run.peer(case, name))),
            (f"ours / {head}", lambda case: times(run.ratio(case, name))),
        ]

    def closer(head, name):
        """A peer with what it takes when calls are queued, and its kernels."""
        return [
            *peer(head, name),
            (f"{head} queued", lambda case: number((run.peer(case, name) or {}).get("queued_milliseconds"))),
            (f"{head} kernels", lambda case: kernels(run.peer(case, name))),
        ]

    shown = [
        ("case", lambda case: case["name"] + (", training" if group == "softmax" and case.get("training") else "")),
        ("ours ms", spread),
        ("by timestamps", lambda case: number(case.get("gpu_milliseconds"))),
        ("launches", lambda case: DASH if case.get("launches") is None else str(case["launches"])),
        ("roofline", lambda case: percent(quotient(run.roofline(case), median(case)))),
        ("GB/s", lambda case: number(quotient(case.get("bytes"), None if median(case) is None else median(case) * 1e6))),
    ]
    if group == "skim":
        shown += [
            ("FLOPs saved", lambda case: percent(run.saving(case)[0])),
            ("time saved", lambda case: percent(run.saving(case)[1])),
        ]
    if group == "softmax":
        shown += closer("PyTorch f32", "PyTorch f32") + peer("PyTorch TF32", "PyTorch TF32")
    else:
        shown += closer(f"{library} f32", "cuDNN f32") + peer(f"{library} TF32", "cuDNN TF32")
    if any(run.peer(case, "sru f32") for case in run.ours["cases"] if case["group"] == group):
        shown += closer("sru", "sru f32")
    return shown + [("error", lambda case: DASH if case.get("error") is None else f"{case['error']:.1e}")]


def table(group, run):
    cases = [case for case in run.ours["cases"] if case["group"] == group]
    if not cases:
        return []
    shown = columns(group, run)

    def row(cells):
        return "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |"

    lines = [row(head for head, _ in shown), row("---" for _ in shown)]
    lines += [row(cell(case) for _, cell in shown) for case in cases]
    return ["", f"## {GROUPS.get(group, group)}", "", *lines]


# Targets.


def target(name, case, value, reached):
    verdict = None if value is None else reached(value)
    return {"target": name, "group": case["group"], "case": case["name"], "value": value, "reached": verdict}


def targets(run):
    """Every case that a target speaks of, with its figure; `reached` is None where the figure is missing.

    Targets are said of a GPU: a software adapter, or a peer that ran on the CPU, gives no figure.
    """
    judged = []
    if run.ours.get("adapter", {}).get("software"):
        return judged

    def beside_cudnn(case):
        return run.ratio(case, "cuDNN f32") if run.peers.get("cuda") else None

    for case in run.ours["cases"]:
        if case.get("network") == "lstm" and case.get("batch") in LSTM_BATCHES:
            name = f"LSTM at batch {case['batch']}: at most {LSTM_MOST} times cuDNN's time in f32"
            judged.append(target(name, case, beside_cudnn(case), lambda value: value <= LSTM_MOST))
        if case.get("network") == "sru":
            name = f"SRU: at least {SRU_LEAST} times as fast as cuDNN's LSTM in f32 of the same size"
            judged.append(target(name, case, quotient(1, beside_cudnn(case)), lambda value: value >= SRU_LEAST))
        if case.get("network") == "skim" and case.get("batch") == SKIM_BATCH and case.get("skimmed", 0) > 0:
            flops, time = run.saving(case)
            name = f"Skim-LSTM at batch {SKIM_BATCH}: the share of time saved is at least {SKIM_LEAST} of the share of FLOPs saved"
            judged.append(target(name, case, quotient(time, flops), lambda value: value >= SKIM_LEAST))
    return judged


def verdicts(judged):
    lines = ["", "## Targets", ""]
    for name in dict.fromkeys(one["target"] for one in judged):
        of = [one for one in judged if one["target"] == name]
        known = [one for one in of if one["reached"] is not None]
        reached = sum(one["reached"] for one in known)
        if not known:
            verdict = "not judged, no figure"
        elif reached == len(of):
            verdict = "reached"
        else:
            verdict = "reached in part" if reached else "missed"
        lines.append(f"- {name}: **{verdict}** ({reached} of {len(of)}).")
        missed = [f"{one['case']} ({one['group']}) {number(one['value'])}" for one in known if not one["reached"]]
        unknown = [f"{one['case']} ({one['group']})" for one in of if one["reached"] is None]
        lines += [f"  - missed: {'; '.join(missed)}"] if missed else []
        lines += [f"  - without a figure: {'; '.join(unknown)}"] if unknown else []
    return lines if judged else [*lines, "None is judged: they are said of cases on a GPU, and none was measured."]


# What stands on top.


def head(run):
    adapter, peers = run.ours.get("adapter", {}), run.peers
    device = f"{adapter.get('name', DASH)} through {adapter.get('backend', DASH)}"
    if adapter.get("software"):
        device += ", a software adapter: these times say nothing of a GPU"
    versions = peers.get("versions", {})
    facts = [
        peers.get("date") or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        device,
        f"driver {adapter.get('driver') or peers.get('driver') or DASH}",
    ]
    beside = [f"peers on {peers.get('device', DASH)}"] + [f"{name} {versions.get(name) or DASH}" for name in ("torch", "cuDNN", "sru")]
    copied, multiplied = (run.ceilings.get(key) for key in ("bytes_per_second", "flops_per_second"))
    ceilings = (
        f"Ceilings measured through PyTorch: {number(quotient(copied, 1e9))} GB/s (a copy, bytes read and written), "
        f"{number(quotient(multiplied, 1e12))} TFLOP/s (a product of square f32 matrices, without TF32)."
    )
    legend = (
        "Milliseconds are medians of single calls (quartiles in brackets), from an idle device until the results lie ready on it. "
        "*By timestamps* is the sum of our kernels alone; *kernels* are a peer's, of which cuDNN runs some side by side; *queued* is a "
        "call's share of several that wait for each other only. *Roofline* is the least time that both ceilings allow, over ours: the "
        "matrix products' FLOPs at the product's rate or the bytes that must move at the copy's, whichever takes longer; *GB/s* are "
        "those bytes over our time. *Ours /* a peer below 1 means that we are faster. For an SRU and a Skim-LSTM, the peer is an "
        "LSTM of the same size. *Error* is the largest difference from the CPU, over the largest value. A dash was not measured."
    )
    title = "# On a software adapter" if adapter.get("software") else "# On a real GPU"
    paragraphs = [title, "; ".join(facts) + ".", "; ".join(beside) + ".", ceilings, legend]
    return "\n\n".join(paragraphs).split("\n")


def read(path):
    with open(path) as file:
        return json.load(file)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    ours = read(sys.argv[1])
    try:
        peers = read(sys.argv[2])
    except (OSError, json.JSONDecodeError) as error:
        print(f"the table has no peers: {error}", file=sys.stderr)
        peers = None
    run = Run(ours, peers)
    judged = targets(run)
    groups = dict.fromkeys([*GROUPS, *(case["group"] for case in ours["cases"])])
    lines = head(run) + verdicts(judged) + [line for group in groups for line in table(group, run)]
    with open(sys.argv[3], "w") as file:
        file.write("\n".join(lines) + "\n")
    with open(sys.argv[4], "w") as file:
        json.dump({"ours": ours, "peers": peers, "targets": judged}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()

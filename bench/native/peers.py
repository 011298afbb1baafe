"""The native workloads through onnxruntime and PyTorch beside this engine, one thread each, in rounds that take turns.

    cargo build --release -p saccade-bench
    python bench/native/peers.py target/release/saccade-bench [rounds]

Needs numpy, onnx and onnxruntime; PyTorch where it is installed. Prints milliseconds (median and least) and how many
times as long as this engine each peer takes. Weights are random: times alone are compared here.
"""

import re
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

try:
    import torch
except ImportError:
    torch = None

SHAPES = {  # batch, steps, input, hidden, layers
    "W1": (1, 20, 100, 100, 1),
    "W2": (1, 200, 300, 100, 1),
    "W3": (32, 64, 128, 128, 2),
    "W4": (1, 256, 512, 512, 1),
}
GATES = {"Lstm": 4, "Gru": 3}


def uniform(*shape):
    return (np.random.rand(*shape).astype(np.float32) - 0.5) * 0.2


def onnx_model(cell, batch, steps, inputs, hidden, layers):
    """A stack of the ONNX operator; between layers its direction axis is taken away."""
    nodes, weights, x = [], [], "x"

    def weight(name, values):
        weights.append(numpy_helper.from_array(values, name))
        return name

    axis = weight("axis", np.array([1], dtype=np.int64))
    for layer in range(layers):
        gates, width = GATES[cell] * hidden, inputs if layer == 0 else hidden
        operands = [
            x,
            weight(f"w{layer}", uniform(1, gates, width)),
            weight(f"r{layer}", uniform(1, gates, hidden)),
            weight(f"b{layer}", uniform(1, 2 * gates)),
        ]
        extra = {"linear_before_reset": 1} if cell == "Gru" else {}
        nodes.append(helper.make_node(cell.upper(), operands, [f"y{layer}"], hidden_size=hidden, **extra))
        x = f"x{layer + 1}"
        nodes.append(helper.make_node("Squeeze", [f"y{layer}", axis], [x]))
    graph = helper.make_graph(
        nodes,
        cell,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, batch, inputs])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [steps, batch, hidden])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def of_onnxruntime(cell, shape):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(
        onnx_model(cell, *shape).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = uniform(shape[1], shape[0], shape[2])
    return lambda: session.run(None, {"x": x})


def of_torch(cell, shape):
    batch, steps, inputs, hidden, layers = shape
    torch.set_num_threads(1)
    module = {"Lstm": torch.nn.LSTM, "Gru": torch.nn.GRU}[cell](inputs, hidden, layers).eval()
    x = torch.rand(steps, batch, inputs)

    def run():
        with torch.inference_mode():
            module(x)

    return run


def sample(run, seconds=0.01):
    """Milliseconds a call over at least so many seconds."""
    start, calls = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds:
        run()
        calls += 1
    return elapsed / calls * 1e3


def ours(binary, name):
    """One sample of this engine, by its own clock: of three, since each is a process that has just begun."""
    text = subprocess.run([binary, "3", name], capture_output=True, text=True, check=True).stdout
    # Not the line of the same layer that learns.
    return float(re.search(rf"^{re.escape(name)} +([\d.]+) ms", text, re.MULTILINE).group(1))


def main():
    binary, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
    np.random.seed(1)
    for cell in GATES:
        for name, shape in SHAPES.items():
            peers = {"onnxruntime": of_onnxruntime(cell, shape)}
            if torch is not None:
                peers["torch"] = of_torch(cell, shape)
            times = {peer: [] for peer in ["saccade", *peers]}
            for run in peers.values():
                run()
            for _ in range(rounds):
                times["saccade"].append(ours(binary, f"{name} {cell}"))
                for peer, run in peers.items():
                    times[peer].append(sample(run))
            median, least = np.median(times["saccade"]), min(times["saccade"])
            print(f"{name} {cell:5} saccade {median:9.4f} ms ({least:.4f})", end="")
            for peer in peers:
                of_median, of_least = np.median(times[peer]) / median, min(times[peer]) / least
                print(f"   {peer} {of_median:5.2f}x ({of_least:.2f}x)", end="")
            print(flush=True)


if __name__ == "__main__":
    main()

"""Imports the `sru` package from a mended copy, so that its kernels compile against a recent PyTorch.

The package compiles its sources when it is imported. The installed files are read and left alone: the copy and what is compiled
from it lie in a temporary folder, which goes when the process ends.
"""

import atexit
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch

# File, text, what stands for it, why.
MENDS = [
    (
        "csrc/sru_cuda_kernel.cu",
        "AT_DISPATCH_FLOATING_TYPES_AND_HALF(U.type(),",
        "AT_DISPATCH_FLOATING_TYPES(U.scalar_type(),",
        "PyTorch no longer takes a tensor's old type object here; without half floats it compiles in less time",
    ),
]


def load():
    """The module `sru`; ImportError if it is not installed, or if its CUDA kernel is needed here and does not compile."""
    installed = importlib.util.find_spec("sru")
    if installed is None or installed.origin is None:
        raise ImportError("the package sru is not installed")
    folder = Path(tempfile.mkdtemp(prefix="sru-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(Path(installed.origin).parent, folder / "sru")
    for file, text, mended, _ in MENDS:
        path = folder / "sru" / file
        path.write_text(path.read_text().replace(text, mended))
    # An environment that is used without being activated keeps ninja beside its Python.
    os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)
    os.environ["TORCH_EXTENSIONS_DIR"] = str(folder / "compiled")
    if torch.cuda.is_available():
        os.environ.setdefault("TORCH_CUDA_ARCH_LIST", "{}.{}".format(*torch.cuda.get_device_capability()))
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            package = importlib.import_module("sru")
    finally:
        sys.path.remove(str(folder))
    # The package goes on without its kernel after such a warning; a comparison cannot.
    failed = [str(warning.message) for warning in told if "CUDA kernels of SRU was unsuccessful" in str(warning.message)]
    if failed and torch.cuda.is_available():
        print(failed[0], file=sys.stderr)
        raise ImportError("the CUDA kernel of sru does not compile here")
    return package

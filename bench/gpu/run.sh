#!/usr/bin/env bash
# Saccade beside cuDNN and the `sru` package on this machine's GPU: one table and one record, in under nine minutes.
#
#   bench/gpu/run.sh OUT_FOLDER [BINARY]
#
# Needs an NVIDIA GPU with its Vulkan driver, the Vulkan loader, Python 3 with PyTorch, and no network. BINARY, $SACCADE_BENCH or
# target/release/saccade-bench is ours. For SRU's own kernel: the package `sru` where Python finds it (PYTHONPATH may name a folder
# that holds the unpacked wheel), nvcc, ninja and a C++ compiler.
set -u
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
# Where cargo puts what it makes.
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$here/../../$target
binary=${2:-${SACCADE_BENCH:-$target/release/saccade-bench}}
mkdir -p "$1" && out=$(cd "$1" && pwd) || exit 2
[ -x "$binary" ] || { echo "$binary is not there: cargo build --release -p saccade-bench" >&2; exit 2; }
ours_seconds=${OURS_SECONDS:-240} peers_seconds=${PEERS_SECONDS:-170}

step() { echo "== $*" >&2; }

# The NVIDIA driver's manifest is named only where the loader does not look by itself.
vulkan() {
  PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -q libvulkan || { echo "no Vulkan loader: install libvulkan1 (Debian, Ubuntu) or vulkan-loader" >&2; return; }
  local folder
  [ -z "${VK_DRIVER_FILES:-}" ] || return 0
  for folder in /etc/vulkan/icd.d /usr/share/vulkan/icd.d; do
    if compgen -G "$folder/nvidia*.json" >/dev/null; then echo "driver: $folder" >&2; return; fi
  done
  local elsewhere=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  if [ -e "$elsewhere" ]; then
    export VK_DRIVER_FILES=$elsewhere
    echo "driver: $elsewhere" >&2
  else
    echo "no NVIDIA Vulkan driver: taking what the loader finds" >&2
  fi
}

step "Vulkan"
vulkan
step "ours: each case held against the CPU, then timed (at most $ours_seconds s)"
rm -f "$out/ours.json"
timeout $((ours_seconds + 30)) "$binary" gpu "$out/ours.json" "$ours_seconds" || echo "ours ended with status $?" >&2
[ -s "$out/ours.json" ] || { echo "nothing of ours was measured: no table" >&2; exit 1; }
step "peers: cuDNN and sru through PyTorch (at most $peers_seconds s)"
rm -f "$out/peers.json"
timeout $((peers_seconds + 60)) python3 -B "$here/peers.py" "$out/ours.json" "$out/peers.json" "$peers_seconds" ||
  echo "peers ended with status $?" >&2
step "table: $out/gpu.md, record: $out/gpu.json"
python3 -B "$here/table.py" "$out/ours.json" "$out/peers.json" "$out/gpu.md" "$out/gpu.json"

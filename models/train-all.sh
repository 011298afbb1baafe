#!/usr/bin/env bash
# Makes every model of this folder from the data, in order: word vectors, the LSTM that the others start from, then the
# models themselves. About an hour on one core.
#
#   models/train-all.sh DATA [OUT]      OUT defaults to models/
set -euo pipefail
data=${1:?usage: models/train-all.sh DATA [OUT]}
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here}
mkdir -p "$out" "$here/work"
cargo build --release --manifest-path "$here/../Cargo.toml"
saccade="$here/../target/release/saccade"

"$saccade" vectors --data "$data" --out "$here/work/vectors.safetensors" imdb/train.tsv:imdb-tsv sst/stsa.binary.train:lines

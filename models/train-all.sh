#!/usr/bin/env bash
# Makes every model of this folder from the data, in order: word vectors, the LSTMs that others start from, then the
# models themselves, the language models last. Some forty minutes on one core without these, and a quarter
# of an hour each for imdb-lstm and imdb-skim-lstm.
#
#   models/train-all.sh DATA [OUT]      OUT defaults to models/
#
# A model that was interrupted by Ctrl-C goes on where it stood.
set -euo pipefail
data=${1:?usage: models/train-all.sh DATA [OUT]}
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here}
mkdir -p "$out" "$here/work"
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$here/../$target
cargo build --release --package saccade-cli --manifest-path "$here/../Cargo.toml" --target-dir "$target"
saccade="$target/release/saccade"

# train FOLDER NAME: makes FOLDER/NAME.safetensors from the config of that name.
train() {
    local out=$1/$2.safetensors
    "$saccade" train "$here/$2.toml" --data "$data" --out "$out" $([[ ! -e $out.state ]] || echo --resume)
}

"$saccade" vectors --data "$data" --out "$here/work/vectors.safetensors" imdb/train.tsv:imdb-tsv sst/stsa.binary.train:lines
for start in start-sst start-imdb start-imdb-reviews; do
    train "$here/work" "$start"
done
# SST's and IMDb's Skim-LSTM come after the LSTM, beside their config, that they go on from; SST's teaches as well.
for model in sst2-lstm sst2-skim-lstm sst2-sru sst-tree-lstm imdb-lstm imdb-skim-lstm trec-skim-lstm; do
    train "$out" "$model"
done
"$saccade" export "$out/sst2-skim-lstm.safetensors" --words 5150 --out "$out/sst2-skim-lstm-small.safetensors" \
    --measure "dev=$data/sst/stsa.binary.dev:lines" --measure "test=$data/sst/stsa.binary.test:lines"
train "$here/work" ewt-tagger
treebank="$data/ud_ewt/en_ewt-ud"
"$saccade" export "$here/work/ewt-tagger.safetensors" --out "$out/ewt-tagger.safetensors" \
    --measure "dev=$treebank-dev.conllu:conllu" --measure "test=$treebank-test.conllu:conllu"
train "$here/work" start-parser
train "$here/work" ewt-parser
"$saccade" export "$here/work/ewt-parser.safetensors" --out "$out/ewt-parser.safetensors" \
    --measure "dev=$treebank-dev.conllu:conllu" --measure "test=$treebank-test.conllu:conllu"
# Its trees are those of the parser beside its config.
train "$out" sst-child-sum
for model in shakespeare-lstm shakespeare-elman shakespeare-sru novels-lm novels-lstm; do
    train "$out" "$model"
done

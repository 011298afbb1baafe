/** A race as it is recorded, from the table that the page copies. */

const names = { Elman: "elman", GRU: "gru", LSTM: "lstm", "Skim-LSTM": "skim", SRU: "sru" };

/** Whether a layer was alone: its texts are many, or of a length that no other text has. */
const isAlone = (texts, tokens) => texts > 1 || tokens === 32;

/** The trials of a table. Throws where one has no time that is told. */
export function trialsOf(report) {
  return report.split("\n").flatMap((line) => {
    const [, network, device, tokens, texts, , median, , , flops] = line.split("|").map((cell) => cell.trim());
    if (!(network in names)) return [];
    const [length, batch] = [Number(tokens), Number(texts)];
    // Where another machine's rounds lay says nothing of this one's.
    const samples = [Number(median)];
    if (!(samples[0] > 0)) throw new Error(`nothing is recorded where one network's time is not told: ${line}`);
    return [{ cell: names[network], device: device === "CPU" ? "cpu" : "webgpu", length, batch, alone: isAlone(batch, length), samples, flops: Number(flops), method: "recorded" }];
  });
}

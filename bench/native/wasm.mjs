// The same table as the native binary's, for a module of this package compiled for WebAssembly:
//   cargo rustc -p saccade-bench --lib --crate-type cdylib --target wasm32-unknown-unknown --profile wasm
//   node bench/native/wasm.mjs <file.wasm> [another.wasm ...] [--rounds=11] [--only=W1]
// Modules (say with and without relaxed SIMD) take turns round by round. With --silence, 10,000 silent steps beside the
// 2,000 loud ones before them.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

const SHAPES = ["W1", "W2", "W3", "W4"];
const NETWORKS = ["Lstm", "Gru", "Sru", "LstmOfIds", "Skim(84)", "SkimOfRows(84)", "Skim(50)", "Skim(0)"];
const LEVELS = [["L1, 16 KB", 16 << 10], ["L2, 160 KB", 160 << 10], ["4 MB", 4 << 20]];
const SAMPLE_MS = 4;

const options = process.argv.slice(2);
const option = (name, otherwise) => {
  const found = options.find((text) => text.startsWith(`--${name}=`));
  return found ? found.slice(name.length + 3) : otherwise;
};
const rounds = Number(option("rounds", "11"));
const only = option("only", "");
const modules = options.filter((text) => !text.startsWith("--")).map((path) => {
  const module = new WebAssembly.Module(readFileSync(path));
  // Bindings that the engine links but the measured path never calls.
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => { throw new Error(`${from}.${name} was called`); };
  }
  return { name: basename(path, ".wasm"), engine: new WebAssembly.Instance(module, imports).exports };
});

function milliseconds(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** The processor's time of a long run, which neighbours take nothing of. */
function busyMilliseconds(run) {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

function line(name, run) {
  let times = 1;
  while (milliseconds(() => run(times)) < SAMPLE_MS) times *= 2;
  return { name, run, times, samples: [] };
}

if (options.includes("--silence")) {
  silence();
  process.exit();
}

/** What a loud step takes and a silent one, by the least time of each run of steps. */
function silence() {
  const [loudRuns, silentRuns] = [4, 20];
  ["Elman", "ElmanRelu", "Lstm", "Gru", "Sru", "SkimOfRows(84)"].forEach((network, n) => {
    const least = modules.map(() => new Array(loudRuns + silentRuns).fill(Infinity));
    let steps = 0;
    let denormal = modules.map(() => 0);
    for (let round = 0; round < rounds; round += 1) {
      modules.forEach(({ engine }, m) => {
        steps = engine.prepare_to_listen(n);
        for (let run = 0; run < least[m].length; run += 1) {
          const took = busyMilliseconds(() => { denormal[m] += engine.listen(Number(run < loudRuns)); });
          least[m][run] = Math.min(least[m][run], took);
        }
      });
    }
    modules.forEach(({ name }, m) => {
      const micros = (runs) => runs.reduce((a, b) => a + b) / runs.length / steps * 1e3;
      const loud = micros(least[m].slice(0, loudRuns));
      const silent = least[m].slice(loudRuns);
      console.log(
        `${network} ${name}`.padEnd(40), `${loud.toFixed(2)} us a loud step, ${micros(silent).toFixed(2)} a silent one,`,
        `${(micros(silent) / loud).toFixed(2)}x, at worst ${(micros([Math.max(...silent)]) / loud).toFixed(2)}x;`,
        `${denormal[m]} denormal`,
      );
    });
  });
}

const jobs = [];
for (const [level, bytes] of LEVELS) {
  for (const { name, engine } of modules) {
    jobs.push({
      name: `plain loop ${level} ${name}`,
      prepare: () => engine.plain(bytes, 1),
      run: (times) => engine.plain(bytes, times),
    });
  }
}
SHAPES.forEach((shape, s) => NETWORKS.forEach((network, n) => {
  if (!`${shape} ${network}`.includes(only) || (shape === "W3" && network.startsWith("Skim"))) return;
  for (const { name, engine } of modules) {
    jobs.push({
      name: `${shape} ${network} ${name}`,
      prepare: () => {
        const flops = engine.prepare(n, s);
        if (!Number.isFinite(engine.run(1))) throw new Error(`${shape} ${network} fails`);
        return flops;
      },
      run: (times) => engine.run(times),
    });
  }
}));

for (let round = 0; round < rounds; round += 1) {
  for (const job of jobs) {
    job.flops = job.prepare();
    if (!job.times) {
      job.times = 1;
      while (milliseconds(() => job.run(job.times)) < SAMPLE_MS) job.times *= 2;
      job.samples = [];
    }
    job.samples.push(milliseconds(() => job.run(job.times)) / job.times);
  }
}

for (const { name, flops, samples } of jobs) {
  samples.sort((a, b) => a - b);
  const median = samples[samples.length >> 1];
  const rate = (ms) => (flops / ms / 1e6).toFixed(1).padStart(7);
  console.log(
    name.padEnd(40), median.toFixed(4).padStart(10), "ms", samples[0].toFixed(4).padStart(10), "least",
    rate(median), "GFLOP/s", rate(samples[0]), "best",
  );
}

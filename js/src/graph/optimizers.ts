/** Optimisers: how gradients change parameters. */

import { refuse } from "../arguments/check.js";
import { errorOf } from "../errors.js";
import { bind } from "../owner.js";
import type { Disposes } from "../types.js";
import { glue, type Instance } from "./binary.js";
import { misfit, notExpression } from "./checks.js";
import { Expression } from "./expression.js";
import { Gradients } from "./gradients.js";
import { type AdamOptions, checks, type GraphOptions, type SgdOptions } from "./options.js";
import { Parameters, type Scope } from "./parameters.js";

/** What the engine holds of an optimiser. */
interface Held {
  readonly instance: Instance;
  readonly optimizer: glue.Optimizer;
  readonly device: string;
}

/** Makes the engine's optimiser on a device. */
type Make = (weights: glue.Weights, device: string) => glue.Optimizer | Promise<glue.Optimizer>;

const free = ({ instance, optimizer }: Held) => instance.free(optimizer);
const forgotten = new FinalizationRegistry(free);

/** Changes parameters by gradients. */
export abstract class Optimizer implements Disposes {
  readonly #parameters: Parameters;
  readonly #make: Make;
  #rate: number;
  /** How many calls of `learn` there were: each draws other noise, also while those before wait for their turns. */
  #learned = 0;
  #held: Held | undefined;
  #disposed = false;

  /** @internal */
  constructor(parameters: Parameters, rate: number, make: Make, name: string) {
    if (!(parameters instanceof Parameters)) refuse(`${name}: parameters`, "Parameters", parameters);
    this.#parameters = parameters;
    this.#rate = rate;
    this.#make = make;
    bind(this);
  }

  /** The size of the next step. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#rate = checks.rate.take(rate, "rate");
  }

  /**
   * A step: a function makes a loss of a graph, `1 x 1`, and the parameters change against its gradients. Gives the loss; rejects with
   * `MODEL_OVERFLOW`, and changes nothing, if that or the norm of the gradients is not finite. The step waits until no other graph of
   * the parameters is open, and is not to be awaited within one: see {@link Parameters}. Of several that are started together only the
   * changes take turns: the gradients of all are those of the parameters before the first.
   */
  async learn(scope: Scope<Expression>, options?: GraphOptions): Promise<number> {
    const { seed = this.#learned, ...others } = checks.graph.take(options, "learn: options");
    this.#learned += 1;
    const { loss, gradients } = await this.#parameters.within(
      async (graph) => {
        const made: unknown = await scope(graph);
        if (!(made instanceof Expression)) notExpression(made, "learn: result of the function");
        if (made.rows !== 1 || made.columns !== 1) misfit("learn", "a loss of 1 x 1 (`graph.mean` makes one of many)", made);
        const gradients = await graph.backward(made);
        return { gradients, loss: await made.scalar() };
      },
      true,
      { ...others, seed },
      "learn",
    );
    try {
      if (!Number.isFinite(loss)) throw errorOf("MODEL_OVERFLOW", `learn: the loss is ${loss}; the parameters are as they were`);
      const norm = await this.#step(gradients, "learn");
      if (!Number.isFinite(norm)) throw errorOf("MODEL_OVERFLOW", `learn: the norm of the gradients is ${norm}; the parameters are as they were`);
      return loss;
    } finally {
      gradients.dispose();
    }
  }

  /**
   * A step by gradients, which are spent. Gives their norm before clipping; where that is not finite, the parameters are as they
   * were. It waits until no graph of the parameters is open, and is not to be awaited within one.
   */
  async step(gradients: Gradients): Promise<number> {
    if (!(gradients instanceof Gradients)) refuse("step: gradients", "gradients", gradients);
    if (gradients.owner !== this.#parameters) throw errorOf("OPTION_INVALID", "step: the gradients are those of other parameters");
    return this.#step(gradients, "step");
  }

  async #step(gradients: Gradients, by: string): Promise<number> {
    const rate = this.#rate;
    return this.#parameters.change(by, async (changed) => {
      const { instance } = changed;
      const { optimizer, device } = await this.#made(() => changed.weights, instance, gradients.device);
      if (device !== gradients.device) {
        throw errorOf("OPTION_INVALID", `${by}: the gradients are on ${gradients.device}, and the steps before were on ${device}`);
      }
      return instance.call(() => {
        this.#insist();
        return optimizer.step(changed.weights, gradients.take(), rate);
      });
    });
  }

  /** Frees what it remembers of steps. */
  dispose(): void {
    this.#disposed = true;
    forgotten.unregister(this);
    if (this.#held) free(this.#held);
    this.#held = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #made(weights: () => glue.Weights, instance: Instance, device: string): Promise<Held> {
    this.#insist();
    if (this.#held) return this.#held;
    const optimizer = await instance.call(() => this.#make(weights(), device));
    const held = (this.#held = { instance, optimizer, device });
    forgotten.register(this, held, this);
    if (this.#disposed) this.dispose();
    return held;
  }

  #insist(): void {
    if (this.#disposed) throw errorOf("DISPOSED", "this optimiser was disposed");
  }
}

/** Adam (Kingma and Ba 2015), with decoupled weight decay (Loshchilov and Hutter 2019). */
export class Adam extends Optimizer {
  constructor(parameters: Parameters, options?: AdamOptions) {
    const taken = checks.adam.take(options, "Adam: options");
    const { rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clip = 0 } = taken;
    super(parameters, rate, (weights, device) => glue.Optimizer.adam(weights, beta1, beta2, epsilon, weightDecay, clip, device), "Adam");
  }
}

/** Gradient descent, with momentum if it is given. */
export class Sgd extends Optimizer {
  constructor(parameters: Parameters, options?: SgdOptions) {
    const { rate = 0.1, momentum = 0, weightDecay = 0, clip = 0 } = checks.sgd.take(options, "Sgd: options");
    super(parameters, rate, (weights, device) => glue.Optimizer.sgd(weights, momentum, weightDecay, clip, device), "Sgd");
  }
}

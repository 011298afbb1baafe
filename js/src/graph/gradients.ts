/** Gradients of parameters. */

import { errorOf } from "../errors.js";
import type { glue, Instance } from "./binary.js";
import type { Owner, Parameter } from "./parameter.js";

/** What the engine holds of gradients, and which instance. */
interface Held {
  readonly instance: Instance;
  readonly gradients: glue.Gradients;
}

const free = ({ instance, gradients }: Held) => instance.free(gradients);
/** Gradients that nobody made a step with. */
const forgotten = new FinalizationRegistry(free);

/** The gradients of one loss, until a step is made with them. They outlast the graph. */
export class Gradients {
  /** Where they are. @internal */
  readonly device: "cpu" | "webgpu";
  /** Whose parameters'. @internal */
  readonly owner: Owner;
  #held: Held | undefined;

  /** @internal */
  constructor(owner: Owner, instance: Instance, gradients: glue.Gradients, device: "cpu" | "webgpu") {
    this.owner = owner;
    this.device = device;
    this.#held = { instance, gradients };
    forgotten.register(this, this.#held, this);
  }

  /** The gradient of a parameter, row by row; zeros where the loss does not depend on it. */
  async of(parameter: Parameter | string): Promise<Float32Array> {
    const number = this.owner.numberOf(parameter, "of: parameter");
    const { instance, gradients } = this.#there();
    return this.owner.access.asked(instance.call(() => gradients.get(number)));
  }

  /** Gives them to who frees them. @internal */
  take(): glue.Gradients {
    const { gradients } = this.#there();
    forgotten.unregister(this);
    this.#held = undefined;
    return gradients;
  }

  /** Frees them. */
  dispose(): void {
    if (!this.#held) return;
    const held = this.#held;
    this.take();
    free(held);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #there(): Held {
    if (!this.#held) throw errorOf("DISPOSED", "a step was made with these gradients, or they were disposed");
    return this.#held;
  }
}

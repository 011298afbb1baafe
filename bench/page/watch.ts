/**
 * Counts what a library asks of WebGPU, and finds the memories of its WebAssembly. Must run before any library does, and
 * sees only its own page, not workers.
 */

/** What WebGPU was asked since the page began. */
export interface Counts {
  readonly submissions: number;
  readonly dispatches: number;
  /** Buffers mapped to be read, each an exchange with the GPU's process. */
  readonly readBacks: number;
}

/** Bytes held. */
export interface Memory {
  /** Of WebAssembly's memories, all of which are in use to their ends or have been. */
  readonly wasm: number;
  /** Of GPU buffers that were made and not destroyed. */
  readonly gpu: number;
}

const counts = { submissions: 0, dispatches: 0, readBacks: 0 };
const memories = new Set<WebAssembly.Memory>();
const buffers = new Map<object, number>();

/** Calls `before` with the arguments of every call of a method. */
function tap<T extends object>(type: { prototype: T } | undefined, method: keyof T, after: (self: T, args: any[], result: any) => void) {
  if (!type) return;
  const original = type.prototype[method] as (...args: unknown[]) => unknown;
  type.prototype[method] = function (this: T, ...args: unknown[]) {
    const result = original.apply(this, args);
    after(this, args, result);
    return result;
  } as T[keyof T];
}

const gpu = globalThis as any;
tap(gpu.GPUQueue, "submit", () => counts.submissions++);
tap(gpu.GPUComputePassEncoder, "dispatchWorkgroups", () => counts.dispatches++);
tap(gpu.GPUComputePassEncoder, "dispatchWorkgroupsIndirect", () => counts.dispatches++);
tap(gpu.GPUBuffer, "mapAsync", () => counts.readBacks++);
tap(gpu.GPUDevice, "createBuffer", (_, [descriptor], buffer) => buffers.set(buffer, descriptor.size));
tap(gpu.GPUBuffer, "destroy", (buffer) => buffers.delete(buffer));

function keep(instance: WebAssembly.Instance): void {
  for (const value of Object.values(instance.exports)) if (value instanceof WebAssembly.Memory) memories.add(value);
}

const { instantiate, instantiateStreaming, Memory: OriginalMemory } = WebAssembly;
async function kept<T extends WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource>(result: Promise<T>): Promise<T> {
  const found = await result;
  keep("instance" in found ? found.instance : found);
  return found;
}
Object.assign(WebAssembly, {
  instantiate: (...args: [any]) => kept(instantiate(...args) as Promise<any>),
  instantiateStreaming: (...args: [any]) => kept(instantiateStreaming(...args)),
});
WebAssembly.Memory = new Proxy(OriginalMemory, {
  construct(target, args) {
    const memory = Reflect.construct(target, args) as WebAssembly.Memory;
    memories.add(memory);
    return memory;
  },
});

/** The counts so far. */
export function counted(): Counts {
  return { ...counts };
}

/** What is held at present. */
export function held(): Memory {
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((a, b) => a + b, 0);
  return { wasm: sum([...memories].map((memory) => memory.buffer.byteLength)), gpu: sum(buffers.values()) };
}

/** Bytes of protocol buffer messages: as much of the encoding as an ONNX file needs. */

/** A message being written; each method appends one field and returns the message. */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** A varint field: int32, int64, enum. */
  integer(field: number, value: number): this {
    return this.#put(varint((field << 3) | 0), varint(value));
  }

  /** A float field. */
  float(field: number, value: number): this {
    return this.#put(varint((field << 3) | 5), new Uint8Array(Float32Array.of(value).buffer));
  }

  /** A string field. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A bytes field. */
  bytes(field: number, value: Uint8Array): this {
    return this.#put(varint((field << 3) | 2), varint(value.length), value);
  }

  /** A field that is a message itself. */
  message(field: number, value: Message): this {
    return this.bytes(field, value.encode());
  }

  /** The message's bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #put(...parts: Uint8Array[]): this {
    this.#parts.push(...parts);
    return this;
  }
}

/** Seven bits a byte, the lowest first; a negative number as 64 bits of two's complement. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

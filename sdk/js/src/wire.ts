// The flat layout of `wit/batches.wit` in 32-bit words. 64-bit values are two words, so that no engine rounds them.

/** Words of a row. */
export const ROW = 16;
/** Words of a header row. */
export const HEADER = 4;
/** Words of a place. */
export const PLACE = 4;
/** Length of what is null; "any partition"; "after no row". */
export const NULL = 0xffffffff;
/** First schema id that a plugin may give out. */
export const GUEST_SCHEMA = 0x8000;
/** Last schema id. */
export const LAST_SCHEMA = 0xffff;

/** A view of bytes as words; a copy only where they are not aligned. */
export function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length >> 2);
}

/** A signed 64-bit value of two words. */
export function s64(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

/** A timestamp of two words as a number, exact to 2^53 ms; -1 where there is none. */
export function time(low: number, high: number): number {
  return high >= 0x80000000 ? -1 : high * 0x100000000 + low;
}

/** Bytes that grow. */
export class Bytes {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Appends; the place where it begins. */
  append(more: Uint8Array): number {
    const at = this.length;
    const end = at + more.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    this.bytes.set(more, at);
    this.length = end;
    return at;
  }

  /** All of it. */
  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Words that grow. */
export class Words {
  words: Uint32Array;
  length = 0;

  constructor(capacity = 1024) {
    this.words = new Uint32Array(capacity);
  }

  /** Makes room for so many more; the place where they begin. */
  grow(more: number): number {
    const at = this.length;
    if (at + more > this.words.length) {
      const larger = new Uint32Array(Math.max(at + more, this.words.length * 2));
      larger.set(this.words.subarray(0, at));
      this.words = larger;
    }
    this.length = at + more;
    return at;
  }

  /** Appends words. */
  push(...more: number[]): void {
    const at = this.grow(more.length);
    this.words.set(more, at);
  }

  /** All of it as bytes. */
  done(): Uint8Array {
    return new Uint8Array(this.words.buffer.slice(0, this.length * 4));
  }
}

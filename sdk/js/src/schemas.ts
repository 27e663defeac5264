// The schemas of one instance: announced once by either side, known by id ever after. A plugin's ids start at 0x8000.

import type { RawSchema } from "./raw.js";
import { GUEST_SCHEMA, LAST_SCHEMA } from "./wire.js";

/** All schemas that this instance knows. */
export class Schemas {
  readonly #byId = new Map<number, string>();
  readonly #ids = new Map<string, number>();
  #fresh: RawSchema[] = [];

  /** The schema part of Kafka Connect's JSON envelope, as JSON text; null for id 0. */
  definition(id: number): string | null {
    return id === 0 ? null : (this.#byId.get(id) ?? null);
  }

  /** The id of a definition, announced with the next answer if it is new. 0 once all 32,768 ids are used up. */
  announce(definition: string): number {
    const known = this.#ids.get(definition);
    if (known !== undefined) return known;
    const id = GUEST_SCHEMA + this.#ids.size;
    if (id > LAST_SCHEMA) return 0;
    this.#ids.set(definition, id);
    this.#byId.set(id, definition);
    this.#fresh.push({ id, definition });
    return id;
  }

  /** Takes the host's announcements. */
  learn(announced: RawSchema[]): void {
    for (const schema of announced) this.#byId.set(schema.id, schema.definition);
  }

  /** What was announced since the last call of this. */
  takeNew(): RawSchema[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}

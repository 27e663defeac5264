// Stands in for the host's functions in unit tests. `testing.ts` reads and sets what is here.

/** What the host would know. */
export const host = {
  lines: [] as [level: string, text: string][],
  figures: new Map<string, number>(),
  stored: new Map<string, Uint8Array>(),
  offsets: new Map<string, string>(),
  stopping: false,
  reconfigurations: 0,

  log: {
    write: (level: string, text: string): void => void host.lines.push([level, text]),
    lowest: (): string => "trace",
  },
  metrics: {
    add: (name: string, value: number): void => void host.figures.set(name, (host.figures.get(name) ?? 0) + value),
    set: (name: string, value: number): void => void host.figures.set(name, value),
    observe: (name: string, value: number): void => void host.figures.set(name, value),
  },
  state: {
    get: (key: string): Uint8Array | null => host.stored.get(key) ?? null,
    set: (key: string, value: Uint8Array): void => void host.stored.set(key, value),
    remove: (key: string): void => void host.stored.delete(key),
  },
  context: {
    cancelled: (): boolean => host.stopping,
    requestReconfiguration: (): void => void (host.reconfigurations += 1),
    positions: (partitions: string[]): (string | null)[] => partitions.map((partition) => host.offsets.get(partition) ?? null),
  },
};

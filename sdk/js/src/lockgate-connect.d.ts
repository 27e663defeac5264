// The functions of the host, as the WIT has them (`wit/host.wit`).

declare module "lockgate:connect/log@0.1.0" {
  export type Level = "trace" | "debug" | "info" | "warn" | "error";
  export function write(level: Level, message: string): void;
  export function lowest(): Level;
}

declare module "lockgate:connect/metrics@0.1.0" {
  export function add(name: string, value: number): void;
  export function set(name: string, value: number): void;
  export function observe(name: string, value: number): void;
}

declare module "lockgate:connect/state@0.1.0" {
  export function get(key: string): Uint8Array | null | undefined;
  export function set(key: string, value: Uint8Array): void;
  export function remove(key: string): void;
}

declare module "lockgate:connect/context@0.1.0" {
  export function cancelled(): boolean;
  export function requestReconfiguration(): void;
  export function positions(partitions: string[]): (string | null | undefined)[];
}

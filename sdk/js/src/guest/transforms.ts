// The export `transform`: the walk of a batch through a chain. Each row passes the steps in order, source rows never decrease, and a row that
// failed is not in the outcome.

import { BadRecord } from "../faults.js";
import { followHost } from "../logs.js";
import type { Package, predicate as predicateBase, transform as transformBase } from "../plugin.js";
import type { RawApplied, RawBatch, RawRowFault, RawStep, RawTask } from "../raw.js";
import { Schemas } from "../schemas.js";
import { DROP, Outcome, TransformRecord } from "../transform.js";
import { HEADER, ROW, words } from "../wire.js";
import { answering, find, openPlugin, rawBad } from "./edge.js";

type Transform = InstanceType<ReturnType<typeof transformBase<{}>>>;
type Predicate = InstanceType<ReturnType<typeof predicateBase<{}>>>;

interface Step {
  transform: Transform;
  predicate: Predicate | undefined;
  negate: boolean;
}

/** A record failed at a step. */
class Failed {
  constructor(
    readonly step: number,
    readonly bad: BadRecord,
  ) {}
}

/** The chain of this instance. */
export function transformExports(made: Package) {
  const schemas = new Schemas();
  let steps: Step[] = [];

  function walk(first: number, record: TransformRecord): void {
    for (let at = first; at < steps.length; at++) {
      const { transform, predicate, negate } = steps[at]!;
      try {
        if (predicate && predicate.test(record) === negate) continue;
        const flow = transform.apply(record);
        if (flow === DROP) return;
        if (flow) {
          for (const _ of flow) walk(at + 1, record.copy());
          return;
        }
      } catch (error) {
        throw error instanceof BadRecord ? new Failed(at, error) : error;
      }
    }
    record.emit();
  }

  function open(task: RawTask, step: RawStep): Step {
    const transform = openPlugin<Transform>(find(made, "transform", step.class), task, step.config);
    transform.open();
    if (!step.predicate) return { transform, predicate: undefined, negate: false };
    const predicate = openPlugin<Predicate>(find(made, "predicate", step.predicate.class), task, step.predicate.config);
    predicate.open();
    return { transform, predicate, negate: step.predicate.negate };
  }

  return {
    open: answering((task: RawTask, all: RawStep[]) => {
      followHost();
      steps = all.map((step) => open(task, step));
    }),
    apply: answering((records: RawBatch): RawApplied => {
      const out = new Outcome(records, schemas);
      const input = words(records.rows);
      const failed: RawRowFault[] = [];
      for (let at = 0, index = 0; at < input.length; at += ROW, index++) {
        const row = input.slice(at, at + ROW);
        row[12] = index;
        const headers = row[11] === 0 ? [] : Array.from(out.inputHeaders.subarray(row[10]! * HEADER, (row[10]! + row[11]!) * HEADER));
        const before = [out.rows.length, out.headers.length, out.appended.length] as const;
        try {
          walk(0, new TransformRecord(out, row, headers));
        } catch (error) {
          if (!(error instanceof Failed)) throw error;
          [out.rows.length, out.headers.length, out.appended.length] = before;
          failed.push(rawBad(error.bad, index, error.step));
        }
      }
      return {
        topics: out.topics,
        schemas: schemas.takeNew(),
        rows: out.rows.done(),
        headers: out.headers.done(),
        appended: out.appended.done(),
        failed,
      };
    }),
    close: answering(() => {
      steps = [];
    }),
  };
}

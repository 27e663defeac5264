// The export `sink`.

import { Batch, places, rawOffsets, type Place } from "../batch.js";
import { Fatal, type BadRecord } from "../faults.js";
import { followHost } from "../logs.js";
import type { Connector, Package, sink as sinkBase } from "../plugin.js";
import type { RawBatch, RawConnector, RawOffsets, RawRowFault, RawTask } from "../raw.js";
import { Schemas } from "../schemas.js";
import { answering, find, openPlugin, pairs, rawBad, then } from "./edge.js";

type SinkClass = ReturnType<typeof sinkBase<{}>>;
type Sink = InstanceType<SinkClass>;

/** The sink of this instance. */
export function sinkExports(made: Package) {
  const schemas = new Schemas();
  let current: Sink | undefined;

  function opened(): Sink {
    if (!current) throw new Fatal("guest.closed", "the sink is not open");
    return current;
  }

  return {
    tasks: answering((connector: RawConnector, max: number) => {
      const cls = find(made, "sink", connector.class) as unknown as SinkClass;
      const asked: Connector = { name: connector.connector, settings: new Map(connector.config) };
      return [...cls.tasks(asked, max)].map(pairs);
    }),
    open: answering((task: RawTask) => {
      followHost();
      const sink = openPlugin<Sink>(find(made, "sink", task.class), task, task.config);
      return then(sink.open(), () => {
        current = sink;
      });
    }),
    assigned: answering((partitions: RawOffsets) =>
      then(opened().assigned(places(partitions)), (wanted) => rawOffsets((wanted ?? []) as Iterable<Place>)),
    ),
    revoked: answering((partitions: RawOffsets) => opened().revoked(places(partitions))),
    put: answering((records: RawBatch) => then(opened().put(new Batch(records, schemas)), report)),
    prepareCommit: answering((offsets: RawOffsets) => then(opened().prepareCommit(places(offsets)), rawOffsets)),
    close: answering(() => {
      const sink = current;
      current = undefined;
      return sink?.close();
    }),
  };
}

type Bad = Iterable<BadRecord> | AsyncIterable<BadRecord> | void;

function report(bad: Bad): { bad: RawRowFault[] } | Promise<{ bad: RawRowFault[] }> {
  if (!bad) return { bad: [] };
  if (Symbol.iterator in bad) return { bad: Array.from(bad, (one) => rawBad(one, one.index)) };
  return (async () => {
    const all: RawRowFault[] = [];
    for await (const one of bad) all.push(rawBad(one, one.index));
    return { bad: all };
  })();
}

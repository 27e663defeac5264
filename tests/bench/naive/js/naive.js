// The sink and the source of the benchmark behind plain bindings.

export const naiveSink = {
  put(batch) {
    let touched = 0;
    for (const { value } of batch) if (value?.length) touched += value.length + value[0];
    return touched >>> 0;
  },
};

export const naiveSource = {
  poll(records, size) {
    const rows = [];
    for (let at = 0; at < records; at++) {
      rows.push({ topic: "bench", partition: 0, offset: at, timestamp: 0, key: undefined, value: new Uint8Array(size).fill(120), headers: [] });
    }
    return rows;
  },
};

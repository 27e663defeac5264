// The source of the benchmark behind plain bindings (the packages around it are made by wit-bindgen).
package export_bench_naive_naive_source

import (
	"bytes"
	"runtime"
	"wit_component/bench_naive_rows"

	wit_types "go.bytecodealliance.org/pkg/wit/types"
)

var calls int

func Poll(records uint32, size uint32) []bench_naive_rows.Row {
	if calls++; calls%16 == 0 {
		runtime.GC()
	}
	rows := make([]bench_naive_rows.Row, records)
	for at := range rows {
		rows[at] = bench_naive_rows.Row{
			Topic: "bench", Offset: int64(at), Key: wit_types.None[[]uint8](), Value: wit_types.Some(bytes.Repeat([]byte("x"), int(size))),
		}
	}
	return rows
}

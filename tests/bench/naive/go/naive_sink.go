// The sink of the benchmark behind plain bindings (the packages around it are made by wit-bindgen).
package export_bench_naive_naive_sink

import (
	"runtime"
	"runtime/debug"
	"wit_component/bench_naive_rows"
)

// The collector may not run while the host hands over arguments.
func init() { debug.SetGCPercent(-1) }

var calls int

func Put(batch []bench_naive_rows.Row) uint32 {
	var touched uint32
	for _, row := range batch {
		if value := row.Value.SomeOr(nil); len(value) > 0 {
			touched += uint32(len(value)) + uint32(value[0])
		}
	}
	if calls++; calls%16 == 0 {
		runtime.GC()
	}
	return touched
}

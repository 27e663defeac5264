// The sink and the source of the benchmark.
//
// Enters: batches; a size. Leaves: a count; records. Invariant: of each value the length and the first byte are touched, no more.
package main

import (
	"bytes"
	"context"
	"fmt"

	lockgate "lockgate.dev/go"
)

type config struct {
	Size int64 `config:"size" default:"100" doc:"Bytes of a value."`
}

func init() {
	bytesOnly := []lockgate.Encoding{lockgate.Bytes}
	lockgate.Export(lockgate.Package{
		Name: "bench-go", Version: "0.1.0",
		Sinks: []lockgate.SinkPlugin{{
			Description: lockgate.Description{Class: "bench.Sink", Doc: "Touches values.", Encodings: bytesOnly},
			Open:        func(context.Context, lockgate.Task) (lockgate.Sink, error) { return &sink{}, nil },
		}},
		Sources: []lockgate.SourcePlugin{{
			Description: lockgate.Description{Class: "bench.Source", Doc: "Gives records.", Config: config{}, Encodings: bytesOnly},
			Open: func(_ context.Context, task lockgate.Task, _ []lockgate.Position) (lockgate.Source, error) {
				var c config
				if err := task.Settings.Into(&c); err != nil {
					return nil, err
				}
				return &source{value: bytes.Repeat([]byte("x"), int(c.Size))}, nil
			},
		}},
	})
}

func main() {}

type sink struct{ touched uint64 }

func (s *sink) Put(_ context.Context, batch *lockgate.Batch, _ *lockgate.Report) error {
	var sum uint64
	records := 0
	for _, record := range batch.All() {
		if value := record.Value(); len(value) > 0 {
			sum += uint64(len(value)) + uint64(value[0])
		}
		records++
	}
	s.touched += sum
	lockgate.Count("bench_records", float64(records))
	return nil
}

type source struct {
	value []byte
	next  uint64
}

func (s *source) Poll(_ context.Context, out *lockgate.Writer) (lockgate.Next, error) {
	topic := out.Topic("bench")
	for ; !out.Full(); s.next++ {
		out.Write(lockgate.Written{Topic: topic, Value: s.value})
	}
	out.Position("{}", fmt.Sprintf(`{"n":%d}`, s.next))
	return lockgate.Now(), nil
}

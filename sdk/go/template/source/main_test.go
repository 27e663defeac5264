package main

import (
	"context"
	"testing"

	lockgate "lockgate.dev/go"
)

func TestRecordsAreNumberedOnFromTheStoredPosition(t *testing.T) {
	ctx, task := context.Background(), lockgate.Task{Settings: lockgate.Settings{"topic": "t"}}
	stored := []lockgate.Position{{Partition: `{"heart":"t"}`, Offset: `{"beat":7}`}}
	source, err := plugin.Open(ctx, task, stored)
	if err != nil {
		t.Fatal(err)
	}
	out := lockgate.NewWriter(10, 1000)
	if _, err := source.Poll(ctx, out); err != nil {
		t.Fatal(err)
	}
	positions, _ := out.Positions()
	if len(positions) != 1 || positions[0].Offset != `{"beat":8}` {
		t.Error(positions)
	}
	if value := string(out.Batch().At(0).Value()); value != `{"beat":8}` {
		t.Error(value)
	}
}

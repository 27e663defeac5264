package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	lockgate "lockgate.dev/go"
)

func TestRecordsBecomeLinesAndTombstonesAreNamed(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "out")
	task := lockgate.Task{Connector: "test", Settings: lockgate.Settings{"file": path, "separator": "|"}}
	opened, err := plugin.Open(ctx, task)
	if err != nil {
		t.Fatal(err)
	}
	sink := opened.(*mySink)
	records := lockgate.NewWriter(10, 1000)
	records.Write(lockgate.Written{Topic: records.Topic("t"), Key: []byte("k"), Value: []byte("v")})
	records.Write(lockgate.Written{})
	var report lockgate.Report
	if err := sink.Put(ctx, records.Batch(), &report); err != nil || len(report.Rows()) != 1 {
		t.Error(err, report.Rows())
	}
	if _, err := sink.PrepareCommit(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := sink.Close(ctx); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "t|k|v\n" {
		t.Errorf("%q %v", text, err)
	}
}

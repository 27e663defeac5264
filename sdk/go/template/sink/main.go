// A sink that appends records to a file as topic<TAB>key<TAB>value: change it into yours.
//
// Enters: batches. Leaves: lines. Invariant: an offset is agreed to once its lines are on the disk.
package main

import (
	"bufio"
	"context"
	"log/slog"
	"os"

	lockgate "lockgate.dev/go"
)

type config struct {
	File      string `config:"file,required" doc:"Absolute path of the file."`
	Separator string `config:"separator" default:"\t" doc:"What stands between the columns."`
}

type mySink struct {
	config
	file *os.File
	out  *bufio.Writer
}

func init() {
	lockgate.Export(lockgate.Package{Name: "my-sink", Version: "0.1.0", Sinks: []lockgate.SinkPlugin{plugin}})
}

func main() {}

var plugin = lockgate.SinkPlugin{
	Description: lockgate.Description{
		Class:     "com.example.MySink",
		Doc:       "Appends records to a file.",
		Config:    config{},
		Encodings: []lockgate.Encoding{lockgate.JSON, lockgate.Bytes},
		Requests:  []lockgate.Request{lockgate.AskWrite("{file}")},
	},
	Open: func(_ context.Context, task lockgate.Task) (lockgate.Sink, error) {
		s := &mySink{}
		if err := task.Settings.Into(&s.config); err != nil {
			return nil, err
		}
		file, err := os.OpenFile(s.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, lockgate.Fatal("my.open", "cannot open the file: %w", err)
		}
		s.file, s.out = file, bufio.NewWriterSize(file, 64<<10)
		slog.Info("writing", "file", s.File)
		return s, nil
	},
}

func (s *mySink) Put(_ context.Context, batch *lockgate.Batch, report *lockgate.Report) error {
	for at, record := range batch.All() {
		value := record.Value()
		if value == nil {
			report.Bad(at, "my.tombstone", "this sink cannot delete")
			continue
		}
		// A bufio.Writer keeps its first error for Flush.
		s.out.WriteString(record.Topic())
		s.out.WriteString(s.Separator)
		s.out.Write(record.Key())
		s.out.WriteString(s.Separator)
		s.out.Write(value)
		s.out.WriteByte('\n')
	}
	lockgate.Count("my_batches", 1)
	if err := s.out.Flush(); err != nil {
		return lockgate.Fatal("my.write", "writing failed: %w", err)
	}
	return nil
}

func (s *mySink) PrepareCommit(_ context.Context, offsets []lockgate.Place) ([]lockgate.Place, error) {
	if err := s.file.Sync(); err != nil {
		return nil, lockgate.Retriable("my.sync", "syncing failed: %w", err)
	}
	return offsets, nil
}

func (s *mySink) Close(context.Context) error { return s.file.Close() }

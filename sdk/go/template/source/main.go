// A source that writes a record each interval, numbered on across restarts: change it into yours.
//
// Enters: the stored position, the clock. Leaves: records, each with the position that holds once it is delivered.
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	lockgate "lockgate.dev/go"
)

type config struct {
	Topic      string `config:"topic,required" doc:"The topic to write to."`
	IntervalMs int64  `config:"interval.ms" default:"1000" min:"1" max:"60000" doc:"Milliseconds between two records."`
}

// heart is the source partition: its JSON is its identity.
type heart struct {
	Heart string `json:"heart"`
}

// beat is a source offset, and a record.
type beat struct {
	Beat uint64 `json:"beat"`
}

type mySource struct {
	config
	last uint64
	next time.Time
}

func init() {
	lockgate.Export(lockgate.Package{Name: "my-source", Version: "0.1.0", Sources: []lockgate.SourcePlugin{plugin}})
}

func main() {}

var plugin = lockgate.SourcePlugin{
	Description: lockgate.Description{
		Class:     "com.example.MySource",
		Doc:       "Writes a record each interval.",
		Config:    config{},
		Encodings: []lockgate.Encoding{lockgate.JSON},
	},
	Open: func(_ context.Context, task lockgate.Task, positions []lockgate.Position) (lockgate.Source, error) {
		s := &mySource{}
		if err := task.Settings.Into(&s.config); err != nil {
			return nil, err
		}
		for _, position := range positions {
			if position.Partition != text(heart{s.Topic}) {
				continue
			}
			var stored beat
			if err := json.Unmarshal([]byte(position.Offset), &stored); err != nil {
				return nil, lockgate.Fatal("my.position", "%s is no position of this source: %w", position.Offset, err)
			}
			s.last = stored.Beat
		}
		slog.Info("writing", "topic", s.Topic, "after", s.last)
		return s, nil
	},
}

func (s *mySource) Poll(_ context.Context, out *lockgate.Writer) (lockgate.Next, error) {
	if wait := time.Until(s.next); wait > 0 {
		return lockgate.After(wait), nil
	}
	interval := time.Duration(s.IntervalMs) * time.Millisecond
	s.next = time.Now().Add(interval)
	s.last++
	value := text(beat{s.last})
	out.Write(lockgate.Written{Topic: out.Topic(s.Topic), Value: []byte(value)})
	out.Position(text(heart{s.Topic}), value)
	return lockgate.After(interval), nil
}

// text is JSON of what always has one.
func text(value any) string {
	bytes, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(bytes)
}

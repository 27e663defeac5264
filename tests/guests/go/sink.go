package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	lockgate "lockgate.dev/go"
)

type sinkConfig struct {
	URL string `config:"url" doc:"Where mode http goes."`
	TCP string `config:"tcp" doc:"Where mode tcp goes: host:port."`
}

// sink writes a log line for each record; what a record demands is seen before any line is logged.
type sink struct {
	sinkConfig
	mode                      string
	value                     lockgate.Encoding
	refusedPut, refusedCommit bool
}

func openSink(_ context.Context, task lockgate.Task) (lockgate.Sink, error) {
	mode, err := opened("ref.Sink", task)
	if err != nil {
		return nil, err
	}
	if mode == "state" {
		say("total %d", total())
	}
	s := &sink{mode: mode, value: task.Formats.Value}
	return s, task.Settings.Into(&s.sinkConfig)
}

func sayPlaces(what string, places []lockgate.Place) {
	for _, p := range places {
		say("%s %s-%d@%d", what, p.Topic, p.Partition, p.Offset)
	}
}

func (s *sink) Assigned(_ context.Context, places []lockgate.Place) ([]lockgate.Place, error) {
	sayPlaces("assigned", places)
	if s.mode != "resume" {
		return nil, nil
	}
	for at := range places {
		places[at].Offset = 0
	}
	return places, nil
}

func (s *sink) Revoked(_ context.Context, places []lockgate.Place) error {
	sayPlaces("revoked", places)
	return nil
}

func (s *sink) Put(ctx context.Context, batch *lockgate.Batch, report *lockgate.Report) error {
	if err := s.demands(ctx, batch); err != nil {
		return err
	}
	switch s.mode {
	case "http":
		if err := s.overHTTP(ctx, batch, report); err != nil {
			return err
		}
	case "tcp":
		if err := s.overTCP(ctx, batch); err != nil {
			return err
		}
	}
	for at, record := range batch.All() {
		if s.mode != "quiet" {
			say("%s", line(record))
		}
		for _, name := range []string{"ref.bad", "ref.bad.retriable"} {
			if why, found := record.Header(name); found {
				report.Add(lockgate.RowFault{Row: at, Code: "ref.bad", Message: "marked bad: " + string(why), Retriable: name != "ref.bad"})
			}
		}
	}
	lockgate.Count("ref_records", float64(batch.Len()))
	lockgate.Count("ref_bytes", float64(batch.DataLen()))
	lockgate.Count("ref_puts", 1)
	if s.mode == "state" {
		return addToTotal(batch.Len())
	}
	return nil
}

func (s *sink) demands(ctx context.Context, batch *lockgate.Batch) error {
	fatal, rows := quoted(s.value, "ref:fatal"), quoted(s.value, "ref:rows")
	panics, retriable := quoted(s.value, "ref:panic"), quoted(s.value, "ref:retriable")
	for at, record := range batch.All() {
		switch string(record.Value()) {
		case fatal:
			return lockgate.Fatal("ref.put", "fatal on demand")
		case rows:
			return lockgate.BadRows(lockgate.RowFault{Row: at, Code: "ref.rows", Message: "row on demand"})
		case panics:
			ref_panics_here()
		case quoted(s.value, "ref:spin"):
			for {
				spun++
			}
		case quoted(s.value, "ref:grow"):
			for {
				grown = append(grown, make([]byte, 1<<20))
			}
		case quoted(s.value, "ref:wait"):
			say("waiting")
			for ctx.Err() == nil {
			}
		case retriable:
			if !s.refusedPut {
				s.refusedPut = true
				return lockgate.Retriable("ref.put", "not yet").After(50 * time.Millisecond)
			}
		}
	}
	return nil
}

// What spins and grows must be seen to do so.
var (
	spun  uint64
	grown [][]byte
)

func line(r lockgate.Record) string {
	shown := func(bytes []byte) string {
		if bytes == nil {
			return "null"
		}
		return hex.EncodeToString(bytes)
	}
	orDash := func(schema string) string {
		if schema == "" {
			return "-"
		}
		return schema
	}
	var headers []string
	for h := range r.Headers() {
		headers = append(headers, h.Name+"="+shown(h.Value))
	}
	return fmt.Sprintf("%s-%d@%d ts=%d key=%s value=%s headers=[%s] ks=%s vs=%s", r.Topic(), r.Partition(), r.Offset(), r.Timestamp(),
		shown(r.Key()), shown(r.Value()), strings.Join(headers, ","), orDash(r.KeySchema()), orDash(r.ValueSchema()))
}

func (s *sink) PrepareCommit(_ context.Context, offsets []lockgate.Place) ([]lockgate.Place, error) {
	if s.mode == "commit-retriable" && !s.refusedCommit {
		s.refusedCommit = true
		return nil, lockgate.Retriable("ref.commit", "not yet").After(50 * time.Millisecond)
	}
	sayPlaces("commit", offsets)
	switch s.mode {
	case "agree-less":
		for at := range offsets {
			offsets[at].Offset = max(offsets[at].Offset-1, 0)
		}
	case "agree-none":
		offsets = nil
	}
	return offsets, nil
}

func (s *sink) Close(context.Context) error {
	say("close ref.Sink")
	return nil
}

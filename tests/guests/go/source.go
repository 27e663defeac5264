package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	lockgate "lockgate.dev/go"
)

// source gives numbered records; its position names the next number, as text.
type source struct {
	mode             string
	formats          lockgate.Formats
	partition, topic string
	next, end        uint64
	perPoll          int
}

func openSource(_ context.Context, task lockgate.Task, positions []lockgate.Position) (lockgate.Source, error) {
	mode, err := opened("ref.Source", task)
	if err != nil {
		return nil, err
	}
	number := func(key string, otherwise uint64) uint64 {
		if n, err := strconv.ParseUint(task.Settings[key], 10, 64); err == nil {
			return n
		}
		return otherwise
	}
	id, found := task.Settings["task.id"]
	if !found {
		id = strconv.Itoa(task.Number)
	}
	s := &source{mode: mode, formats: task.Formats, partition: `{"source":"` + id + `"}`, topic: "ref-topic",
		next: number("start", 0), perPoll: int(number("per.poll", 4))}
	if topic, found := task.Settings["topic"]; found {
		s.topic = topic
	}
	s.end = s.next + number("count", 10)
	var stored uint64
	for _, p := range positions {
		if p.Partition == s.partition {
			digits := strings.TrimFunc(p.Offset, func(r rune) bool { return r < '0' || r > '9' })
			if stored, err = strconv.ParseUint(digits, 10, 64); err != nil {
				return nil, lockgate.Fatal("ref.open", "offset %s: %w", p.Offset, err)
			}
			s.next = stored
		}
	}
	say("resume %d", stored)
	return s, nil
}

func (s *source) Poll(_ context.Context, out *lockgate.Writer) (lockgate.Next, error) {
	mode := s.mode
	switch mode {
	case "poll-retriable", "poll-fatal", "panic":
		s.mode = ""
	}
	switch mode {
	case "poll-retriable":
		return lockgate.Now(), lockgate.Retriable("ref.poll", "not yet").After(100 * time.Millisecond)
	case "poll-fatal":
		return lockgate.Now(), lockgate.Fatal("ref.poll", "fatal on demand")
	case "panic":
		ref_panics_here()
	}
	topic, schema := out.Topic(s.topic), uint32(0)
	if mode == "schema" {
		schema = out.Schema(`{"type":"string","optional":true}`)
	}
	for ; s.next < s.end && out.Len() < s.perPoll && !out.Full(); s.next++ {
		s.write(out, topic, schema)
	}
	if out.Len() == 0 {
		return lockgate.Done(), nil
	}
	out.Position(s.partition, fmt.Sprintf(`{"n":"%d"}`, s.next))
	if mode == "state" {
		return lockgate.Now(), addToTotal(out.Len())
	}
	return lockgate.Now(), nil
}

func (s *source) write(out *lockgate.Writer, topic lockgate.TopicID, schema uint32) {
	n := s.next
	text := func(encoding lockgate.Encoding, format string) []byte {
		return []byte(quoted(encoding, fmt.Sprintf(format, n)))
	}
	record := lockgate.Written{
		Topic: topic, Timestamp: time.UnixMilli(1_700_000_000_000 + int64(n%1000)), KeySchema: schema, ValueSchema: schema,
		Headers: []lockgate.Header{{Name: "n", Value: text(s.formats.Header, "%d")}},
	}
	if n%5 != 2 {
		record.Key = text(s.formats.Key, "k%d")
	}
	switch n % 5 {
	case 4:
	case 3:
		record.Value = text(s.formats.Value, "żółw-%d-🐢")
	default:
		record.Value = text(s.formats.Value, "v%d")
	}
	out.Write(record)
}

func (s *source) Committed(_ context.Context, positions []lockgate.Position) error {
	if len(positions) > 0 {
		say("committed %s", positions[len(positions)-1].Offset)
	}
	lockgate.Count("ref_committed", 1)
	return nil
}

func (s *source) Close(context.Context) error {
	say("close ref.Source")
	return nil
}

package main

import (
	"context"
	"errors"
	"time"

	"github.com/gomodule/redigo/redis"

	lockgate "lockgate.dev/go"
)

// sink is one task: one connection, kept from one batch to the next.
type sink struct {
	settings
	key     template
	formats lockgate.Formats
	conn    redis.Conn
	// How far a batch got before a retriable fault: the same batch comes again.
	resume *progress
}

// progress is how far a batch got.
type progress struct {
	topic     string
	partition uint32
	offset    int64
	length    int
	done      int
	bad       []lockgate.RowFault
}

func open(_ context.Context, task lockgate.Task) (lockgate.Sink, error) {
	s := &sink{formats: task.Formats}
	if err := task.Settings.Into(&s.settings); err != nil {
		return nil, err
	}
	if problems := s.problems(); problems != nil {
		return nil, lockgate.BadConfig(problems...)
	}
	s.key = s.template()
	return s, nil
}

// Put sends the batch in pipelines.
func (s *sink) Put(ctx context.Context, batch *lockgate.Batch, report *lockgate.Report) error {
	p := s.progressOf(batch)
	for p.done < batch.Len() {
		if err := s.next(ctx, batch, p); err != nil {
			s.resume = p
			return err
		}
	}
	s.resume = nil
	for _, row := range p.bad {
		report.Add(row)
	}
	return nil
}

func (s *sink) progressOf(batch *lockgate.Batch) *progress {
	first := batch.At(0)
	if p := s.resume; p != nil && p.topic == first.Topic() && p.partition == first.Partition() && p.offset == first.Offset() &&
		p.length == batch.Len() {
		return p
	}
	topic := string([]byte(first.Topic())) // it outlives the call
	return &progress{topic: topic, partition: first.Partition(), offset: first.Offset(), length: batch.Len()}
}

// next sends the next pipeline. A kept connection that turns out to be closed is worth a new one at once.
func (s *sink) next(ctx context.Context, batch *lockgate.Batch, p *progress) error {
	kept := s.conn != nil
	err := s.pipeline(ctx, batch, p)
	if err != nil && kept && s.conn == nil && isBroken(err) {
		err = s.pipeline(ctx, batch, p)
	}
	return err
}

// pipeline sends the commands of some records and reads their answers; p says what is settled, even if it fails.
func (s *sink) pipeline(ctx context.Context, batch *lockgate.Batch, p *progress) error {
	if s.conn == nil {
		conn, err := s.connect(ctx)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	began := time.Now()
	end := min(p.done+int(s.BatchMax), batch.Len())
	var counts []int // commands of each record
	var refused []lockgate.RowFault
	sent := 0
	for at := p.done; at < end; at++ {
		commands, err := s.commandsOf(batch.At(at))
		if err != nil {
			refused = append(refused, lockgate.RowFault{Row: at, Code: "redis.record", Message: err.Error()})
		}
		for _, c := range commands {
			if err := s.conn.Send(c.name, c.args...); err != nil {
				return s.broken(err)
			}
		}
		counts, sent = append(counts, len(commands)), sent+len(commands)
	}
	if err := s.conn.Flush(); err != nil {
		return s.broken(err)
	}
	for _, count := range counts {
		if err := s.settle(count, p, &refused); err != nil {
			return err
		}
	}
	lockgate.Count("redis_commands", float64(sent))
	lockgate.Observe("redis_pipeline_seconds", time.Since(began).Seconds())
	return nil
}

// settle reads the answers to one record.
func (s *sink) settle(count int, p *progress, refused *[]lockgate.RowFault) error {
	var reason error
	for range count {
		_, err := s.conn.Receive()
		var answer redis.Error
		switch {
		case err == nil:
		case !errors.As(err, &answer):
			return s.broken(err)
		case judge(answer) == later:
			s.drop()
			return lockgate.Retriable("redis.busy", "%s answered %s", s.Address, answer)
		case judge(answer) == never:
			s.drop()
			return lockgate.Fatal("redis.denied", "%s answered %s", s.Address, answer)
		case judge(answer) == bad && reason == nil:
			reason = answer
		}
	}
	if len(*refused) > 0 && (*refused)[0].Row == p.done {
		p.bad, *refused = append(p.bad, (*refused)[0]), (*refused)[1:]
	} else if reason != nil {
		p.bad = append(p.bad, lockgate.RowFault{Row: p.done, Code: "redis.answer", Message: "the server answered " + reason.Error()})
	}
	p.done++
	return nil
}

var errBroken = errors.New("the connection broke")

func isBroken(err error) bool { return errors.Is(err, errBroken) }

// broken gives the connection up: what was sent and not answered is sent again.
func (s *sink) broken(err error) error {
	s.drop()
	return lockgate.Retriable("redis.connection", "%w", errors.Join(errBroken, err))
}

func (s *sink) drop() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// Close says good-bye.
func (s *sink) Close(context.Context) error {
	s.drop()
	return nil
}

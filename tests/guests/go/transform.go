package main

import (
	"bytes"
	"context"

	lockgate "lockgate.dev/go"
)

// transform does what its op says; a record that no op touches keeps its bytes where they are.
type transform struct{ op, word string }

func openTransform(_ context.Context, step lockgate.Task) (lockgate.Transform, error) {
	if _, err := opened("ref.Transform", step); err != nil {
		return nil, err
	}
	t := &transform{op: "keep"}
	if op, found := step.Settings["op"]; found {
		t.op = op
	}
	for _, key := range []string{"text", "to", "match"} {
		if word, found := step.Settings[key]; found {
			t.word = word
		}
	}
	say("step %s", t.op)
	return t, nil
}

func (t *transform) Apply(record *lockgate.Edit) (lockgate.Flow, error) {
	value := record.Value()
	switch t.op {
	case "upper":
		if value != nil {
			record.SetValue(upper(record.Room(len(value)), record.Value()))
		}
	case "drop":
		if value != nil && string(value) == t.word {
			return lockgate.Drop, nil
		}
	case "fail":
		if value != nil && string(value) == t.word {
			return lockgate.Keep, &lockgate.RowFault{Code: "ref.fail", Message: "failed on demand"}
		}
	case "route":
		record.SetTopic(t.word)
	case "split":
		split(record)
	case "header":
		record.AddHeader(lockgate.Header{Name: "ref.added", Value: []byte(t.word)})
	case "key":
		record.SetKey(value)
	case "schema":
		record.SetValueSchema(`{"type":"string","optional":false}`)
	case "panic":
		ref_panics_here()
	}
	return lockgate.Keep, nil
}

func upper(room, value []byte) []byte {
	for at, b := range value {
		if 'a' <= b && b <= 'z' {
			b -= 'a' - 'A'
		}
		room[at] = b
	}
	return room
}

func split(record *lockgate.Edit) {
	rest := record.Value()
	if rest == nil {
		return
	}
	for {
		comma := bytes.IndexByte(rest, ',')
		if comma < 0 {
			break
		}
		record.SetValue(rest[:comma])
		record.Split()
		rest = rest[comma+1:]
	}
	record.SetValue(rest)
}

// hasKey holds where the key is not null.
type hasKey struct{}

func openHasKey(context.Context, lockgate.Task) (lockgate.Predicate, error) { return hasKey{}, nil }

func (hasKey) Test(record *lockgate.Edit) (bool, error) { return record.Key() != nil, nil }

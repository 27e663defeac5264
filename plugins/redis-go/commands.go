package main

import (
	"errors"
	"strconv"

	lockgate "lockgate.dev/go"
)

// command is one command of Redis.
type command struct {
	name string
	args []any
}

var errTombstone = errors.New("the record has no value")

// commandsOf is what is sent for a record, nothing for one that is ignored; or why it is a bad one.
func (s *sink) commandsOf(record lockgate.Record) ([]command, error) {
	r := &reading{record: record, formats: s.formats}
	key, err := s.key.fill(r)
	value := r.value()
	switch {
	case value == nil && s.Tombstones == "ignore":
		return nil, nil
	case err != nil:
		return nil, err
	case value == nil && s.Tombstones == "delete" && (s.Command == "SET" || s.Command == "HSET"):
		return []command{{"DEL", []any{key}}}, nil
	case value == nil:
		return nil, errTombstone
	}
	switch s.Command {
	case "SET":
		args := []any{key, value}
		if s.TTL > 0 {
			args = append(args, "EX", s.TTL)
		}
		return []command{{"SET", args}}, nil
	case "HSET":
		return s.hash(key, r)
	case "XADD":
		return s.stream(key, r, value)
	}
	return []command{{s.Command, []any{key, value}}}, nil
}

// hash sets the fields there are, and removes those that are null.
func (s *sink) hash(key []byte, r *reading) ([]command, error) {
	fields, err := r.object()
	if err != nil {
		return nil, err
	}
	set, gone := []any{key}, []any{key}
	for _, f := range fields {
		if f.value == nil {
			gone = append(gone, f.name)
		} else {
			set = append(set, f.name, f.value)
		}
	}
	var all []command
	if len(set) > 1 {
		all = append(all, command{"HSET", set})
	}
	if len(gone) > 1 {
		all = append(all, command{"HDEL", gone})
	}
	if s.TTL > 0 && all != nil {
		all = append(all, command{"EXPIRE", []any{key, s.TTL}})
	}
	return all, nil
}

func (s *sink) stream(key []byte, r *reading, value []byte) ([]command, error) {
	args := []any{key}
	if s.StreamMax > 0 {
		args = append(args, "MAXLEN", "~", s.StreamMax)
	}
	if s.StreamID == "offset" {
		// 0-0 is no id, so the first offset is 1-0.
		args = append(args, strconv.FormatInt(r.record.Offset()+1, 10)+"-0")
	} else {
		args = append(args, "*")
	}
	named := len(args)
	if id := r.key(); s.KeyField != "" && id != nil {
		args = append(args, s.KeyField, id)
	}
	fields, err := r.object()
	switch {
	case err == nil:
		for _, f := range fields {
			if f.value != nil {
				args = append(args, f.name, f.value)
			}
		}
	case errors.Is(err, errNoObject):
		args = append(args, s.Field, value)
	default:
		return nil, err
	}
	if len(args) == named {
		return nil, errors.New("the value has no field to add to the stream")
	}
	return []command{{"XADD", args}}, nil
}

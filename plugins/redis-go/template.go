package main

import (
	"fmt"
	"strconv"
	"strings"

	lockgate "lockgate.dev/go"
)

// template is a text with places to fill in: texts and names of places by turns.
type template []part

type part struct {
	text  string
	place bool
}

func parseTemplate(text string) (template, error) {
	var parts template
	for text != "" {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			return append(parts, part{text, false}), nil
		}
		length := strings.IndexByte(text[open:], '}')
		if length < 2 {
			return nil, fmt.Errorf("`%s` has a { without a name and a }", text)
		}
		if open > 0 {
			parts = append(parts, part{text[:open], false})
		}
		parts = append(parts, part{text[open+1 : open+length], true})
		text = text[open+length+1:]
	}
	return parts, nil
}

// fill is the text of a record, or what it lacks.
func (t template) fill(r *reading) ([]byte, error) {
	var filled []byte
	for _, p := range t {
		switch {
		case !p.place:
			filled = append(filled, p.text...)
		case p.text == "topic":
			filled = append(filled, r.record.Topic()...)
		case p.text == "partition":
			filled = strconv.AppendUint(filled, uint64(r.record.Partition()), 10)
		case p.text == "offset":
			filled = strconv.AppendInt(filled, r.record.Offset(), 10)
		case p.text == "key":
			key := r.key()
			if key == nil {
				return nil, fmt.Errorf("the record has no key, and redis.key names it")
			}
			filled = append(filled, key...)
		default:
			value, err := r.field(p.text)
			if err != nil {
				return nil, err
			}
			filled = append(filled, value...)
		}
	}
	if len(filled) == 0 {
		return nil, fmt.Errorf("redis.key is empty for this record")
	}
	return filled, nil
}

// reading is a record with what was read of it.
type reading struct {
	record  lockgate.Record
	formats lockgate.Formats
	fields  []field
	parsed  bool
	broken  error
}

func (r *reading) key() []byte { return plain(r.record.Key(), r.formats.Key) }

func (r *reading) value() []byte { return plain(r.record.Value(), r.formats.Value) }

func (r *reading) field(name string) ([]byte, error) {
	fields, err := r.object()
	if err != nil {
		return nil, fmt.Errorf("redis.key names the field `%s`: %w", name, err)
	}
	for _, f := range fields {
		if f.name == name && f.value != nil {
			return f.value, nil
		}
	}
	return nil, fmt.Errorf("the value has no field `%s`, and redis.key names it", name)
}

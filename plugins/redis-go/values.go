package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	lockgate "lockgate.dev/go"
)

// field is one of a JSON object: its text if it is a string, nil if it is null, else as it is written.
type field struct {
	name  string
	value []byte
}

var errNoObject = errors.New("the value is no JSON object")

// object is the fields of the value, in their order.
func (r *reading) object() ([]field, error) {
	if !r.parsed {
		r.fields, r.broken = parseObject(r.record.Value())
		r.parsed = true
	}
	return r.fields, r.broken
}

func parseObject(text []byte) ([]field, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil, errNoObject
	}
	var fields []field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("the value is not valid JSON: %w", err)
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, fmt.Errorf("the value is not valid JSON: %w", err)
		}
		// Between { and } a name is a string, else Token has failed.
		fields = append(fields, field{name.(string), plain(raw, lockgate.JSON)})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("the value is not valid JSON: %w", err)
	}
	return fields, nil
}

// plain is what Redis gets: the text of a JSON string, nil for null, any other bytes as they are.
func plain(value []byte, encoding lockgate.Encoding) []byte {
	if encoding != lockgate.JSON || value == nil {
		return value
	}
	if string(value) == "null" {
		return nil
	}
	if len(value) > 0 && value[0] == '"' {
		var text string
		if json.Unmarshal(value, &text) == nil {
			return []byte(text)
		}
	}
	return value
}

// A transform that replaces a text in each value, such as a secret by asterisks: change it into yours.
//
// Enters: records, one at a time. Leaves: the same records. Invariant: a value without the text keeps its bytes where they are.
package main

import (
	"bytes"
	"context"

	lockgate "lockgate.dev/go"
)

type config struct {
	Find string `config:"find,required" doc:"The text to replace."`
	Put  string `config:"put" default:"***" doc:"What stands there instead."`
}

type myTransform struct {
	find, put []byte
}

func init() {
	lockgate.Export(lockgate.Package{Name: "my-transform", Version: "0.1.0", Transforms: []lockgate.TransformPlugin{plugin}})
}

func main() {}

var plugin = lockgate.TransformPlugin{
	Description: lockgate.Description{
		Class:     "com.example.MyTransform",
		Doc:       "Replaces a text in each value.",
		Config:    config{},
		Encodings: []lockgate.Encoding{lockgate.Bytes, lockgate.JSON},
	},
	Open: func(_ context.Context, step lockgate.Task) (lockgate.Transform, error) {
		var c config
		if err := step.Settings.Into(&c); err != nil {
			return nil, err
		}
		if c.Find == "" {
			return nil, lockgate.BadConfig(lockgate.Problem{Key: "find", Problem: "must not be empty"})
		}
		return &myTransform{[]byte(c.Find), []byte(c.Put)}, nil
	},
}

func (m *myTransform) Apply(record *lockgate.Edit) (lockgate.Flow, error) {
	if changed, found := m.replaced(record.Value()); found {
		record.SetValue(changed)
	}
	// lockgate.Drop would drop the record.
	return lockgate.Keep, nil
}

// replaced is the value with each occurrence replaced. A tombstone has none.
func (m *myTransform) replaced(value []byte) ([]byte, bool) {
	if !bytes.Contains(value, m.find) {
		return nil, false
	}
	return bytes.ReplaceAll(value, m.find, m.put), true
}

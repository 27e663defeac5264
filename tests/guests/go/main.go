// The reference guest in Go: keeps tests/guests/CONTRACT.md, word by word.
//
// Enters: what the tests send. Leaves: what the contract says. Invariant: a change here is a change of the contract.
package main

import (
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"time"

	lockgate "lockgate.dev/go"
)

type config struct {
	FailConfig string `config:"fail.config" doc:"Any value is refused, by validate and by open."`
	Mode       string `config:"mode" default:"echo" doc:"What to do wrong or otherwise."`
}

func description(class string, aliases ...string) lockgate.Description {
	return lockgate.Description{
		Class: class, Aliases: aliases, Doc: "Does what the contract of the tests says.", Config: config{},
		Encodings: []lockgate.Encoding{lockgate.Bytes, lockgate.JSON}, Validate: validate,
	}
}

func sinkDescription() lockgate.Description {
	d := description("ref.Sink", "reference-sink")
	d.Config = struct {
		config
		sinkConfig
	}{}
	d.Requests = []lockgate.Request{lockgate.AskHTTP("{url}"), lockgate.AskTCP("{tcp}")}
	return d
}

func init() {
	lockgate.Export(lockgate.Package{
		Name: "reference-go", Version: "1.2.3", Doc: "The reference guest of the contract tests.",
		Sources:    []lockgate.SourcePlugin{{Description: description("ref.Source", "reference-source"), Open: openSource, Tasks: tasks}},
		Sinks:      []lockgate.SinkPlugin{{Description: sinkDescription(), Open: openSink, Tasks: tasks}},
		Transforms: []lockgate.TransformPlugin{{Description: description("ref.Transform"), Open: openTransform}},
		Predicates: []lockgate.PredicatePlugin{{Description: description("ref.HasKey"), Open: openHasKey}},
	})
}

func main() {}

func validate(settings lockgate.Settings) []lockgate.Advice {
	value, found := settings["fail.config"]
	if !found {
		return nil
	}
	return []lockgate.Advice{{Key: "fail.config", Errors: []string{"refused by validate: " + value}}}
}

func tasks(connector lockgate.Connector, most int) ([]lockgate.Settings, error) {
	if connector.Settings["mode"] == "tasks-fail" {
		return nil, lockgate.Fatal("ref.tasks", "no tasks on demand")
	}
	all := make([]lockgate.Settings, max(most, 1))
	for at := range all {
		all[at] = maps.Clone(connector.Settings)
		all[at]["task.id"] = strconv.Itoa(at)
	}
	return all, nil
}

// opened is what every open begins with; it answers with the mode.
func opened(class string, task lockgate.Task) (string, error) {
	var c config
	if err := task.Settings.Into(&c); err != nil {
		return "", err
	}
	switch {
	case task.Settings["fail.config"] != "":
		return "", lockgate.BadConfig(lockgate.Problem{Key: "fail.config", Problem: "refused: " + c.FailConfig})
	case c.Mode == "open-retriable":
		return "", lockgate.Retriable("ref.open", "not yet").After(250 * time.Millisecond)
	case c.Mode == "open-fatal":
		return "", fmt.Errorf("wrapped: %w", lockgate.Fatal("ref.open", "never").WithDetail("the detail"))
	}
	f := task.Formats
	say("open %s %s/%d key=%s value=%s header=%s", class, task.Connector, task.Number, f.Key, f.Value, f.Header)
	return c.Mode, nil
}

func say(format string, args ...any) { slog.Info(fmt.Sprintf("ref: "+format, args...)) }

//go:noinline
func ref_panics_here() { panic("ref panic") }

func total() uint64 {
	stored, _ := lockgate.State("total")
	sum, err := strconv.ParseUint(string(stored), 10, 64)
	if err != nil {
		return 0
	}
	return sum
}

func addToTotal(records int) error {
	sum := total() + uint64(records)
	lockgate.Gauge("ref_total", float64(sum))
	return lockgate.SetState("total", strconv.AppendUint(nil, sum, 10))
}

func quoted(encoding lockgate.Encoding, text string) string {
	if encoding == lockgate.JSON {
		return `"` + text + `"`
	}
	return text
}

package lockgate

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
)

// Count adds to a counter of the plugin. Names: [a-z][a-z0-9_]*, at most 60 bytes. Not for every record, like all that follows.
func Count(name string, value float64) { hostCount(name, value) }

// Gauge sets a gauge.
func Gauge(name string, value float64) { hostGauge(name, value) }

// Observe observes a value, in the unit that the name ends with (_seconds, _bytes).
func Observe(name string, value float64) { hostObserve(name, value) }

// State is a value of the task's small key-value store, which is stored with its positions.
func State(key string) (value []byte, found bool) { return hostState(key) }

// SetState sets a value. Keys up to 256 bytes, values up to 64 KiB, 1 MiB and 1,000 keys a task; beyond: a fatal fault.
func SetState(key string, value []byte) error {
	if why := hostSetState(key, value); why != "" {
		return Fatal("state.set", "%s", why)
	}
	return nil
}

// RemoveState removes a value.
func RemoveState(key string) { hostRemoveState(key) }

// RequestReconfiguration asks the host to make the connector's tasks anew.
func RequestReconfiguration() { hostRequestReconfiguration() }

// StoredOffsets are the stored offsets of these source partitions, in order; "" where nothing is stored. Sources only.
func StoredOffsets(partitions ...string) []string { return hostPositions(partitions) }

// taskContext ends when the host says that the task is to stop. It is asked, it does not tell: Done is closed by the first Err that is not nil.
type taskContext struct {
	context.Context
	done  chan struct{}
	ended bool
}

func newContext() *taskContext {
	return &taskContext{Context: context.Background(), done: make(chan struct{})}
}

func (c *taskContext) Done() <-chan struct{} {
	c.Err()
	return c.done
}

func (c *taskContext) Err() error {
	if !c.ended && hostCancelled() {
		c.ended = true
		close(c.done)
	}
	if c.ended {
		return context.Canceled
	}
	return nil
}

// LogHandler writes slog's records to the host's log. Export makes it the default of slog, so slog.Info does what one expects.
type LogHandler struct {
	attrs, group string
}

// Enabled is false for a level that is written nowhere.
func (LogHandler) Enabled(_ context.Context, level slog.Level) bool {
	return logLevel(level) >= hostLowestLevel()
}

// Handle writes one line: the message, then key=value for each attribute.
func (h LogHandler) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(record.Message)
	line.WriteString(h.attrs)
	record.Attrs(func(a slog.Attr) bool {
		writeAttr(&line, h.group, a)
		return true
	})
	hostLog(logLevel(record.Level), line.String())
	return nil
}

func writeAttr(line *strings.Builder, group string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, inner := range value.Group() {
			writeAttr(line, group+a.Key+".", inner)
		}
		return
	}
	text := value.String()
	if strings.ContainsAny(text, " \"=\n") {
		text = fmt.Sprintf("%q", text)
	}
	fmt.Fprintf(line, " %s%s=%s", group, a.Key, text)
}

// WithAttrs adds attributes to every line.
func (h LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var all strings.Builder
	all.WriteString(h.attrs)
	for _, a := range attrs {
		writeAttr(&all, h.group, a)
	}
	return LogHandler{all.String(), h.group}
}

// WithGroup puts a group's name before the keys that follow.
func (h LogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return LogHandler{h.attrs, h.group + name + "."}
}

// logLevel is the host's level: 0 is trace, 4 is error.
func logLevel(level slog.Level) uint8 {
	switch {
	case level < slog.LevelDebug:
		return 0
	case level < slog.LevelInfo:
		return 1
	case level < slog.LevelWarn:
		return 2
	case level < slog.LevelError:
		return 3
	}
	return 4
}

func init() { slog.SetDefault(slog.New(LogHandler{})) }

// logPanic writes what a panic says, and where, before the instance ends: call it in a deferred function with what recover gave.
func logPanic(what any) {
	hostLog(4, fmt.Sprintf("panic: %v", what))
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") && frame.Function != "" {
			hostLog(4, fmt.Sprintf("  at %s (%s:%d)", frame.Function, frame.File, frame.Line))
		}
		if !more {
			return
		}
	}
}

package lockgate

import (
	raw "lockgate.dev/go/internal/wit/lockgate_connect_context"
	rawlog "lockgate.dev/go/internal/wit/lockgate_connect_log"
	rawmetrics "lockgate.dev/go/internal/wit/lockgate_connect_metrics"
	rawstate "lockgate.dev/go/internal/wit/lockgate_connect_state"
)

var lowest = -1

func hostLowestLevel() uint8 {
	if lowest < 0 {
		lowest = int(rawlog.Lowest())
	}
	return uint8(lowest)
}

func hostLog(level uint8, line string)       { rawlog.Write(level, line) }
func hostCount(name string, value float64)   { rawmetrics.Add(name, value) }
func hostGauge(name string, value float64)   { rawmetrics.Set(name, value) }
func hostObserve(name string, value float64) { rawmetrics.Observe(name, value) }
func hostRemoveState(key string)             { rawstate.Remove(key) }
func hostCancelled() bool                    { return raw.Cancelled() }
func hostRequestReconfiguration()            { raw.RequestReconfiguration() }

// What the host gives lies in the memory of the call: it is copied.
func hostState(key string) ([]byte, bool) {
	value := rawstate.Get(key)
	if value.IsNone() {
		return nil, false
	}
	return append([]byte{}, value.Some()...), true
}

func hostSetState(key string, value []byte) string {
	if set := rawstate.Set(key, value); set.IsErr() {
		return string([]byte(set.Err()))
	}
	return ""
}

func hostPositions(partitions []string) []string {
	stored := raw.Positions(partitions)
	offsets := make([]string, len(stored))
	for at, offset := range stored {
		offsets[at] = string([]byte(offset.SomeOr("")))
	}
	return offsets
}

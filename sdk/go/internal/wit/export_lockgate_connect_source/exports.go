//go:build wasip1

// Package export_lockgate_connect_source is what the generated exports call: functions that the SDK puts here.
package export_lockgate_connect_source

import (
	raw "lockgate.dev/go/internal/wit/lockgate_connect_source"
	wit "lockgate.dev/go/internal/wit/types"
)

var (
	Tasks     func(raw.ConnectorContext, uint32) wit.Result[[]raw.Settings, raw.Fault]
	Open      func(raw.TaskContext, []raw.Position) wit.Result[wit.Unit, raw.Fault]
	Poll      func(raw.Limits) wit.Result[raw.Polled, raw.Fault]
	Committed func([]raw.Position) wit.Result[wit.Unit, raw.Fault]
	Close     func() wit.Result[wit.Unit, raw.Fault]
)

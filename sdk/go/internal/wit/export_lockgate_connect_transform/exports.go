//go:build wasip1

// Package export_lockgate_connect_transform is what the generated exports call: functions that the SDK puts here.
package export_lockgate_connect_transform

import (
	raw "lockgate.dev/go/internal/wit/lockgate_connect_transform"
	wit "lockgate.dev/go/internal/wit/types"
)

var (
	Open  func(raw.TaskContext, []raw.Step) wit.Result[wit.Unit, raw.Fault]
	Apply func(raw.Batch) wit.Result[raw.Applied, raw.Fault]
	Close func() wit.Result[wit.Unit, raw.Fault]
)

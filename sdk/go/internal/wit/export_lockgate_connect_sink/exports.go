//go:build wasip1

// Package export_lockgate_connect_sink is what the generated exports call: functions that the SDK puts here.
package export_lockgate_connect_sink

import (
	raw "lockgate.dev/go/internal/wit/lockgate_connect_sink"
	wit "lockgate.dev/go/internal/wit/types"
)

var (
	Tasks         func(raw.ConnectorContext, uint32) wit.Result[[]raw.Settings, raw.Fault]
	Open          func(raw.TaskContext) wit.Result[wit.Unit, raw.Fault]
	Assigned      func(raw.PartitionOffsets) wit.Result[raw.PartitionOffsets, raw.Fault]
	Revoked       func(raw.PartitionOffsets) wit.Result[wit.Unit, raw.Fault]
	Put           func(raw.Batch) wit.Result[raw.Report, raw.Fault]
	PrepareCommit func(raw.PartitionOffsets) wit.Result[raw.PartitionOffsets, raw.Fault]
	Close         func() wit.Result[wit.Unit, raw.Fault]
)

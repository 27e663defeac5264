//go:build wasip1

// Package export_lockgate_connect_plugin is what the generated exports call: functions that the SDK puts here.
package export_lockgate_connect_plugin

import (
	"lockgate.dev/go/internal/wit/lockgate_connect_plugin"
	wit "lockgate.dev/go/internal/wit/types"
)

var (
	Describe func() lockgate_connect_plugin.PackageInfo
	Validate func(string, []wit.Tuple2[string, string]) []lockgate_connect_plugin.ConfigValue
)

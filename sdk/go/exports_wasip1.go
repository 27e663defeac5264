package lockgate

import (
	"fmt"
	"os"

	exportplugin "lockgate.dev/go/internal/wit/export_lockgate_connect_plugin"
	exportsink "lockgate.dev/go/internal/wit/export_lockgate_connect_sink"
	exportsource "lockgate.dev/go/internal/wit/export_lockgate_connect_source"
	exporttransform "lockgate.dev/go/internal/wit/export_lockgate_connect_transform"
	_ "lockgate.dev/go/internal/wit/exports" // the exports themselves
	"lockgate.dev/go/internal/wit/lockgate_connect_batches"
	"lockgate.dev/go/internal/wit/lockgate_connect_faults"
	"lockgate.dev/go/internal/wit/lockgate_connect_plugin"
	"lockgate.dev/go/internal/wit/lockgate_connect_sink"
	"lockgate.dev/go/internal/wit/lockgate_connect_source"
	"lockgate.dev/go/internal/wit/lockgate_connect_tasks"
	"lockgate.dev/go/internal/wit/lockgate_connect_transform"
	"lockgate.dev/go/internal/wit/runtime"
	wit "lockgate.dev/go/internal/wit/types"
)

type (
	rawFault   = lockgate_connect_faults.Fault
	rawBatch   = lockgate_connect_batches.Batch
	rawOffsets = lockgate_connect_batches.PartitionOffsets
	rawPairs   = []wit.Tuple2[string, string]
	rawTask    = lockgate_connect_tasks.TaskContext
)

// The generated exports call these; whatever they get lies in memory that the next call writes over.
func init() {
	exportplugin.Describe, exportplugin.Validate = rawDescribe, rawValidate
	exportsource.Tasks = rawTasks(sourceTasks)
	exportsource.Open = func(task rawTask, positions []lockgate_connect_source.Position) wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(openSource(task.Class, readTask(task, task.Config), readPositions(positions)))
	}
	exportsource.Poll = rawPoll
	exportsource.Committed = func(positions []lockgate_connect_source.Position) wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(committed(readPositions(positions)))
	}
	exportsource.Close = func() wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(closeSource())
	}
	exportsink.Tasks = rawTasks(sinkTasks)
	exportsink.Open = func(task rawTask) wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(openSink(task.Class, readTask(task, task.Config)))
	}
	exportsink.Assigned = rawPlaces(assigned)
	exportsink.PrepareCommit = rawPlaces(prepareCommit)
	exportsink.Revoked = func(offsets rawOffsets) wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(revoked(placesOf(clones(offsets.Topics), offsets.Rows)))
	}
	exportsink.Put = rawPut
	exportsink.Close = func() wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(closeSink())
	}
	exporttransform.Open, exporttransform.Apply = rawOpenChain, rawApply
	exporttransform.Close = func() wit.Result[wit.Unit, rawFault] {
		defer end()
		return unit(closeChain())
	}
}

// end ends every call: a panic is written to the log with where it was, and costs the instance.
func end() {
	if what := recover(); what != nil {
		logPanic(what)
		fmt.Fprintf(os.Stderr, "panic: %v\n", what)
		os.Exit(2)
	}
	runtime.Done()
}

func clone(text string) string { return string([]byte(text)) }

func clones(texts []string) []string {
	for at := range texts {
		texts[at] = clone(texts[at])
	}
	return texts
}

func readSettings(pairs rawPairs) Settings {
	settings := make(Settings, len(pairs))
	for _, pair := range pairs {
		settings[clone(pair.F0)] = clone(pair.F1)
	}
	return settings
}

func readTask(task rawTask, config rawPairs) Task {
	formats := Formats{Encoding(task.Formats.Key), Encoding(task.Formats.Value), Encoding(task.Formats.Header)}
	return taskOf(clone(task.Connector), task.Task, readSettings(config), formats)
}

func readPositions(raw []lockgate_connect_source.Position) []Position {
	positions := make([]Position, len(raw))
	for at, p := range raw {
		positions[at] = Position{clone(p.Partition), clone(p.Offset)}
	}
	return positions
}

func readBatch(raw rawBatch) *Batch {
	for _, s := range raw.Schemas {
		instance.schemas.learn(s.Id, clone(s.Definition))
	}
	return &Batch{raw.Topics, rowsOf[row](raw.Rows), rowsOf[headerRow](raw.Headers), raw.Data, &instance.schemas}
}

func giveRows(rows []RowFault) []lockgate_connect_faults.RowFault {
	raw := make([]lockgate_connect_faults.RowFault, len(rows))
	for at, r := range rows {
		raw[at] = lockgate_connect_faults.RowFault{Row: uint32(r.Row), Step: uint32(r.step), Retriable: r.Retriable, Code: r.Code, Message: r.Message}
	}
	return raw
}

func giveFault(err error) rawFault {
	fault := faultOf(err)
	raw := rawFault{Code: fault.Code, Message: fault.Message, Detail: fault.Detail}
	switch fault.kind {
	case retriable:
		raw.Kind = lockgate_connect_faults.MakeFaultKindRetriable(uint32(min(max(fault.after.Milliseconds(), 0), 1<<32-1)))
	case badRows:
		raw.Kind = lockgate_connect_faults.MakeFaultKindRows(giveRows(fault.rows))
	case badConfig:
		problems := make([]lockgate_connect_faults.ConfigProblem, len(fault.problems))
		for at, p := range fault.problems {
			problems[at] = lockgate_connect_faults.ConfigProblem{Key: p.Key, Problem: p.Problem}
		}
		raw.Kind = lockgate_connect_faults.MakeFaultKindConfig(problems)
	default:
		raw.Kind = lockgate_connect_faults.MakeFaultKindFatal()
	}
	return raw
}

func result[T any](value T, err error) wit.Result[T, rawFault] {
	if err != nil {
		return wit.Err[T](giveFault(err))
	}
	return wit.Ok[T, rawFault](value)
}

func unit(err error) wit.Result[wit.Unit, rawFault] { return result(wit.Unit{}, err) }

func giveSchemas() []lockgate_connect_batches.Schema {
	first, definitions := instance.schemas.unannounced()
	var raw []lockgate_connect_batches.Schema
	for at, definition := range definitions {
		raw = append(raw, lockgate_connect_batches.Schema{Id: first + uint32(at), Definition: definition})
	}
	return raw
}

func rawTasks(split func(string, Connector, int) ([]Settings, error)) func(lockgate_connect_tasks.ConnectorContext, uint32) wit.Result[[]rawPairs, rawFault] {
	return func(connector lockgate_connect_tasks.ConnectorContext, most uint32) wit.Result[[]rawPairs, rawFault] {
		defer end()
		tasks, err := split(connector.Class, Connector{clone(connector.Connector), readSettings(connector.Config)}, int(most))
		var raw []rawPairs
		for _, settings := range tasks {
			pairs := rawPairs{}
			for key, value := range settings {
				pairs = append(pairs, wit.Tuple2[string, string]{F0: key, F1: value})
			}
			raw = append(raw, pairs)
		}
		return result(raw, err)
	}
}

func rawPlaces(call func([]Place) ([]Place, error)) func(rawOffsets) wit.Result[rawOffsets, rawFault] {
	return func(offsets rawOffsets) wit.Result[rawOffsets, rawFault] {
		defer end()
		places, err := call(placesOf(clones(offsets.Topics), offsets.Rows))
		topics, rows := offsetsOf(places)
		return result(rawOffsets{Topics: topics, Rows: rows}, err)
	}
}

func rawPut(records rawBatch) wit.Result[lockgate_connect_sink.Report, rawFault] {
	defer end()
	err := put(readBatch(records))
	return result(lockgate_connect_sink.Report{Bad: giveRows(instance.report.rows)}, err)
}

func rawPoll(limits lockgate_connect_source.Limits) wit.Result[lockgate_connect_source.Polled, rawFault] {
	defer end()
	next, err := poll(int(limits.RecordsMax), int(limits.BytesMax))
	if err != nil {
		return wit.Err[lockgate_connect_source.Polled](giveFault(err))
	}
	w := instance.writer
	polled := lockgate_connect_source.Polled{
		Records: rawBatch{Topics: w.topics, Schemas: giveSchemas(), Rows: flat(w.rows), Headers: flat(w.headers), Data: w.data},
		Next:    lockgate_connect_source.MakeNextNow(),
	}
	for at, p := range w.positions {
		raw := lockgate_connect_source.Position{Partition: p.Partition, Offset: p.Offset, AfterRow: w.afterRows[at]}
		polled.Positions = append(polled.Positions, raw)
	}
	switch {
	case next.done:
		polled.Next = lockgate_connect_source.MakeNextDone()
	case next.after > 0:
		polled.Next = lockgate_connect_source.MakeNextAfter(uint32(next.after.Milliseconds()))
	}
	return wit.Ok[lockgate_connect_source.Polled, rawFault](polled)
}

func rawOpenChain(task rawTask, steps []lockgate_connect_transform.Step) wit.Result[wit.Unit, rawFault] {
	defer end()
	instance.ctx, instance.steps = newContext(), nil
	for _, s := range steps {
		var predicateClass string
		var predicateTask Task
		negate := false
		if s.Predicate.IsSome() {
			p := s.Predicate.Some()
			predicateClass, predicateTask, negate = p.Class, readTask(task, p.Config), p.Negate
		}
		if err := openStep(instance.ctx, s.Class, readTask(task, s.Config), predicateClass, predicateTask, negate); err != nil {
			return unit(err)
		}
	}
	return unit(nil)
}

func rawApply(records rawBatch) wit.Result[lockgate_connect_transform.Applied, rawFault] {
	defer end()
	out := apply(readBatch(records))
	return wit.Ok[lockgate_connect_transform.Applied, rawFault](lockgate_connect_transform.Applied{
		Topics: out.topics, Schemas: giveSchemas(), Rows: flat(out.rows), Headers: flat(out.headers),
		Appended: out.appended, Failed: giveRows(out.failed),
	})
}

func rawDescribe() lockgate_connect_plugin.PackageInfo {
	defer end()
	p := &exported
	info := lockgate_connect_plugin.PackageInfo{Name: p.Name, Version: p.Version, Documentation: p.Doc}
	add := func(kind uint8, d *Description) { info.Plugins = append(info.Plugins, giveInfo(kind, d)) }
	for at := range p.Sources {
		add(lockgate_connect_plugin.KindSource, &p.Sources[at].Description)
	}
	for at := range p.Sinks {
		add(lockgate_connect_plugin.KindSink, &p.Sinks[at].Description)
	}
	for at := range p.Transforms {
		add(lockgate_connect_plugin.KindTransform, &p.Transforms[at].Description)
	}
	for at := range p.Predicates {
		add(lockgate_connect_plugin.KindPredicate, &p.Predicates[at].Description)
	}
	return info
}

func giveInfo(kind uint8, d *Description) lockgate_connect_plugin.PluginInfo {
	info := lockgate_connect_plugin.PluginInfo{Class: d.Class, Kind: kind, Aliases: d.Aliases, Documentation: d.Doc}
	for _, key := range definitions(d.Config) {
		info.Config = append(info.Config, giveDefinition(key))
	}
	for _, e := range d.Encodings {
		info.Encodings = append(info.Encodings, uint8(e))
	}
	if len(d.Encodings) == 0 {
		info.Encodings = []uint8{uint8(Bytes)}
	}
	makers := []func(string) lockgate_connect_plugin.Request{lockgate_connect_plugin.MakeRequestHttp,
		lockgate_connect_plugin.MakeRequestTcp, lockgate_connect_plugin.MakeRequestRead, lockgate_connect_plugin.MakeRequestWrite}
	for _, r := range d.Requests {
		info.Requests = append(info.Requests, makers[r.kind](r.target))
	}
	return info
}

func option[T any](value *T) wit.Option[T] {
	if value == nil {
		return wit.None[T]()
	}
	return wit.Some(*value)
}

func giveDefinition(d definition) lockgate_connect_plugin.ConfigDefinition {
	types := map[string]uint8{"boolean": 0, "string": 1, "int": 2, "short": 3, "long": 4, "double": 5, "list": 6, "class": 7, "password": 8}
	importances := map[string]uint8{"high": 0, "medium": 1, "low": 2}
	widths := map[string]uint8{"": 0, "short": 1, "medium": 2, "long": 3}
	importance, found := importances[d.importance]
	if !found {
		importance = lockgate_connect_plugin.ImportanceMedium
		if d.required {
			importance = lockgate_connect_plugin.ImportanceHigh
		}
	}
	raw := lockgate_connect_plugin.ConfigDefinition{Name: d.key, ConfigType: types[d.typ], Required: d.required,
		DefaultValue: option(d.defaultValue), Constraint: lockgate_connect_plugin.MakeConstraintAny(), Importance: importance,
		Documentation: d.doc, Group: d.group, DisplayName: d.display, Width: widths[d.width], Dependents: d.dependents}
	switch {
	case d.oneOf != nil:
		raw.Constraint = lockgate_connect_plugin.MakeConstraintOneOf(d.oneOf)
	case d.low != nil || d.high != nil:
		bounds := wit.Tuple2[wit.Option[float64], wit.Option[float64]]{F0: option(d.low), F1: option(d.high)}
		raw.Constraint = lockgate_connect_plugin.MakeConstraintBetween(bounds)
	case d.nonEmpty:
		raw.Constraint = lockgate_connect_plugin.MakeConstraintNonEmpty()
	}
	return raw
}

func rawValidate(class string, config rawPairs) []lockgate_connect_plugin.ConfigValue {
	defer end()
	validate := validatorOf(class)
	if validate == nil {
		return nil
	}
	var values []lockgate_connect_plugin.ConfigValue
	for _, a := range validate(readSettings(config)) {
		value := lockgate_connect_plugin.ConfigValue{Name: a.Key, Recommended: a.Recommended, Errors: a.Errors, Visible: !a.Hidden}
		values = append(values, value)
	}
	return values
}

func validatorOf(class string) func(Settings) []Advice {
	if p, err := find(exported.Sources, aboutSource, class, ""); err == nil {
		return p.Validate
	}
	if p, err := find(exported.Sinks, aboutSink, class, ""); err == nil {
		return p.Validate
	}
	if p, err := find(exported.Transforms, aboutTransform, class, ""); err == nil {
		return p.Validate
	}
	if p, err := find(exported.Predicates, aboutPredicate, class, ""); err == nil {
		return p.Validate
	}
	return nil
}

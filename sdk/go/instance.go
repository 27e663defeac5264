package lockgate

import "context"

// offsetRow is one row of partition-offsets: 16 bytes, laid out as wit/batches.wit says.
type offsetRow struct {
	topic, partition uint32
	offset           int64
}

// instance is the one task that this instance of the component is.
var instance struct {
	ctx     *taskContext
	sink    Sink
	source  Source
	writer  *Writer
	steps   []step
	closers []Closer
	schemas schemas
	// Used again by each call.
	report  Report
	outcome outcome
}

func taskOf(connector string, number uint32, settings Settings, formats Formats) Task {
	return Task{connector, int(number), settings, formats}
}

func placesOf(topics []string, rows []byte) []Place {
	var places []Place
	for _, r := range rowsOf[offsetRow](rows) {
		places = append(places, Place{topics[r.topic], r.partition, r.offset})
	}
	return places
}

func offsetsOf(places []Place) (topics []string, rows []byte) {
	flatRows := make([]offsetRow, len(places))
	for at, p := range places {
		flatRows[at] = offsetRow{indexOf(&topics, p.Topic), p.Partition, p.Offset}
	}
	return topics, flat(flatRows)
}

func sourceTasks(class string, connector Connector, most int) ([]Settings, error) {
	p, err := find(exported.Sources, aboutSource, class, "source")
	if err != nil {
		return nil, err
	}
	if p.Tasks == nil {
		return []Settings{connector.Settings}, nil
	}
	return p.Tasks(connector, most)
}

func sinkTasks(class string, connector Connector, most int) ([]Settings, error) {
	p, err := find(exported.Sinks, aboutSink, class, "sink")
	if err != nil {
		return nil, err
	}
	if p.Tasks != nil {
		return p.Tasks(connector, most)
	}
	all := make([]Settings, max(most, 1))
	for at := range all {
		all[at] = connector.Settings
	}
	return all, nil
}

func openSource(class string, task Task, positions []Position) error {
	p, err := find(exported.Sources, aboutSource, class, "source")
	if err != nil {
		return err
	}
	ctx := newContext()
	source, err := p.Open(ctx, task, positions)
	if err != nil {
		return err
	}
	instance.ctx, instance.source, instance.writer = ctx, source, &Writer{schemas: &instance.schemas}
	return nil
}

func openSink(class string, task Task) error {
	p, err := find(exported.Sinks, aboutSink, class, "sink")
	if err != nil {
		return err
	}
	ctx := newContext()
	sink, err := p.Open(ctx, task)
	if err != nil {
		return err
	}
	instance.ctx, instance.sink = ctx, sink
	return nil
}

var errClosed = Fatal("guest.closed", "the plugin is not open")

func poll(recordsMax, bytesMax int) (Next, error) {
	if instance.source == nil {
		return Next{}, errClosed
	}
	instance.writer.reset(recordsMax, bytesMax)
	return instance.source.Poll(instance.ctx, instance.writer)
}

func committed(positions []Position) error {
	if listener, hears := instance.source.(CommitListener); hears {
		return listener.Committed(instance.ctx, positions)
	}
	return nil
}

// put leaves the bad rows in instance.report.
func put(batch *Batch) error {
	instance.report.rows = instance.report.rows[:0]
	if instance.sink == nil {
		return errClosed
	}
	return instance.sink.Put(instance.ctx, batch, &instance.report)
}

func assigned(places []Place) ([]Place, error) {
	if a, hears := instance.sink.(Assigner); hears {
		return a.Assigned(instance.ctx, places)
	}
	return nil, nil
}

func revoked(places []Place) error {
	if r, hears := instance.sink.(Revoker); hears {
		return r.Revoked(instance.ctx, places)
	}
	return nil
}

func prepareCommit(places []Place) ([]Place, error) {
	if c, hears := instance.sink.(Committer); hears {
		return c.PrepareCommit(instance.ctx, places)
	}
	return places, nil
}

func closePlugin(plugin any) error {
	if c, hears := plugin.(Closer); hears {
		return c.Close(instance.ctx)
	}
	return nil
}

func closeSource() error {
	source := instance.source
	instance.source = nil
	return closePlugin(source)
}

func closeSink() error {
	sink := instance.sink
	instance.sink = nil
	return closePlugin(sink)
}

// openStep opens one step; predicateClass is "" where it always runs.
func openStep(ctx context.Context, class string, task Task, predicateClass string, predicateTask Task, negate bool) error {
	t, err := find(exported.Transforms, aboutTransform, class, "transform")
	if err != nil {
		return err
	}
	opened := step{negate: negate}
	if opened.transform, err = t.Open(ctx, task); err != nil {
		return err
	}
	if predicateClass != "" {
		p, err := find(exported.Predicates, aboutPredicate, predicateClass, "predicate")
		if err != nil {
			return err
		}
		if opened.predicate, err = p.Open(ctx, predicateTask); err != nil {
			return err
		}
	}
	instance.steps = append(instance.steps, opened)
	return nil
}

func closeChain() error {
	steps := instance.steps
	instance.steps = nil
	for _, s := range steps {
		if err := closePlugin(s.transform); err != nil {
			return err
		}
		if err := closePlugin(s.predicate); err != nil {
			return err
		}
	}
	return nil
}

// apply takes a batch through the chain; what becomes of it is valid until the next call.
func apply(batch *Batch) *outcome {
	out := &instance.outcome
	*out = outcome{batch: batch, topics: append(out.topics[:0], batch.topics...), rows: out.rows[:0], headers: out.headers[:0],
		appended: out.appended[:0], failed: out.failed[:0]}
	walkAll(out, instance.steps)
	return out
}

package lockgate

import (
	"iter"
	"unsafe"
)

// Flow is what becomes of a record after a step.
type Flow int

const (
	// Keep: it goes on, as the step left it.
	Keep Flow = iota
	// Drop: it is dropped on purpose.
	Drop
)

// outcome is what becomes of a batch. New bytes go behind the input's, and spans count on as if they stood there.
type outcome struct {
	batch    *Batch
	topics   []string
	rows     []row
	headers  []headerRow
	appended []byte
	failed   []RowFault
}

// Edit is a record on its way through a chain. What no step touches keeps its bytes where they are.
type Edit struct {
	out        *outcome
	row        row
	ownHeaders bool
	split      []splitRow
}

type splitRow struct {
	row        row
	ownHeaders bool
}

func (e *Edit) bytes(s span) []byte {
	if input := uint32(len(e.out.batch.data)); s.len != nullLen && s.len != 0 && s.offset >= input {
		return bytesOf(e.out.appended, span{s.offset - input, s.len})
	}
	return bytesOf(e.out.batch.data, s)
}

// Topic is its topic.
func (e *Edit) Topic() string { return e.out.topics[e.row.topic] }

// Partition is its partition, or AnyPartition.
func (e *Edit) Partition() uint32 { return e.row.partition }

// Offset is its offset, or NoOffset for records of a source.
func (e *Edit) Offset() int64 { return e.row.offset }

// Timestamp is milliseconds since the epoch, or NoTimestamp.
func (e *Edit) Timestamp() int64 { return e.row.timestamp }

// Key is nil where it is null. It is not to be written to.
func (e *Edit) Key() []byte { return e.bytes(e.row.key) }

// Value is nil for a tombstone. It is not to be written to.
func (e *Edit) Value() []byte { return e.bytes(e.row.value) }

// KeySchema is the definition of the key's schema, or "".
func (e *Edit) KeySchema() string { return e.out.batch.schemas.definition(e.row.keySchema) }

// ValueSchema is the definition of the value's schema, or "".
func (e *Edit) ValueSchema() string { return e.out.batch.schemas.definition(e.row.valueSchema) }

func (e *Edit) headerRows() []headerRow {
	all := e.out.batch.headers
	if e.ownHeaders {
		all = e.out.headers
	}
	return all[e.row.headerFirst:][:e.row.headerCount]
}

// Headers is every header in order; names may repeat.
func (e *Edit) Headers() iter.Seq[Header] {
	return headersOf(e.headerRows(), e.out.batch.schemas, e.bytes)
}

// spanOf finds bytes that lie in the batch already, or copies them.
func (e *Edit) spanOf(bytes []byte) span {
	if len(bytes) > 0 {
		if at, inside := within(e.out.batch.data, bytes); inside {
			return span{uint32(at), uint32(len(bytes))}
		}
		if at, inside := within(e.out.appended, bytes); inside {
			return span{uint32(len(e.out.batch.data) + at), uint32(len(bytes))}
		}
	}
	return appendBytes(&e.out.appended, len(e.out.batch.data), bytes)
}

func within(whole, part []byte) (at int, inside bool) {
	low, first := uintptr(unsafe.Pointer(unsafe.SliceData(whole))), uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	if first < low || first-low > uintptr(len(whole)) || len(part) > len(whole)-int(first-low) {
		return 0, false
	}
	return int(first - low), true
}

// SetKey sets the key; nil is null. Bytes that already lie in the record (a part of its value, say) are not copied.
func (e *Edit) SetKey(key []byte) { e.row.key = e.spanOf(key) }

// SetValue sets the value likewise.
func (e *Edit) SetValue(value []byte) { e.row.value = e.spanOf(value) }

// Room gives room for new bytes, to be filled and then set: SetValue(room) does not copy them.
func (e *Edit) Room(size int) []byte {
	from := len(e.out.appended)
	e.out.appended = append(e.out.appended, make([]byte, size)...)
	return e.out.appended[from:]
}

// SetTopic moves the record to another topic.
func (e *Edit) SetTopic(topic string) { e.row.topic = indexOf(&e.out.topics, topic) }

// SetPartition sets the partition; AnyPartition lets the host choose.
func (e *Edit) SetPartition(partition uint32) { e.row.partition = partition }

// SetTimestamp sets the time, in milliseconds since the epoch.
func (e *Edit) SetTimestamp(timestamp int64) {
	e.row.timestamp, e.row.flags = max(timestamp, NoTimestamp), e.row.flags&^logAppendTime
}

// SetKeySchema sets the key's schema by its definition, announced if it is new; "" is none.
func (e *Edit) SetKeySchema(definition string) {
	e.row.keySchema = e.out.batch.schemas.announce(definition)
}

// SetValueSchema sets the value's schema likewise.
func (e *Edit) SetValueSchema(definition string) {
	e.row.valueSchema = e.out.batch.schemas.announce(definition)
}

// keepHeaders brings the headers that pass to the end of the outcome, so that one can be added.
func (e *Edit) keepHeaders(keep func(name string) bool) {
	first := uint32(len(e.out.headers))
	for _, h := range e.headerRows() {
		name := e.bytes(span{h.nameOffset, uint32(h.nameLen)})
		if keep(string(name)) {
			e.out.headers = append(e.out.headers, h)
		}
	}
	e.ownHeaders, e.row.headerFirst, e.row.headerCount = true, first, uint32(len(e.out.headers))-first
}

// AddHeader adds a header behind those there are. A name of 64 KiB or more is cut off.
func (e *Edit) AddHeader(h Header) {
	if !e.ownHeaders || int(e.row.headerFirst+e.row.headerCount) != len(e.out.headers) {
		e.keepHeaders(func(string) bool { return true })
	}
	name, value := e.spanOf(headerName(h.Name)), e.spanOf(h.Value)
	schema := uint16(e.out.batch.schemas.announce(h.Schema))
	e.out.headers = append(e.out.headers, headerRow{name.offset, uint16(name.len), schema, value})
	e.row.headerCount++
}

// DropHeaders drops all headers of this name.
func (e *Edit) DropHeaders(name string) {
	e.keepHeaders(func(other string) bool { return other != name })
}

// Split sends a copy of the record as it is now on its way before this one. Call it for each part but the last.
func (e *Edit) Split() { e.split = append(e.split, splitRow{e.row, e.ownHeaders}) }

func (e *Edit) emit() {
	if own := e.headerRows(); !e.ownHeaders {
		e.row.headerFirst = uint32(len(e.out.headers))
		e.out.headers = append(e.out.headers, own...)
	}
	e.out.rows = append(e.out.rows, e.row)
}

// step is one step of a chain.
type step struct {
	transform Transform
	predicate Predicate // nil: always
	negate    bool
}

// walkAll takes every row of a batch through the steps.
func walkAll(out *outcome, steps []step) {
	edit := &Edit{} // one for all rows; only split ones need their own
	for index := range out.batch.rows {
		*edit = Edit{out: out, row: out.batch.rows[index]}
		edit.row.sourceRow = uint32(index)
		rows, headers, appended := len(out.rows), len(out.headers), len(out.appended)
		if at, err := walk(edit, steps, 0); err != nil {
			out.rows, out.headers, out.appended = out.rows[:rows], out.headers[:headers], out.appended[:appended]
			fault := rowFault(err)
			fault.Row, fault.step = index, at
			out.failed = append(out.failed, fault)
		}
	}
}

// walk takes one row through the steps from `first` on; an error comes with the step that it is of.
func walk(e *Edit, steps []step, first int) (int, error) {
	for at := first; at < len(steps); at++ {
		s := &steps[at]
		if s.predicate != nil {
			holds, err := s.predicate.Test(e)
			if err != nil {
				return at, err
			}
			if holds == s.negate {
				continue
			}
		}
		flow, err := s.transform.Apply(e)
		if err != nil {
			return at, err
		}
		split := e.split
		e.split = nil
		for _, part := range split {
			if failed, err := walk(&Edit{out: e.out, row: part.row, ownHeaders: part.ownHeaders}, steps, at+1); err != nil {
				return failed, err
			}
		}
		if flow == Drop {
			return at, nil
		}
	}
	e.emit()
	return 0, nil
}

package lockgate

import (
	"math"
	"time"
	"unicode/utf8"
)

// Position is where reading goes on, as JSON objects. The bytes of Partition are its identity: write it the same way each time.
type Position struct {
	Partition, Offset string
}

// Next is when a source is polled again.
type Next struct {
	after time.Duration
	done  bool
}

// Now polls again at once. It is the zero Next.
func Now() Next { return Next{} }

// After polls again after this long, at most a minute.
func After(wait time.Duration) Next { return Next{after: min(wait, time.Minute)} }

// Done says that there is nothing ever again, as far as the plugin knows.
func Done() Next { return Next{done: true} }

// TopicID is the index of a topic in a batch.
type TopicID uint32

// Written is a record for Writer.Write. What is left out is null, none, or the host's choice.
type Written struct {
	// Topic comes from Writer.Topic.
	Topic TopicID
	// Key and Value are null where they are nil.
	Key, Value []byte
	// Headers in their order; names may repeat.
	Headers []Header
	// Timestamp is the time of sending where it is zero.
	Timestamp time.Time
	// Partition is the host's choice (by key, as Kafka's default partitioner) where it is nil.
	Partition *uint32
	// KeySchema and ValueSchema come from Writer.Schema; 0 is none.
	KeySchema, ValueSchema uint32
}

// Writer is the batch that a source fills. Its bytes are copied as they are written.
type Writer struct {
	topics     []string
	rows       []row
	headers    []headerRow
	data       []byte
	schemas    *schemas
	positions  []Position
	afterRows  []uint32
	recordsMax int
	bytesMax   int
}

// NewWriter makes a writer with bounds: records, and bytes of data. Tests of sources start here.
func NewWriter(recordsMax, bytesMax int) *Writer {
	return &Writer{schemas: &schemas{}, recordsMax: recordsMax, bytesMax: bytesMax}
}

// reset empties the writer and keeps its memory.
func (w *Writer) reset(recordsMax, bytesMax int) {
	w.topics, w.rows, w.headers, w.data = w.topics[:0], w.rows[:0], w.headers[:0], w.data[:0]
	w.positions, w.afterRows = w.positions[:0], w.afterRows[:0]
	w.recordsMax, w.bytesMax = recordsMax, bytesMax
}

// Len is the number of records so far.
func (w *Writer) Len() int { return len(w.rows) }

// Full is true once a bound is reached: return from Poll.
func (w *Writer) Full() bool { return len(w.rows) >= w.recordsMax || len(w.data) >= w.bytesMax }

// Fits is true if a record with this many bytes still fits. The first always does: a larger one travels alone.
func (w *Writer) Fits(bytes int) bool {
	return len(w.rows) == 0 || (len(w.rows) < w.recordsMax && len(w.data)+bytes <= w.bytesMax)
}

// Topic is the index of a topic, added if it is new.
func (w *Writer) Topic(name string) TopicID { return TopicID(indexOf(&w.topics, name)) }

// Schema is the id of a schema (the schema part of Kafka Connect's JSON envelope), announced once. 0 if all ids are used up.
func (w *Writer) Schema(definition string) uint32 { return w.schemas.announce(definition) }

func indexOf(names *[]string, name string) uint32 {
	for at, known := range *names {
		if known == name {
			return uint32(at)
		}
	}
	*names = append(*names, name)
	return uint32(len(*names) - 1)
}

func appendBytes(data *[]byte, base int, bytes []byte) span {
	if bytes == nil {
		return nullSpan
	}
	at := base + len(*data)
	if at+len(bytes) >= math.MaxUint32 {
		panic("a batch of 4 GiB")
	}
	*data = append(*data, bytes...)
	return span{uint32(at), uint32(len(bytes))}
}

// headerName cuts off a name that would not fit.
func headerName(name string) []byte {
	if len(name) <= math.MaxUint16 {
		return append(make([]byte, 0, len(name)), name...)
	}
	end := math.MaxUint16
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return []byte(name[:end])
}

// Write writes a record.
func (w *Writer) Write(record Written) {
	r := row{
		offset: NoOffset, timestamp: NoTimestamp, partition: AnyPartition, topic: uint32(record.Topic),
		key: appendBytes(&w.data, 0, record.Key), value: appendBytes(&w.data, 0, record.Value),
		headerFirst: uint32(len(w.headers)), headerCount: uint32(len(record.Headers)), sourceRow: uint32(len(w.rows)),
		keySchema: record.KeySchema, valueSchema: record.ValueSchema,
	}
	if !record.Timestamp.IsZero() {
		r.timestamp = record.Timestamp.UnixMilli()
	}
	if record.Partition != nil {
		r.partition = *record.Partition
	}
	for _, h := range record.Headers {
		name := appendBytes(&w.data, 0, headerName(h.Name))
		value := appendBytes(&w.data, 0, h.Value)
		schema := uint16(w.schemas.announce(h.Schema))
		w.headers = append(w.headers, headerRow{name.offset, uint16(name.len), schema, value})
	}
	w.rows = append(w.rows, r)
}

// Position writes the position that holds once all records written so far are delivered. Usually one a batch.
func (w *Writer) Position(partition, offset string) {
	w.positions = append(w.positions, Position{partition, offset})
	w.afterRows = append(w.afterRows, uint32(len(w.rows))-1) // 0xffff_ffff without a record
}

// Positions are those so far, each with the row it holds after; -1 is none.
func (w *Writer) Positions() (positions []Position, afterRow []int) {
	for _, at := range w.afterRows {
		afterRow = append(afterRow, int(int32(at)))
	}
	return w.positions, afterRow
}

// Batch is what was written, to read it back in tests.
func (w *Writer) Batch() *Batch {
	return &Batch{w.topics, w.rows, w.headers, w.data, w.schemas}
}

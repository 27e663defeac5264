package lockgate

import (
	"iter"
	"unsafe"
)

// Null lengths and partitions, as wit/batches.wit says.
const (
	nullLen = ^uint32(0)
	// AnyPartition lets the host choose the partition.
	AnyPartition = ^uint32(0)
	// NoOffset is the offset of a record that is not in Kafka yet.
	NoOffset int64 = -1
	// NoTimestamp is the timestamp of a record that has none.
	NoTimestamp int64 = -1
)

type span struct{ offset, len uint32 }

var nullSpan = span{0, nullLen}

// row is one record without its bytes: 64 bytes, laid out as wit/batches.wit says, read and written in place.
type row struct {
	offset, timestamp        int64
	partition, topic         uint32
	key, value               span
	headerFirst, headerCount uint32
	sourceRow, flags         uint32
	keySchema, valueSchema   uint32
}

const logAppendTime = 1

// headerRow is one header without its bytes: 16 bytes.
type headerRow struct {
	nameOffset      uint32
	nameLen, schema uint16
	value           span
}

var empty = []byte{}

// rowsOf reads flat bytes as rows, in place. The bytes begin at a whole word.
func rowsOf[T row | headerRow | offsetRow](flat []byte) []T {
	var one T
	if len(flat) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(flat))), len(flat)/int(unsafe.Sizeof(one)))
}

// flat is rowsOf the other way round.
func flat[T row | headerRow | offsetRow](rows []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(rows))), len(rows)*int(unsafe.Sizeof(one)))
}

// Batch is records from the host, read where they lie. It is valid until the call that got it returns.
type Batch struct {
	topics  []string
	rows    []row
	headers []headerRow
	data    []byte
	schemas *schemas
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.rows) }

// DataLen is the number of bytes of all keys, values and headers together.
func (b *Batch) DataLen() int { return len(b.data) }

// At is one record.
func (b *Batch) At(index int) Record { return Record{b, &b.rows[index], index} }

// All is every record with its index; within one partition in the order of offsets.
func (b *Batch) All() iter.Seq2[int, Record] {
	return func(yield func(int, Record) bool) {
		for index := range b.rows {
			if !yield(index, Record{b, &b.rows[index], index}) {
				return
			}
		}
	}
}

func bytesOf(data []byte, s span) []byte {
	switch s.len {
	case nullLen:
		return nil
	case 0:
		return empty
	}
	return data[s.offset : s.offset+s.len : s.offset+s.len]
}

// Record is one record of a batch: a view. Copy what is to outlive the call (bytes.Clone, strings.Clone).
type Record struct {
	batch *Batch
	row   *row
	index int
}

// Index is its place in the batch, as faults name it.
func (r Record) Index() int { return r.index }

// Topic is its topic.
func (r Record) Topic() string { return r.batch.topics[r.row.topic] }

// Partition is its partition.
func (r Record) Partition() uint32 { return r.row.partition }

// Offset is its offset in the partition.
func (r Record) Offset() int64 { return r.row.offset }

// Timestamp is milliseconds since the epoch, or NoTimestamp.
func (r Record) Timestamp() int64 { return r.row.timestamp }

// Key is nil where it is null, which is not the same as empty.
func (r Record) Key() []byte { return bytesOf(r.batch.data, r.row.key) }

// Value is nil for a tombstone.
func (r Record) Value() []byte { return bytesOf(r.batch.data, r.row.value) }

// KeySchema is the definition of the key's schema (the schema part of Kafka Connect's JSON envelope), or "".
func (r Record) KeySchema() string { return r.batch.schemas.definition(r.row.keySchema) }

// ValueSchema is likewise that of the value.
func (r Record) ValueSchema() string { return r.batch.schemas.definition(r.row.valueSchema) }

// Header is one header of a record.
type Header struct {
	// Name is UTF-8.
	Name string
	// Value is nil where it is null.
	Value []byte
	// Schema is the definition of the value's schema, or "".
	Schema string
}

// Headers is every header in order; names may repeat.
func (r Record) Headers() iter.Seq[Header] {
	return headersOf(r.batch.headers[r.row.headerFirst:][:r.row.headerCount], r.batch.schemas, func(s span) []byte {
		return bytesOf(r.batch.data, s)
	})
}

func headersOf(rows []headerRow, known *schemas, bytes func(span) []byte) iter.Seq[Header] {
	return func(yield func(Header) bool) {
		for _, h := range rows {
			name := bytes(span{h.nameOffset, uint32(h.nameLen)})
			header := Header{unsafe.String(unsafe.SliceData(name), len(name)), bytes(h.value), known.definition(uint32(h.schema))}
			if !yield(header) {
				return
			}
		}
	}
}

// Header is the value of the last header of this name.
func (r Record) Header(name string) (value []byte, found bool) {
	for h := range r.Headers() {
		if h.Name == name {
			value, found = h.Value, true
		}
	}
	return value, found
}

// schemas are those of this instance: announced once by either side, known by id ever after.
type schemas struct {
	host      map[uint32]string
	guest     []string
	announced int
}

const guestFirst, guestCount = 0x8000, 0x8000

func (s *schemas) definition(id uint32) string {
	switch {
	case id == 0 || s == nil:
		return ""
	case id < guestFirst:
		return s.host[id]
	case int(id-guestFirst) < len(s.guest):
		return s.guest[id-guestFirst]
	}
	return ""
}

func (s *schemas) learn(id uint32, definition string) {
	if s.host == nil {
		s.host = map[uint32]string{}
	}
	s.host[id] = definition
}

// announce gives the id of a definition; 0 if all ids are used up.
func (s *schemas) announce(definition string) uint32 {
	if definition == "" {
		return 0
	}
	for at, known := range s.guest {
		if known == definition {
			return guestFirst + uint32(at)
		}
	}
	if len(s.guest) == guestCount {
		return 0
	}
	s.guest = append(s.guest, definition)
	return guestFirst + uint32(len(s.guest)-1)
}

// unannounced are the definitions that the next answer must carry, from the id `first` on.
func (s *schemas) unannounced() (first uint32, definitions []string) {
	first, definitions = guestFirst+uint32(s.announced), s.guest[s.announced:]
	s.announced = len(s.guest)
	return first, definitions
}

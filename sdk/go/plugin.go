// Package lockgate is the guest side of Lockgate in Go: sources, sinks, transforms and predicates.
//
// Enters: a Package, given to Export in an init function. Leaves: a WebAssembly component, made by lockgate-go. Invariant: a record is a
// view over the host's batch, and no byte of it is copied unless the plugin does; a view is valid until the call that got it returns.
package lockgate

import "context"

// Encoding is how key, value and header bytes are to be read.
type Encoding uint8

const (
	// Bytes are opaque.
	Bytes Encoding = iota
	// JSON is UTF-8 text, with the conventions of Kafka Connect's JSON payloads.
	JSON
	// CBOR is RFC 8949.
	CBOR
)

// String is its name.
func (e Encoding) String() string { return [...]string{"bytes", "json", "cbor"}[e] }

// Formats are the encodings that a task gets and gives.
type Formats struct {
	Key, Value, Header Encoding
}

// Request is something outside the sandbox that a plugin needs; it is there if the worker grants it. A text may name config keys in braces:
// "{file}".
type Request struct {
	kind   uint8
	target string
}

// AskHTTP asks for outbound HTTP: host, host:port, *.domain:port, or a URL.
func AskHTTP(target string) Request { return Request{0, target} }

// AskTCP asks for outbound TCP: host:port.
func AskTCP(target string) Request { return Request{1, target} }

// AskRead asks to read a file or a directory.
func AskRead(path string) Request { return Request{2, path} }

// AskWrite asks to read, create and write files.
func AskWrite(path string) Request { return Request{3, path} }

// Description is what a plugin says of itself: the same each time.
type Description struct {
	// Class is what users write as connector.class or transforms.x.type.
	Class string
	// Doc is one sentence.
	Doc string
	// Aliases are other names that it answers to.
	Aliases []string
	// Config is a struct whose tags are the config definitions (see Settings.Into), or nil.
	Config any
	// Encodings that it takes or gives, the preferred one first; none is Bytes.
	Encodings []Encoding
	// Requests are what it asks for.
	Requests []Request
	// Validate checks settings across keys; types, constraints and missing values were checked before. May be nil.
	Validate func(Settings) []Advice
}

// Advice is what a plugin has to say about one config key.
type Advice struct {
	// Key is the config key.
	Key string
	// Recommended are values that a user may choose.
	Recommended []string
	// Errors say what is wrong with its value.
	Errors []string
	// Hidden: user interfaces need not show it.
	Hidden bool
}

// Connector is one connector, before it has tasks.
type Connector struct {
	// Name is what the user called it.
	Name string
	// Settings are the connector's.
	Settings Settings
}

// Task is one task; for a transform one step of a chain.
type Task struct {
	// Connector is the name of the connector.
	Connector string
	// Number counts from 0.
	Number int
	// Settings are the task's: what Tasks gave, or the connector's.
	Settings Settings
	// Formats are the encodings that it gets and gives.
	Formats Formats
}

// Place is a partition with an offset.
type Place struct {
	// Topic is the name of a topic.
	Topic string
	// Partition counts from 0.
	Partition uint32
	// Offset is NoOffset where there is none.
	Offset int64
}

// Report names rows of a batch that cannot be delivered. All others are taken.
type Report struct {
	rows []RowFault
}

// Bad names a row that can never be delivered.
func (r *Report) Bad(row int, code, message string) {
	r.Add(RowFault{Row: row, Code: code, Message: message})
}

// Add names a row.
func (r *Report) Add(fault RowFault) { r.rows = append(r.rows, fault) }

// Rows are those so far.
func (r *Report) Rows() []RowFault { return r.rows }

// Sink takes records from Kafka. One value is one task. It may also be an Assigner, a Revoker, a Committer, a Closer.
type Sink interface {
	// Put takes a batch, never an empty one. The context ends when the task is to stop.
	Put(ctx context.Context, batch *Batch, report *Report) error
}

// Assigner hears of partitions that are now this task's, and answers with those where it wants to begin elsewhere.
type Assigner interface {
	Assigned(ctx context.Context, partitions []Place) ([]Place, error)
}

// Revoker hears of partitions that are no longer this task's.
type Revoker interface {
	Revoked(ctx context.Context, partitions []Place) error
}

// Committer makes durable what was taken and answers with what is: the same offsets or less. Without it all is agreed to, which is right for
// sinks whose Put delivers.
type Committer interface {
	PrepareCommit(ctx context.Context, offsets []Place) ([]Place, error)
}

// Closer hears that the task ends; 5 s are left.
type Closer interface {
	Close(ctx context.Context) error
}

// Source brings records to Kafka. One value is one task. It may also be a CommitListener, a Closer.
type Source interface {
	// Poll writes the next records and their positions until the writer is full or there are no more. It may wait for a second.
	Poll(ctx context.Context, out *Writer) (Next, error)
}

// CommitListener hears of positions that are durable: the upstream may forget what came before.
type CommitListener interface {
	Committed(ctx context.Context, positions []Position) error
}

// Transform changes one record at a time. One value is one step of a chain. It may also be a Closer.
type Transform interface {
	Apply(record *Edit) (Flow, error)
}

// Predicate decides whether a step runs for a record, as earlier steps left it.
type Predicate interface {
	Test(record *Edit) (bool, error)
}

// SinkPlugin is a sink of a package.
type SinkPlugin struct {
	Description
	// Open makes the sink of one task.
	Open func(ctx context.Context, task Task) (Sink, error)
	// Tasks splits the work into at most `most` tasks. Nil: that many, with the connector's settings.
	Tasks func(connector Connector, most int) ([]Settings, error)
}

// SourcePlugin is a source of a package.
type SourcePlugin struct {
	Description
	// Open gets all stored positions of the connector.
	Open func(ctx context.Context, task Task, positions []Position) (Source, error)
	// Tasks splits the work into at most `most` tasks. Nil: one, with the connector's settings.
	Tasks func(connector Connector, most int) ([]Settings, error)
}

// TransformPlugin is a transform of a package.
type TransformPlugin struct {
	Description
	// Open makes one step of a chain.
	Open func(ctx context.Context, step Task) (Transform, error)
}

// PredicatePlugin is a predicate of a package.
type PredicatePlugin struct {
	Description
	// Open makes the predicate of one step.
	Open func(ctx context.Context, step Task) (Predicate, error)
}

// Package is everything that one component has.
type Package struct {
	// Name: lower-case letters, digits and hyphens.
	Name string
	// Version is a semantic version.
	Version string
	// Doc is one sentence.
	Doc string
	// Sources and the others are its plugins; a package may have some of each.
	Sources    []SourcePlugin
	Sinks      []SinkPlugin
	Transforms []TransformPlugin
	Predicates []PredicatePlugin
}

var exported Package

// Export names the plugins of the component: once, in an init function.
func Export(p Package) { exported = p }

func (d *Description) answersTo(class string) bool {
	if d.Class == class {
		return true
	}
	for _, alias := range d.Aliases {
		if alias == class {
			return true
		}
	}
	return false
}

// find is the plugin of a list that answers to a class.
func find[T any](all []T, about func(*T) *Description, class, kind string) (*T, error) {
	for at := range all {
		if about(&all[at]).answersTo(class) {
			return &all[at], nil
		}
	}
	return nil, Fatal("guest.class", "this package has no %s `%s`", kind, class)
}

func aboutSource(p *SourcePlugin) *Description       { return &p.Description }
func aboutSink(p *SinkPlugin) *Description           { return &p.Description }
func aboutTransform(p *TransformPlugin) *Description { return &p.Description }
func aboutPredicate(p *PredicatePlugin) *Description { return &p.Description }

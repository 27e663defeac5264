package lockgate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

type faultKind int

const (
	fatal faultKind = iota
	retriable
	badRows
	badConfig
)

// Fault is a typed error of a plugin. It says what went wrong; whether to retry, skip, dead-letter or stop is the host's choice, by the
// connector's errors.* settings. An error that is no Fault, and wraps none, is fatal; but for one that says it was out of time (Timeout() is
// true, as a net.Error's may be), or that the context ended: it is retriable.
type Fault struct {
	// Code is short and stable, for machines, dotted: "http.status".
	Code string
	// Message is one sentence for people: what is wrong, where, what to do. Never a secret.
	Message string
	// Detail is more for people: an answer's body. May be empty.
	Detail string

	kind     faultKind
	after    time.Duration
	rows     []RowFault
	problems []Problem
	cause    error
}

// Problem is one config key that cannot be accepted.
type Problem struct {
	// Key is the config key, Problem what is wrong with its value.
	Key, Problem string
}

// RowFault is one row that cannot be handled. As an error of a transform it stands for its record.
type RowFault struct {
	// Row is its index in the batch; transforms leave it to the chain.
	Row int
	// Retriable: the same row may succeed later without a change.
	Retriable bool
	// Code is short and stable, for machines, dotted.
	Code string
	// Message is for people.
	Message string
	step    int
}

// Error is code and message.
func (r *RowFault) Error() string { return r.Code + ": " + r.Message }

func newFault(kind faultKind, code, format string, args []any) *Fault {
	err := fmt.Errorf(format, args...)
	return &Fault{Code: code, Message: err.Error(), kind: kind, cause: errors.Unwrap(err)}
}

// Retriable: the same call may succeed later. The format is that of fmt.Errorf.
func Retriable(code, format string, args ...any) *Fault {
	return newFault(retriable, code, format, args)
}

// Fatal: the task must stop; a person must look.
func Fatal(code, format string, args ...any) *Fault { return newFault(fatal, code, format, args) }

// BadConfig names every setting that cannot be accepted.
func BadConfig(problems ...Problem) *Fault {
	keys := make([]string, len(problems))
	for at, p := range problems {
		keys[at] = p.Key
	}
	fault := newFault(badConfig, "config.invalid", "the configuration is not valid: %s", []any{strings.Join(keys, ", ")})
	fault.problems = problems
	return fault
}

// BadRows ends Put: these rows are bad, all others were handled.
func BadRows(rows ...RowFault) *Fault {
	fault := newFault(badRows, "rows.bad", "%d records cannot be handled", []any{len(rows)})
	fault.rows = rows
	return fault
}

// After is at least how long to wait before the next try, for a retriable fault.
func (f *Fault) After(wait time.Duration) *Fault {
	f.after = wait
	return f
}

// WithDetail adds more for people.
func (f *Fault) WithDetail(detail string) *Fault {
	f.Detail = detail
	return f
}

// Error is code, message and the problems of a configuration.
func (f *Fault) Error() string {
	text := f.Code + ": " + f.Message
	for _, p := range f.problems {
		text += "; " + p.Key + ": " + p.Problem
	}
	return text
}

// Unwrap is what the format wrapped by %w, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// faultOf finds the fault in an error, or makes it a fatal one.
func faultOf(err error) *Fault {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	var late interface{ Timeout() bool }
	switch {
	case errors.As(err, &late) && late.Timeout():
		return newFault(retriable, "guest.timeout", "%w", []any{err})
	case errors.Is(err, context.Canceled):
		return newFault(retriable, "guest.cancelled", "%w", []any{err})
	}
	return newFault(fatal, "guest.error", "%w", []any{err})
}

// rowFault is likewise that of a record.
func rowFault(err error) RowFault {
	var row *RowFault
	if errors.As(err, &row) {
		return *row
	}
	fault := faultOf(err)
	return RowFault{Retriable: fault.kind == retriable, Code: fault.Code, Message: fault.Message}
}

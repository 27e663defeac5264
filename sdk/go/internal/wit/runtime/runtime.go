//go:build wasip1

// Package runtime is what generated bindings need of a runtime, made so that Go's collector never runs where it must not.
//
// Enters: the host's requests for memory, before a call. Leaves: memory. Invariant: while the host allocates, the guest may not call
// imports, and Go's collector calls some (it asks for the time). So the collector is off, the arguments of a call lie in an arena that
// is used again by the next call, and Done collects, inside a call, when enough was allocated.
package runtime

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"unsafe"
)

const (
	// earlyBytes is the memory for what is asked before Go's own runtime is up (the state of the WASI adapter).
	earlyBytes = 160 << 10
	// arenaBytes is the arena's first size; it grows to what a call needed.
	arenaBytes = 512 << 10
	// borrowedBytes is the memory for what an import gives while the plugin runs: a piece of a body, a list of headers.
	borrowedBytes = 72 << 10
	// collectBytes is what may be allocated before the collector runs, at least.
	collectBytes = 8 << 20
)

var (
	early     [earlyBytes / 8]uint64
	earlyUsed uintptr
	up        bool

	arena     []byte
	arenaUsed uintptr
	// What did not fit: kept until the call is over.
	spill      [][]byte
	spillBytes uintptr

	borrowed     []byte
	borrowedUsed uintptr
	borrowing    bool

	allocated          = []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	collectFrom uint64 = collectBytes
)

func init() {
	debug.SetGCPercent(-1)
	arena = make([]byte, arenaBytes)
	up = true
}

// Allocate gives memory that a result of this call lies in.
func Allocate(pinner *runtime.Pinner, size, _ uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	pointer := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	pinner.Pin(pointer)
	return pointer
}

// Unpin is called by an export once it has read its arguments. They stay until Done.
func Unpin() {}

// Done ends a call: its arguments may be written over, and the collector may run.
func Done() {
	arenaUsed = 0
	if spill != nil {
		arena = make([]byte, (uintptr(len(arena))+spillBytes)*5/4)
		spill, spillBytes = nil, 0
	}
	Collect()
}

// Collect collects if enough was allocated since the last time. It is for places inside a call where nothing of the host's lies in memory
// that only the host knows: between two requests, say, so that a call that makes many keeps its memory steady.
func Collect() {
	metrics.Read(allocated)
	if allocated[0].Value.Uint64() < collectFrom {
		return
	}
	runtime.GC()
	metrics.Read(allocated)
	collectFrom = allocated[0].Value.Uint64() + max(collectBytes, allocated[1].Value.Uint64())
}

// Borrow lets what the host allocates from here to Return lie in memory that the next Borrow uses again. What lies there is to be copied
// before Return; nothing between the two may block or call the plugin.
func Borrow() {
	if borrowed == nil {
		borrowed = make([]byte, borrowedBytes)
	}
	borrowing, borrowedUsed = true, 0
}

// Return ends a Borrow.
func Return() { borrowing = false }

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host never makes a list longer")
	}
	room := (size + 7) &^ 7 // whole words: rows are read in place
	switch {
	case !up:
		if earlyUsed+room > earlyBytes {
			panic("out of early memory")
		}
		earlyUsed += room
		return unsafe.Add(unsafe.Pointer(&early), earlyUsed-room)
	case borrowing && borrowedUsed+room <= uintptr(len(borrowed)):
		borrowedUsed += room
		return unsafe.Add(unsafe.Pointer(unsafe.SliceData(borrowed)), borrowedUsed-room)
	case borrowing:
		// Larger than usual. Nothing refers to it but the host's answer; the collector does not run before Return.
		return unsafe.Pointer(unsafe.SliceData(make([]byte, room)))
	case arenaUsed+room <= uintptr(len(arena)):
		arenaUsed += room
		return unsafe.Add(unsafe.Pointer(unsafe.SliceData(arena)), arenaUsed-room)
	default:
		piece := make([]byte, room)
		spill, spillBytes = append(spill, piece), spillBytes+room
		return unsafe.Pointer(unsafe.SliceData(piece))
	}
}

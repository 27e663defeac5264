//go:build wasip1

package wasi

import (
	"unsafe"

	"lockgate.dev/go/internal/wit/runtime"
)

// answer is where the host writes an answer of more than one number. Not on a stack: the host allocates through Go, which may move it.
var answer [8]uint64

func area() unsafe.Pointer { return unsafe.Pointer(&answer) }

func byteAt(offset uintptr) uint8 { return *(*uint8)(unsafe.Add(area(), offset)) }
func wordAt(offset uintptr) uint32 {
	return *(*uint32)(unsafe.Add(area(), offset))
}

// listOf is the list whose address and length stand in the answer; the host's memory, to be copied before giveBack.
func listOf[T any](offset uintptr) []T {
	first := *(*unsafe.Pointer)(unsafe.Add(area(), offset))
	if count := wordAt(offset + 4); count != 0 {
		return unsafe.Slice((*T)(first), count)
	}
	return nil
}

func textAt(offset uintptr) string { return string(listOf[byte](offset)) }

func borrow()   { runtime.Borrow() }
func giveBack() { runtime.Return() }

// Collect lets Go's collector run if it is due: see there.
func Collect() { runtime.Collect() }

func textOf(text string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))
}

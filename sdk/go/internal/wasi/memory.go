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

// at is a place in the memory of this instance. An address of the host's has 32 bits, a pointer of Go's 64.
func at(address uint32) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// listOf is the list whose address and length stand in the answer; the host's memory, to be copied before giveBack. No T has pointers.
func listOf[T byte | uint32 | [4]uint32](offset uintptr) []T {
	if count := wordAt(offset + 4); count != 0 {
		return unsafe.Slice((*T)(at(wordAt(offset))), count)
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

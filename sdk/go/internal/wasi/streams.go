//go:build wasip1

package wasi

import (
	"errors"
	"io"
	"unsafe"
)

// pieceMax is how much is read or written at once; it fits what is borrowed.
const pieceMax = 64 << 10

// ErrClosed says that the far end takes nothing any more.
var ErrClosed = errors.New("the far end has closed the connection")

// streamError reads a stream-error of the answer: closed, or why the last operation failed.
func streamError(offset uintptr, closed error) error {
	if byteAt(offset) != 0 {
		return closed
	}
	failure := wordAt(offset + 4)
	borrow()
	errorText(failure, area())
	text := textAt(0)
	giveBack()
	dropError(failure)
	return errors.New(text)
}

// collectEvery is after how many reads the collector may run: what was made of the bytes may be gone by then.
const collectEvery = 64

var reads int

// Read reads what there is, at least a byte; io.EOF at the end. It waits as Wait does.
func Read(limit Limit, stream uint32, into []byte) (int, error) {
	if len(into) == 0 {
		return 0, nil
	}
	if reads++; reads%collectEvery == 0 {
		Collect()
	}
	for {
		borrow()
		inputRead(stream, uint64(min(len(into), pieceMax)), area())
		if byteAt(0) != 0 {
			giveBack()
			return 0, streamError(4, io.EOF)
		}
		count := copy(into, listOf[byte](4))
		giveBack()
		if count > 0 {
			return count, nil
		}
		if err := Wait(limit, inputSubscribe(stream)); err != nil {
			return 0, err
		}
	}
}

// room is how many bytes the stream takes now; it waits until it takes any.
func room(limit Limit, stream uint32) (int, error) {
	for {
		outputCheck(stream, area())
		if byteAt(0) != 0 {
			return 0, streamError(8, ErrClosed)
		}
		if free := *(*uint64)(unsafe.Add(area(), 8)); free > 0 {
			return int(min(free, pieceMax)), nil
		}
		if err := Wait(limit, outputSubscribe(stream)); err != nil {
			return 0, err
		}
	}
}

// Write writes everything, and says how much it wrote if it could not.
func Write(limit Limit, stream uint32, from []byte) (int, error) {
	written := 0
	for written < len(from) {
		free, err := room(limit, stream)
		if err != nil {
			return written, err
		}
		piece := from[written:min(written+free, len(from))]
		outputWrite(stream, unsafe.Pointer(unsafe.SliceData(piece)), uint32(len(piece)), area())
		if byteAt(0) != 0 {
			return written, streamError(4, ErrClosed)
		}
		written += len(piece)
	}
	return written, nil
}

// Flush waits until everything that was written is on its way.
func Flush(limit Limit, stream uint32) error {
	outputFlush(stream, area())
	if byteAt(0) != 0 {
		return streamError(4, ErrClosed)
	}
	_, err := room(limit, stream)
	return err
}

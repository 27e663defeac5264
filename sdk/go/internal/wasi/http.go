//go:build wasip1

package wasi

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"time"
	"unsafe"
)

// Field is one header. Names may repeat.
type Field struct{ Name, Value string }

// Request is a request without its body.
type Request struct {
	Method, Authority, Path string
	TLS                     bool
	Fields                  []Field
}

// ErrFields says that a header cannot be sent.
var ErrFields = errors.New("a header is malformed, or is one that only the host sets")

var methods = map[string]uint32{"GET": 0, "HEAD": 1, "POST": 2, "PUT": 3, "DELETE": 4, "CONNECT": 5, "OPTIONS": 6, "TRACE": 7, "PATCH": 8}

const otherMethod = 9

// packed is the text of all headers on its way to the host: memory that stays where it is.
var packed []byte

// fields makes the host's list of headers.
func fields(all []Field) (uint32, error) {
	packed = packed[:0]
	for _, f := range all {
		packed = append(append(packed, f.Name...), f.Value...)
	}
	address := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(packed))))
	next := func(text string) (first, length uint32) {
		first, length = address, uint32(len(text))
		address += length
		return first, length
	}
	entries := make([][4]uint32, len(all)) // address and length of the name, of the value
	for i, f := range all {
		entries[i][0], entries[i][1] = next(f.Name)
		entries[i][2], entries[i][3] = next(f.Value)
	}
	fieldsFromList(unsafe.Pointer(unsafe.SliceData(entries)), uint32(len(entries)), area())
	if byteAt(0) != 0 {
		return 0, ErrFields
	}
	return wordAt(4), nil
}

func (r *Request) open() (uint32, error) {
	headers, err := fields(r.Fields)
	if err != nil {
		return 0, err
	}
	request := newRequest(headers)
	number, known := methods[r.Method]
	if !known {
		number = otherMethod
	}
	method, methodLength := textOf(r.Method)
	path, pathLength := textOf(r.Path)
	authority, authorityLength := textOf(r.Authority)
	scheme := uint32(0)
	if r.TLS {
		scheme = 1
	}
	if setMethod(request, number, method, methodLength)|setScheme(request, 1, scheme, nil, 0)|
		setAuthority(request, 1, authority, authorityLength)|setPath(request, 1, path, pathLength) != 0 {
		dropRequest(request)
		return 0, HTTPError{Code: methodInvalid + 1}
	}
	return request, nil
}

// options carries a deadline to the host; without one the host's own hold.
func options(ctx context.Context) (some, handle uint32) {
	end, has := ctx.Deadline()
	if !has {
		return 0, 0
	}
	left := uint64(max(time.Until(end), 1))
	handle = newOptions()
	setConnectTimeout(handle, 1, left)
	setFirstByteTimeout(handle, 1, left)
	setBetweenBytesTimeout(handle, 1, left)
	return 1, handle
}

// Send sends a request with its body, and waits for the head of the answer.
func (r *Request) Send(ctx context.Context, body io.Reader) (*Response, error) {
	request, err := r.open()
	if err != nil {
		return nil, err
	}
	requestBody(request, area())
	outgoing := wordAt(4)
	some, option := options(ctx)
	httpHandle(request, some, option, area())
	if byteAt(0) != 0 {
		failed := httpErrorAt(8)
		dropOutgoingBody(outgoing)
		return nil, failed
	}
	future := wordAt(8)
	defer dropFuture(future)
	// A server may answer (401, 413) before it has read everything: what stops the writing is left to the answer. Only the caller's own
	// errors count.
	if err := writeBody(ctx, outgoing, body); err != nil {
		return nil, err
	}
	for {
		borrow()
		futureGet(future, area())
		some, taken, failed := byteAt(0), byteAt(8), byteAt(16)
		if some != 0 {
			if taken != 0 {
				giveBack()
				return nil, HTTPError{Code: internalError}
			}
			if failed != 0 {
				err := httpErrorIn(24)
				giveBack()
				return nil, err
			}
			giveBack()
			return responseOf(wordAt(24))
		}
		giveBack()
		if err := Wait(Limit{Ctx: ctx}, futureSubscribe(future)); err != nil {
			return nil, err
		}
	}
}

func httpErrorAt(offset uintptr) error {
	borrow()
	defer giveBack()
	return httpErrorIn(offset)
}

// httpErrorIn reads an error-code of the answer while it is borrowed.
func httpErrorIn(offset uintptr) error {
	found := HTTPError{Code: byteAt(offset)}
	if (found.Code == dnsError || found.Code == internalError) && byteAt(offset+8) != 0 {
		found.Text = textAt(offset + 12)
	}
	return found
}

// buffers are those that no body uses now.
var buffers [][]byte

func writeBody(ctx context.Context, outgoing uint32, body io.Reader) error {
	if body == nil {
		bodyFinish(outgoing, 0, 0, area())
		return nil
	}
	bodyWrite(outgoing, area())
	stream := wordAt(4)
	var buffer []byte
	if last := len(buffers) - 1; last >= 0 {
		buffer, buffers = buffers[last], buffers[:last]
	} else {
		buffer = make([]byte, pieceMax)
	}
	defer func() { buffers = append(buffers, buffer) }()
	limit := Limit{Ctx: ctx}
	for {
		count, err := body.Read(buffer)
		if count > 0 {
			if _, wrong := Write(limit, stream, buffer[:count]); wrong != nil {
				dropOutput(stream)
				dropOutgoingBody(outgoing)
				return ctx.Err()
			}
		}
		switch {
		case err == io.EOF:
			_ = Flush(limit, stream)
			dropOutput(stream)
			bodyFinish(outgoing, 0, 0, area())
			return ctx.Err()
		case err != nil:
			dropOutput(stream)
			dropOutgoingBody(outgoing)
			return err
		}
	}
}

// Response is an answer whose body is still to be read.
type Response struct {
	Status   int
	Fields   []Field
	response uint32
	body     uint32
	stream   uint32
	closed   bool
	busy     int
}

func responseOf(handle uint32) (*Response, error) {
	r := &Response{Status: int(responseStatus(handle)), response: handle}
	headers := responseHeaders(handle)
	borrow()
	fieldsEntries(headers, area())
	for _, entry := range listOf[[4]uint32](0) {
		text := func(address, length uint32) string { return string(unsafe.Slice((*byte)(at(address)), length)) }
		r.Fields = append(r.Fields, Field{text(entry[0], entry[1]), text(entry[2], entry[3])})
	}
	giveBack()
	dropFields(headers)
	responseConsume(handle, area())
	if byteAt(0) != 0 {
		dropResponse(handle)
		return nil, HTTPError{Code: internalError}
	}
	r.body = wordAt(4)
	bodyStream(r.body, area())
	if byteAt(0) != 0 {
		dropIncomingBody(r.body)
		dropResponse(handle)
		return nil, HTTPError{Code: internalError}
	}
	r.stream = wordAt(4)
	return r, nil
}

// Read reads of the body what there is; io.EOF at its end.
func (r *Response) Read(ctx context.Context, into []byte) (int, error) {
	if r.closed {
		return 0, os.ErrClosed
	}
	r.busy++
	defer func() { r.busy-- }()
	return Read(Limit{Ctx: ctx, Closed: &r.closed}, r.stream, into)
}

// Close gives the answer back, read or not. Goroutines that read end with os.ErrClosed.
func (r *Response) Close() {
	if r.closed {
		return
	}
	r.closed = true
	for r.busy > 0 {
		runtime.Gosched()
	}
	dropInput(r.stream)
	dropIncomingBody(r.body)
	dropResponse(r.response)
	Collect()
}

//go:build wasip1

package wasi

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"time"
)

// Socket is a TCP connection: its socket and both of its streams.
type Socket struct {
	socket, in, out uint32
	closed          bool
	// Calls under way: what they wait for must go first.
	busy int
}

var network uint32

func theNetwork() uint32 {
	if network == 0 {
		network = instanceNetwork()
	}
	return network
}

// Resolve is the addresses of a name.
func Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	text, length := textOf(name)
	resolveAddresses(theNetwork(), text, length, area())
	if byteAt(0) != 0 {
		return nil, SocketError(byteAt(4))
	}
	stream := wordAt(4)
	defer dropResolve(stream)
	var found []netip.Addr
	for {
		resolveNext(stream, area())
		switch {
		case byteAt(0) != 0:
			code := SocketError(byteAt(2))
			if code != wouldBlock {
				return nil, code
			}
			if err := Wait(Limit{Ctx: ctx}, resolveSubscribe(stream)); err != nil {
				return nil, err
			}
		case byteAt(2) == 0:
			return found, nil
		default:
			found = append(found, addressAt(4))
		}
	}
}

// addressAt reads an ip-address of the answer.
func addressAt(offset uintptr) netip.Addr {
	if byteAt(offset) == 0 {
		var four [4]byte
		for at := range four {
			four[at] = byteAt(offset + 2 + uintptr(at))
		}
		return netip.AddrFrom4(four)
	}
	var sixteen [16]byte
	for at := 0; at < 16; at += 2 { // words in the machine's order
		sixteen[at], sixteen[at+1] = byteAt(offset+2+uintptr(at)+1), byteAt(offset+2+uintptr(at))
	}
	return netip.AddrFrom16(sixteen)
}

// Connect connects to an address.
func Connect(ctx context.Context, to netip.AddrPort) (*Socket, error) {
	family, address := uint32(0), to.Addr().Unmap()
	if address.Is6() {
		family = 1
	}
	createSocket(family, area())
	if byteAt(0) != 0 {
		return nil, SocketError(byteAt(4))
	}
	s := &Socket{socket: wordAt(4)}
	if err := s.connect(ctx, address, uint32(to.Port())); err != nil {
		dropSocket(s.socket)
		return nil, err
	}
	return s, nil
}

func (s *Socket) connect(ctx context.Context, address netip.Addr, port uint32) error {
	if address.Is4() {
		a := address.As4()
		startConnect(s.socket, theNetwork(), 0, port, uint32(a[0]), uint32(a[1]), uint32(a[2]), uint32(a[3]), 0, 0, 0, 0, 0, 0, area())
	} else {
		a := address.As16()
		word := func(at int) uint32 { return uint32(binary.BigEndian.Uint16(a[2*at:])) }
		// Port, flow, eight words, scope.
		startConnect(s.socket, theNetwork(), 1, port, 0, word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7), 0, area())
	}
	if byteAt(0) != 0 {
		return SocketError(byteAt(1))
	}
	for {
		finishConnect(s.socket, area())
		if byteAt(0) == 0 {
			s.in, s.out = wordAt(4), wordAt(8)
			return nil
		}
		if code := SocketError(byteAt(4)); code != wouldBlock {
			return code
		}
		if err := Wait(Limit{Ctx: ctx}, socketSubscribe(s.socket)); err != nil {
			return err
		}
	}
}

// Read reads what there is, at least a byte; io.EOF at the end.
func (s *Socket) Read(into []byte, deadline *time.Time) (int, error) {
	if s.closed {
		return 0, os.ErrClosed
	}
	s.busy++
	defer func() { s.busy-- }()
	return Read(s.limit(deadline), s.in, into)
}

// Write writes everything.
func (s *Socket) Write(from []byte, deadline *time.Time) (int, error) {
	if s.closed {
		return 0, os.ErrClosed
	}
	s.busy++
	defer func() { s.busy-- }()
	return Write(s.limit(deadline), s.out, from)
}

func (s *Socket) limit(deadline *time.Time) Limit {
	return Limit{context.Background(), deadline, &s.closed}
}

// Close sends what was written on its way, for a while at most, and closes both directions. Goroutines that read or write end with os.ErrClosed.
func (s *Socket) Close(most time.Duration) error {
	if s.closed {
		return os.ErrClosed
	}
	end := time.Now().Add(most)
	_ = Flush(s.limit(&end), s.out)
	s.closed = true
	for s.busy > 0 {
		runtime.Gosched()
	}
	dropInput(s.in)
	dropOutput(s.out)
	dropSocket(s.socket)
	return nil
}

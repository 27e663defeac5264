// Package tcp connects a plugin by TCP, where the worker allows it. Dial is what libraries take as their own dialer.
//
// Enters: an address. Leaves: a net.Conn, or a *lockgate.Fault inside the error. Invariant: other goroutines go on while one waits, and
// every wait ends at its deadline; without one it ends with the host's for the whole call (30 s), which costs the instance: set deadlines.
//
//	Requests: []lockgate.Request{lockgate.AskTCP("{address}")}
//
//	conn, err := tcp.Dial(ctx, "tcp", "db.example.com:5432")
//	secure := tls.Client(conn, &tls.Config{ServerName: "db.example.com", RootCAs: roots}) // there are no roots in the sandbox: bring them
//
// A target that is not granted is Fatal ("tcp.denied"), one that is not there Retriable ("tcp.connect"). A connection may be kept from one call
// to the next; in between nobody reads it. On the machine, in tests, it is Go's own network.
package tcp

import (
	"context"
	"net"
	"time"
)

// Timeout is the deadline of Dial where the context has none.
const Timeout = 10 * time.Second

// Dial connects to host:port; a name's addresses are tried in turn. The network is tcp, tcp4 or tcp6.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Timeout)
		defer cancel()
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return conn, nil
}

package tcp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	lockgate "lockgate.dev/go"
	"lockgate.dev/go/internal/wasi"
)

// closeMax is how long Close waits until what was written is on its way.
const closeMax = 2 * time.Second

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, lockgate.Fatal("tcp.address", "%w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, lockgate.Fatal("tcp.address", "`%s %s` is not a TCP address with a port", network, address)
	}
	addresses, err := addressesOf(ctx, host)
	if err != nil {
		return nil, explained(err, address)
	}
	last := error(wasi.SocketError(0))
	for _, ip := range addresses {
		if network == "tcp4" && !ip.Is4() || network == "tcp6" && ip.Is4() {
			continue
		}
		to := netip.AddrPortFrom(ip, uint16(port))
		socket, err := wasi.Connect(ctx, to)
		if err == nil {
			return &conn{socket: socket, remote: net.TCPAddrFromAddrPort(to)}, nil
		}
		last = err
	}
	return nil, explained(last, address)
}

func addressesOf(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return wasi.Resolve(ctx, host)
}

func explained(err error, address string) error {
	if errors.Is(err, wasi.AccessDenied) {
		return lockgate.Fatal("tcp.denied", "the worker does not allow this task to go to %s: the plugin asks for it (AskTCP) and "+
			"lockgate.grants.tcp must cover it", address)
	}
	return lockgate.Retriable("tcp.connect", "no connection to %s: %w", address, err)
}

type conn struct {
	socket       *wasi.Socket
	remote       net.Addr
	readDeadline time.Time
	sendDeadline time.Time
}

func (c *conn) Read(into []byte) (int, error) {
	count, err := c.socket.Read(into, &c.readDeadline)
	return count, c.broken("read", err)
}

func (c *conn) Write(from []byte) (int, error) {
	count, err := c.socket.Write(from, &c.sendDeadline)
	return count, c.broken("write", err)
}

// broken leaves io.EOF and deadlines as they are; what else ends a connection may go well with a new one.
func (c *conn) broken(what string, err error) error {
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
	case errors.Is(err, os.ErrClosed):
		err = net.ErrClosed
	default:
		err = lockgate.Retriable("tcp.broken", "the connection to %s broke: %w", c.remote, err)
	}
	return &net.OpError{Op: what, Net: "tcp", Addr: c.remote, Err: err}
}

func (c *conn) Close() error {
	if c.socket.Close(closeMax) != nil {
		return net.ErrClosed
	}
	return nil
}

// LocalAddr is unknown to a plugin.
func (*conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(at time.Time) error {
	c.readDeadline, c.sendDeadline = at, at
	return nil
}

func (c *conn) SetReadDeadline(at time.Time) error {
	c.readDeadline = at
	return nil
}

func (c *conn) SetWriteDeadline(at time.Time) error {
	c.sendDeadline = at
	return nil
}

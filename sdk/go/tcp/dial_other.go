//go:build !wasip1

package tcp

import (
	"context"
	"net"

	lockgate "lockgate.dev/go"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, lockgate.Retriable("tcp.connect", "%w", err)
	}
	return conn, nil
}

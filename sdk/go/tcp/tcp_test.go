package tcp

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"

	lockgate "lockgate.dev/go"
)

func TestAConnectionCarriesLinesAndNobodyThereIsRetriable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Write([]byte("hello\n"))
			conn.Close()
		}
	}()
	conn, err := Dial(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("%q %v", line, err)
	}
	conn.Close()
	listener.Close()
	_, err = Dial(context.Background(), "tcp", listener.Addr().String())
	var fault *lockgate.Fault
	var wrapped *net.OpError
	if !errors.As(err, &fault) || fault.Code != "tcp.connect" || !errors.As(err, &wrapped) {
		t.Error(err)
	}
}

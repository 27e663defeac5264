package wasi

import "fmt"

// SocketError is an error-code of wasi:sockets.
type SocketError uint8

const (
	// AccessDenied: no grant covers it.
	AccessDenied SocketError = 1
	wouldBlock   SocketError = 8
)

var socketErrors = [...]string{"unknown error", "access denied", "not supported", "invalid argument", "out of memory", "timed out",
	"concurrency conflict", "not in progress", "would block", "invalid state", "too many sockets", "address cannot be bound",
	"address in use", "unreachable", "connection refused", "connection reset", "connection aborted", "datagram too large",
	"name cannot be resolved", "name cannot be resolved for now", "name does not exist"}

func (e SocketError) Error() string {
	if int(e) < len(socketErrors) {
		return socketErrors[e]
	}
	return fmt.Sprintf("socket error %d", uint8(e))
}

// HTTPError is an error-code of wasi:http, and the text that came with it.
type HTTPError struct {
	Code uint8
	Text string
}

var httpErrors = [...]string{"DNS timeout", "DNS error", "destination not found", "destination unavailable", "destination address prohibited",
	"destination address unroutable", "connection refused", "connection terminated", "connection timeout", "connection read timeout",
	"connection write timeout", "connection limit reached", "TLS protocol error", "TLS certificate error", "TLS alert received",
	"request denied", "request length required", "request body size", "request method invalid", "request URI invalid",
	"request URI too long", "request header section size", "request header size", "request trailer section size",
	"request trailer size", "response incomplete", "response header section size", "response header size", "response body size",
	"response trailer section size", "response trailer size", "response transfer coding", "response content coding",
	"response timeout", "upgrade failed", "protocol error", "loop detected", "configuration error", "internal error"}

const (
	dnsTimeout             = 0
	dnsError               = 1
	addressRefused         = 4
	connectionTimeout      = 8
	connectionWriteTimeout = 10
	requestDenied          = 15
	methodInvalid          = 18
	uriTooLong             = 20
	responseTimeout        = 33
	internalError          = 38
)

func (e HTTPError) Error() string {
	text := fmt.Sprintf("HTTP error %d", e.Code)
	if int(e.Code) < len(httpErrors) {
		text = httpErrors[e.Code]
	}
	if e.Text != "" {
		text += " (" + e.Text + ")"
	}
	return text
}

// Denied is true where a grant is missing.
func (e HTTPError) Denied() bool { return e.Code == requestDenied || e.Code == addressRefused }

// Invalid is true where the request itself is wrong, so that it would never go well.
func (e HTTPError) Invalid() bool { return e.Code >= methodInvalid && e.Code <= uriTooLong }

// Timeout is true where the host's own deadline was reached.
func (e HTTPError) Timeout() bool {
	return e.Code == dnsTimeout || e.Code == responseTimeout || e.Code >= connectionTimeout && e.Code <= connectionWriteTimeout
}

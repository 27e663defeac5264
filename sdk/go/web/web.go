// Package web lets net/http work in a plugin: importing it sets http.DefaultTransport, so http.Get, http.DefaultClient and every library that
// takes an http.Client or an http.RoundTripper go through the host, which does TLS, keeps connections, and decides whether the target is
// granted.
//
// Enters: requests. Leaves: answers whose bodies are streams, or a *lockgate.Fault inside the error. Invariant: every wait ends at the
// request's context; without a deadline of its own, at the host's (10 s to connect, 60 s to the first byte and between any two).
//
//	import _ "lockgate.dev/go/web"
//
//	Requests: []lockgate.Request{lockgate.AskHTTP("{url}")}
//
// A request that is not granted is Fatal ("http.denied"), one that got no answer Retriable ("http.transport", "http.timeout"): return the
// error as it is. Redirects are followed as by any http.Client, each to a granted host only. On the machine, in tests, it is Go's own transport.
package web

import (
	"net/http"
	"strconv"
	"time"

	lockgate "lockgate.dev/go"
)

// Transport is an http.RoundTripper over the host. Its zero value is ready.
type Transport struct{}

// Client is an http.Client over Transport with a deadline of 30 s.
var Client = &http.Client{Transport: Transport{}, Timeout: 30 * time.Second}

// Check is nil for an answer 2xx. It is a fault for any other: Retriable for 408, 425, 429 and 5xx, with the delay of Retry-After in
// seconds; Fatal for the rest. Both have the code "http.status".
func Check(answer *http.Response) error {
	status := answer.StatusCode
	if status >= 200 && status <= 299 {
		return nil
	}
	where := ""
	if answer.Request != nil {
		where = answer.Request.URL.Redacted()
	}
	if status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests {
		return lockgate.Fatal("http.status", "%s answered %d", where, status)
	}
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 0 // a date, or nothing: the host's own delay
	}
	return lockgate.Retriable("http.status", "%s answered %d", where, status).After(time.Duration(seconds) * time.Second)
}
